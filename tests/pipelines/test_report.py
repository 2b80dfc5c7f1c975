"""The report says the run's own numbers, each of them what a plain scan of the tables counts, and nothing in it comes from outside."""

import base64
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brute import documents, sums
from commandline import seiryu
from report_page import Report

from seiryu.pipelines.facts import Facts, facts_of
from seiryu.pipelines.reporting.page.wording import TEXTS
from seiryu.pipelines.state import State

HOSTILE = "</td></script><script>alert(1)</script>\u202egnp.exe"


@pytest.fixture(scope="module")
def page(small_run: Path) -> Report:
    return Report(small_run / "run")


@pytest.fixture(scope="module")
def rows(small_run: Path) -> list[dict[str, Any]]:
    return documents(small_run / "run")


@pytest.fixture(scope="module")
def facts(small_run: Path) -> Facts:
    return facts_of(State.of_run(str(small_run / "run")))


def rejects(rule: Any, row: dict[str, Any]) -> bool:
    value = row[rule.signal]
    return value < rule.low or value > rule.high or value >= rule.below


def test_it_shows_every_number_of_the_funnel(page: Report, small_run: Path) -> None:
    said = [[row[0], *row[1:4]] for row in page.rows("funnel")]
    steps = json.loads(seiryu("status", small_run / "run", "--json").out)["funnel"]
    assert said == [
        [step["name"], *("" if step[name] is None else str(step[name]) for name in ("documents", "letters", "tokens"))]
        for step in steps
    ]


def test_rules_overlaps_and_totals_are_those_of_a_scan(page: Report, rows: list, facts: Facts) -> None:
    wanted, amounts = [], []
    for bit, rule in enumerate(facts.rules):
        hit = [row for row in rows if rejects(rule, row)]
        only = [row for row in hit if row["reject_mask"] == 1 << bit and not row["blocked"]]
        first = [row for row in hit if row["reject_mask"] & -row["reject_mask"] == 1 << bit]
        wanted.append([rule.name, rule.signal, rule.limits(), *(str(len(each)) for each in (hit, only, first))])
        amounts.append([rule.name, *(str(sums(each)[name]) for each in (hit, only, first) for name in ("letters", "tokens"))])
    assert page.rows("rules") == wanted
    assert page.rows("rules", 1) == amounts
    sets = Counter(" + ".join(rule.name for rule in facts.rules if rejects(rule, row)) for row in rows)
    said = {row[0]: int(row[1]) for row in page.rows("overlap")}
    assert said == {name: sets[name] for name in said}
    assert sorted(said.values(), reverse=True) == sorted((number for name, number in sets.items() if name), reverse=True)[:40]
    drawn = page.specs("//section[@id='overlap']")[0]["datasets"]["sets"]
    assert {row["names"]: row["documents"] for row in drawn} == said
    assert f"{len(rows):,} Japanese documents were judged; {sum(row['passes'] for row in rows):,} pass all rules" in page.text(
        "rules"
    )


def test_every_stop_of_every_slider_is_what_a_scan_counts(page: Report, rows: list, facts: Facts, small_run: Path) -> None:
    cards = page.tree.xpath("//div[@data-rule]")
    assert len(cards) == len(facts.rules)
    counts = State.of_run(str(small_run / "run")).counts("decide")
    checked = 0
    for bit, (rule, card) in enumerate(zip(facts.rules, cards, strict=True)):
        spec = page.specs(f"//div[@data-rule='{rule.name}']")[0]
        side, stops = card.get("data-side"), spec["datasets"]["stops"]
        free = [row for row in rows if not row["reject_mask"] & ~(1 << bit) and not row["blocked"]]
        compare = {"low": lambda x, s: x < s, "high": lambda x, s: x > s, "below": lambda x, s: x >= s}[side]
        for stop in stops:
            hit = [row for row in rows if compare(row[rule.signal], stop["stop"])]
            alone = [row for row in free if compare(row[rule.signal], stop["stop"])]
            kept = [row for row in free if not compare(row[rule.signal], stop["stop"])]
            for prefix, mine in (("hit", hit), ("only", alone), ("kept", kept)):
                assert {name: stop[f"{prefix}_{name}"] for name in ("documents", "letters", "tokens")} == sums(mine), (
                    rule.name,
                    stop,
                )
            checked += 1
        slider = card.xpath(".//input[@type='range']")[0]
        now = stops[int(slider.get("value"))]
        assert (now["stop"], int(slider.get("max"))) == (getattr(rule, side), len(stops) - 1)
        said = (counts.extra[f"hit.{rule.name}"], counts.extra[f"only.{rule.name}"], counts.kept)
        assert (now["hit_documents"], now["only_documents"], now["kept_documents"]) == said
        assert [stop["stop"] for stop in stops] == sorted({stop["stop"] for stop in stops})
    assert checked > 50 * len(facts.rules)


def test_every_bar_of_every_distribution_is_what_a_scan_counts(page: Report, rows: list, facts: Facts) -> None:
    signal_of = {rule.name: rule.signal for rule in facts.rules}
    charts = [
        (signal_of[card.get("data-rule")], page.specs(f"//div[@data-rule='{card.get('data-rule')}']")[0])
        for card in page.tree.xpath("//div[@data-rule]")
    ]
    charts += [
        (card.get("data-signal"), page.specs(f"//div[@data-signal='{card.get('data-signal')}']")[0])
        for card in page.tree.xpath("//div[@data-signal]")
    ]
    assert {name for name, _ in charts} == {signal.name for signal in facts.signals}
    for name, spec in charts:
        for place in spec["datasets"]["bins"]:
            low, high = (
                (float("-inf") if place["outer"] == "low" else place["from"]),
                (float("inf") if place["outer"] == "high" else place["to"]),
            )
            inside = [row for row in rows if low <= row[name] < high]
            assert (place["documents"], place["passing"]) == (len(inside), sum(row["passes"] for row in inside)), (name, place)
        assert sum(place["documents"] for place in spec["datasets"]["bins"]) == len(rows)


def test_sources_duplicates_and_years_are_those_of_a_scan(page: Report, rows: list) -> None:
    text = page.text("sources")
    for name, values in (("host", Counter(row["host"] for row in rows)), ("charset", Counter(row["charset"] for row in rows)),
                         ("tld", Counter(row["host"].rpartition(".")[2] for row in rows))):  # fmt: skip
        value, number = values.most_common(1)[0]
        final = sum(
            bool(row["final"]) for row in rows if (row["host"].rpartition(".")[2] if name == "tld" else row[name]) == value
        )
        assert re.search(rf"{re.escape(value)} {number:,}\b.*?{final:,}\b", text), (name, value)
    drawn = page.specs("//section[@id='sources']")[0]["datasets"]["years"]
    years = Counter()
    for bar in drawn:
        years[bar["year"]] += bar["documents"]
    assert years == Counter(str(row["crawl_date"].year) for row in rows)
    assert sum(bar["documents"] for bar in drawn if bar["kind"] == 0) == sum(bool(row["final"]) for row in rows)
    sizes = Counter(row["decision"]["duplicates"] + 1 for row in rows if row["decision"].get("verdict") == "kept")
    assert {bar["size"]: bar["clusters"] for bar in page.specs("//section[@id='duplicates']")[0]["datasets"]["sizes"]} == sizes


def test_samples_are_of_their_rule_with_what_decided_marked(page: Report, rows: list, facts: Facts) -> None:
    by_url = {row["url"]: row for row in rows}
    marked = 0
    for rule in facts.rules:
        for article in page.tree.xpath(f"//details[@data-samples='{rule.name}']/article"):
            row = by_url[article.xpath(".//code")[0].text_content()]
            kept = article.get("class") == "kept"
            assert row["passes"] if kept else rejects(rule, row)
            for mark in article.xpath(".//mark"):
                assert mark.text_content() in row["text"]
                marked += 1
    assert marked > 20


def test_it_shows_what_cleaning_did_and_the_lines_it_cut(page: Report, small_run: Path) -> None:
    run = small_run / "run"
    lines = [row for file in sorted((run / "boilerplate").glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    top = max(lines, key=lambda row: row["pages"])
    assert [top["site"], " ".join(top["text"].split()), str(top["pages"]), str(top["site_pages"])] in page.rows("cleaning", 1)
    extra = [json.loads(file.read_text())["counts"]["extra"] for file in (run / "units/clean").glob("*.json")]
    cut = sum(counts.get("repeated_line_letters", 0) for counts in extra)
    assert cut > 0
    assert str(cut) in [row[-1] for row in page.rows("cleaning")]


def test_stages_say_their_counts_and_speed(page: Report, small_run: Path) -> None:
    state = State.of_run(str(small_run / "run"))
    said = {row[0]: row for row in page.rows("stages")}
    for stage in ("extract", "decide", "clean"):
        counts = state.counts(stage)
        assert {str(counts.records), str(counts.kept)} <= set(said[stage])
    seconds = state.seconds("extract")
    assert f"{state.counts('extract').extra['pages'] / seconds:,.1f}" in page.text("stages")


def test_nothing_comes_from_outside_and_only_its_own_scripts_run(page: Report) -> None:
    assert not page.whole.xpath("//link | //img | //iframe | //object | //*[@src]")
    assert all(link.get("href").startswith("#") for link in page.whole.xpath("//a"))
    policy = page.whole.xpath("//meta[@http-equiv]")[0].get("content")
    scripts = [script.text for script in page.whole.xpath("//script[not(@type)]")]
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts)
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src {hashes}"
    assert len(page.source.encode()) < 10_000_000


def test_both_languages_say_everything(page: Report, small_run: Path) -> None:
    japanese = Report(small_run / "run", "ja")
    assert all(said.strip() for both in TEXTS.values() for said in both)
    fields = [[re.findall(r"{(\w+)}", said) for said in both] for both in TEXTS.values()]
    assert all(sorted(one) == sorted(two) for one, two in fields)
    for section in ("funnel", "rules", "stages", "failures"):
        assert re.search("[ぁ-ん]", japanese.text(section))
        assert not re.search("[ぁ-ん]", page.text(section))
    assert [row[1:] for row in japanese.rows("rules")] == [row[1:] for row in page.rows("rules")]


def test_what_the_web_says_is_never_markup(run_copy: Path) -> None:
    table = sorted((run_copy / "run/ledger").glob("*.parquet"))[0]
    row = {"warc": HOSTILE, "warc_offset": 1, "warc_length": 1, "url": HOSTILE, "reason": "damaged", "detail": HOSTILE}
    pq.write_table(pa.Table.from_pylist([row], schema=pq.read_schema(table)), table)
    for file in (run_copy / "run/documents").glob("*.parquet"):
        read = pq.read_table(file)
        for name in ("title", "text"):
            place = read.schema.get_field_index(name)
            read = read.set_column(
                place,
                read.schema.field(name),
                pa.chunked_array([[HOSTILE + text for text in read[name].to_pylist()]], pa.string()),
            )
        pq.write_table(read, file, row_group_size=4096)
    (run_copy / "run/report/facts.parquet").unlink(missing_ok=True)
    ended = seiryu("report", run_copy / "run", "--language", "ja")
    assert ended.code == 0, ended.err
    page = Report(run_copy / "run", "ja")
    assert len(page.whole.xpath("//script[not(@type)]")) == 2
    shown = HOSTILE.replace("\u202e", "‹U+202E›")
    assert page.text("failures").count(shown) == 3
    assert page.text("samples").count(shown) > 20
    assert "\u202e" not in page.source
    assert page.whole.get("lang") == "ja"
    assert page.whole.xpath("//input[@id='ja' and @checked]")
