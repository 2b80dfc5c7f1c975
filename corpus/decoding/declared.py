"""Which languages a page says it is in, in whichever of the four places it says so.

`<html lang>`, `<html xml:lang>`, `<meta http-equiv="content-language">` and the HTTP header of that name (HTML Standard, 3.2.6.2).
It is data and no evidence: on 276 Japanese pages of the larger pack the word is `en`, on 58 others `ja`. Searched by patterns in
the first letters of a page, since what is refused is never parsed. `lang` of inner elements speaks for these alone and is not
looked at.
"""

from __future__ import annotations

import re

_HTML = re.compile(r"<html(?=[\s/])((?:\"[^\"]*\"|'[^']*'|[^'\">])*)", re.IGNORECASE)
_META = re.compile(r"<meta(?=[\s/])((?:\"[^\"]*\"|'[^']*'|[^'\">])*)", re.IGNORECASE)
# Begins where a name does: tried amid a name of 64 K letters it would take half a minute.
_ATTRIBUTE = re.compile(r"(?<![^\s=/\"'>])([^\s=/\"'>]++)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SEARCHED = 1 << 16  # letters: some pages put a screen of comments and scripts before their first meta element
_TAG = re.compile(r"[a-z0-9]{1,8}(?:-[a-z0-9]{1,8})*", re.IGNORECASE)


def declared_languages(head: str, content_language: str = "") -> tuple[str, ...]:
    """Language tags a page declares, as written but for `_`, which becomes `-`; each once, the most specific place first.

    `head`: the page, or as much of its beginning as is at hand. `content_language`: the HTTP header, which like the meta
    element may list several. What is no language tag by its form is left out.
    """
    head = head[:_SEARCHED]
    end = head.rfind("-->") + len("-->")  # beyond it no comment has one, and none is looked for
    head = _COMMENT.sub("", head[:end]) + head[end:]
    said: list[str] = []
    if root := _HTML.search(head):
        attributes = attributes_of(root[1])
        said += [attributes.get("lang", ""), attributes.get("xml:lang", "")]
    for element in _META.finditer(head):
        attributes = attributes_of(element[1])
        if attributes.get("http-equiv", "").strip().lower() == "content-language":
            said += attributes.get("content", "").split(",")
    said += content_language.split(",")
    tags = (tag.strip().replace("_", "-") for tag in said)
    return tuple(dict.fromkeys(tag for tag in tags if _TAG.fullmatch(tag)))


def is_japanese(tag: str) -> bool:
    """Whether a tag means Japanese: its first part is `ja`, or `jpn` as ISO 639-2 has it. `jav` is Javanese, `jp` a country."""
    return tag.lower().replace("_", "-").split("-")[0] in ("ja", "jpn")


def attributes_of(tag: str) -> dict[str, str]:
    """Attributes of one tag by their names in small letters; the first of a name counts, as in a browser."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(tag):
        found.setdefault(name.lower(), double or single or bare)
    return found
