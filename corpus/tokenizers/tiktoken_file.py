r"""Vocabularies in tiktoken's format: one line for each token, its bytes in base64 and its rank; behind the ranks special tokens.

Ids are those of one tiktoken call over the whole text. llama_models gives the same ones up to 25,000 letters
without a space, or 400,000 in all; beyond that it cuts the text to get around a slowness tiktoken had before
0.13, and may differ at the cuts. `encode_to_numpy` takes about an eighth less time than `encode_ordinary` (2.3 M tokens/s on one
core), and where the regular expression gives up it raises an error; the other panics.

It gives up at a million blanks on end that no line break follows: `\s+(?!\S)` remembers each of them. There the text is cut by hand,
where the pattern cuts anyway, and tiktoken encodes the parts. Not another engine for the same pattern: engines know the letters of
different versions of Unicode. `regex` 2026.11 cuts otherwise than tiktoken 0.14 around 17,480 letters, kanji of Extension J among them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt
import tiktoken

from seiryu.corpus.tokenizers.llama import BEGIN_OF_TEXT, END_OF_TEXT, Llama
from seiryu.corpus.tokenizers.tokenizer import Ids, Tokenizer, TokenizerError

_BLANKS = re.compile(r"[\t\v\f \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")  # White_Space but \r and \n
_MANY = 100_000  # blanks on end; tiktoken bears ten times as many


class TiktokenFile(Tokenizer):
    """Ranks from a file, with the pattern and the special tokens of a Llama."""

    kind = "tiktoken"

    def __init__(self, name: str, sha256: str, ranks: dict[bytes, int], llama: Llama, eod_token: str = END_OF_TEXT) -> None:
        special = {token: len(ranks) + i for i, token in enumerate(llama.special)}
        super().__init__(name, sha256, len(ranks) + len(special), special, eod_token, special[BEGIN_OF_TEXT])
        self._ranks, self._pattern = ranks, llama.pattern
        self.encoding = tiktoken.Encoding(name, pat_str=llama.pattern, mergeable_ranks=ranks, special_tokens=special)

    def encode(self, text: str) -> Ids:
        """The ids of tiktoken, for texts of any length."""
        try:
            ids = self.encoding.encode_to_numpy(text, disallowed_special=())
        except UnicodeEncodeError:
            raise
        except ValueError:  # about a million spaces on end, where tiktoken's regular expression gives up
            try:
                ids = self._cut_at_blanks(text, _MANY)
            except ValueError as error:
                raise TokenizerError(f"tiktoken gives up: {error}") from error
        return ids.view(np.int32)

    def decode(self, ids: npt.NDArray[np.integer]) -> str:
        return self.encoding.decode(ids.tolist())

    def _cut_at_blanks(self, text: str, many: int) -> npt.NDArray[np.uint32]:
        """The same ids, by parts: runs of at least `many` blanks, each of them a piece, and what lies between."""
        parts = [
            (self._whole if piece else self.encoding).encode_to_numpy(part, disallowed_special=())
            for part, piece in _cut(text, many)
        ]
        return np.concatenate([np.empty(0, np.uint32), *parts])

    @cached_property
    def _whole(self) -> tiktoken.Encoding:
        """The same ranks, with a pattern that cuts nowhere."""
        return tiktoken.Encoding(f"{self.name}, whole", pat_str="(?s:.+)", mergeable_ranks=self._ranks, special_tokens={})


def _cut(text: str, many: int) -> Iterator[tuple[str, bool]]:
    """Parts of a text that are encoded each by itself, and whether a part is one piece of the pattern. `many`: 2 or more.

    White space stands in a piece with other letters only at its start, or at its end as line breaks, and a piece that ends in line
    breaks ends there. So blanks behind a letter or a line break begin a piece. It is all of them at the end of a text, else all but
    the last, which belongs to what follows. Before a line break they are no piece, and tiktoken bears any number.
    """
    begin = 0
    for run in _BLANKS.finditer(text):
        start, end = run.span()
        if end - start < many or text[end : end + 1] in ("\r", "\n"):
            continue
        stop = end if end == len(text) else end - 1
        yield text[begin:start], False
        yield text[start:stop], True
        begin = stop
    yield text[begin:], False


def read_ranks(data: bytes, path: str) -> dict[bytes, int]:
    """Token bytes -> rank. Whatever would make tiktoken panic or guess later is refused here, with its line."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            token, rank = line.split()
            piece = base64.b64decode(token, validate=True)
            if int(rank) != len(ranks):
                raise ValueError(f"rank {len(ranks)} was expected")
            if not piece or piece in ranks:
                raise ValueError("an empty or repeated token")
        except (ValueError, binascii.Error) as error:
            raise TokenizerError(f"{path} is not a tiktoken file: line {number}: {error}") from error
        ranks[piece] = len(ranks)
    missing = [byte for byte in range(256) if bytes([byte]) not in ranks]
    if missing:
        raise TokenizerError(f"{path} is not a tiktoken file: no token for byte 0x{missing[0]:02x} and {len(missing) - 1} more")
    return ranks
