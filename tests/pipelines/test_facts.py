"""The table of a run and the questions to it: every answer is what a plain scan of the narrow tables counts."""

import dataclasses
import json
import random
import tempfile
from collections import Counter
from math import ceil
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brute import documents, prefixed, rows_by_id, sums
from commandline import seiryu

from seiryu.corpus.errors import NotWritable
from seiryu.corpus.storage import Store
from seiryu.filters.rules import Rule
from seiryu.pipelines.facts import Facts, facts_of, masks, queries
from seiryu.pipelines.facts.texts import documents_at
from seiryu.pipelines.state import State

SIDES = ("low", "high", "below")


@pytest.fixture(scope="module")
def facts(small_run: Path) -> Facts:
    return facts_of(State.of_run(str(small_run / "run")))


@pytest.fixture(scope="module")
def rows(small_run: Path) -> list[dict[str, Any]]:
    return documents(small_run / "run")


@pytest.fixture
def con(facts: Facts):
    with facts.cursor() as con:
        yield con


def rejects(rule: Rule, row: dict[str, Any]) -> bool:
    value = row[rule.signal]
    return value < rule.low or value > rule.high or value >= rule.below


def test_the_table_holds_every_document_with_what_the_narrow_tables_say(facts: Facts, con: Any, rows: list) -> None:
    found = con.sql("SELECT * FROM facts").to_arrow_table().to_pylist()
    assert len(found) == facts.documents == len(rows) > 200
    for fact, row in zip(found, rows, strict=True):
        same = ["unit", "row", "doc_id", "url", "title", "charset", "extractor", "host", "site", "reject_mask", "blocked"]
        assert {name: fact[name] for name in same} == {name: row[name] for name in same}
        assert [fact[signal.name] for signal in facts.signals] == [row[signal.name] for signal in facts.signals]
        assert (fact["year"], fact["tld"]) == (row["crawl_date"].year, row["host"].rpartition(".")[2])
        for name in ("verdict", "duplicate_of", "similarity", "duplicates", "cluster"):
            assert fact[name] == row["decision"].get(name, "" if isinstance(fact[name], str) else 0)
        assert fact["final_letters"] == (row["final"] or {"letters": 0})["letters"]
        assert fact["fate"] == fate(row)


def fate(row: dict[str, Any]) -> str:
    if row["reject_mask"]:
        return "rejected"
    if row["blocked"]:
        return "blocked"
    if row["decision"]["verdict"] != "kept":
        return "duplicate"
    return "final" if row["final"] else "cleaned"


def test_counts_of_rules_are_those_of_the_pipeline_and_of_a_scan(facts: Facts, con: Any, rows: list, small_run: Path) -> None:
    counts = State.of_run(str(small_run / "run")).counts("decide")
    found = masks.rule_counts(queries.masks(con), facts.rules).to_pylist()
    for bit, (rule, line) in enumerate(zip(facts.rules, found, strict=True)):
        hit = [row for row in rows if rejects(rule, row)]
        assert prefixed(line, "hit_") == sums(hit)
        assert prefixed(line, "only_") == sums([row for row in hit if row["reject_mask"] == 1 << bit and not row["blocked"]])
        assert prefixed(line, "first_") == sums([row for row in hit if row["reject_mask"] & -row["reject_mask"] == 1 << bit])
        said = (counts.extra[f"hit.{rule.name}"], counts.extra[f"only.{rule.name}"], counts.rejected[rule.name])
        assert (line["hit_documents"], line["only_documents"], line["first_documents"]) == said
    total = masks.totals(queries.masks(con))
    assert total == {"measured": sums(rows), "blocked": sums([row for row in rows if row["blocked"]]),
                     "kept": sums([row for row in rows if row["passes"]])}  # fmt: skip
    assert total["kept"]["documents"] == counts.kept


@pytest.mark.parametrize("seed", range(3))
def test_rules_in_any_order_take_what_those_before_left(seed: int, facts: Facts, con: Any, rows: list) -> None:
    order = list(facts.rules)
    random.Random(seed).shuffle(order)
    left = rows
    for line, rule in zip(
        masks.in_order(queries.masks(con), facts.rules, [rule.name for rule in order]).to_pylist(), order, strict=True
    ):
        assert line == {"rule": rule.name} | sums([row for row in left if rejects(rule, row)])
        left = [row for row in left if not rejects(rule, row)]


def test_overlaps_are_exact_sets(facts: Facts, con: Any, rows: list) -> None:
    of = Counter(tuple(rule.name for rule in facts.rules if rejects(rule, row)) for row in rows)
    found = masks.overlaps(queries.masks(con), facts.rules, 1000).to_pylist()
    assert {tuple(line["rules"]): line["documents"] for line in found} == {names: n for names, n in of.items() if names}
    assert [line["documents"] for line in found] == sorted((line["documents"] for line in found), reverse=True)
    assert masks.overlaps(queries.masks(con), facts.rules, 3).to_pylist() == found[:3]


def stops_of(rule: Rule, side: str, rows: list) -> list[float]:
    """Limits at values that occur, beside them, and where the rule stands."""
    drawn = random.Random(rule.name).sample([float(row[rule.signal]) for row in rows], 12)
    return sorted({*drawn, *(value + 1e-9 for value in drawn[:3]), getattr(rule, side), -1.0, 1e9})


def test_a_limit_at_any_stop_counts_what_a_scan_counts(facts: Facts, con: Any, rows: list) -> None:
    for bit, rule in enumerate(facts.rules):
        free = {row["doc_id"] for row in rows if not row["reject_mask"] & ~(1 << bit) and not row["blocked"]}
        for side in (side for side in SIDES if abs(getattr(rule, side)) != float("inf")):
            stops = stops_of(rule, side, rows)
            for line in queries.at_stops(con, facts.rules, rule.name, side, stops).to_pylist():
                moved = dataclasses.replace(rule, **{side: line["stop"]})
                hit = [row for row in rows if rejects(moved, row)]
                assert prefixed(line, "hit_") == sums(hit), (rule.name, line)
                assert prefixed(line, "only_") == sums([row for row in hit if row["doc_id"] in free])
                assert prefixed(line, "kept_") == sums([row for row in rows if row["doc_id"] in free and not rejects(moved, row)])


def test_a_rule_with_two_limits_keeps_the_one_that_does_not_move(facts: Facts, con: Any, rows: list) -> None:
    rules = (Rule("both", "letters", low=300, high=2000), *facts.rules[1:])
    for line in queries.at_stops(con, rules, "both", "low", [100.0, 300.0, 500.0]).to_pylist():
        assert line["hit_documents"] == sum(row["letters"] < line["stop"] or row["letters"] > 2000 for row in rows)


@pytest.mark.parametrize("seed", range(4))
def test_other_rules_keep_what_a_scan_keeps(seed: int, facts: Facts, con: Any, rows: list) -> None:
    drawn = random.Random(seed)
    other = [rule for rule in facts.rules if drawn.random() < 0.8]
    drawn.shuffle(other)
    other = [dataclasses.replace(rule, **{side: drawn.choice(rows)[rule.signal]}) if drawn.random() < 0.4 else rule
             for rule in other for side in [next(side for side in SIDES if abs(getattr(rule, side)) != float("inf"))]]  # fmt: skip
    other.append(Rule("new", "latin_share", high=0.1))
    found = queries.masks_under(con, facts.rules, other)
    kept = [row for row in rows if not row["blocked"] and not any(rejects(rule, row) for rule in other)]
    total = masks.totals(found)
    assert total["kept"] == sums(kept)
    assert total["gained"] == sums([row for row in kept if not row["passes"]])
    assert total["lost"] == sums([row for row in rows if row["passes"] and row not in kept])
    for line, rule in zip(masks.rule_counts(found, other).to_pylist(), other, strict=True):
        assert line["hit_documents"] == sum(rejects(rule, row) for row in rows)


def test_distributions_and_groups_count_every_document(facts: Facts, con: Any, rows: list) -> None:
    edges = [0.1, 0.2, 0.5, 0.50001]
    for line in queries.histogram(con, "hiragana_share", edges).to_pylist():
        inside = [row for row in rows if sum(edge <= row["hiragana_share"] for edge in edges) == line["bin"]]
        assert (line["documents"], line["passing"]) == (len(inside), sum(row["passes"] for row in inside))
    for name in ("host", "site", "charset", "extractor"):
        for line in queries.by(con, name, 1000).to_pylist():
            mine = [row for row in rows if row[name] == line["value"]]
            assert prefixed(line, "") == sums(mine)
            assert (line["passing"], line["final"]) == (
                sum(row["passes"] for row in mine),
                sum(bool(row["final"]) for row in mine),
            )
        assert queries.by(con, name, 1000).num_rows == queries.distinct(con, name) == len({row[name] for row in rows})
    years = Counter(str(row["crawl_date"].year) for row in rows)
    assert {line["value"]: line["documents"] for line in queries.by(con, "year", 99, "value").to_pylist()} == dict(
        sorted(years.items())
    )
    sizes = Counter(row["decision"]["duplicates"] + 1 for row in rows if row["decision"].get("verdict") == "kept")
    assert {line["size"]: line["clusters"] for line in queries.cluster_sizes(con).to_pylist()} == sizes
    values = sorted(row["letters"] for row in rows)
    spread = facts.spread["letters"]
    assert (spread["low"], spread["high"]) == (values[ceil(0.005 * len(values)) - 1], values[ceil(0.995 * len(values)) - 1])
    assert (spread["least"], spread["most"], spread["median"]) == (values[0], values[-1], values[(len(values) - 1) // 2])


def test_a_sample_is_of_those_that_the_rule_rejects_and_the_same_again(
    facts: Facts, con: Any, rows: list, small_run: Path
) -> None:
    by_id = {row["doc_id"]: row for row in rows}
    found = queries.sample(con, facts.rules, "too_short", 5).to_pylist()
    assert len(found) == 5
    assert all(by_id[line["doc_id"]]["letters"] == line["value"] < 400 for line in found)
    assert found == queries.sample(con, facts.rules, "too_short", 5).to_pylist()
    assert found != queries.sample(con, facts.rules, "too_short", 5, seed=1).to_pylist()
    assert all(by_id[line["doc_id"]]["passes"] for line in queries.sample(con, facts.rules, None, 5).to_pylist())
    places = [(line["unit"], line["row"]) for line in found]
    texts = documents_at(State.of_run(str(small_run / "run")), places, ["doc_id", "text"])
    assert texts == [{name: by_id[line["doc_id"]][name] for name in ("doc_id", "text")} for line in found]


def test_the_table_is_made_again_when_the_run_has_changed_and_only_then(run_copy: Path) -> None:
    run, table = run_copy / "run", run_copy / "run/report/facts.parquet"
    facts_of(State.of_run(str(run)))
    before = (table.read_bytes(), table.stat().st_mtime_ns)
    facts_of(State.of_run(str(run)))
    assert table.stat().st_mtime_ns == before[1]
    table.write_bytes(b"no parquet")
    facts_of(State.of_run(str(run)))
    assert table.read_bytes() == before[0]
    changed = seiryu(
        "run", run_copy / "config.yaml", "--from", "decide", "--until", "decide", "--set", "rules.change.too_short.low=900"
    )
    assert changed.code == 0, changed.err
    with facts_of(State.of_run(str(run))).cursor() as con:
        assert {line["fate"] for line in queries.fates(con).to_pylist()} == {"rejected", "passing"}
        assert not con.sql("SELECT 1 FROM facts WHERE letters < 900 AND reject_mask = 0").fetchall()


def test_tables_that_do_not_fit_are_named(run_copy: Path) -> None:
    first, second, *_ = sorted((run_copy / "run/addresses").glob("*.parquet"))
    first.write_bytes(second.read_bytes())
    (run_copy / "run/report/facts.parquet").unlink(missing_ok=True)
    ended = seiryu("rules", run_copy / "run")
    assert (ended.code, ended.err.count("\n")) == (1, 1), ended.err
    assert f"{first} belongs to other documents" in ended.err


def test_a_run_in_an_object_store_is_copied_and_answers_the_same(run_copy: Path, facts: Facts) -> None:
    memory = Store("memory://facts-test")
    for file in (run_copy / "run").rglob("*"):
        if file.is_file() and file.name != "facts.parquet":
            memory.write(str(file.relative_to(run_copy / "run")), file.read_bytes())
    remote = facts_of(State.of_run("memory://facts-test"))
    assert not remote.path.startswith("memory")
    with remote.cursor() as there, facts.cursor() as here:
        assert queries.masks(there).equals(queries.masks(here))


def test_a_question_can_open_no_other_file_and_change_no_setting(con: Any, small_run: Path) -> None:
    for sql in (f"SELECT * FROM read_text('{small_run}/config.yaml')", f"COPY facts TO '{small_run}/out.parquet'", "INSTALL httpfs",
                "SET enable_external_access = true", f"ATTACH '{small_run}/x.db'"):  # fmt: skip
        with pytest.raises(duckdb.Error):
            con.execute(sql)
    for ask in (lambda: queries.by(con, "url; DROP VIEW facts", 3), lambda: queries.distinct(con, "1")):
        with pytest.raises(ValueError, match=r"url|1"):
            ask()


def test_the_config_of_a_run_says_nothing_to_the_numbers_of_its_table(run_copy: Path) -> None:
    record = json.loads((run_copy / "run/run.json").read_text())
    before = seiryu("rules", run_copy / "run", "--json").out
    record["config"]["rules"]["change"] = {}
    (run_copy / "run/run.json").write_text(json.dumps(record))
    assert seiryu("rules", run_copy / "run", "--json").out == before
    assert rows_by_id(run_copy / "run/nowhere.parquet") == {}


def test_the_table_of_a_run_that_cannot_be_written_ends_with_the_process(run_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_copy / "run"
    (run / "report/facts.parquet").unlink(missing_ok=True)
    writing = Store.writing

    def refused(self: Store, name: str):
        if str(self.root) == str(run):
            raise NotWritable(f"{run} is on a file system that is read-only")
        return writing(self, name)

    monkeypatch.setattr(Store, "writing", refused)
    before = set(Path(tempfile.gettempdir()).glob("seiryu-facts-*"))
    facts = facts_of(State.of_run(str(run)))
    assert not (run / "report/facts.parquet").exists()
    assert set(Path(tempfile.gettempdir()).glob("seiryu-facts-*")) == before
    with facts.cursor() as con:
        assert masks.totals(queries.masks(con))["measured"]["documents"] == facts.documents > 200


def test_a_table_that_is_replaced_while_it_is_asked_stays_the_one_that_was_opened(run_copy: Path) -> None:
    facts = facts_of(State.of_run(str(run_copy / "run")))
    table = run_copy / "run/report/facts.parquet"
    with facts.cursor() as con:
        con.execute("CREATE TABLE few AS SELECT * FROM facts LIMIT 3")
        other = table.with_name("other.parquet")
        pq.write_table(con.sql("SELECT * FROM few").to_arrow_table(), other)
        other.replace(table)
        assert masks.totals(queries.masks(con))["measured"]["documents"] == facts.documents > 3


def test_an_address_of_numbers_has_no_top_level_domain(run_copy: Path) -> None:
    kinds = ("192.168.0.1", "[::1]", "a.example.jp", "")
    for file in (run_copy / "run/addresses").glob("*.parquet"):
        rows = pq.read_table(file)
        hosts = pa.chunked_array([[kinds[i % 4] for i in range(len(rows))]], pa.string())
        pq.write_table(rows.set_column(rows.schema.get_field_index("host"), rows.schema.field("host"), hosts), file)
    (run_copy / "run/report/facts.parquet").unlink()
    with facts_of(State.of_run(str(run_copy / "run"))).cursor() as con:
        assert {line["value"] for line in queries.by(con, "tld", 9).to_pylist()} == {"", "jp"}
