"""Phone numbers, My Numbers and credit cards, read by their groups: 03-1234-5678 is 2-4-4.

- phone: by the Japanese numbering plan. Ten digits behind a known area code, eleven behind 050 and 060 to 090, free and shared-cost
  dials, and +81. Ten digits without a break need a word such as 電話 before them: ISBNs and article numbers have ten too.
- my_number: twelve digits with the official check digit, 4-4-4 with hyphens; with spaces or in one piece only behind マイナンバー or
  個人番号, since of any three columns of a table, or numbers of an order, one in eleven passes the check.
- credit_card: an issuer's prefix and length, in the groups printed on cards or in one piece, with Luhn's check digit. In one piece
  13, 14 and 17 or more digits need a word such as カード before them: JAN codes and time stamps have as many.

A number that is part of a longer one is none: not beside a digit, nor beside a hyphen or point that leads to one; a card with spaces
inside, nor beside a space that does. Latin letters may not touch it, TEL and FAX apart. Only chains of ten digits or more are
looked at, each once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

AREA = re.compile(  # codes of two, three and five digits; four digits are a code when they are none of the others
    "0(?:[346]|1[15789]|2[2-9]|4[2-9]|5[234589]|7[235-9]|8[2346-9]|9[235-9]"
    "|1267|137[247]|139[278]|145[67]|1466|1547|1558|1564|158[67]|163[245]|1648|165[4568]|499[2468]|5769|5979|7468|838[78]|8396|8477"
    "|851[24]|9496|980[28]|991[23]|9969)"
)
MOBILE = ("050", "060", "070", "080", "090")
DIALS = {"0120": 10, "0570": 10, "0990": 10, "0800": 11}  # with all their digits
CARDS = (  # first and last prefix of four digits, lengths: Visa, Mastercard, Amex, JCB, Diners, Discover, UnionPay
    (4000, 4999, (13, 16, 19)), (2221, 2720, (16,)), (5100, 5599, (16,)), (3400, 3499, (15,)), (3700, 3799, (15,)),
    (3528, 3589, (16,)), (3000, 3059, (14,)), (3600, 3699, (14,)), (3800, 3999, (14,)), (6011, 6011, (16,)),
    (6440, 6599, (16,)), (6200, 6299, (16, 17, 18, 19)),
)  # fmt: skip
PRINTED = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3))  # groups on cards
MASKED = ">"  # what is out of sight: like the masks it is neither letter, digit nor separator
WORD_AWAY = 20  # letters before a number in which a word may stand that says what it is

_DIGIT, _HYPHEN, _SPACE = "0-9０-９", r"\-‐‑‒–—―−－ーｰ─", " \u00a0　"
_CHAIN = re.compile(f"[{_DIGIT}](?:[{_HYPHEN}{_SPACE}.．()（）]{{0,3}}+[{_DIGIT}]){{9,}}+")
_GROUP = re.compile(f"[{_DIGIT}]+")
_LATIN = re.compile("[A-Za-zＡ-Ｚａ-ｚ_@＠]")
_NO_PLAIN_TEXT = frozenset("/=#&?%._-‐")  # before digits in addresses of pages and names of files
_PHONE = re.compile(
    "電話|携帯|℡|☎|☏|📞|フリーダイヤル|連絡先|ファックス|ファクス|tel|fax|phone|mobile|ｔｅｌ|ｆａｘ", re.IGNORECASE
)
_PHONE_BEFORE = re.compile("(?:tel|fax|phone|mobile|ｔｅｌ|ｆａｘ)$", re.IGNORECASE)
_PHONE_AFTER = re.compile("tel|fax|mail|e-mail|ｔｅｌ|ｆａｘ", re.IGNORECASE)
_MY_NUMBER = re.compile("マイナンバー|個人番号|my ?number", re.IGNORECASE)
_CARD = re.compile("カード|card|visa|jcb|amex", re.IGNORECASE)

Kind = Literal["phone", "my_number", "credit_card"]


@dataclass(slots=True)
class _Group:
    """Digits of a chain that stand together, as ASCII; `joint`: what leads to the next ones, `-`, `.`, a space, `(`, `)`, or `x`."""

    begin: int
    end: int
    digits: str
    joint: str = ""
    taken: bool = False


def numbers(text: str) -> list[tuple[int, int, str]]:
    """(begin, end, kind) of the phones, my_numbers and credit_cards in a text."""
    hits: list[tuple[int, int, str]] = []
    for chain in _CHAIN.finditer(text):
        hits += _in_chain(text, _groups(text, chain.start(), chain.end()))
    return hits


def _groups(text: str, begin: int, end: int) -> list[_Group]:
    groups: list[_Group] = []
    for found in _GROUP.finditer(text, begin, end):
        if groups:
            groups[-1].joint = _joint(text[groups[-1].end : found.start()])
        digits = found[0] if found.end() - found.start() <= 20 else ""  # nothing that is looked for has so many
        groups.append(_Group(*found.span(), "".join(str(int(digit)) for digit in digits)))
    return groups


def _joint(between: str) -> str:
    core = between.strip(_SPACE)
    if not core:
        return " " if len(between) == 1 else "x"
    if len(core) == 2 and core[0] in ")）" and core[1] in _HYPHEN:
        return ")"
    if len(core) > 1 or (core in ".．" and len(between) > 1):
        return "x"  # the point of a list, 1. 03-..., or a pair of brackets
    return "." if core in ".．" else "(" if core in "(（" else ")" if core in ")）" else "-"


def _in_chain(text: str, groups: list[_Group]) -> Iterator[tuple[int, int, str]]:
    """Phones first, then what has hyphens or is in one piece, last what has spaces: a neighbour that is masked blocks nothing."""
    for spaced in (None, False, True):
        k = 0
        while k < len(groups):
            found = (
                None if groups[k].taken else _phone(text, groups, k) if spaced is None else _check_digit(text, groups, k, spaced)
            )
            if found:
                many, kind, begin = found
                for group in groups[k : k + many]:
                    group.taken = True
                yield begin, groups[k + many - 1].end, kind
                k += many
            else:
                k += 1


def _phone(text: str, groups: list[_Group], k: int) -> tuple[int, Kind, int] | None:
    """(groups that a phone number at group k has, "phone", where it begins)."""
    group, begin = groups[k], groups[k].begin
    if k and groups[k - 1].joint in tuple("-."):
        return None
    if group.digits.startswith("81") and begin and text[begin - 1] in "+＋":
        many = _abroad(groups, k)
        begin -= 2 if begin > 1 and text[begin - 2] in "(（" and group.joint == ")" else 1
    elif group.digits.startswith("0") and len(group.digits) in (2, 3, 4, 5, 10, 11):
        many = next((many for many in (3, 2, 1) if _is_plan(text, groups[k : k + many], many)), 0)
        if many > 1 and group.joint == ")" and begin and text[begin - 1] in "(（":
            begin -= 1
    else:
        return None
    if not many or not _stands_alone(text, groups, k, many, begin, spaced=False):
        return None
    return many, "phone", begin


def _abroad(groups: list[_Group], k: int) -> int:
    """How many groups +81 and what follows have; 0 if that is no number of Japan."""
    national = ""
    for many, group in enumerate(groups[k : k + 6], 1):
        national += group.digits[2:] if many == 1 else group.digits
        digits = "0" + national.lstrip("0")
        if len(digits) >= 10 and (len(digits) > 10 or digits[:3] not in MOBILE):
            return many if _has_plan(digits) else 0
        if group.joint not in tuple("-. ()"):
            return 0
    return 0


def _has_plan(digits: str) -> bool:
    if digits[:3] in MOBILE or digits[:4] in DIALS:
        return len(digits) == DIALS.get(digits[:4], 11)
    return len(digits) == 10 and digits[0] == "0" and digits[1:2] != "0"


def _is_plan(text: str, groups: list[_Group], many: int) -> bool:
    """Whether these groups are a number as people write it in Japan."""
    if len(groups) < many or not _has_plan("".join(group.digits for group in groups)):
        return False
    first, begin = groups[0].digits, groups[0].begin
    sizes, joints = tuple(len(group.digits) for group in groups), "".join(group.joint for group in groups[:-1])
    if many == 1:
        if _word_before(_PHONE, text, begin):
            return True
        return sizes == (11,) and first[:3] in MOBILE and not (begin and text[begin - 1] in _NO_PLAIN_TEXT)
    if joints not in ("--", "..", "  ", ")-", ") ", ").", "()", "(-", "-", ")", " "):
        return False
    if first in MOBILE:
        return sizes in ((3, 4, 4), (3, 8))
    if first in DIALS:
        return min(sizes[1:]) >= 2
    if not AREA.fullmatch(first) and len(first) != 4:
        return False
    if many == 2:
        return len(first) < 4 and joints != " "
    return sizes[2] == 4 and (joints != "  " or len(first) < 4 or _word_before(_PHONE, text, begin))


def _check_digit(text: str, groups: list[_Group], k: int, spaced: bool) -> tuple[int, Kind, int] | None:
    """(groups, kind, where it begins) of a My Number or card at group k: in one piece or with hyphens, or else with spaces."""
    begin, size = groups[k].begin, len(groups[k].digits)
    if size != 4 and (size < 12 or spaced):
        return None
    for many in (1, 3, 4, 5) if not spaced else (3, 4, 5):
        part = groups[k : k + many]
        joints = {group.joint for group in part[:-1]}
        if len(part) < many or joints != ({" " if spaced else "-"} if many > 1 else set()):
            continue
        if _stands_alone(text, groups, k, many, begin, spaced=spaced) and (kind := _kind(text, part, spaced)):
            return many, kind, begin
    return None


def _kind(text: str, groups: list[_Group], spaced: bool) -> Kind | None:
    digits, sizes = "".join(group.digits for group in groups), tuple(len(group.digits) for group in groups)
    begin = groups[0].begin
    if sizes == (4, 4, 4) or sizes == (12,):
        plain = sizes == (12,) or spaced or all(group.digits[:2] in ("19", "20") for group in groups)  # years
        return "my_number" if is_my_number(digits) and not (plain and not _word_before(_MY_NUMBER, text, begin)) else None
    if sizes not in PRINTED and len(sizes) > 1:
        return None
    if not is_card(digits):
        return None
    if len(sizes) == 1 and (len(digits) not in (15, 16) or (begin and text[begin - 1] in _NO_PLAIN_TEXT)):
        return "credit_card" if _word_before(_CARD, text, begin) else None
    return "credit_card"


def is_my_number(digits: str) -> bool:
    """Twelve digits, the last of them 11 - (sum of the others from the right, times 2 to 7 and 2 to 6) mod 11, or 0 for 10 and more.

    As order 85 of the Ministry of Internal Affairs and Communications of 2014, article 5, has it.
    """
    if len(digits) != 12:
        return False
    rest = sum(int(digit) * (place + 1 if place <= 6 else place - 5) for place, digit in enumerate(reversed(digits[:11]), 1)) % 11
    return int(digits[11]) == (0 if rest <= 1 else 11 - rest)


def is_card(digits: str) -> bool:
    """A prefix and a length that an issuer has, and Luhn's check digit."""
    if not any(first <= int(digits[:4] or 0) <= last and len(digits) in sizes for first, last, sizes in CARDS):
        return False
    doubled = (int(digit) * 2 if place % 2 else int(digit) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _stands_alone(text: str, groups: list[_Group], k: int, many: int, begin: int, *, spaced: bool) -> bool:
    """Whether what lies before and behind belongs to something else."""
    blocking = ("-", ".", " ") if spaced else ("-", ".")
    last = k + many - 1
    if k and groups[k - 1].joint in blocking and not groups[k - 1].taken:
        return False
    if last + 1 < len(groups) and groups[last].joint in blocking and not groups[last + 1].taken:
        return False
    if begin and _LATIN.match(text, begin - 1) and not _PHONE_BEFORE.search(text[max(0, begin - 6) : begin]):
        return False
    end = groups[last].end
    after = text[end : end + 2]
    if after[:1] in (".", "．") and after[1:] and _LATIN.match(after, 1):
        return False
    return not (after and _LATIN.match(after) and not _PHONE_AFTER.match(text, end))


def _word_before(word: re.Pattern[str], text: str, begin: int) -> bool:
    """Whether the word stands shortly before, with nothing masked between."""
    window = text[max(0, begin - WORD_AWAY) : begin]
    return bool(word.search(window, window.rfind(MASKED) + 1))
