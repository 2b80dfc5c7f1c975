"""Text to token ids, by whichever tokenizer the model to be trained has."""

from seiryu.corpus.tokenizers.loading import load_tokenizer
from seiryu.corpus.tokenizers.tokenizer import Tokenizer, TokenizerError

__all__ = ["Tokenizer", "TokenizerError", "load_tokenizer"]
