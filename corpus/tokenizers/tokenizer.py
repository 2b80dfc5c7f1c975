"""What every tokenizer can do, whatever file it is made from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from seiryu.corpus.errors import InputError

Ids = npt.NDArray[np.int32]


class TokenizerError(InputError, ValueError):
    """A vocabulary that is missing, damaged or not the expected one, or a text it cannot encode.

    `place`: of that text in its batch; -1 if it is no text's.
    """

    place: int = -1


class Tokenizer(ABC):
    """A vocabulary with its identity: ids are 0 to `vocab_size` - 1, `eod` ends a document, `bos` may begin one.

    `kind`: tiktoken, huggingface or sentencepiece; `sha256`: of its file, and of what files beside it change of it; `special`: all
    special tokens with their ids.
    """

    kind: str

    def __init__(
        self, name: str, sha256: str, vocab_size: int, special: Mapping[str, int], eod_token: str, bos: int | None
    ) -> None:
        self.name, self.sha256, self.vocab_size, self.special = name, sha256, vocab_size, dict(special)
        self.eod_token, self.bos = eod_token, bos
        if eod_token not in special:
            raise TokenizerError(f"{name}: {eod_token} cannot end a document, it is no special token")
        self.eod = self.special[eod_token]

    @abstractmethod
    def encode(self, text: str) -> Ids:
        """The ids of a text. UnicodeEncodeError for a lone surrogate, TokenizerError if it cannot be encoded otherwise."""

    @abstractmethod
    def decode(self, ids: npt.NDArray[np.integer]) -> str:
        """The text of the ids, special tokens by name; U+FFFD where they cut a letter."""

    def encode_batch(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text, int32, without begin of text and end of document; none for an empty text.

        One thread. Text that spells a special token is text. A lone surrogate, which no Parquet file can hold, becomes U+FFFD.
        TokenizerError, whose `place` is the text's in `texts`, for the first that cannot be encoded.
        """
        found = []
        for place, text in enumerate(texts):
            try:
                found.append(self._encode(text))
            except TokenizerError as error:
                failed = TokenizerError(f"{self.name} cannot encode text {place} of the batch: {error}")
                failed.place = place
                raise failed from error
        return found

    def encode_each(self, texts: Sequence[str]) -> list[Ids | TokenizerError]:
        """The same, with the error in the place of a text that cannot be encoded."""
        found: list[Ids | TokenizerError] = []
        for text in texts:
            try:
                found.append(self._encode(text))
            except TokenizerError as error:
                found.append(error)
        return found

    def _encode(self, text: str) -> Ids:
        if not text:  # some put a space before whatever comes
            return np.empty(0, np.int32)
        try:
            return self.encode(text)
        except UnicodeEncodeError:
            return self.encode(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
