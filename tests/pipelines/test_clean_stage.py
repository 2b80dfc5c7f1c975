"""The stages behind deduplication, on small tables made here: lines, boilerplate, clean."""

import html
import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import hashes, seiryu
from kept_pages import MENU, PROSE, SENTENCES, cleaned, config_of, count, files, own, rows_of, second_pass

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.places import stretch
from seiryu.pipelines.stages import boilerplate, clean, lines
from seiryu.pipelines.unit import Unit

PAGES = [
    *(
        (f"{number % 40}.example.jp", f"{MENU}\n{number} 番目\n{'本文' * (number % 3)}\nこの頁は{number // 80}版")
        for number in range(400)
    ),
    *(("", MENU) for _ in range(10)),
]


def test_partitions_and_files_change_nothing_in_what_is_found(tmp_path):
    want, brute = None, Counter((site, line) for site, text in PAGES if site for line in set(text.split("\n")) if len(line) >= 5)
    for partitions, units in ((1, "a"), (3, "abc"), (16, "ba"), (16, "a")):
        store = Store(str(tmp_path / f"{partitions}{units}"))
        settings = {"min_pages": 3, "min_share": 0.1, "partitions": partitions}
        config = config_of(store.root, repeated_lines=settings, min_letters=1, min_japanese_letters=0)
        files(store, config, PAGES, tuple(units))
        found = count(store, config, tuple(units))["line"]
        assert {(row["site"], row["text"]): (row["pages"], row["site_pages"]) for row in found} == {
            key: (pages, 10) for key, pages in brute.items() if pages >= 3
        }
        want = want or found
        assert found == want  # a partition is a stretch of the same order
        sites = pa.chunked_array([["7.example.jp", "39.example.jp", "no.example.jp"]])
        assert {site: MENU in texts for site, texts in boilerplate.lines_of(store, config, sites).items()} == {
            "7.example.jp": True,
            "39.example.jp": True,
        }


def test_a_partition_reads_only_the_row_groups_that_may_hold_its_sites(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    config = config_of(tmp_path, repeated_lines={"partitions": 16})
    pages = [(f"{number}.jp", f"{number}番目の行です\nもう一つの{number}行目") for number in range(3000)]
    files(store, config, pages)
    rows = lines.work(Unit("lines", "a", {}, {}), config, store).counts.extra["line_counts"]
    assert rows == 9000
    read = []
    whole = pq.ParquetFile.read_row_groups
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_groups", lambda self, groups, **asked: read.append(groups) or whole(self, groups, **asked)
    )
    boilerplate.work(second_pass(config, 7, rows), config, store)
    assert {len(groups) for groups in read} <= {1, 2}


def test_only_documents_that_are_kept_count_and_lines_are_cut_only_on_their_own_site(tmp_path):
    store, config = Store(str(tmp_path)), config_of(tmp_path)
    pages = [(f"{'ab'[number % 2]}.jp", f"{MENU}\n{own(number)}") for number in range(8)]
    files(store, config, pages, duplicates=("id0001", "id0003"))
    assert [(row["site"], row["text"], row["pages"], row["site_pages"]) for row in count(store, config)["line"]] == [
        ("a.jp", MENU, 4, 4)
    ]
    counts, documents = cleaned(store, config)
    assert counts.kept == 6
    assert [row["doc_id"] for row in documents if MENU in row["text"]] == ["id0005", "id0007"]


def test_a_page_of_nothing_but_repeated_lines_stays_as_it_is_and_is_counted(tmp_path):
    store, config = Store(str(tmp_path)), config_of(tmp_path)
    files(store, config, [("a.jp", PROSE)] * 4)
    assert len(count(store, config)["line"]) == len(SENTENCES)
    counts, documents = cleaned(store, config)
    assert (counts.kept, counts.extra["refused.repeated_lines"], counts.extra["changed"]) == (4, 4, 0)
    assert {row["text"] for row in documents} == {PROSE}


def test_repeated_lines_are_cut_and_every_letter_is_accounted_for(tmp_path):
    store, config = Store(str(tmp_path)), config_of(tmp_path)
    texts = [f"{MENU}\n{own(number)}\n{MENU}\n" for number in range(4)]
    files(store, config, [("a.jp", text) for text in texts])
    assert [row["text"] for row in count(store, config)["line"]] == [MENU]
    counts, documents = cleaned(store, config)
    assert [row["text"] for row in documents] == [f"{own(number)}\n" for number in range(4)]
    assert counts.records == counts.kept == counts.extra["changed"] == 4
    cut = counts.extra["repeated_line_letters"]
    assert counts.letters["cut"] == cut == 8 * len(MENU)
    before = sum(len(text) - text.count("\n") for text in texts)
    assert before == counts.letters["kept"] + cut == sum(row["letters"] for row in documents) + cut


def test_a_text_that_no_longer_passes_is_rejected_and_says_by_which_rule(tmp_path):
    store = Store(str(tmp_path))
    footer = "\nこの記事へのコメント"
    texts = [own(1) + "\nもう一行ある。" + footer, own(2) + footer, PROSE, own(3)[:400] + footer]
    config = config_of(tmp_path, repeated_lines=None)
    files(store, config, [("a.jp", text) for text in texts])
    stricter = json.loads(config.model_dump_json())
    stricter["rules"]["change"]["few_paragraphs"] = {"signal": "paragraphs", "low": 15}
    counts, documents = cleaned(store, Config.model_validate_json(json.dumps(stricter)))
    assert counts.records == 4
    assert +counts.rejected == {"short_after_cleaning": 1, "fails_after_cleaning": 1}
    assert (counts.extra["changed"], counts.extra["again.few_paragraphs"]) == (3, 1)
    assert [row["text"] for row in documents] == [texts[0].removesuffix(footer), PROSE]  # not changed: judged before, not here
    letters = [len(text) - text.count("\n") for text in texts]
    assert (counts.letters["fails_after_cleaning"], counts.letters["short_after_cleaning"]) == (letters[1], letters[3])
    assert counts.letters["cut"] == len(footer) - 1
    assert counts.extra["footer_letters"] == 3 * counts.letters["cut"]


def test_personal_data_is_masked_and_counted(tmp_path):
    store, config = Store(str(tmp_path)), config_of(tmp_path, repeated_lines=None)
    text = PROSE + "\n連絡は taro@example.com か jiro@example.com まで。"
    files(store, config, [("a.jp", text), ("a.jp", PROSE)])
    counts, documents = cleaned(store, config)
    assert (counts.kept, counts.extra["masked.email"], counts.extra["changed"]) == (2, 2, 1)
    assert "@" not in documents[0]["text"]
    assert documents[0]["letters"] == len(documents[0]["text"]) - documents[0]["text"].count("\n")
    counts, documents = cleaned(store, config_of(tmp_path, repeated_lines=None, personal_data=[]))
    assert documents[0]["text"] == text
    assert counts.extra["masked.email"] == 0


def test_a_unit_without_documents_is_a_unit(tmp_path):
    store, config = Store(str(tmp_path)), config_of(tmp_path)
    files(store, config, [])
    assert count(store, config)["line"] == []
    counts, documents = cleaned(store, config)
    assert (counts.records, documents) == (0, [])


def test_tables_of_other_documents_and_damaged_ones_are_refused_by_name(tmp_path):
    store, config = Store(str(tmp_path)), config_of(tmp_path)
    files(store, config, [("a.jp", PROSE)] * 4)
    count(store, config)
    for name in ("line_counts/a.parquet", "addresses/a.parquet", "dedup/a.parquet"):
        keep = store.read(name)
        other = pq.read_table(store.path(name)).slice(0, 0)
        for wrong in (keep[: len(keep) // 2], keep[:40] + b"\0" * 40 + keep[80:], other):
            if isinstance(wrong, bytes):
                store.write(name, wrong)
            elif name.startswith("line_counts"):
                continue
            else:
                with store.writing(name) as out:
                    schema.write_table(wrong, out)
            with pytest.raises(InputError, match=rf"{name}.*delete it and run again"):
                count_again(store, config, name)
        store.write(name, keep)


def count_again(store, config, name):
    if name.startswith("line_counts"):
        for number in range(3):
            boilerplate.work(second_pass(config, number, 9), config, store)
    else:
        lines.work(Unit("lines", "a", {}, {}), config, store)


def test_neither_pass_is_there_unless_it_is_wanted(tmp_path):
    for settings, there in ((None, False), ({}, True)):
        config = config_of(tmp_path, repeated_lines=settings)
        assert lines.STAGE.wanted(config) is boilerplate.STAGE.wanted(config) is there
        assert bool(lines.STAGE.settings(config)) is bool(boilerplate.STAGE.settings(config)) is there
        assert clean.STAGE.wanted(config)


def test_a_stretch_of_places_belongs_to_one_partition():
    for partitions in (1, 3, 7, 16, 4096):
        stretches = [stretch(number, partitions) for number in range(partitions)]
        assert stretches[0][0] == 0
        assert stretches[-1][1] == 2**64 - 1
        assert all(a[1] + 1 == b[0] for a, b in pairwise(stretches))
        sizes = np.array([last - first + 1 for first, last in stretches], object)
        assert sizes.max() - sizes.min() <= 1


def test_a_run_cuts_the_lines_and_paragraphs_of_a_plain_count_whatever_the_partitions_and_workers(run_copy):
    run, made = run_copy / "run", []
    for partitions, workers in ((3, 2), (16, 1)):
        lines_wanted = f"clean.repeated_lines={{min_pages: 2, min_share: 0.0, partitions: {partitions}}}"
        paragraphs_wanted = f"clean.repeated_paragraphs={{max_documents: 2, min_letters: 8, partitions: {partitions - 1}}}"
        changes = (lines_wanted, paragraphs_wanted, f"engine.workers={workers}")
        ended = seiryu("run", run_copy / "config.yaml", *(word for change in changes for word in ("--set", change)))
        assert ended.code == 0, ended.err
        made.append(hashes(run, "corpus"))
        kept = {row["doc_id"] for row in rows_of(run, "dedup") if row["verdict"] == "kept"}
        site_of = {row["doc_id"]: row["site"] for row in rows_of(run, "addresses") if row["doc_id"] in kept}
        pages = [(site_of[row["doc_id"]], row["text"]) for row in rows_of(run, "documents") if row["doc_id"] in kept]
        brute = Counter(
            (site, line) for site, text in pages for line in {line.strip() for line in text.split("\n")} if len(line) >= 5
        )
        want = {key: number for key, number in brute.items() if number >= 2}
        found = rows_of(run, "boilerplate", "lines-*")
        assert {(row["site"], row["text"]): row["pages"] for row in found} == want != {}
        brute = Counter(line for _, text in pages for line in {line.strip() for line in text.split("\n")} if len(line) >= 8)
        want = {line: number for line, number in brute.items() if number > 2}
        assert {row["text"]: row["documents"] for row in rows_of(run, "boilerplate", "paragraphs-*")} == want != {}
        assert seiryu("verify", run).code == 0
    assert made[0] == made[1]
    before = {row["doc_id"]: row["text"].count("\n") for row in rows_of(run, "documents")}
    assert any(row["text"].count("\n") < before[row["doc_id"]] for row in rows_of(run, "corpus"))
    page = (run / "report/index.html").read_text(encoding="utf-8")
    assert "Paragraphs that stand in many documents" in page
    assert all(text in html.unescape(page) for text, number in want.items() if number == max(want.values()))
