"""Text to token ids, by Llama 3's tokenizer or another vocabulary in the same format.

The vocabulary file is tiktoken's: one line for each token, its bytes in base64 and its rank; behind the ranks
follow 256 special tokens, named as Meta's llama_models names them. The file is read here and not by
tiktoken.load, whose cache goes by path and would serve yesterday's vocabulary; its sha256 is checked for
`llama3` and known for any.

Ids are those of one tiktoken call over the whole text. llama_models gives the same ones up to 25,000 letters
without a space, or 400,000 in all; beyond that it cuts the text to get around a slowness tiktoken had before
0.13, and may differ at the cuts. Text that spells a special token is text: what a page says never ends a
document. `encode_to_numpy` takes about an eighth less time than `encode_ordinary` (2.3 M tokens/s on one core),
and where the regular expression gives up it raises an error; the other panics.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tiktoken

from seiryu.corpus.errors import InputError

LLAMA3_SHA256 = "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55"
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
END_OF_TEXT = "<|end_of_text|>"
_NAMED = (
    "<|begin_of_text|>",
    END_OF_TEXT,
    "<|reserved_special_token_0|>",
    "<|reserved_special_token_1|>",
    "<|finetune_right_pad_id|>",
    "<|step_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eom_id|>",
    "<|eot_id|>",
    "<|python_tag|>",
    "<|image|>",
)
SPECIAL_TOKENS = _NAMED + tuple(f"<|reserved_special_token_{2 + i}|>" for i in range(256 - len(_NAMED)))


class TokenizerError(InputError, ValueError):
    """A vocabulary that is missing, damaged or not the expected one, or a text it cannot encode."""


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A vocabulary with its identity: ids are 0 ... `vocab_size` - 1, `eod` ends a document."""

    name: str
    sha256: str
    vocab_size: int
    eod: int
    encoding: tiktoken.Encoding

    def __post_init__(self) -> None:
        if self.eod not in {self.encoding.encode_single_token(token) for token in self.encoding.special_tokens_set}:
            raise TokenizerError(f"{self.name}: {self.eod} cannot end a document, it is no special token")

    def encode_batch(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        """The ids of each text, int32 and read-only, without an end of document; none for an empty text.

        One thread. A lone surrogate, which no Parquet file can hold, becomes U+FFFD. TokenizerError, telling
        the text's place in `texts`, for about a million spaces on end: there the regular expression gives up.
        """
        return [self._encode(text, i) for i, text in enumerate(texts)]

    def _encode(self, text: str, place: int) -> npt.NDArray[np.int32]:
        try:
            ids = self.encoding.encode_to_numpy(text, disallowed_special=())
        except UnicodeEncodeError:
            whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            return self._encode(whole, place)
        except ValueError as error:
            raise TokenizerError(f"{self.name} cannot encode text {place} of the batch: {error}") from error
        return ids.view(np.int32)

    def decode(self, ids: npt.NDArray[np.integer]) -> str:
        """The text of the ids, special tokens by name; U+FFFD where they cut a letter."""
        return self.encoding.decode(ids.tolist())


def load_tokenizer(name_or_path: str) -> Tokenizer:
    """The tokenizer `llama3`, or the one of a file in tiktoken's format with Llama 3's pattern and special
    tokens.

    A third of a second. TokenizerError if llama-models is not installed, or the file is missing, damaged or not
    Llama 3's.
    """
    path = _llama3_file() if name_or_path == "llama3" else Path(name_or_path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise TokenizerError(f"no tokenizer file {path}; write `llama3` or the path of a tiktoken file") from error
    except OSError as error:
        raise TokenizerError(f"cannot read the tokenizer file {path}: {error.strerror}") from error
    sha256 = hashlib.sha256(data).hexdigest()
    if name_or_path == "llama3" and sha256 != LLAMA3_SHA256:
        raise TokenizerError(
            f"{path} has sha256 {sha256}, not Llama 3's {LLAMA3_SHA256}; reinstall it: "
            "pip install --force-reinstall --no-deps llama-models"
        )
    ranks = _parse(data, path)
    special = {token: len(ranks) + i for i, token in enumerate(SPECIAL_TOKENS)}
    encoding = tiktoken.Encoding(name_or_path, pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)
    return Tokenizer(name_or_path, sha256, encoding.n_vocab, special[END_OF_TEXT], encoding)


def _llama3_file() -> Path:
    # find_spec does not run the package: importing llama_models would pull in much that is not needed here.
    spec = importlib.util.find_spec("llama_models")
    if spec is None or not spec.submodule_search_locations:
        raise TokenizerError("the tokenizer `llama3` needs the package with its file: pip install llama-models")
    return Path(next(iter(spec.submodule_search_locations))) / "llama3" / "tokenizer.model"


def _parse(data: bytes, path: Path) -> dict[bytes, int]:
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
