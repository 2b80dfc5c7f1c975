"""Floors under the extractors: what each finds of the gold texts must not get less, by chance or by an update.

The figures are benchmarks/gold.py's; how floors move is said in tests/floors.py.
"""

import json
import sys

import pytest
from archive_bytes import PACK, ROOT
from floors import LOWER, UPDATE, broken, moved, other_data, sha256s

sys.path.append(str(ROOT))  # benchmarks/ stands beside tests/, and `pytest` alone does not look there

from benchmarks.gold import EXTRACTORS, gold_pages, grams, means, measured, score

FLOORS = ROOT / "tests/data/gold_floors.json"
FOLDERS = {"samples": (ROOT / "samples", None), "pack": (ROOT.parent / "shared/data/pack", 500)}


@pytest.fixture(scope="module", params=FOLDERS)
def measured_folder(request):
    """(folder, the gold pages in it, extractor -> result), each page extracted once by each."""
    folder, most = FOLDERS[request.param]
    if request.param == "pack" and not PACK:
        pytest.skip("the larger pack of pages is not beside the repository (../shared/data/pack)")
    pages = gold_pages(folder, most)
    return request.param, pages, {name: measured(pages, extractor) for name, extractor in EXTRACTORS.items()}


def test_no_extractor_finds_less_than_it_did(measured_folder):
    name, pages, results = measured_folder
    figures = {
        f"{extractor} {group}": of for extractor, result in results.items() for group, of in means(pages, result.scores).items()
    }
    kept = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.exists() else {}
    known = kept.get(name, {"data": {}, "pages": 0, "floors": {}})
    folder = FOLDERS[name][0]
    found = sha256s(folder / "labels.jsonl.gz", *sorted(folder.glob("*.warc.gz")))
    if UPDATE:
        kept[name] = {"data": found, "pages": len(pages), "floors": moved(known["floors"], figures, LOWER)}
        FLOORS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return
    assert not other_data(known["data"], found)
    assert len(pages) == known["pages"]
    assert not broken(known["floors"], figures)


def test_texts_hold_nothing_that_does_not_show(measured_folder):
    _, pages, results = measured_folder
    for result in results.values():
        for page, text in zip(pages, result.texts, strict=True):
            assert not {"\u200b", "\ufeff", "\u00ad", "\u034f", "\0", "\r"} & set(text), page.url


def test_resiliparse_gives_a_paragraph_a_line_without_blanks_at_its_ends(measured_folder):
    _, pages, results = measured_folder
    for page, text in zip(pages, results["resiliparse"].texts, strict=True):
        assert all(line and line == line.strip() for line in text.split("\n") if text), page.url


def test_hardly_a_page_with_a_long_gold_text_comes_out_empty(measured_folder):
    """An extractor may err; nothing where 1,000 letters stand is a parser's failure, or a page whose text is all marked as hidden."""
    _, pages, results = measured_folder
    for result in results.values():
        empty = [page.url for page, text in zip(pages, result.texts, strict=True) if len(page.gold) > 1000 and not text]
        assert len(empty) <= len(pages) / 1000, empty


def test_the_score_counts_letters_and_neither_blanks_nor_order():
    gold = "日本語の文章である。\n二つ目の文章もある。"
    assert score(gold, "日本語の 文章である。\n\n二つ目の文章もある。") == (1, 1, 1)
    assert score(gold, "") == (0, 0, 0)
    assert score("短い", "短い") == (1, 1, 1)
    half = score(gold, "日本語の文章である。")
    assert half.precision == 1
    assert 0.3 < half.recall < 0.5
    assert score(gold, gold + "関係のないメニューの文字").recall == 1


def test_an_n_gram_that_occurs_twice_counts_twice():
    assert grams("ああああああ")[1].tolist() == [2]
    assert score("あいうえお" * 10, "あいうえお").recall < 0.1
    assert score("𠮟られる人", "叱られる人").f1 == 0
