"""Where in a text a verdict comes from: the spans that made a rule fire.

A rule that found too much shows what there is too much of; a rule that found too little shows the longest stretches without it:
`few_hiragana` the stretches without hiragana. Rules on the length of sentences and words show those beyond the limit.
One text at a time, in plain Python.
"""

from __future__ import annotations

from collections.abc import Callable

from seiryu.filters.explaining.counted import counted, v1_sentences
from seiryu.filters.explaining.pieces import Span, joined, sentences
from seiryu.filters.instruments import Instruments
from seiryu.filters.morphology import short_units, words
from seiryu.filters.rules import Rule

__all__ = ["Span", "spans"]

_MOST_GAPS = 20


def spans(text: str, rule: Rule, value: float, made: Instruments) -> list[Span]:
    """(begin, end) in code points of what made the rule reject a text whose signal has this value, in the order of the text.

    Empty where the text as a whole did: its length, a classifier's score.
    """
    low = value < rule.low
    if pieces := _LENGTHS.get(rule.signal):
        return [(begin, end) for begin, end in pieces(text) if (end - begin < rule.low if low else _beyond(end - begin, rule))]
    name = rule.signal.rpartition("_")[0]
    if name in made.lists.names and not low:
        return joined((hit.begin, hit.end) for hit in made.lists.hits(text) if hit.list == name)
    if rule.signal == "tokens_per_letter" and not low:
        return _costly_lines(text, min(rule.high, rule.below), made)
    find = counted(rule.signal)
    if find is None:
        return []
    found = joined(find(text, made))
    return gaps(text, found) if low else found


def _beyond(value: float, rule: Rule) -> bool:
    return value > rule.high or value >= rule.below


def gaps(text: str, found: list[Span]) -> list[Span]:
    """The longest stretches between the spans, in the order of the text."""
    ends = [0, *(end for _, end in found)]
    begins = [*(begin for begin, _ in found), len(text)]
    between = [(begin, end) for begin, end in zip(ends, begins, strict=True) if text[begin:end].strip()]
    longest = sorted(between, key=lambda span: (span[0] - span[1], span[0]))[:_MOST_GAPS]
    return sorted(longest)


def _costly_lines(text: str, limit: float, made: Instruments) -> list[Span]:
    """Lines with more tokens a letter than the limit."""
    found, begin = [], 0
    for line in text.split("\n"):
        if line and len(made.tokenizer.encode_batch([line])[0]) > limit * len(line):
            found.append((begin, begin + len(line)))
        begin += len(line) + 1
    return found


def _words(text: str) -> list[Span]:
    return [(int(begin), int(end)) for begin, end in words(text).spans]


def _short_units(text: str) -> list[Span]:
    return [(int(begin), int(end)) for begin, end in short_units(text)]


_LENGTHS: dict[str, Callable[[str], list[Span]]] = {
    "mean_sentence_letters": sentences,
    "longest_sentence_letters": sentences,
    "v1_mean_sentence_letters": v1_sentences,
    "v1_longest_sentence_letters": v1_sentences,
    "mean_word_letters": _words,
    "fineweb_mean_word_letters": _short_units,
}
