"""Looking at a run of 5 million documents: the table of its documents, each question to it, and the report, beside their limits.

The run is benchmarks/synthetic_run.py's, which is made once in runs/ and stays there; it is looked at through hard links, so nothing
is found there that an earlier look has left. Gathering and the questions run in a fresh process each; `seiryu report` is the whole
command. Every kind of question is asked in all its forms (each signal, each rule, each column), with one connection after a first
question that is told apart; the figure is the median of all, and the limit holds if the slowest is below it. A ratio above 1: so
many times as fast as its limit.

SEIRYU_LOOK_DOCUMENTS (5000000), SEIRYU_LOOK_ARCHIVES (2800): the run's size.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.inputs import ROOT, Inputs
from benchmarks.synthetic_run import ARCHIVES, DOCUMENTS, kept_run
from benchmarks.timing import Figure

RECOUNT, REPORT, REPORT_MB, FIRST_PAGE, STATE = 0.5, 60.0, 10.0, 5.0, 2.0  # seconds and MB that must not be reached
MOVED = (1, 5, 20)  # limits that are moved together
STOPS, EDGES, SAMPLES, MOST = 64, 48, 5, 50  # of a slider; bars; documents of a sample; rows of a list
ROUNDS = 5
Questions = dict[str, list[Callable[[Any], Any]]]


def figures(_: Inputs) -> Iterator[Figure]:
    documents, archives = (int(os.environ.get(f"SEIRYU_LOOK_{name}", size)) for name, size in
                           (("DOCUMENTS", DOCUMENTS), ("ARCHIVES", ARCHIVES)))  # fmt: skip
    run = kept_run(documents, archives)
    with tempfile.TemporaryDirectory(dir=run.parent, prefix="look-") as folder:
        linked = Path(folder) / "run"
        shutil.copytree(run, linked, copy_function=os.link, ignore=shutil.ignore_patterns("report"))
        yield from gathered(linked, documents, archives)
        yield from asked(linked)
        yield from reported(linked)
        yield from inspected(linked)


def gathered(run: Path, documents: int, archives: int) -> Iterator[Figure]:
    found = child("gather", run)
    yield held(f"what is done in {archives:,} archives (State.of_run)", found["state"], "s", STATE)
    yield Figure(f"table of {documents:,} documents, made", found["made"], "s")
    yield Figure("the same, once it is there", found["again"], "s")
    yield Figure("size of the table", found["bytes"] / 1e6, "MB")
    yield Figure("size of the table, a document", found["bytes"] / documents, "bytes")
    yield Figure("memory while it is made, the most", found["memory"] / 1e6, "MB")


def asked(run: Path) -> Iterator[Figure]:
    for what, seconds in child("ask", run).items():
        yield held(f"{what} ({len(seconds)} asked)" if len(seconds) > ROUNDS else what, seconds, "s", RECOUNT)


def reported(run: Path) -> Iterator[Figure]:
    """The command twice: with the table of documents to be gathered, and with the one that the first has left."""
    shutil.rmtree(run / "report", ignore_errors=True)
    for what in ("seiryu report", "seiryu report, the table is there"):
        seconds, memory = command("report", run)
        yield held(what, [seconds], "s", REPORT)
        yield Figure(f"memory of {what}, the most", memory / 1e6, "MB")
    yield held("size of the report", [(run / "report" / "index.html").stat().st_size / 1e6], "MB", REPORT_MB)


def inspected(run: Path) -> Iterator[Figure]:
    """`seiryu inspect` in headless Chromium: until it can be opened, its first page stands, and a limit that is moved is counted."""
    ready, first, moved, again = [], [], [], []
    for _ in range(3):
        with browser() as driver:
            begin = time.perf_counter()
            page = subprocess.Popen([sys.executable, "-m", "seiryu.pipelines", "inspect", str(run)], cwd=ROOT, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, text=True)  # fmt: skip
            try:
                address = page.stdout.readline().strip()  # type: ignore[union-attr]
                ready.append(time.perf_counter() - begin)
                for query, seconds in (("", first), ("&set=few_hiragana.low=0.3", moved), ("&tab=documents", again)):
                    begin = time.perf_counter()
                    driver.get(address + query)
                    while not driver.execute_script("return document.querySelector('#kept-documents')?.textContent"):
                        time.sleep(0.01)
                    seconds.append(time.perf_counter() - begin)
            finally:
                page.terminate()
                page.wait()
    yield Figure("seiryu inspect, until its address is printed", median(ready), "s", min(ready), max(ready))
    yield held("its first page in Chromium", first, "s", FIRST_PAGE)
    yield held("a page opened with a moved limit", moved, "s", FIRST_PAGE)
    yield held("a page opened on a list of documents", again, "s", FIRST_PAGE)


@contextmanager
def browser() -> Iterator[Any]:
    """Debian's Chromium with an empty profile."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}"):  # fmt: skip
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            yield driver
        finally:
            driver.quit()


def held(what: str, values: Sequence[float], unit: str, limit: float) -> Figure:
    """A line that says whether the largest value is below the limit."""
    well = "yes" if max(values) < limit else "NO"
    low, high = (min(values), max(values)) if len(values) > 1 else (None, None)
    return Figure(what, median(values), unit, low, high, f"below the limit: {well}", limit, limit / max(median(values), 1e-9))


def command(name: str, run: Path) -> tuple[float, float]:
    """Seconds of a command from its start to its end, and the most bytes that it held."""
    begin, most = time.perf_counter(), 0
    started = subprocess.Popen(
        [sys.executable, "-m", "seiryu.pipelines", name, str(run)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while started.poll() is None:
        most = max(most, memory(started.pid))
        time.sleep(0.02)
    seconds = time.perf_counter() - begin
    if started.returncode:
        raise SystemExit(f"seiryu {name} ended with {started.returncode}:\n{started.stderr.read().decode()}")  # type: ignore[union-attr]
    return seconds, most


def child(task: str, run: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.look", task, str(run)], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def gather(run: Path) -> dict[str, Any]:
    """In the fresh process: what making the table takes."""
    from seiryu.pipelines.facts import facts_of
    from seiryu.pipelines.state import State

    def timed(task: Callable[[], Any]) -> tuple[float, Any]:
        begin = time.perf_counter()
        made = task()
        return time.perf_counter() - begin, made

    looked = [timed(lambda: State.of_run(str(run))) for _ in range(3)]
    state = looked[-1][1]
    made, facts = timed(lambda: facts_of(state))
    again, _ = timed(lambda: facts_of(state))
    size = Path(facts.path).stat().st_size
    return {"state": [each for each, _ in looked], "made": made, "again": again, "bytes": size, "memory": memory(os.getpid())}


def ask(run: Path) -> dict[str, list[float]]:
    """In the fresh process: seconds of each question in all its forms; in ROUNDS rounds where it has only one."""
    from seiryu.pipelines.facts import facts_of, queries
    from seiryu.pipelines.state import State

    state = State.of_run(str(run))
    facts = facts_of(state)
    with facts.cursor() as con:
        found = {"first question of a connection: masks": [seconds(queries.masks, con)]}
        for what, forms in questions(state, facts, con).items():
            for form in forms * (1 if len(forms) > 1 else ROUNDS):
                found.setdefault(what, []).append(seconds(form, con))
    return found


def questions(state: Any, facts: Any, con: Any) -> Questions:
    """All that is asked of the table, by name."""
    from seiryu.pipelines.facts import masks, queries
    from seiryu.pipelines.facts.texts import documents_at

    rules, signals = facts.rules, [signal.name for signal in facts.signals]
    some = [(row["unit"], row["row"]) for row in queries.sample(con, rules, None, SAMPLES).to_pylist()]
    counted = queries.masks(con)

    def between(signal: str, number: int) -> list[float]:
        low, high = facts.spread[signal]["low"], facts.spread[signal]["high"]
        return [low + (high - low) * (k + 0.5) / number for k in range(number)]

    def recount(number: int, first: int) -> Callable[[Any], Any]:
        chosen = {(first + k) % len(rules) for k in range(number)}
        other = [moved(rule) if i in chosen else rule for i, rule in enumerate(rules)]

        def counts(con: Any) -> Any:
            found = queries.masks_under(con, rules, other)
            return masks.totals(found), masks.rule_counts(found, other)

        return counts

    asked: Questions = {
        f"recount with {number} limit{'s' * (number > 1)} moved": [recount(number, first) for first in range(len(rules))]
        for number in MOVED
    }
    asked[f"{STOPS} stops of a slider"] = [
        lambda con, rule=rule, side=side: queries.at_stops(con, rules, rule.name, side, between(rule.signal, STOPS))
        for rule in rules for side in ("low", "high", "below") if abs(getattr(rule, side)) != float("inf")
    ]  # fmt: skip
    asked["masks"] = [queries.masks]
    asked["each rule, in order, overlaps, from the masks"] = [
        lambda _: (masks.rule_counts(counted, rules), masks.in_order(counted, rules, [rule.name for rule in rules]),
                   masks.overlaps(counted, rules, MOST))
    ]  # fmt: skip
    asked["fates"] = [queries.fates]
    asked["histogram of a signal"] = [
        lambda con, name=name: queries.histogram(con, name, between(name, EDGES)) for name in signals
    ]
    for column in queries.GROUPED:
        asked[f"by {column}"] = [lambda con, column=column: queries.by(con, column, MOST)]
    asked["values of a column"] = [lambda con, column=column: queries.distinct(con, column) for column in queries.GROUPED]
    asked["cluster sizes (none here)"] = [queries.cluster_sizes]
    asked["verdicts of deduplication (none here)"] = [queries.verdicts]
    asked[f"{SAMPLES} documents of a rule"] = [
        lambda con, name=name: queries.sample(con, rules, name, SAMPLES) for name in (None, *(rule.name for rule in rules))
    ]
    asked[f"texts of {SAMPLES} documents"] = [lambda _: documents_at(state, some)]
    return asked


def moved(rule: Any) -> Any:
    """A rule with all its limits a tenth elsewhere."""
    sides = {side: getattr(rule, side) for side in ("low", "high", "below") if abs(getattr(rule, side)) != float("inf")}
    return replace(rule, **{side: value * 1.1 for side, value in sides.items()})


def seconds(question: Callable[[Any], Any], con: Any) -> float:
    begin = time.perf_counter()
    question(con)
    return time.perf_counter() - begin


def memory(process: int) -> int:
    """The most bytes that a process has held so far; 0 if it is gone. Not `resource`: its ru_maxrss begins with the parent's."""
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    task, folder = sys.argv[1:]
    print(json.dumps({"gather": gather, "ask": ask}[task](Path(folder))))
