"""From the name or path in a config to a tokenizer. What kind of file it is, its first bytes tell.

Files are read here and not by a library's loader: tiktoken's cache goes by path and would serve yesterday's vocabulary.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path

from seiryu.corpus.tokenizers.end_of_document import BEGINS, FILLS, end_of_document
from seiryu.corpus.tokenizers.hugging_face import HuggingFace, named_tokens
from seiryu.corpus.tokenizers.llama import BEGIN_OF_TEXT, BY_NAME, END_OF_TEXT, PADS, Llama, of_ranks
from seiryu.corpus.tokenizers.sentencepiece_model import SentencePiece
from seiryu.corpus.tokenizers.tiktoken_file import TiktokenFile, read_ranks
from seiryu.corpus.tokenizers.tokenizer import Tokenizer, TokenizerError

_JSON = re.compile(rb"\s*\{")
# A message that begins with a short message, the first piece, that begins with its text.
_PROTOBUF = re.compile(rb"\n[\x01-\x7f]\n")


def load_tokenizer(name_or_path: str, eod: str | None = None) -> Tokenizer:
    """`llama3`, `llama4`, or the tokenizer of a file: tiktoken's format with Llama's pattern and special tokens, a tokenizer.json (or
    its folder), or a sentencepiece model. `eod`: the token that ends documents, or its id in digits; its own by default.

    A third of a second. TokenizerError if the file is missing, damaged or not the expected one, if the package that reads it is not
    installed, or if the end of document is none.
    """
    llama = BY_NAME.get(name_or_path)
    path = file_of(llama) if llama else Path(name_or_path)
    if path.is_dir():
        path = path / "tokenizer.json"
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        if llama:
            raise TokenizerError(
                f"{path} is not there; reinstall it: pip install --force-reinstall --no-deps llama-models"
            ) from error
        raise TokenizerError(
            f"no tokenizer file {path}; write {', '.join(BY_NAME)}, or the path of a tiktoken file, a tokenizer.json or a "
            "sentencepiece model"
        ) from error
    except OSError as error:
        raise TokenizerError(f"cannot read the tokenizer file {path}: {error.strerror}") from error
    sha256 = hashlib.sha256(data).hexdigest()
    if llama and sha256 != llama.sha256:
        raise TokenizerError(
            f"{path} has sha256 {sha256}, not that of {llama.name}, {llama.sha256}; reinstall it: "
            "pip install --force-reinstall --no-deps llama-models"
        )
    if not llama and _JSON.match(data):
        return HuggingFace(name_or_path, sha256, data, eod, named_tokens(path.parent))
    if not llama and _PROTOBUF.match(data):
        return SentencePiece(name_or_path, sha256, data, eod)
    ranks = read_ranks(data, str(path))
    behind = llama or of_ranks(len(ranks))
    special = {token: len(ranks) + i for i, token in enumerate(behind.special)}
    chosen = end_of_document(name_or_path, special, eod, END_OF_TEXT, {BEGIN_OF_TEXT: BEGINS, **dict.fromkeys(PADS, FILLS)})
    return TiktokenFile(name_or_path, sha256, ranks, behind, chosen)


def file_of(llama: Llama) -> Path:
    # find_spec does not run the package: importing llama_models would pull in much that is not needed here.
    spec = importlib.util.find_spec("llama_models")
    if spec is None or not spec.submodule_search_locations:
        raise TokenizerError(f"the tokenizer `{llama.name}` needs the package with its file: pip install llama-models")
    return Path(next(iter(spec.submodule_search_locations))) / llama.folder / "tokenizer.model"
