"""A text without the sentences in which something was found.

Cut are whole sentences and not the stretch alone, which would leave its first and last words and the marks between, nor the whole
line, which is a paragraph here. A sentence ends behind 。．！？!? and the brackets or further marks that follow, or with its line; a
full stop, which is also in 3.14, ends none. A line of which nothing is left goes with its break. GPT-3 cut 200 letters to each side
(Brown et al. 2020, appendix C), through the middle of sentences; the answer on the next line stays here, which without its question
tells nothing.
"""

from __future__ import annotations

import re
from itertools import pairwise

from seiryu.dedup.contamination.finding import Spans

_END = re.compile("[。．！？!?]+[」』）)】》〉\\]”’\"']*")


def without_spans(text: str, spans: Spans) -> str:
    """The text without the sentences that hold letters of the spans, in code points. Spans may come in any order and overlap."""
    kept: list[str] = []
    begin = 0
    for line in text.splitlines(keepends=True):
        body = line.rstrip("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
        hit = [span for span in spans if span[0] < begin + len(body) and begin < span[1]]
        left = _left(body, [(first - begin, last - begin) for first, last in hit]) if hit else body
        if not hit or left.strip():
            kept.append(left + line[len(body) :])
        begin += len(line)
    return "".join(kept)


def _left(line: str, spans: Spans) -> str:
    """What is left of one line."""
    ends = [match.end() for match in _END.finditer(line)]
    bounds = [0, *ends, *([len(line)] if not ends or ends[-1] < len(line) else [])]
    sentences = pairwise(bounds)
    return "".join(line[begin:end] for begin, end in sentences if not any(first < end and begin < last for first, last in spans))
