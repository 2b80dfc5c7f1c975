"""Words that should not be in a text: `WordLists` finds them, `measure_lists` counts them.

`sources` reads the lists, `variants` says which spellings are one word, `edges` whether a hit begins and ends where words do,
`matching` does the finding and the choice between hits that overlap.
"""

from seiryu.filters.words.matching import Hit, Refusal, WordLists, measure_lists, signals_of_lists

__all__ = ["Hit", "Refusal", "WordLists", "measure_lists", "signals_of_lists"]
