"""Lines of many pages of a site: against a plain count of real pages, and on whatever Unicode holds."""

import gzip
import json
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seiryu.corpus import schema
from seiryu.filters.cleaning import line_sums
from seiryu.filters.cleaning.line_sums import on_many_pages
from seiryu.filters.cleaning.repeated_lines import count_lines, site_places, without_lines

SAMPLES = Path(__file__).parents[3] / "samples" / "labels.jsonl.gz"
PACK = Path(__file__).parents[4] / "shared/data/pack/labels.jsonl.gz"
MASK = 2**64 - 1


def counted(pages, min_letters=5):
    """The table of one file, of (site, text) pages."""
    columns = [pa.chunked_array([[page[column] for page in pages]], pa.string()) for column in (1, 0)]
    return count_lines(*columns, min_letters)


def plain_count(pages, min_letters=5):
    """(site, line) -> pages, and site -> pages, as one writes it down first."""
    lines, sites = Counter(), Counter()
    for site, text in pages:
        if site:
            sites[site] += 1
            lines.update({(site, line.strip()) for line in text.split("\n") if len(line.strip()) >= min_letters})
    return lines, sites


def plain_boilerplate(pages, min_pages, min_share, min_letters=5):
    lines, sites = plain_count(pages, min_letters)
    return {
        (site, line): (number, sites[site])
        for (site, line), number in lines.items()
        if number >= min_pages and number / sites[site] >= min_share
    }


def part(table):
    return lambda columns: table.select(list(columns))


def rows(table):
    return {(row["site"], row["text"]): (row["pages"], row["site_pages"]) for row in table.to_pylist()}


def plain_hash(site, line):
    """The hash of the kernel, letter by letter in Python's integers."""
    state = 0x5EE12C1EA2573EA9
    for point in [*map(ord, site), 0xFFFFFFFF, *map(ord, line)]:
        state = (state ^ point) * 0x9E3779B97F4A7C15 & MASK
        state ^= state >> 32
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        state = (state ^ state >> 33) * factor & MASK
    return state ^ state >> 33


WORDS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["", " メニュー　", "メニュー", "\t\x85\u2028", "あ\rい", "𠮷"]
)
PAGES = st.lists(
    st.tuples(st.sampled_from(["a.jp", "b.jp", "c.jp", ""]), st.lists(WORDS, max_size=8).map("\n".join)), max_size=12
)


@settings(max_examples=200, deadline=None)
@given(PAGES, st.integers(1, 4))
def test_lines_are_counted_once_a_page_with_the_hash_they_have_for_all_time(pages, min_letters):
    table = counted(pages, min_letters)
    lines, sites = plain_count(pages, min_letters)
    want = lines | Counter({(site, ""): number for site, number in sites.items()})
    assert {(row["site"], row["text"]): row["pages"] for row in table.to_pylist()} == dict(want)
    for row in table.to_pylist():
        assert row["place"] == plain_hash(row["site"], "")
        assert row["line"] == plain_hash(row["site"], row["text"])
    places = list(zip(table["place"].to_pylist(), table["line"].to_pylist(), strict=True))
    assert places == sorted(places)
    assert site_places(table["site"]).tolist() == table["place"].to_pylist()


def test_a_line_of_one_site_is_another_line_on_the_next():
    assert plain_hash("a.jp", "x") != plain_hash("a.jpx", "")
    table = counted([("a.jp", "無料で登録する"), ("b.jp", "無料で登録する")])
    assert len(set(table["line"].to_pylist())) == 4


@settings(max_examples=100, deadline=None)
@given(PAGES, st.integers(1, 3), st.floats(0, 1), st.integers(1, 5), st.randoms(), st.sampled_from([1, 1 << 27]))
@example([("a.jp", "めにゅー")] * 3, 3, 1.0, 2, None, 1)
def test_the_sums_are_those_of_a_plain_count_however_the_pages_lie_in_files(pages, min_pages, min_share, files, random, most):
    parts = [part(counted(pages[number::files], 1)) for number in range(files)]
    if random:
        random.shuffle(parts)
    slots, line_sums.MOST_SLOTS = line_sums.MOST_SLOTS, most
    try:
        found = on_many_pages(parts, len(pages), min_pages, min_share)
    finally:
        line_sums.MOST_SLOTS = slots
    table = found.table
    assert rows(table) == plain_boilerplate(pages, min_pages, min_share, 1)
    assert found.sites == len({site for site, _ in pages if site})
    assert found.rows == sum(len(part(["line"])) for part in parts)
    assert table.schema.equals(schema.BOILERPLATE)
    order = [(row["place"], -row["pages"], row["text"]) for row in table.to_pylist()]
    assert order == sorted(order)


def test_sums_are_the_same_when_they_are_added_up_all_the_time(monkeypatch):
    monkeypatch.setattr(line_sums, "_TOGETHER", 3)
    pages = [(f"{number % 3}.jp", f"一行目の文章\n{number % 7}番の行です\n二行目") for number in range(100)]
    parts = [part(counted(pages[start : start + 10], 3)) for start in range(0, 100, 10)]
    found = rows(on_many_pages(parts, 1, 10, 0.1).table)
    assert found == plain_boilerplate(pages, 10, 0.1, 3)
    assert len(found) == 6


def pages_of(labels):
    with gzip.open(labels, "rt", encoding="utf-8") as lines:
        found = [(urlsplit(row["url"]).hostname, row["gold_text"]) for row in map(json.loads, lines) if row.get("gold_text")]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("labels", [SAMPLES, PACK], ids=["samples", "pack"])
@pytest.mark.parametrize("files", [1, 7])
def test_real_pages_have_the_lines_of_a_plain_count_whole_and_in_shuffled_files(labels, files):
    if not labels.exists():
        pytest.skip("the larger archives are not beside the repository")
    pages = pages_of(labels)
    order = np.random.default_rng(0).permutation(len(pages))
    tables = [counted([pages[row] for row in order[number::files]]) for number in range(files)]
    want = plain_boilerplate(pages, 20, 0.2)
    assert len(want) >= 3
    there = sum(map(len, tables))
    assert rows(on_many_pages([part(table) for table in tables], there, 20, 0.2).table) == want
    assert rows(on_many_pages([part(table) for table in tables[::-1]], 0, 20, 0.2).table) == want


def test_no_page_at_all_has_no_lines():
    assert counted([]).equals(schema.LINE_COUNTS.empty_table())
    for parts in ([], [part(counted([("", "x" * 9)]))]):
        found = on_many_pages(parts, 0, 2, 0.0)
        assert found.table.equals(schema.BOILERPLATE.empty_table())
        assert (found.rows, found.sites) == (0, 0)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_chunks_are_one_column(kind):
    texts, sites = ["同じ行です\nあ", "同じ行です\nい", "う"], ["a.jp", "b.jp", "a.jp"]
    apart = [pa.chunked_array([values[:1], values[1:]], kind) for values in (texts, sites)]
    assert count_lines(*apart, 1).equals(counted(list(zip(sites, texts, strict=True)), 1))


def test_a_million_lines_and_one_of_ten_megabytes_are_counted_like_others():
    many, long = "\n".join(map(str, range(100_000, 1_100_000))), "長い" * 1_700_000
    table = counted([("a.jp", many), ("a.jp", f"{long}\n  {long}　\n100000")])
    found = {row["text"]: row["pages"] for row in table.to_pylist()}
    assert len(found) == 1_000_002
    assert (found[""], found[long], found["100000"], found["100001"]) == (2, 1, 2, 1)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=8).map("\n".join), st.sets(WORDS.map(str.strip).filter(bool)))
def test_only_the_lines_that_are_named_go(text, lines):
    left = without_lines(text, lines)
    assert left == "\n".join(line for line in text.split("\n") if line.strip() not in lines)
    assert without_lines(text, frozenset()) == text
    assert without_lines(left, lines) == left
