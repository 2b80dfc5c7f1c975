"""The last touch on a document that stays: no boilerplate, no footer, common punctuation, no personal data.

In this order: cuts go by the text as it was counted, punctuation by what is left, and what is left is masked. A cut is made only if
it and those before it take no more than a share of the letters away; the code released for the Swallow corpus can empty a document.
Repeated lines come first, for they were seen on other pages of the site, then paragraphs that stand in other documents; a footer is a
guess from words. What two cuts would take goes with the first. A cut that is not made is named, and takes no room from the next.

Cleaning what was cleaned changes it again in one case: with the footer gone, other lines are the last ten.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from seiryu.filters.cleaning.footers import without_footer
from seiryu.filters.cleaning.personal_data import KINDS, mask
from seiryu.filters.cleaning.punctuation import common_punctuation
from seiryu.filters.cleaning.repeated_lines import without_lines


@dataclass(frozen=True, slots=True)
class CleanSettings:
    """What `clean` does. Of letters: `footer_share` of a line's, `max_cut_share` of the document's."""

    punctuation: bool = True
    footers: bool = True
    footer_lines: int = 10
    footer_share: float = 0.3
    personal_data: tuple[str, ...] = KINDS
    max_cut_share: float = 0.3


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The text, and what was done to it: letters cut (line breaks apart), ，． changed, personal data masked by kind.

    `refused`: the cuts that would have taken too much and were not made, of `repeated_lines`, `repeated_paragraphs` and `footer`.
    """

    text: str
    repeated_line_letters: int = 0
    repeated_paragraph_letters: int = 0
    footer_letters: int = 0
    punctuation_letters: int = 0
    masked: Mapping[str, int] = field(default_factory=dict)
    refused: tuple[str, ...] = ()


def clean(
    text: str,
    settings: CleanSettings = CleanSettings(),
    repeated: Collection[str] = frozenset(),
    paragraphs: Collection[str] = frozenset(),
) -> Cleaned:
    """The cleaned text; a text that needs nothing comes back as it is.

    Lines to be cut, without white space around: `repeated` as those of the site, `paragraphs` as those of many documents.
    """
    cuts: dict[str, Callable[[str], str]] = {}
    for name, lines in (("repeated_lines", repeated), ("repeated_paragraphs", paragraphs)):
        if lines:
            cuts[name] = partial(without_lines, lines=lines)
    if settings.footers:
        cuts["footer"] = partial(without_footer, lines=settings.footer_lines, share=settings.footer_share)
    before = left = _letters(text)
    gone, refused = dict.fromkeys(("repeated_lines", "repeated_paragraphs", "footer"), 0), []
    for name, cut in cuts.items():
        shorter = cut(text)
        letters = _letters(shorter)
        if before - letters > settings.max_cut_share * before:
            refused.append(name)
            continue
        gone[name] = left - letters
        text, left = shorter, letters
    text, marks = common_punctuation(text) if settings.punctuation else (text, 0)
    masked: Mapping[str, int] = {}
    if settings.personal_data:
        text, masked = mask(text, settings.personal_data)
    cut_letters = gone["repeated_lines"], gone["repeated_paragraphs"], gone["footer"]
    return Cleaned(text, *cut_letters, marks, masked, tuple(refused))


def _letters(text: str) -> int:
    return len(text) - text.count("\n") - text.count("\r")
