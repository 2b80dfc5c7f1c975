"""Tokenizers of Hugging Face: a `tokenizer.json`, or the folder that it lies in.

Only the text is encoded: what the file says of truncation, padding and tokens around a text is for inference, and is left out. Text
that spells a special token is text. Beside it `tokenizer_config.json` or `special_tokens_map.json` may name eos, bos and pad.

Added tokens that are not special are found in any text, by the file's own rule. Those named as eos, bos or pad, or chosen as the end
of document, are made special whatever the file calls them, as transformers does: else a page that spells one would hold an end of
document.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.corpus.tokenizers.end_of_document import BEGINS, FILLS, end_of_document
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
        marks, made = {*named.values(), eod}, []
        for number, token in self._made.get_added_tokens_decoder().items():
            if not token.special and (token.content in marks or str(number) == eod):
                kept = {flag: getattr(token, flag) for flag in ("single_word", "lstrip", "rstrip", "normalized")}
                self._made.add_special_tokens([tokenizers.AddedToken(token.content, special=True, **kept)])
                made.append(token.content)
        if made:  # the same file gives other ids of a text that spells one of these
            sha256 = hashlib.sha256(f"{sha256} {json.dumps(sorted(made))}".encode()).hexdigest()
        added = sorted(self._made.get_added_tokens_decoder().items())
        special = {token.content: number for number, token in added if token.special}
        size = 1 + max(self._made.get_vocab(with_added_tokens=True).values(), default=0)
        others = {named[role]: what for role, what in (("pad_token", FILLS), ("bos_token", BEGINS)) if role in named}
        chosen = end_of_document(name, special, eod, named.get("eos_token"), others)
        super().__init__(name, sha256, size, special, chosen, special.get(named.get("bos_token", "")))

    def encode(self, text: str) -> Ids:
        text.encode()  # the package says TypeError of a lone surrogate
        try:
            return np.array(self._made.encode(text, add_special_tokens=False).ids, np.int32)
        except Exception as error:  # the package raises no other
            raise TokenizerError(f"tokenizers: {error}") from error

    def decode(self, ids: npt.NDArray[np.integer]) -> str:
        text: str = self._made.decode(ids.tolist(), skip_special_tokens=False)
        return text


def named_tokens(folder: Path) -> dict[str, str]:
    """eos_token, bos_token and pad_token, as the files in the folder name them, the config first. TokenizerError if one is damaged."""
    named: dict[str, str] = {}
    for path in (folder / "tokenizer_config.json", folder / "special_tokens_map.json"):
        if not path.is_file():
            continue
        try:
            value: Any = json.loads(path.read_bytes())
            tokens = {role: value.get(role) for role in ("eos_token", "bos_token", "pad_token")}
        except (ValueError, AttributeError) as error:
            raise TokenizerError(f"{path} is damaged: {error}") from error
        for role, token in tokens.items():
            text = token.get("content") if isinstance(token, dict) else token
            if isinstance(text, str):
                named.setdefault(role, text)
    return named
