"""What extraction leaves out, on real archives: exactly what the rules would reject, or a little more where that was asked for."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import seiryu, write_config

from seiryu.pipelines.config import Config, CountsOn, Extract, RuleChange
from seiryu.pipelines.rules_in_force import least_letters, screen
from seiryu.pipelines.source_config import Files

LIMITS = {f"duplicate_{n}gram": {"high": 0.5} for n in range(5, 11)}  # as write_config
DROPPED: dict = {"few_japanese_letters": None, "few_hiragana": None}


def annotated(folder: Path, archives: Path, extract: dict, **changes: object) -> Path:
    ended = seiryu("run", write_config(folder, archives, extract=extract, **changes), "--until", "decide")
    assert ended.code == 0, ended.err
    return folder / "run"


def rows(run: Path) -> list[dict]:
    """Documents with their mask."""
    found = []
    for file in sorted((run / "documents").glob("*.parquet")):
        masks = pq.read_table(run / "verdicts" / file.name)["reject_mask"].to_pylist()
        found += [row | {"mask": mask} for row, mask in zip(pq.read_table(file).to_pylist(), masks, strict=True)]
    return found


def passing(found: list[dict]) -> dict[str, str]:
    return {row["doc_id"]: row["text"] for row in found if not row["mask"]}


def counts(run: Path) -> dict[str, int]:
    total: dict[str, int] = {}
    for file in (run / "units/extract").glob("*.json"):
        for reason, number in json.loads(file.read_text())["counts"]["rejected"].items():
            total[reason] = total.get(reason, 0) + number
    return total


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, small_archives: Path) -> Path:
    """A run that extracts every page that may be Japanese, whatever the rules."""
    return annotated(tmp_path_factory.mktemp("everything"), small_archives, {"counts_on": {"change": DROPPED}})


def test_pages_with_too_few_japanese_letters_are_spared_and_nothing_that_passes_is_lost(
    small_run: Path, everything: Path
) -> None:
    spared, all_of_them = rows(small_run / "run"), rows(everything)
    assert passing(spared) == passing(all_of_them)
    assert len(passing(spared)) > 30
    left_out = {row["doc_id"] for row in all_of_them} - {row["doc_id"] for row in spared}
    assert counts(small_run / "run")["cannot_pass"] >= len(left_out) > 20
    assert all(row["mask"] for row in all_of_them if row["doc_id"] in left_out)
    assert "cannot_pass" not in counts(everything)


def test_the_quick_screen_spares_pages_and_hardly_loses_any(small_run: Path, small_archives: Path, tmp_path: Path) -> None:
    run = annotated(tmp_path, small_archives, {"quick_screen": True, "counts_on": {"change": LIMITS}})
    assert counts(run)["quick_screen"] >= 5
    screened, kept = passing(rows(run)), passing(rows(small_run / "run"))
    assert screened.items() <= kept.items()
    assert len(kept) - len(screened) <= 0.005 * len(kept)


def test_resiliparse_extracts_the_same_pages_to_other_texts(small_run: Path, small_archives: Path, tmp_path: Path) -> None:
    run = annotated(tmp_path, small_archives, {"extractor": "resiliparse"})
    ours, other = ({row["doc_id"]: row for row in rows(folder)} for folder in (run, small_run / "run"))
    assert {row["extractor"] for row in ours.values()} == {"resiliparse"}
    assert len(ours.keys() & other.keys()) > 0.95 * len(other)
    assert sum(ours[key]["text"] != other[key]["text"] for key in ours.keys() & other.keys()) > 0.5 * len(other)
    assert {key: ours[key]["title"] for key in ours if key in other} == {
        key: row["title"] for key, row in other.items() if key in ours
    }


def test_looser_rules_than_extraction_counts_on_are_refused_and_stricter_ones_are_not(small_run: Path) -> None:
    config = small_run / "config.yaml"
    looser = seiryu("run", config, "--set", "rules.change.few_japanese_letters={low: 300}")
    assert looser.code == 2
    assert "pages that cannot have 400 Japanese letters in their text, and `rules` demands 300" in looser.err
    assert looser.err.count("\n") == 1
    dropped = seiryu("plan", config, "--set", "rules.change.few_hiragana=null")
    assert (dropped.code, "80 hiragana in their text, and `rules` demands none" in dropped.err) == (2, True)
    screened = seiryu("plan", config, "--set", "extract.quick_screen=true")
    assert (screened.code, "pages that fail duplicate_5gram (duplicate_5gram_share > 0.15) by far" in screened.err) == (2, True)
    stricter = seiryu("plan", config, "--json", "--set", "rules.change.few_japanese_letters={low: 500}")
    steps = {step["stage"]: step for step in json.loads(stricter.out)["stages"]}
    assert (steps["annotate"]["to_make"], steps["decide"]["to_make"] > 0) == (0, True)


def test_limits_of_a_page_do_not_make_archives_stale_and_another_extractor_does(small_run: Path) -> None:
    config = small_run / "config.yaml"
    limits = json.loads(seiryu("plan", config, "--json", "--set", "engine.page_seconds=5").out)["stages"]
    assert limits[0]["to_make"] == 0
    other = json.loads(seiryu("plan", config, "--json", "--set", "extract.extractor=resiliparse").out)["stages"]
    assert other[0]["to_make"] > 0
    assert any("extractor" in why for why in other[0]["why"])


def test_every_document_says_how_it_was_decoded_and_what_it_says_of_its_language(small_run: Path) -> None:
    found = rows(small_run / "run")
    assert {row["charset"] for row in found} >= {"utf-8", "cp932", "euc_jp"}
    assert {row["charset_source"] for row in found} <= {"bom", "bytes", "header", "meta"}
    assert {row["html_lang"].split("-")[0] for row in found} >= {"", "ja"}
    assert all("\ufffd" not in row["text"] or row["replaced"] for row in found)


def test_documents_are_in_the_order_of_the_archive(small_run: Path) -> None:
    for file in (small_run / "run/documents").glob("*.parquet"):
        offsets = pq.read_table(file)["warc_offset"]
        assert offsets.to_pylist() == sorted(offsets.to_pylist())
        assert offsets.type == pa.int64()


def test_the_letters_that_extraction_demands_are_the_least_that_pass_the_rules() -> None:
    for japanese, share in ((400, 0.2), (300, 0.07), (1, 1.0), (399, 1 / 3), (0, 0.2)):
        change = {"few_japanese_letters": RuleChange(low=japanese), "few_hiragana": RuleChange(low=share)}
        config = Config(run="x", source=Files(paths=("x",)), extract=Extract(counts_on=CountsOn(change=change)))
        letters, hiragana = least_letters(config)
        assert letters == japanese
        if japanese:
            assert hiragana / japanese >= share > (hiragana - 1) / japanese


def test_a_rule_on_words_is_none_of_the_screens(tmp_path: Path) -> None:
    preset = tmp_path / "preset.yaml"
    preset.write_text(
        "rules:\n  - {name: words, signal: ng_letters, high: 5}\n  - {name: digits, signal: japanese_share, low: 0.5}\n"
    )
    config = Config(run="x", source=Files(paths=("x",)),
                    extract=Extract(quick_screen=True, counts_on=CountsOn(preset=str(preset))))  # fmt: skip
    assert [rule.signal for rule in screen(config)] == ["japanese_share"]
