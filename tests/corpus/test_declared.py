import gzip
import json

import pytest
from archive_bytes import ROOT, SAMPLES
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus.archive.page import payload, read_page
from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.decoding.declared import declared_languages, is_japanese


@pytest.mark.parametrize(
    ("head", "header", "languages"),
    [
        ('<html lang="ja">', "", ("ja",)),
        ("<HTML LANG='ja-JP' class=x>", "", ("ja-JP",)),
        ("<html lang=ja_JP>", "", ("ja-JP",)),
        ('<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="ja" lang="ja">', "", ("ja",)),
        ('<html xmlns="http://www.w3.org/1999/xhtml"\n xml:lang = "ja">', "", ("ja",)),
        ('<html lang="en" xml:lang="ja">', "", ("en", "ja")),
        ('<meta http-equiv="Content-Language" content="ja, en">', "", ("ja", "en")),
        ("<meta content=ja http-equiv=content-language />", "", ("ja",)),
        ("<html>", "ja", ("ja",)),
        ('<html lang="en">', "ja, en", ("en", "ja")),
        ('<html data-lang="fr" lang="ja">', "", ("ja",)),
        ('<html title="a > b" lang="ja">', "", ("ja",)),
        ('<!-- <html lang="fr"> --><html lang="ja">', "", ("ja",)),
        ('<p lang="fr">', "", ()),
        ('<html lang="">', "", ()),
        ('<html lang="<?php lang() ?>">', "x;y", ()),
        ('<htmlx lang="ja">', "", ()),
        ("", "", ()),
    ],
)
def test_languages_are_read_from_every_place(head, header, languages):
    assert declared_languages(head, header) == languages


@pytest.mark.parametrize("tag", ["ja", "JA", "ja-JP", "ja_JP", "ja-Latn-hepburn", "jpn"])
def test_japanese_tags_are_japanese(tag):
    assert is_japanese(tag)


@pytest.mark.parametrize("tag", ["jav", "jv", "jp", "en-JP", "japanese", "", "jax"])
def test_tags_that_only_look_japanese_are_not(tag):
    assert not is_japanese(tag)


def test_sample_pages_declare_what_their_labels_say():
    with gzip.open(ROOT / "samples/labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        labels = {(row["warc"], row["offset"]): row for row in map(json.loads, lines)}
    checked = 0
    for path in SAMPLES:
        with path.open("rb") as file:
            for record in raw_records(file, path.name, 1 << 24):
                row = labels.get((path.name, record.offset))
                if row and row["kind"] == "html" and row["status"] == 200 and row.get("html_lang"):
                    page = read_page(record)
                    head = payload(page, 1 << 24).decode(row["encoding"], "replace")
                    declared = [tag.lower() for tag in declared_languages(head, page.language)]
                    assert row["html_lang"].replace("_", "-").lower() in declared
                    checked += 1
    assert checked > 700


@given(st.text(st.sampled_from("<html lang='\"=ja-_> meta!")), st.text())
def test_no_page_makes_it_fail(head, header):
    assert all(declared_languages(head, header))
