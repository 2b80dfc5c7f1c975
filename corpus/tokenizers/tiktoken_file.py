"""Vocabularies in tiktoken's format: one line for each token, its bytes in base64 and its rank; behind the ranks special tokens.

Ids are those of one tiktoken call over the whole text. llama_models gives the same ones up to 25,000 letters
without a space, or 400,000 in all; beyond that it cuts the text to get around a slowness tiktoken had before
0.13, and may differ at the cuts. `encode_to_numpy` takes about an eighth less time than `encode_ordinary` (2.3 M tokens/s on one
core), and where the regular expression gives up it raises an error; the other panics.
"""

from __future__ import annotations

import base64
import binascii
from functools import cached_property

import numpy as np
import numpy.typing as npt
import regex
import tiktoken

from seiryu.corpus.tokenizers.llama import BEGIN_OF_TEXT, END_OF_TEXT, Llama
from seiryu.corpus.tokenizers.tokenizer import Ids, Tokenizer, TokenizerError


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
            ids = self._piece_by_piece(text)
        return ids.view(np.int32)

    def decode(self, ids: npt.NDArray[np.integer]) -> str:
        return self.encoding.decode(ids.tolist())

    def _piece_by_piece(self, text: str) -> npt.NDArray[np.uint32]:
        """The same pattern by another engine, which has no such limit; each piece is merged as a whole by tiktoken."""
        pieces = [self._whole.encode_to_numpy(piece) for piece in regex.findall(self._pattern, text)]
        return np.concatenate([np.empty(0, np.uint32), *pieces])

    @cached_property
    def _whole(self) -> tiktoken.Encoding:
        """The same ranks, with a pattern that cuts nowhere."""
        return tiktoken.Encoding(f"{self.name}, whole", pat_str="(?s:.+)", mergeable_ranks=self._ranks, special_tokens={})


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
