"""What Llama 3 and Llama 4 put beside their ranks: the pattern that cuts a text, and the special tokens behind the ranks, in order.

Both as Meta's package llama-models has them; tests/corpus/test_tokenizer_llama.py compares every one.
"""

from __future__ import annotations

from dataclasses import dataclass

END_OF_TEXT = "<|end_of_text|>"
BEGIN_OF_TEXT = "<|begin_of_text|>"
PADS = ("<|finetune_right_pad_id|>", "<|finetune_right_pad|>")


@dataclass(frozen=True, slots=True)
class Llama:
    """`folder`: where llama-models keeps its file; `ranks`: how many there are."""

    name: str
    folder: str
    sha256: str
    ranks: int
    pattern: str
    special: tuple[str, ...]


def _numbered(name: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"<|{name}_{i}|>" for i in range(first, last + 1))


_OF_3 = (
    BEGIN_OF_TEXT, END_OF_TEXT, "<|reserved_special_token_0|>", "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>",
    "<|step_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>", "<|image|>",
)  # fmt: skip
_POST_TRAIN = "text_post_train_reserved_special_token"
_VISION = "vision_reserved_special_token"
_REASONING = "reasoning_reserved_special_token"
_OF_4 = (
    BEGIN_OF_TEXT, END_OF_TEXT, "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>",
    "<|header_start|>", "<|header_end|>", "<|eom|>", "<|eot|>", "<|step|>", *_numbered(_POST_TRAIN, 0, 5),
    "<|python_start|>", "<|python_end|>", "<|finetune_right_pad|>", *_numbered(_POST_TRAIN, 8, 68),
    "<|image_start|>", "<|image_end|>", *_numbered(_VISION, 0, 1), "<|tile_x_separator|>", "<|tile_y_separator|>",
    *_numbered(_VISION, 2, 5), "<|image|>", *_numbered(_VISION, 6, 6), "<|patch|>", *_numbered(_VISION, 7, 1047),
    *_numbered(_REASONING, 0, 7), "<|reasoning_thinking_start|>", "<|reasoning_thinking_end|>",
)  # fmt: skip

LLAMA3 = Llama(
    "llama3",
    "llama3",
    "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55",
    128_000,
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    _OF_3 + _numbered("reserved_special_token", 2, 256 - len(_OF_3) + 1),
)
LLAMA4 = Llama(
    "llama4",
    "llama4",
    "d0bdbaf59b0762c8c807617e2d8ea51420eb1b1de266df2495be755c8e0ed6ed",
    200_000,
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    _OF_4 + _numbered("reserved_special_token", 0, 2048 - len(_OF_4) - 1),
)
BY_NAME = {LLAMA3.name: LLAMA3, LLAMA4.name: LLAMA4}


def of_ranks(number: int) -> Llama:
    """Whose pattern and special tokens a file with so many ranks has: Llama 4's with 200,000, else Llama 3's."""
    return LLAMA4 if number == LLAMA4.ranks else LLAMA3
