"""The report of a run: one HTML file that opens from disk, asks for nothing from outside and runs no script but its own.

Counts come from sidecars and from the table of the run (`pipelines.facts`), hosts, lines and failures from narrow tables, samples from
the few documents that are shown. Text from the web is always text.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from seiryu.pipelines.facts import facts_of, queries
from seiryu.pipelines.reporting.contamination import contamination
from seiryu.pipelines.reporting.page import looking, sections
from seiryu.pipelines.reporting.page.comparison import comparison
from seiryu.pipelines.reporting.page.distributions import distributions
from seiryu.pipelines.reporting.page.rendering import bundle, page
from seiryu.pipelines.reporting.page.samples import samples
from seiryu.pipelines.reporting.taken_down import taken_down
from seiryu.pipelines.state import State
from seiryu.pipelines.version import VERSION


def write_report(state: State, against: State | None = None, language: str = "en") -> str:
    """Write report/index.html; its path.

    `against`: another run to stand beside this one; `language`: en or ja, which the page shows first (it holds both).
    Texts of pages that were taken down are not in it. InputError if a narrow table, or takedown.json, is damaged.
    """
    with ThreadPoolExecutor(1) as pool:
        pool.submit(bundle)  # takes a second of a core; an error of it comes again below
        facts = facts_of(state)
        with facts.cursor() as con:
            counted = queries.masks(con)
        drawn, gone = distributions(facts), taken_down(state, facts)
        steps = sections.steps(state)
        text = page(
            language, run=state.store.root, version=VERSION, note=facts.note, steps=steps,
            headline=sections.headline([line["step"] for line in steps]), judged=bool(facts.rules), japanese=facts.documents,
            read=bool(state.completed("extract")), rules=looking.rules(state, facts, counted),
            overlaps=looking.overlaps(facts, counted), drawn=drawn, samples=samples(state, facts, gone), sources=looking.sources(facts),
            duplicates=looking.duplicates(facts), stages=sections.stages(state), hosts=sections.hosts(state),
            cleaning=sections.cleaning(state, gone), shards=sections.shards(state), failures=sections.failures(state),
            benchmarks=contamination(state), action=state.config.decontaminate.action, config=state.config.model_dump_json(indent=1),
            other=comparison(state, facts, drawn, against) if against else None,
        )  # fmt: skip
    state.store.write("report/index.html", text.encode())
    return state.store.path("report/index.html")
