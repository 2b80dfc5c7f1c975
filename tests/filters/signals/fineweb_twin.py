"""The signals of FineWeb-2 as one writes them down first, in plain Python."""

import re
from collections import Counter

from twins import share

from seiryu.filters.signals.fineweb_letters import CLASSES, PUNCTUATION, SENTENCE_END

STOP_WORDS = {"の", "に", "を", "は", "た", "て", "が", "と", "で", "年", "し", "・", "月", "れ", "さ"}


def ends_a_sentence(letter):
    return bool(CLASSES[ord(letter)] & SENTENCE_END)


def only_punctuation(word):
    return all(CLASSES[ord(letter)] & PUNCTUATION for letter in word)


def came_before(parts):
    return [part for part, times in Counter(parts).items() for _ in range(times - 1)]


def twin(text):
    """Those that need no words."""
    blocks = re.split("\n+", text)
    lines = [line for line in text.split("\n") if line.strip()]
    stripped = [line.strip() for line in text.splitlines()]
    return {
        "fineweb_duplicate_line_share": share(len(came_before(blocks)), len(blocks)),
        "fineweb_duplicate_line_letter_share": share(len("".join(came_before(lines))), len(text.replace("\n", ""))),
        "fineweb_line_punctuation_share": share(sum(ends_a_sentence(line[-1]) for line in lines), len(lines)),
        "fineweb_bullet_line_share": share(sum(line.startswith(("•", "-")) for line in stripped), len(stripped)),
        "fineweb_ellipsis_line_share": share(sum(line.endswith(("…", "...")) for line in stripped), len(stripped)),
    }


def twin_words(text, spans):
    """Those that need words."""
    words = [word for first, last in spans if (word := text[first:last].strip())]
    solid = [word for word in words if not only_punctuation(word)]
    signals = {
        "fineweb_words": len(solid),
        "fineweb_mean_word_letters": share(sum(map(len, solid)), len(solid)),
        "fineweb_alphabetic_word_share": share(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "fineweb_stop_words": len(STOP_WORDS & set(words)),
        "fineweb_new_line_ratio": share(text.count("\n"), len(words)),
        "fineweb_hash_ratio": share(text.count("#"), len(words)),
        "fineweb_ellipsis_ratio": share(text.count("...") + text.count("…"), len(words)),
    }
    for n in range(2, 5):
        grams = Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))
        (top, times), *_ = grams.most_common(1) or [("", 0)]
        signals[f"fineweb_top_{n}gram_letter_share"] = share(len(top) * times, len(text))
    for n in range(5, 11):
        seen, again, i = set(), 0, 0
        while i <= len(words) - n:
            gram = "".join(words[i : i + n])
            again += len(gram) if gram in seen else 0
            i += n if gram in seen else 1
            seen.add(gram)
        signals[f"fineweb_duplicate_{n}gram_letter_share"] = share(again, len(text))
    return signals
