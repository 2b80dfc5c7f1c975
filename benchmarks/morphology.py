"""Words by Sudachi: each way of asking, against the plain way (a tokenizer with all fields, surfaces and parts of speech by word)."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.inputs import Inputs
from benchmarks.timing import Figure, alternate, rate
from seiryu.filters.morphology import boundaries, segmented, short_units, words, words_and_short_units
from seiryu.filters.signals.word_kinds import measure_word_kinds


def figures(inputs: Inputs) -> Iterator[Figure]:
    from sudachipy import Dictionary

    texts = inputs.texts(2000, 50)
    plain = {mode: Dictionary().tokenizer(mode=mode) for mode in "CA"}
    analysed = [words(text) for text in texts]
    tasks = {
        "plain": lambda: [[(m.surface(), m.part_of_speech()[0]) for m in plain["C"].tokenize(text)] for text in texts],
        "plain, C then A": lambda: [[m.surface() for m in plain[mode].tokenize(text)] for mode in "CA" for text in texts],
        "words": lambda: [words(text) for text in texts],
        "short_units": lambda: [short_units(text) for text in texts],
        "words_and_short_units": lambda: [words_and_short_units(text) for text in texts],
        "segmented": lambda: [segmented(text) for text in texts],
        "boundaries": lambda: [boundaries(text, 0, len(text), [(0, len(text))]) for text in texts],
        "measure_word_kinds": lambda: measure_word_kinds(analysed * 20),
    }
    rounds = alternate(tasks)
    letters = rate(sum(map(len, texts)) / 1e6)
    for task in ("words", "short_units", "segmented", "boundaries"):
        yield rounds.figure(task, task, "M letters/s", letters, "plain")
    yield rounds.figure("words_and_short_units", "words_and_short_units", "M letters/s", letters, "plain, C then A")
    yield rounds.figure("measure_word_kinds of analysed texts", "measure_word_kinds", "texts/s", rate(len(texts) * 20))
