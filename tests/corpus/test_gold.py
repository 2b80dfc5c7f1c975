"""Floors under the extractors: what each finds of the gold texts must not get less, by chance or by an update.

The figures are benchmarks/gold.py's. `SEIRYU_UPDATE_FLOORS=1 python -m pytest tests/corpus/test_gold.py` raises floors to what is measured
and takes new data over; it lowers one only if `SEIRYU_LOWER_FLOORS=1` is given too.
"""

import hashlib
import json
import math
import os
import sys

import pytest
from archive_bytes import PACK, ROOT

sys.path.append(str(ROOT))  # benchmarks/ stands beside tests/, and `pytest` alone does not look there

from benchmarks.gold import EXTRACTORS, gold_pages, grams, means, measured, score

FLOORS = ROOT / "tests/data/gold_floors.json"
FOLDERS = {"samples": (ROOT / "samples", None), "pack": (ROOT.parent / "shared/data/pack", 500)}
UPDATE, LOWER = os.environ.get("SEIRYU_UPDATE_FLOORS") == "1", os.environ.get("SEIRYU_LOWER_FLOORS") == "1"
HOW = "SEIRYU_UPDATE_FLOORS=1 python -m pytest tests/corpus/test_gold.py"


def sha256s(folder):
    """Hash of each file that the figures depend on."""
    files = [folder / "labels.jsonl.gz", *sorted(folder.glob("*.warc.gz"))]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def other_data(known, found):
    """What to say when the floors were measured on other data; empty when they were not."""
    if changed := sorted(name for name in known.keys() | found.keys() if known.get(name) != found.get(name)):
        return f"the floors were measured on other data ({', '.join(changed)}): restore it, or measure them anew: {HOW}"
    return ""


def broken(floors, figures):
    """The floors that the figures do not reach, and figures that have no floor."""
    lines = []
    for group in sorted(floors.keys() | figures.keys()):
        floor, figure = floors.get(group, {}), figures.get(group, {})
        for name in sorted(floor.keys() | figure.keys()):
            if figure.get(name, -1.0) < floor.get(name, math.inf):
                lines.append(f"{group}: {name} is {figure.get(name)}, its floor {floor.get(name)}")
    return lines


def moved(floors, figures, may_lower):
    """Floors at the figures, rounded down to three digits. None is lowered, nor dropped, unless it may be."""
    new = {group: {name: math.floor(1e3 * value) / 1e3 for name, value in of.items()} for group, of in figures.items()}
    if not may_lower and (lines := broken(floors, {group: new.get(group, {}) for group in floors})):
        raise PermissionError("; ".join(lines) + "; SEIRYU_LOWER_FLOORS=1 lowers floors")
    return new


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
    found = sha256s(FOLDERS[name][0])
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


FLOOR = {"trafilatura B ja": {"f1": 0.8, "recall": 0.7}}


def test_a_figure_below_its_floor_is_told_with_both():
    assert broken(FLOOR, FLOOR) == []
    assert broken(FLOOR, {"trafilatura B ja": {"f1": 0.79, "recall": 0.9}}) == ["trafilatura B ja: f1 is 0.79, its floor 0.8"]


def test_a_figure_that_is_missing_or_has_no_floor_is_no_success():
    assert len(broken(FLOOR, {})) == 2
    assert len(broken({}, FLOOR)) == 2


def test_other_data_is_told_by_name_and_with_what_to_do():
    assert other_data({"a": "1", "b": "2"}, {"a": "1", "b": "2"}) == ""
    message = other_data({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"})
    assert "(b, c)" in message
    assert "SEIRYU_UPDATE_FLOORS=1" in message


def test_floors_are_raised_and_rounded_down():
    assert moved(FLOOR, {"trafilatura B ja": {"f1": 0.85679, "recall": 0.7}}, False) == {
        "trafilatura B ja": {"f1": 0.856, "recall": 0.7}
    }


@pytest.mark.parametrize("lower", [{"trafilatura B ja": {"f1": 0.9, "recall": 0.69}}, {"trafilatura B ja": {"f1": 0.9}}, {}])
def test_a_floor_is_lowered_or_dropped_only_when_that_is_asked_for(lower):
    with pytest.raises(PermissionError, match="SEIRYU_LOWER_FLOORS"):
        moved(FLOOR, lower, False)
    assert moved(FLOOR, lower, True) == lower


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
