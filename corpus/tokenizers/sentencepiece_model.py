"""Models of sentencepiece (`tokenizer.model` of Llama 2, Gemma, LLM-jp's older models, ...)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seiryu.corpus.tokenizers.end_of_document import BEGINS, FILLS, end_of_document
from seiryu.corpus.tokenizers.tokenizer import Ids, Tokenizer, TokenizerError


class SentencePiece(Tokenizer):
    """A model of the package `sentencepiece`. Control symbols that a text spells are text; symbols that its maker defined are not.

    U+2581 is its letter for a space, so a text that holds one comes back with a space; what its normalizer changes stays changed.
    """

    kind = "sentencepiece"

    def __init__(self, name: str, sha256: str, data: bytes, eod: str | None) -> None:
        try:
            import sentencepiece
        except ImportError as error:
            raise TokenizerError(f"{name} needs the package sentencepiece: pip install sentencepiece") from error
        try:
            self._made = sentencepiece.SentencePieceProcessor(model_proto=data)
        except RuntimeError as error:
            raise TokenizerError(
                f"{name} is not a model that sentencepiece {sentencepiece.__version__} can read: {error}"
            ) from error
        size = self._made.get_piece_size()
        special = {self._made.id_to_piece(i): i for i in range(size) if self._made.is_control(i)}
        own = self._made.id_to_piece(self._made.eos_id()) if self._made.eos_id() >= 0 else None
        bos = self._made.bos_id() if self._made.bos_id() >= 0 else None
        others = {
            self._made.id_to_piece(i): what
            for i, what in ((bos, BEGINS), (self._made.pad_id(), FILLS))
            if i is not None and i >= 0
        }
        super().__init__(name, sha256, size, special, end_of_document(name, special, eod, own, others), bos)

    def encode(self, text: str) -> Ids:
        data = text.encode()
        try:
            return np.array(self._made.encode(data, out_type=int, add_bos=False, add_eos=False), np.int32)
        except RuntimeError as error:
            raise TokenizerError(f"sentencepiece: {error}") from error

    def decode(self, ids: npt.NDArray[np.integer]) -> str:
        text: str = self._made.decode(ids.tolist())
        return text
