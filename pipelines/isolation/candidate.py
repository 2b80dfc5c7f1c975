"""What happens to one page that may be Japanese, in the child process that it cannot leave: HTML in, document or refusal out.

A request is the page's HTML after one line of JSON (what else is known of it, and what the header of the response said), an answer
is JSON. Nothing here looks at anything but the page, so the answer is the same whichever child gives it, but for the seconds that it
took.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass, field, replace
from functools import cache

from seiryu.corpus.archive.page import Page
from seiryu.corpus.decoding.declared import declared_languages
from seiryu.corpus.extraction import main_text_of_readable, prepare, title
from seiryu.corpus.extraction.opt_outs import opt_outs
from seiryu.corpus.extraction.reading import readable_html
from seiryu.filters.finding.language import accepted, language
from seiryu.filters.finding.quick_screen import BELIEVED_FROM, fails_by_far
from seiryu.filters.rules import Rule
from seiryu.pipelines.config import Config
from seiryu.pipelines.profiling.clock import Clock
from seiryu.pipelines.rules_in_force import screen

PAGE = "seiryu.pipelines.isolation.candidate:page_to_document"


@dataclass(frozen=True, slots=True)
class Answer:
    """A document, or the name of the test it did not pass in `refused`. `letters`: of its text, line breaks left out.

    `times`: seconds of the child by what they were spent on; no part of what was found.
    """

    refused: str = ""
    letters: int = 0
    text: str = ""
    title: str = ""
    html_lang: str = ""
    language: str = ""
    language_score: float = 0.0
    robots: str = ""
    tdm_reservation: str = ""
    tdm_policy: str = ""
    times: dict[str, float] = field(default_factory=dict, compare=False)

    @classmethod
    def read(cls, answer: bytes) -> Answer:
        return cls(**json.loads(answer))


@cache
def get_ready() -> None:
    """In the worker: load what the tests before the child need, so that no page pays for it."""
    from seiryu.filters.finding.japanese_bytes import look_for_kana  # no business of the child, which imports this module too
    from seiryu.filters.finding.most_letters import cannot_hold

    page = "<p>準備をしている。</p>" * 10
    for charset in ("utf-8", "cp932"):
        look_for_kana(page.encode(charset))
    cannot_hold(page, 400, 80)


def request(html: str, page: Page, kana_share: float) -> bytes:
    """A page for the child. `kana_share`: of its bytes, as the rapid test measured it."""
    asked = [page.robots, page.tdm_reservation, page.tdm_policy]
    known = {"content_language": page.language, "kana_share": kana_share, "asked": asked}
    return json.dumps(known).encode() + b"\n" + html.encode("utf-8", "surrogatepass")


def page_to_document(config: bytes) -> Callable[[bytes], bytes]:
    """The function of the child, for a config as JSON."""
    settings = Config.model_validate_json(config)
    prepare(settings.extract.extractor)
    language("準備")
    rules = screen(settings)
    if rules:
        prepare("resiliparse")
        fails_by_far("準備をしている。" * BELIEVED_FROM, rules)

    def answer(request: bytes) -> bytes:
        clock = Clock()
        known, _, html = request.partition(b"\n")
        found = _document(html.decode("utf-8", "surrogatepass"), settings, rules, clock, **json.loads(known))
        clock.lap("page")
        told = replace(found, times={name: round(seconds, 6) for name, seconds in clock.times.items()})
        return json.dumps(asdict(told), ensure_ascii=False).encode()

    return answer


def _document(
    html: str,
    config: Config,
    rules: tuple[Rule, ...],
    clock: Clock,
    *,
    content_language: str,
    kana_share: float,
    asked: list[str],
) -> Answer:
    readable = readable_html(html)
    clock.lap("readable")
    hopeless = rules and fails_by_far(main_text_of_readable(readable, "resiliparse"), rules)
    clock.lap("screen")
    if hopeless:
        return Answer("quick_screen")
    text = main_text_of_readable(readable, config.extract.extractor)
    clock.lap("text")
    letters = len(text) - text.count("\n")
    if not text.strip():
        return Answer("no_text")
    found, score = language(text)
    clock.lap("language")
    if not accepted(found, score, kana_share, config.language.accept, config.language.min_score):
        return Answer("not_japanese", letters)
    said = declared_languages(html, content_language)
    wishes = astuple(opt_outs(html, *asked))
    return Answer("", letters, text, title(html), said[0] if said else "", found, score, *wishes)
