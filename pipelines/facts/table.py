"""The table of a run, `report/facts.parquet`: made from its narrow tables once, and again when those have changed.

Reading thousands of small files takes longer than any question to them, so they are gathered into one file, a row a judged document,
in the order of the archives' names. It follows from the run and can be deleted at any time.
"""

from __future__ import annotations

import json
import os
import tempfile
import weakref
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from seiryu.corpus.errors import InputError, NotWritable
from seiryu.corpus.storage import Store
from seiryu.filters.rules import Rule
from seiryu.filters.signals.signal import Signal
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.facts.rows import facts_schema, rows_of
from seiryu.pipelines.facts.spread import Spread, Spreads
from seiryu.pipelines.measured import measured_by, to_measure
from seiryu.pipelines.stages.decide import judged_by
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import digest

_NAME, _VERSION = "report/facts.parquet", 4
_ROW_GROUP, _AHEAD = 122_880, 64  # rows that DuckDB takes at once; files that are read before they are written
_KEY, _SPREAD = b"seiryu.facts", b"seiryu.spread"
_PLAIN = ("doc_id", "url", "title")  # columns whose values hardly repeat


class Held:
    """A file that may be replaced or deleted while it is asked: it stays this very file, and open, until nobody holds this any more."""

    def __init__(self, path: str) -> None:
        open_file = os.open(path, os.O_RDONLY)
        self.path = f"/proc/{os.getpid()}/fd/{open_file}"
        weakref.finalize(self, os.close, open_file).atexit = False  # threads may ask to the last


@dataclass(frozen=True)
class Facts:
    """The table, and what is known of it. `rules`: those its rows were judged by; `note`: what it does not hold, else empty; `spread`:
    of each signal least, low (0.5 %), median, high (99.5 %) and most, empty without rows: as in `facts.spread`.
    """

    held: Held
    rules: tuple[Rule, ...]
    signals: tuple[Signal, ...]
    documents: int
    note: str
    spread: dict[str, dict[str, float]]

    @property
    def path(self) -> str:
        """Where DuckDB opens the table; only for as long as somebody has these facts."""
        return self.held.path

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that knows the table as `facts` and can open no other file. One for each consumer and thread."""
        connection = connect(self.path)
        try:
            yield connection
        finally:
            connection.close()


def connect(path: str) -> duckdb.DuckDBPyConnection:
    """What `Facts.cursor` gives, to be closed by who asked for it."""
    config: dict[str, Any] = {"threads": str(len(os.sched_getaffinity(0))), "autoinstall_known_extensions": "false",
                              "autoload_known_extensions": "false"}  # fmt: skip
    connection = duckdb.connect(":memory:", config=config)
    # A path of `Held` is a link, which Linux makes lead to another name once the file is deleted or replaced.
    connection.execute("SET allowed_paths = [$path, $deleted]", {"path": path, "deleted": f"{os.path.realpath(path)} (deleted)"})
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    connection.execute(f"CREATE VIEW facts AS SELECT * FROM read_parquet({quoted_text(path)})")
    return connection


def quoted_text(text: str) -> str:
    """A text as SQL writes it: for the one place where no parameter can stand."""
    return "'" + text.replace("'", "''") + "'"


def facts_of(state: State, progress: Callable[[int, int], None] = lambda *_: None) -> Facts:
    """The table of a run, made if it is not there or not of now. `progress`: called with archives gathered and to gather.

    InputError if a narrow table is damaged. Memory: some 64 archives' rows, and those of a row group.
    """
    judged, others = _judged_alike(state)
    measured = measured_by(state.completed("annotate")[judged[0]]) if judged else _to_come(state)
    rules = judged_by(state.completed("decide")[judged[0]], state.config) if judged else ()
    key = _identity(state, judged)
    held = None
    if (known := _present(state.store, key)) is None:
        try:
            known = _make(state, state.store, judged, measured, key, progress)
        except NotWritable:  # somebody else's run
            with tempfile.TemporaryDirectory(prefix="seiryu-facts-") as folder:
                known = _make(state, Store(folder), judged, measured, key, progress)
                held = Held(os.path.join(folder, _NAME))  # noqa: PTH118
    return Facts(held or _local(state.store), rules, measured, known[0], _note(state, judged, others), known[1])


def _to_come(state: State) -> tuple[Signal, ...]:
    """The signals that a run will measure, so that a table without rows has its columns too."""
    if annotated := state.completed("annotate"):
        return measured_by(next(iter(annotated.values())))
    try:
        return to_measure(state.config)
    except ConfigError:  # a preset that is gone
        return tuple(Signal(name, "int", "") for name in ("letters", "tokens"))


def _judged_alike(state: State) -> tuple[list[str], int]:
    """The archives that were judged by the same rules over signals measured alike, of several kinds the most; how many others."""
    annotated, decided = state.completed("annotate"), state.completed("decide")
    kinds = {
        unit: json.dumps([done.setting("rules"), annotated[unit].made_of["settings"]])
        for unit, done in decided.items()
        if unit in annotated
    }
    if not kinds:
        return [], 0
    most = Counter(kinds.values()).most_common(1)[0][0]
    alike = [unit for unit, kind in kinds.items() if kind == most]
    return alike, len(kinds) - len(alike)


def _identity(state: State, judged: list[str]) -> str:
    """What decides the bytes of the table."""

    def of(stage: str) -> str:
        done = state.completed(stage)
        return identity({unit: done[unit] for unit in judged if unit in done})

    stages = ("extract", "annotate", "addresses", "decide", "clean")
    return digest([_VERSION, identity(state.completed("select")), *(of(stage) for stage in stages)])


def _note(state: State, judged: list[str], others: int) -> str:
    notes = []
    if left := len(state.completed("extract")) - len(judged) - others:
        notes.append(f"{left:,} of {len(state.completed('extract')):,} archives are not judged yet and not counted")
    if others:
        notes.append(f"{others:,} archives were judged by other rules and are not counted; let the run come to its end first")
    return "; ".join(notes)


def _present(store: Store, key: str) -> tuple[int, Spreads] | None:
    """Rows of the table that lies there, and the spread of its signals; None if there is none, or it is of another time or damaged."""
    if not store.exists(_NAME):
        return None
    try:
        with store.open(_NAME) as file:
            footer = pq.read_metadata(file)
    except (pa.ArrowException, OSError, ValueError):
        return None
    said = footer.metadata or {}
    return (footer.num_rows, json.loads(said[_SPREAD])) if said.get(_KEY) == key.encode() and _SPREAD in said else None


def _make(
    state: State,
    store: Store,
    judged: list[str],
    measured: tuple[Signal, ...],
    key: str,
    progress: Callable[[int, int], None],
) -> tuple[int, Spreads]:
    wanted = facts_schema(measured).with_metadata({_KEY: key.encode()})
    plain = [field.name for field in wanted if pa.types.is_string(field.type) and field.name not in _PLAIN]
    documents, waiting = 0, list[pa.Table]()
    spread = Spread([signal.name for signal in measured], state.counts("decide").records)
    with (
        store.writing(_NAME) as out,
        pq.ParquetWriter(out, wanted, compression="lz4", use_dictionary=plain) as writer,
    ):
        for number, rows in enumerate(_rows(state, judged, measured), 1):
            waiting.append(rows)
            documents += len(rows)
            if sum(map(len, waiting)) >= _ROW_GROUP or number == len(judged):
                table = pa.concat_tables(waiting).cast(wanted)
                spread.add(table)
                writer.write_table(table, row_group_size=_ROW_GROUP)
                waiting = []
                progress(number, len(judged))
        found = spread.found()
        writer.add_key_value_metadata({_SPREAD: json.dumps(found).encode()})
    return documents, found


def _rows(state: State, judged: list[str], measured: tuple[Signal, ...]) -> Iterator[pa.Table]:
    """The rows of each archive in order, read on all cores, a few archives ahead."""
    selected = {output.name for done in state.completed("select").values() for output in done.outputs}
    cleaned = state.completed("clean")

    def one(unit: str) -> pa.Table:
        return rows_of(state.store, unit, measured, selected=f"dedup/{unit}.parquet" in selected, cleaned=unit in cleaned)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        left = iter(judged)
        ahead = deque(pool.submit(one, unit) for unit in islice(left, _AHEAD))
        while ahead:
            rows = ahead.popleft().result()
            ahead.extend(pool.submit(one, unit) for unit in islice(left, 1))
            yield rows


def _local(store: Store) -> Held:
    """The table as DuckDB can open it, in an object store a copy: this very table, whatever is written since."""
    path = store.path(_NAME)
    if os.path.exists(path):  # noqa: PTH110 - a URL is no path
        return Held(path)
    with tempfile.TemporaryDirectory(prefix="seiryu-facts-") as folder:
        copy = os.path.join(folder, "facts.parquet")  # noqa: PTH118
        try:
            store.copy_to(_NAME, copy)
        except OSError as error:
            raise InputError(f"{path} cannot be copied to {folder}: {error}") from error
        return Held(copy)
