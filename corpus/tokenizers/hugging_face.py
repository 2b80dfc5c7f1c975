"""Tokenizers of Hugging Face: a `tokenizer.json`, or the folder that it lies in.

Only the text is encoded: what the file says of truncation, padding and tokens around a text is for inference, and is left out. Text
that spells a special token is text. Beside it `tokenizer_config.json` may name eos and bos.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.corpus.tokenizers.end_of_document import end_of_document
from seiryu.corpus.tokenizers.tokenizer import Ids, Tokenizer, TokenizerError


class HuggingFace(Tokenizer):
    """A tokenizer of the package `tokenizers`."""

    kind = "huggingface"

    def __init__(self, name: str, sha256: str, data: bytes, eod: str | None, named: dict[str, str]) -> None:
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # there is a worker for every core
        try:
            import tokenizers
        except ImportError as error:
            raise TokenizerError(f"{name} needs the package tokenizers: pip install tokenizers") from error
        try:
            self._made = tokenizers.Tokenizer.from_str(data.decode())
        except Exception as error:  # the package raises no other
            raise TokenizerError(
                f"{name} is not a tokenizer.json that tokenizers {tokenizers.__version__} can read: {error}"
            ) from error
        self._made.no_truncation()
        self._made.no_padding()
        self._made.encode_special_tokens = True
        added = {token.content: number for number, token in self._made.get_added_tokens_decoder().items()}
        special = dict(sorted(added.items(), key=lambda item: item[1]))
        size = 1 + max(self._made.get_vocab(with_added_tokens=True).values(), default=0)
        super().__init__(name, sha256, size, special, end_of_document(name, special, eod, named.get("eos_token")),
                         special.get(named.get("bos_token", "")))  # fmt: skip

    def encode(self, text: str) -> Ids:
        return np.array(self._made.encode(text, add_special_tokens=False).ids, np.int32)

    def decode(self, ids: npt.NDArray[np.integer]) -> str:
        text: str = self._made.decode(ids.tolist(), skip_special_tokens=False)
        return text


def named_tokens(folder: Path) -> dict[str, str]:
    """eos_token and bos_token, as the file `tokenizer_config.json` in the folder names them. TokenizerError if it is damaged."""
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return {}
    try:
        value: Any = json.loads(path.read_bytes())
        tokens = {name: value.get(name) for name in ("eos_token", "bos_token")}
    except (ValueError, AttributeError) as error:
        raise TokenizerError(f"{path} is damaged: {error}") from error
    texts = {name: token.get("content") if isinstance(token, dict) else token for name, token in tokens.items()}
    return {name: text for name, text in texts.items() if isinstance(text, str)}
