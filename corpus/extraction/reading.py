"""Reading matter: what a page's HTML says to a browser and not to an extractor, put right around the extractor.

    readable_text(main_text(readable_html(html)))

`readable_html` goes before any extractor, whose own rules then see an ordinary page; `readable_text` after it, letter by letter.

- Ruby (HTML Standard, 4.5.10): the base stays, readings and their brackets go: 漢字, not 漢字かんじ nor 漢字(かんじ).
  Done on the string, because the parsers disagree: lexbor closes an <rt> at the next one, libxml2 puts the next one inside. Doubtful
  markup keeps its text, which trafilatura would drop up to the end of the block: a reading that is never closed, or longer than any
  reading; <rt> outside ruby.
- A line break of the source between two wide letters is nothing (CSS Text 3, 4.1.3, segment breaks); extractors make it a blank.
  Left alone in <pre> and its like, and between two elements (`</a>⏎<a>`), where it separates what stands side by side.
- Lines of bare text with <br> directly in <center>, <main>, <section> or <article>, as old sites write whole articles: trafilatura
  loses the first of them, or all, unless a paragraph begins there.
- <time> within a sentence, told by hiragana before it or a Japanese letter behind: extractors drop its date with those of bylines.
- Text escaped twice (`&amp;lt;`) is text about markup. trafilatura decodes once more than a browser, so an invisible joiner (U+034F)
  stops it, and `readable_text` takes that away. Here a reader's page is preferred to what the Swallow corpus would hold.
- Vertical presentation forms (︵ ︶ ﹁ ︒, U+FE10-FE48) become the punctuation they present. NFKC would give brackets in ASCII.
- Format characters (zero-width blanks, soft hyphens, marks of direction and byte order) go: trafilatura takes them out, others do not.

Left as they are, since both extractors do right by them: <br> (a line), <wbr>, tate-chu-yoko spans, entities and their
windows-1252 range. Wide blanks and &nbsp; become one blank between words and none at a line's ends, as in the Swallow corpus.

0.16 to 0.3 ms a page of 17,000 to 33,000 letters, half of it the search for line breaks; a page without any of these comes back itself.
"""

from __future__ import annotations

import re
from html.entities import html5

_RARE = re.compile(r"</?(?:r(?:uby|tc?|p|b)|article|center|main|section|time)[\s/>]", re.IGNORECASE)
_RUBY = re.compile(r"</?r(?:uby|tc?|p|b)[\s/>]", re.IGNORECASE)
_BLOCK = (
    "article|aside|blockquote|body|center|d[dlt]|div|footer|form|h[1-6r]|header|html|li|main|ol|p|pre|section|t[dhr]|table|ul"
)
_MARK = re.compile(rf"""<(/?)(ruby|rtc|rt|rp|rb|{_BLOCK})(?:[\s/](?:[^<>"']|"[^"]*"|'[^']*')*+)?>""", re.IGNORECASE)
_FAMILY = ("ruby", "rtc", "rt", "rp", "rb")
_KANA = re.compile(r"\s*[ぁ-ゖァ-ヺー・]+(?=[^\sぁ-ゖァ-ヺー・<])")
_LONGEST_READING = 200  # characters of HTML, tags within it included

# East Asian Width W, F or H, without Hangul: kana, ideographs, their punctuation, full-width and half-width forms.
_WIDE = "\u2e80-\u312f\u3190-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff9f\uffe0-\uffe6\U00020000-\U0003ffff"
_INLINE = (
    "(?:</?(?:a|abbr|acronym|b|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|su[bp]|tt|u|var)"
    r"(?:\s[^<>]*+)?>)"
)
_LETTER = re.compile(f"[{_WIDE}]")
_TAG = re.compile(_INLINE)
# Bounded, so that a run of line breaks takes linear time. What stands before the break is looked at by hand: a pattern that begins with
# a letter is tried at every letter of the page and costs twice as much.
_BREAK = re.compile(rf"\n\s{{0,200}}+({_INLINE}{{0,8}}+)\s{{0,200}}+(?=[{_WIDE}])")
_LONGEST_TAG = 2000
_VERBATIM = re.compile(r"(<(pre|textarea|listing|xmp|plaintext)[\s>].*?(?:</\2\s*>|\Z))", re.IGNORECASE | re.DOTALL)
_ANY_VERBATIM = re.compile(r"<(?:pre|textarea|listing|xmp|plaintext)[\s>]", re.IGNORECASE)

# Text at the beginning of a container, up to the next block.
_BARE = re.compile(
    rf"(<(?:article|center|main|section)(?:\s[^<>]*+)?>)(\s*+[^\s<](?:[^<]++|<(?!/?(?:{_BLOCK})[\s/>]))*+)", re.IGNORECASE
)
_BR = re.compile(r"<br[\s/>]", re.IGNORECASE)
_DATE = re.compile(r"<time(?:\s[^<>]*+)?>([^<]{0,80}+)</time\s*>", re.IGNORECASE)
_JOINER = "\u034f"
_WITHOUT_END = "|".join(sorted((name for name in html5 if not name.endswith(";")), key=len, reverse=True))
_ESCAPED_TWICE = re.compile(rf"&amp;(?=#\d|#[xX][0-9a-fA-F]|[A-Za-z][0-9A-Za-z]{{1,31}};|{_WITHOUT_END})")

_VERTICAL = dict(zip(range(0xFE10, 0xFE1A), "，、。：；！？〖〗…", strict=True)) | dict(
    zip(
        [*range(0xFE30, 0xFE45), 0xFE47, 0xFE48],
        "‥―–＿＿（）｛｝〔〕【】《》〈〉「」『』［］",
        strict=True,
    )
)
_FORMAT = [0xAD, ord(_JOINER), 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
_LETTERS: dict[int, str | None] = {**_VERTICAL, **dict.fromkeys(_FORMAT)}
_ANY_LETTER = re.compile("[" + "".join(map(chr, _LETTERS)) + "]")


def readable_html(html: str) -> str:
    """The page with ruby, broken lines and double escapes as an extractor needs them. Every other page comes back as it is."""
    if _RARE.search(html):  # one look for three
        if _RUBY.search(html):
            html = _without_readings(html)
        html = _DATE.sub(_date_in_sentence, _BARE.sub(_lines_as_paragraph, html))
    html = _ESCAPED_TWICE.sub(f"&amp;{_JOINER}", html)
    if not _ANY_VERBATIM.search(html):
        return _joined(html)
    parts = _VERBATIM.split(html)  # text, verbatim element, its name, text, ...
    return "".join(part if place % 3 else _joined(part) for place, part in enumerate(parts) if place % 3 != 2)


def _lines_as_paragraph(bare: re.Match[str]) -> str:
    """Lines parted by <br> as a paragraph, which ends where the next block begins: left open it would take that in, and twice."""
    return f"{bare[1]}<p>{bare[2]}</p>" if _BR.search(bare[2]) else bare[0]


def readable_text(text: str) -> str:
    """An extractor's text with vertical presentation forms as ordinary punctuation, and without characters that show nothing."""
    return text.translate(_LETTERS) if _ANY_LETTER.search(text) else text


def _date_in_sentence(found: re.Match[str]) -> str:
    before, behind = found.string[found.start() - 1 : found.start()], found.string[found.end() : found.end() + 1]
    return found[1] if "ぁ" <= before <= "ん" or (behind not in ("", "：", "　") and _LETTER.match(behind)) else found[0]


def _joined(html: str) -> str:
    """The page without its line breaks between wide letters, inline tags on one side of the break or none."""
    cuts: list[tuple[int, int]] = []
    for found in _BREAK.finditer(html):
        begin = at = _before_blanks(html, found.start())
        if not found[1]:
            while html.endswith(">", 0, at):
                tag = html.rfind("<", max(0, at - _LONGEST_TAG), at)
                if tag < 0 or not _TAG.fullmatch(html, tag, at):
                    break
                at = tag
        if at and _LETTER.match(html, at - 1):
            cuts += (begin, found.start(1)), (found.end(1), found.end())
    return _without(html, cuts) if cuts else html


def _before_blanks(html: str, at: int) -> int:
    while at and html[at - 1] in " \t\r":
        at -= 1
    return at


def _without_readings(html: str) -> str:
    """The page without the readings in its ruby, and without the tags of ruby, which part words."""
    cuts: list[tuple[int, int]] = []
    depth, reading = 0, None  # how many ruby are open, and which reading within them
    for mark in _MARK.finditer(html):
        end_tag, name = bool(mark[1]), mark[2].lower()
        if name not in _FAMILY:  # a block begins or ends: what is open here was never closed, and is text
            depth, reading = 0, None
            continue
        cuts.append(mark.span())
        within_group = reading is not None and reading[2].lower() == "rtc" and name in ("rt", "rp")
        if not depth or within_group:
            depth += name == "ruby" and not end_tag
            continue
        if reading is not None and (end := _end_of_reading(html, reading, mark)):
            cuts.append((reading.start(), end))
        reading = None if end_tag or name in ("ruby", "rb") else mark
        if name == "ruby":
            depth += -1 if end_tag else 1
    return _without(html, cuts)


def _end_of_reading(html: str, reading: re.Match[str], mark: re.Match[str]) -> int:
    """Where an open reading ends that the mark closes; 0 if it is too long for one.

    In `漢<rt>かん字<rt>じ` the second reading has no base, unless it is what stands behind the kana of the first.
    """
    if mark.start() - reading.start() > _LONGEST_READING:
        return 0
    if not mark[1] and reading[2].lower() == mark[2].lower() == "rt" and (kana := _KANA.match(html, reading.end(), mark.start())):
        return kana.end()
    return mark.start()


def _without(html: str, cuts: list[tuple[int, int]]) -> str:
    kept, at = [], 0
    for begin, end in sorted(cuts):
        kept.append(html[at:begin])
        at = max(at, end)
    return "".join(kept) + html[at:]
