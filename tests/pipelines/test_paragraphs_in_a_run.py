"""Paragraphs of many documents through the stages lines, boilerplate and clean, on small tables made here."""

import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_pages import MENU, PROSE, SENTENCES, cleaned, config_of, count, files, own

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.reporting.explanation import explain_text
from seiryu.pipelines.stages import boilerplate, clean, lines
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar, Unit

NOTICE = "当サイトは利便性の向上のためクッキーを使用しています。"


def config_for(run, repeated_lines=None, **paragraphs):
    chosen = {"max_documents": 3, "min_letters": 10, "partitions": 3} | paragraphs
    return config_of(run, repeated_lines=repeated_lines, repeated_paragraphs=chosen)


def plain_count(texts, most, min_letters):
    found = Counter()
    for text in texts:
        found.update({line.strip() for line in text.split("\n") if len(line.strip()) >= min_letters})
    return {text: number for text, number in found.items() if number > most}


def pages_of(number):
    """Pages of as many sites; each has lines of its own, notices that others have, and one of them twice."""
    draw = np.random.default_rng(0)
    return [
        (
            f"{row % 40}.jp" if row % 7 else "",
            "\n".join([f" {NOTICE[:12]}{kind:03d}　" for kind in draw.integers(0, 90, 3)] * 2 + [own(row)]),
        )
        for row in range(number)
    ]


def test_partitions_and_files_change_nothing_in_what_is_found_or_cut(tmp_path):
    pages, made = pages_of(200), []
    want = plain_count([text for _, text in pages], 5, 10)
    assert 10 < len(want) < 90
    for partitions, units in ((1, "a"), (3, "cab"), (16, "ab")):
        store = Store(str(tmp_path / f"{partitions}{units}"))
        config = config_for(store.root, max_documents=5, partitions=partitions)
        files(store, config, pages, tuple(units))
        found = count(store, config, tuple(units))
        assert {row["text"]: row["documents"] for row in found["paragraph"]} == want
        assert found["line"] == []
        kept = {row["doc_id"]: row["text"] for unit in units for row in cleaned(store, config, unit)[1]}
        made.append((found, kept))
    assert made[0] == made[1] == made[2]  # a partition is a stretch of the same order
    assert len(made[0][1]) > 190  # some notices that stay fail a rule
    for doc_id, cut in made[0][1].items():
        assert cut == "\n".join(line for line in pages[int(doc_id[2:])][1].split("\n") if line.strip() not in want)


LINES = st.sampled_from([*SENTENCES[:4], MENU, f" {MENU}　", NOTICE, "短い行", ""])
TEXTS = st.lists(st.lists(LINES, max_size=6).map("\n".join), min_size=1, max_size=8)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.integers(1, 3), st.integers(1, 30), st.integers(1, 5), st.integers(1, 3))
def test_whatever_the_documents_it_is_what_a_plain_count_finds(tmp_path_factory, texts, most, min_letters, partitions, number):
    store, units = Store(str(tmp_path_factory.mktemp("run"))), tuple("abc"[:number])
    config = config_for(store.root, max_documents=most, min_letters=min_letters, partitions=partitions)
    files(store, config, [("a.jp", text) for text in texts], units)
    found = count(store, config, units)["paragraph"]
    want = plain_count(texts, most, min_letters)
    assert {row["text"]: row["documents"] for row in found} == want
    column = pa.chunked_array([texts])
    there = {line.strip() for text in texts for line in text.split("\n")}
    assert boilerplate.paragraphs_of(store, config, column) == there & want.keys()
    assert boilerplate.paragraphs_of(store, config, column.slice(0, 0)) == frozenset()


def test_only_documents_that_are_kept_count_and_those_without_a_site_do(tmp_path):
    store, config = Store(str(tmp_path)), config_for(tmp_path)
    files(
        store,
        config,
        [("" if row % 2 else f"{row}.jp", f"{NOTICE}\n{own(row)}") for row in range(6)],
        duplicates=("id0001", "id0003"),
    )
    assert [(row["text"], row["documents"]) for row in count(store, config)["paragraph"]] == [(NOTICE, 4)]
    counts, documents = cleaned(store, config)
    assert [row["text"] for row in documents] == [own(row) for row in (0, 2, 4, 5)]
    assert counts.extra["repeated_paragraph_letters"] == counts.letters["cut"] == 4 * len(NOTICE)
    assert counts.extra["changed"] == 4
    assert counts.extra["repeated_line_letters"] == 0


def test_a_paragraph_of_just_so_many_documents_or_of_too_few_letters_stays(tmp_path):
    for most, letters, cut in ((3, len(NOTICE), True), (4, len(NOTICE), False), (3, len(NOTICE) + 1, False)):
        store = Store(str(tmp_path / f"{most}-{letters}"))
        config = config_for(store.root, max_documents=most, min_letters=letters)
        files(store, config, [(f"{row}.jp", f"{NOTICE}\n{own(row)}\n{NOTICE}") for row in range(4)])
        assert [row["documents"] for row in count(store, config)["paragraph"]] == [4] * cut
        assert (NOTICE in cleaned(store, config)[1][0]["text"]) is not cut


def test_a_document_of_nothing_but_repeated_paragraphs_stays_as_it_is_and_is_counted(tmp_path):
    store, config = Store(str(tmp_path)), config_for(tmp_path)
    files(store, config, [(f"{row}.jp", PROSE) for row in range(4)])
    assert len(count(store, config)["paragraph"]) == len(SENTENCES)
    counts, documents = cleaned(store, config)
    assert (counts.kept, counts.extra["refused.repeated_paragraphs"], counts.extra["changed"]) == (4, 4, 0)
    assert {row["text"] for row in documents} == {PROSE}


def test_both_cuts_together_count_every_letter_once(tmp_path):
    store, config = Store(str(tmp_path)), config_for(tmp_path, {"min_pages": 3, "min_share": 0.5, "partitions": 2})
    texts = [f"{MENU}\n{own(row)}\n{NOTICE}" for row in range(6)]
    files(store, config, [(f"{'aaaabc'[row]}.jp", text) for row, text in enumerate(texts)])
    found = count(store, config)
    assert {(row["site"], row["text"]) for row in found["line"]} == {("a.jp", MENU), ("a.jp", NOTICE)}
    assert {row["text"]: row["documents"] for row in found["paragraph"]} == {MENU: 6, NOTICE: 6}
    counts, documents = cleaned(store, config)
    assert [row["text"] for row in documents] == [own(row) for row in range(6)]
    letters = len(MENU) + len(NOTICE)
    assert (counts.extra["repeated_line_letters"], counts.extra["repeated_paragraph_letters"]) == (4 * letters, 2 * letters)
    assert counts.letters["cut"] == 6 * letters


def test_a_unit_without_documents_is_a_unit_and_a_damaged_table_is_named(tmp_path):
    store, config = Store(str(tmp_path)), config_for(tmp_path)
    files(store, config, [])
    assert count(store, config)["paragraph"] == []
    assert cleaned(store, config)[0].records == 0
    files(store, config, [("a.jp", PROSE)])
    count(store, config)
    store.write("boilerplate/paragraphs-0001.parquet", b"PAR1")
    with pytest.raises(InputError, match=r"boilerplate/paragraphs-0001\.parquet is damaged"):
        clean.work(Unit("clean", "a", {}, {}), config, store)


def test_each_option_asks_for_its_own_counts_and_partitions(tmp_path):
    asked = {"min_pages": 3, "min_share": 0.5, "partitions": 2}
    both, one = config_for(tmp_path, asked), config_for(tmp_path)
    neither = config_of(tmp_path, repeated_lines=None)
    assert [lines.STAGE.wanted(config) for config in (both, one, neither)] == [True, True, False]
    assert lines.STAGE.settings(one) == {"paragraph": {"min_letters": 10}}
    assert boilerplate.STAGE.settings(one) == {"paragraph": {"max_documents": 3}}
    assert clean.STAGE.settings(both) == clean.STAGE.settings(neither)  # what is cut is an input
    store = Store(str(tmp_path))
    files(store, both, [("a.jp", PROSE)])
    result = lines.work(Unit("lines", "a", {}, {}), both, store)
    state = State(store, both)
    state._completed["lines"] = {"a": Sidecar("lines", "a", {}, tuple(result.outputs), result.counts, 0.0)}
    units = boilerplate.STAGE.units(state)
    assert [unit.name for unit in units] == [*(f"lines-{n:04d}" for n in range(2)), *(f"paragraphs-{n:04d}" for n in range(3))]
    assert {unit.reads for unit in units} == {("a",)}
    assert "files" not in json.dumps([unit.params for unit in units])
    assert not boilerplate.whole(state)


def test_a_text_of_nobodys_is_cut_as_the_documents_are(tmp_path):
    store, config = Store(str(tmp_path)), config_for(tmp_path, partitions=1)
    files(store, config, [(f"{row}.jp", f"{NOTICE}\n{own(row)}") for row in range(6)])
    count(store, config)
    state, text = State(store, config), f"{NOTICE}\n{own(100)}"
    assert explain_text(state, text).cleaned == text  # nothing has been added up
    state._completed["boilerplate"] = {"paragraphs-0000": None}
    assert explain_text(state, text).cleaned == own(100)
