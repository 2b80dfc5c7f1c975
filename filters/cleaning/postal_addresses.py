"""Postal addresses: a postal code, then a prefecture or municipality, up to the house number.

What follows the number, the name of a building say, stays, and so does a postal code without an address or an address without one:
telling those from any mention of a place needs more than patterns. An address may begin on the line after its code.
"""

from __future__ import annotations

import re

PREFECTURES = (
    "北海道|青森県|岩手県|宮城県|秋田県|山形県|福島県|茨城県|栃木県|群馬県|埼玉県|千葉県|東京都|神奈川県|新潟県|富山県|石川県|福井県|山梨県|長野県|"
    "岐阜県|静岡県|愛知県|三重県|滋賀県|京都府|大阪府|兵庫県|奈良県|和歌山県|鳥取県|島根県|岡山県|広島県|山口県|徳島県|香川県|愛媛県|高知県|福岡県|"
    "佐賀県|長崎県|熊本県|大分県|宮崎県|鹿児島県|沖縄県"
)

_DIGIT, _HYPHEN, _SPACE = "0-9０-９", r"\-‐‑‒–—―−－ーｰ─", " \u00a0　"
_LATIN = "A-Za-zＡ-Ｚａ-ｚ"
_NOT_IN_NAMES = f"{_DIGIT}{_LATIN}\n\r、。，．！？!?,「」『』【】〈〉《》<>＜＞()（）|｜@＠:：;；*※●■◆★☆"
_NAME = f"[^{_NOT_IN_NAMES}]"
_NUMBER = f"(?:[1-9１-９][{_DIGIT}]{{0,4}}(?![{_DIGIT}])|[一二三四五六七八九十百]{{1,4}}(?=丁目|番|条|線|区))"
_JOINT = f"(?:[{_SPACE}]?(?:丁目|番地|番|号|条|線|街区|区|[{_HYPHEN}])[{_SPACE}]?[東西南北上下]{{0,2}}の?[{_SPACE}]?|[のノ之])"
_CODE = re.compile(
    f"[{_DIGIT}](?<![{_DIGIT}{_LATIN}].)(?<![{_DIGIT}][{_HYPHEN}.．].)[{_DIGIT}]{{2}}([{_HYPHEN}]?)[{_DIGIT}]{{4}}(?![{_DIGIT}])"
)
_MARK = re.compile(f"〒[{_SPACE}]?$")
_KANJI = "[々〆\u4e00-\u9fffヶケヵノ]"  # of a place without the mark, so that a sentence about 区 is none


def _place(name: str) -> re.Pattern[str]:
    return re.compile(
        f"[{_SPACE}]{{0,3}}\n?[{_SPACE}]{{0,3}}(?:{PREFECTURES}|{name}{{1,8}}?[市区町村郡]){_NAME}{{0,30}}?"
        f"(?<!第){_NUMBER}(?:{_JOINT}{_NUMBER})*(?:[{_SPACE}]?(?:丁目|番地|番|号))?"
    )


_PLACE_AFTER_MARK, _PLACE_AFTER_CODE = _place(_NAME), _place(_KANJI)


def postal_addresses(text: str) -> list[tuple[int, int, str]]:
    """(begin, end, "address") of the addresses in a text."""
    hits: list[tuple[int, int, str]] = []
    for code in _CODE.finditer(text):
        begin = code.start()
        mark = _MARK.search(text[max(0, begin - 2) : begin])
        pattern = _PLACE_AFTER_MARK if mark else _PLACE_AFTER_CODE if code[1] else None
        place = pattern.match(text, code.end()) if pattern else None
        if place and (not hits or begin >= hits[-1][1]):
            hits.append((begin - len(mark[0]) if mark else begin, place.end(), "address"))
    return hits
