"""The signals of the writing by regular expressions, letter by letter: what the kernels are held to."""

import re

from seiryu.filters.signals import han

KANA = "ぁ-ゖゝ-ゟァ-ヺー-ヿㇰ-ㇿｦ-ﾟ\U0001b000-\U0001b122\U0001b132\U0001b150-\U0001b152\U0001b155\U0001b164-\U0001b167"
HIRAGANA = "[ぁ-ゖゝ-ゟ\U0001b001-\U0001b11f\U0001b132\U0001b150-\U0001b152]"
KANJI = "[々〇〻㐀-鿿\uf900-\ufaff\U00020000-\U0002fffd\U00030000-\U0003fffd]"
SPACE = "\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
CP1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
KANJI_OF_E2_EA = "".join(
    letters
    for lead in range(0xE2, 0xEB)
    for trail in range(0x40, 0xFD)
    if "一" <= (letters := bytes((lead, trail)).decode("cp932", "replace")) <= "鿿"
)
MOJIBAKE = re.compile(
    "|".join(
        [
            "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ue000-\uf8ff\ufffd\U000f0000-\U0010ffff]",
            f"[â-éï][\x80-\xbf{CP1252}]{{2}}",
            f"[ÂÃ][\x80-\xbf{CP1252}]",
            f"ð[\x80-\xbf{CP1252}]{{3}}",
            f"[‚ƒ][@-~\x80-\xff{CP1252}]",
            "[¤¥][¡-ö]",
            "(?:[､･][｡-ﾟ]){2,}",
            "[縺繧繝][｡-ﾟ√ゅ医峨翫九後阪弱上舌代偵薙斐輔悶励倥吶壹帙懊昴槭溘]",
            f"[{KANJI_OF_E2_EA}][｡-ﾟ]",
            rf"(?<![^{SPACE}!-/:->@\[-`{{-~])\?{{3,}}",
        ]
    )
)
LATIN = "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿＡ-Ｚａ-ｚ"
SYMBOLS = "[※\u2190-\u245f\u2500-\u2bff〒〓〠\U0001f000-\U0001faff]"
URL = re.compile(
    r"(?<![{0}])(?:[A-Za-z0-9-]+\.)+[A-Za-z]{{2,}}/[{0}]*|(?<![{0}])www\.[A-Za-z0-9][{0}]*|[A-Za-z]+://[{0}]+".format(
        r"!#-&*-;=?-\[\]_a-z~"
    ),
    re.IGNORECASE,
)
ENTRY = re.compile(
    "[・•‣·◦●○◎◉■□◆◇▼▽▲△▶▷►★☆→⇒⇨※✓✔❖*＊\\-－–—─━=＝_＿~～#＃+>①-⓿❶-➓㈠-㉃]"
    "|[0-9０-９]{1,3}[)）.．、](?![0-9０-９])|[(（][0-9０-９]{1,3}[)）](?![0-9０-９])"
)


def share(part, whole):
    return part / whole if whole else 0.0


def is_entry(line):
    if re.search("[。．.！？!?」』”…‥]$", line):
        return False
    if ENTRY.match(line) or len(re.findall("[|｜│»›＞]", line)) > 1:
        return True
    return len(line) < 20 and not re.search(rf"{HIRAGANA}$", line)


def twin(text):
    lines = [line.strip() for line in re.split(r"[\r\n]", text)]
    letters = sum(c not in "\r\n" for c in text)
    kanji = len(re.findall(KANJI, text))
    traditional = sum(
        sum(c in han.TRADITIONAL for c in line)
        for line in lines
        if 4 * len(re.findall(f"[{KANA}]", line)) <= len(re.findall(KANJI, line))
    )
    return {
        "mojibake_share": share(sum(len(found[0]) for found in MOJIBAKE.finditer(text)), letters),
        "simplified_han_share": share(sum(c in han.SIMPLIFIED for c in text), kanji),
        "traditional_han_share": share(traditional, kanji),
        "list_share": share(sum(len(line) for line in lines if line and is_entry(line)), sum(map(len, lines))),
        "url_share": share(sum(len(found[0]) for found in URL.finditer(text)), letters),
        "digit_share": share(len(re.findall("[0-9０-９]", text)), letters),
        "latin_share": share(len(re.findall(f"[{LATIN}]", text)), letters),
        "symbol_share": share(len(re.findall(SYMBOLS, text)), letters),
    }
