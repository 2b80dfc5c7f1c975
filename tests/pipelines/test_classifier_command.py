"""The command as a person starts it, on real manuals: those of an office program against those of an image editor."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
from commandline import SAMPLES, seiryu

from seiryu.filters.classifiers.scoring import load_classifier

KINDS = {"libreoffice-ja": "office", "gimp-ja": "image", "debian-doc-ja": "system"}


def manuals():
    with gzip.open(SAMPLES / "labels.jsonl.gz", "rt", encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            if row.get("gold_text") and row["lang"] == "ja" and row["source"] in KINDS:
                yield KINDS[row["source"]], row["gold_text"]


@pytest.fixture(scope="module")
def two_kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manuals")
    rows = [{"body": text, "kind": kind} for kind, text in manuals() if kind != "system"]
    with gzip.open(folder / "manuals.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return folder


@pytest.fixture(scope="module")
def trained(two_kinds: Path) -> tuple[Path, str]:
    """The folder with model.bin and its card, and what the command printed."""
    ended = seiryu("classifier", "train", two_kinds / "manuals.jsonl.gz", "--out", two_kinds / "model.bin", "--text", "body",
                   "--label", "kind", "--positive", "office", "--bucket", 50_000)  # fmt: skip
    assert ended.code == 0, ended.err
    assert "training on" in ended.err
    return two_kinds, ended.out


def test_a_model_of_real_manuals_tells_them_apart_and_the_tables_say_how_well(trained):
    folder, said = trained
    card = json.loads((folder / "model.bin.json").read_text(encoding="utf-8"))
    figures = card["held_out"]
    assert sum(card["data"]["train"].values()) > 300
    assert figures["texts"] > 80
    assert all(row["precision"] > 0.9 < row["recall"] for row in figures["labels"])
    assert figures["calibration"]["expected_error"] < 0.25  # so few manuals teach the order well and the probability badly
    for part in (
        "held out  precision",
        "office at or above",
        "expected error",
        "last: the best tenth",
        str(folder / "model.bin"),
    ):
        assert part in said
    assert f"{figures['labels'][0]['precision']:.3f}" in said
    scorer = load_classifier(str(folder / "model.bin"), label="office")
    by_kind = {kind: scorer.scores([text for found, text in manuals() if found == kind]).mean() for kind in ("office", "image")}
    assert by_kind["office"] > 0.8 > 0.2 > by_kind["image"]


def test_json_is_the_card_and_the_same_command_gives_the_same_model(trained, tmp_path):
    folder, _ = trained
    ended = seiryu("classifier", "train", folder / "manuals.jsonl.gz", "--out", tmp_path / "again.bin", "--text", "body", "--label", "kind",
                   "--positive", "office", "--bucket", 50_000, "--json")  # fmt: skip
    assert ended.code == 0, ended.err
    card = json.loads(ended.out)
    assert card == json.loads((tmp_path / "again.bin.json").read_text(encoding="utf-8"))
    assert card == json.loads((folder / "model.bin.json").read_text(encoding="utf-8"))
    assert (tmp_path / "again.bin").read_bytes() == (folder / "model.bin").read_bytes()


def test_graded_labels_and_options_reach_the_card(tmp_path):
    grades = {"image": 0, "office": 1.5, "system": 3}
    with (tmp_path / "graded.jsonl").open("w", encoding="utf-8") as out:
        out.writelines(json.dumps({"text": text, "label": grades[kind]}, ensure_ascii=False) + "\n" for kind, text in manuals())
    ended = seiryu("classifier", "train", tmp_path / "graded.jsonl", "--out", tmp_path / "graded.ftz", "--quantize", "--dim", 16,
                   "--epoch", 8, "--bucket", 20_000, "--held-out", 0.3, "--seed", 5)  # fmt: skip
    assert ended.code == 0, ended.err
    assert "rank correlation" in ended.out
    card = json.loads((tmp_path / "graded.ftz.json").read_text(encoding="utf-8"))
    assert card["labels"] == ["0", "1.5", "3"]
    assert {name: card["training"][name] for name in ("dim", "epoch", "bucket", "held_out", "seed", "quantize", "maxn")} == {
        "dim": 16, "epoch": 8, "bucket": 20_000, "held_out": 0.3, "seed": 5, "quantize": True, "maxn": 3,
    }  # fmt: skip
    scorer = load_classifier(str(tmp_path / "graded.ftz"), "expectation")
    assert scorer.file.quantized
    assert card["held_out"]["grades"]["rank_correlation"] > 0.7


@pytest.mark.parametrize(
    ("content", "arguments", "why"),
    [
        (None, (), "data.jsonl: cannot be read: No such file or directory"),
        ('{"text": "a", "label": "b"}\n{"text": "a"\n', (), "data.jsonl, line 2: not JSON: Expecting ',' delimiter"),
        ('{"text": "a", "label": "b"}\n', (), "data.jsonl: two labels or more are wanted among the examples for training"),
        ('{"text": "a", "label": "b"}\n', ("--lr", "0"), "lr is 0, and a finite number above 0 is wanted"),
        ('{"text": "a", "label": "b"}\n', ("--seed", "99999999999"), "seed is 99999999999, and fastText takes"),
        ('{"text": "a", "label": "b"}\n', ("--label", "kind"), "data.jsonl, line 1: has no \"kind\"; it has 'text', 'label'"),
    ],
)
def test_a_mistake_ends_with_2_and_one_line(tmp_path, content, arguments, why):
    if content is not None:
        (tmp_path / "data.jsonl").write_text(content)
    ended = seiryu("classifier", "train", tmp_path / "data.jsonl", "--out", tmp_path / "out" / "model.bin", *arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert why in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


def test_a_place_that_cannot_be_written_ends_with_2(trained, tmp_path):
    (tmp_path / "file").write_text("")
    ended = seiryu("classifier", "train", trained[0] / "manuals.jsonl.gz", "--out", tmp_path / "file" / "model.bin", "--text", "body",
                   "--label", "kind")  # fmt: skip
    assert ended.code == 2
    assert "model.bin: cannot be written: " in ended.err.splitlines()[-1]


def test_a_model_moved_with_its_card_is_still_held_to_it(trained, tmp_path):
    for name in ("model.bin", "model.bin.json"):
        shutil.copy(trained[0] / name, tmp_path / name)
    load_classifier(str(tmp_path / "model.bin"), label="office")
    with pytest.raises(ValueError, match="was trained on raw text"):
        load_classifier(str(tmp_path / "model.bin"), label="office", segmented=True)
