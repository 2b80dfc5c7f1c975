"""Which token ends a document: the one that pre-training ends texts with, and never one that ends a turn of a chat.

Chat models are tuned to stop at a token of their own, and their files name it as eos: Llama 3 Instruct's is <|eot_id|>. A base model
has hardly seen it. Shards that end their documents with it teach that a turn ends where a text does, and a trainer that looks for
the other one finds no document boundary at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from seiryu.corpus.tokenizers.tokenizer import TokenizerError

# Ends of texts, as base models know them; the first that a vocabulary has is taken.
ENDS_OF_TEXT = (
    "<|end_of_text|>", "<|endoftext|>", "<|end▁of▁sentence|>", "<｜end▁of▁sentence｜>", "<eos>", "</s>",
    "<EOD|LLM-jp>", "<EOS_TOKEN>", "<EOD>", "<eod>", "[EOS]",
)  # fmt: skip
# Ends of turns, messages and calls.
ENDS_OF_CHAT = frozenset({
    "<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|eom|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endofturn|>", "<|end_of_turn|>",
    "<turn|>", "<|return|>", "<|call|>", "[/INST]", "</INST>", "<|user|>", "<|assistant|>", "<|END_OF_TURN_TOKEN|>", "<|role_end|>",
    "<|EOT|>",
})  # fmt: skip
BEGINS, FILLS = "begins a text", "fills batches up, and is left out by trainers"
NO_OTHERS: Mapping[str, str] = MappingProxyType({})
_SHOWN = 12


def end_of_document(
    name: str, special: Mapping[str, int], wanted: str | None, own: str | None = None, others: Mapping[str, str] = NO_OTHERS
) -> str:
    """The token that ends documents: `wanted` (its text, or its id in digits), else `own`, the file's eos, else the first known one.

    `others`: token -> what it does in the file, such as "begins a text". TokenizerError if it is none of the special tokens, ends a
    chat's turn, or does such another thing; the file's own eos may (GPT-2 has one token for all).
    """
    base = next((token for token in ENDS_OF_TEXT if token in special), "")
    if wanted is not None:
        by_id = {str(number): token for token, number in special.items()}
        chosen, says = by_id.get(wanted, wanted), f"tokenize.eod is {wanted}"
    elif own is not None:
        chosen, says = own, f"its eos_token is {own}"
    elif base:
        return base
    else:
        raise TokenizerError(
            f"{name}: which token ends a document? Set tokenize.eod to one of its special tokens: {_shown(special)}"
        )
    if chosen not in special:
        raise TokenizerError(f"{name}: {says}, which is no special token of it; there are {_shown(special)}")
    if chosen in ENDS_OF_CHAT:
        instead = f"set tokenize.eod to {base}" if base else "set tokenize.eod to the end of text of the base model"
        raise TokenizerError(
            f"{name}: {says}, which ends a turn of a chat: a model that is pre-trained on it learns to stop where a document does, and "
            f"trainers look for another end; {instead}"
        )
    if chosen in others and chosen != own:
        raise TokenizerError(
            f"{name}: {says}, which {others[chosen]}; set tokenize.eod to {own or base or 'another special token'}"
        )
    return chosen


def _shown(special: Mapping[str, int]) -> str:
    names = sorted(special, key=lambda token: special[token])
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "") if names else "none"
