import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from labelled_lines import lines

from seiryu.filters.classifiers.examples import Source, divide
from seiryu.filters.classifiers.scoring import card_path, load_classifier
from seiryu.filters.classifiers.training import Training, train

SMALL = {"dim": 5, "bucket": 500, "min_count": 1, "epoch": 20}


def source(folder, labels=("good", "other"), many=60):
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for label, text in lines(labels, many)))
    return Source(str(path))


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_a_trained_model_tells_what_it_has_not_seen_and_its_card_says_so(tmp_path):
    out = str(tmp_path / "deep" / "model.bin")
    card = train(source(tmp_path), out, Training.of(**SMALL))
    assert card == json.loads(card_path(out).read_text(encoding="utf-8"))
    assert card["model_sha256"] == sha256(out)
    assert card["labels"] == ["good", "other"]
    assert sum(card["data"]["train"].values()) + card["held_out"]["texts"] == 120
    assert card["data"]["held_out"] == {row["label"]: row["support"] for row in card["held_out"]["labels"]}
    assert card["training"]["epoch"] == 20
    assert card["held_out"]["accuracy"] > 0.9
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["model.bin", "model.bin.json"]


def test_the_figures_are_those_of_the_scores_a_run_would_see(tmp_path):
    out = str(tmp_path / "model.bin")
    data = source(tmp_path)
    card = train(data, out, Training.of(held_out=0.5, positive="good", **(SMALL | {"epoch": 3})))
    (tmp_path / "work").mkdir()
    found = divide(data, tmp_path / "work", 0.5, segmented=False)
    held = found.held_out.read_text().splitlines()
    scores = load_classifier(out, label="good").scores(held)
    right = np.array([found.labels[number] == "good" for number in found.held_out_labels.tolist()])
    for row in card["held_out"]["thresholds"]:
        kept = scores >= row["threshold"]
        assert row["share"] == pytest.approx(kept.mean())
        assert row["recall"] == pytest.approx((kept & right).sum() / right.sum())
    assert card["held_out"]["calibration"]["brier"] == pytest.approx(((scores - right) ** 2).mean())


@pytest.mark.parametrize("changes", [{}, {"quantize": True}, {"seed": 7}], ids=str)
def test_the_same_examples_in_any_order_give_the_same_bytes(tmp_path, changes):
    data = source(tmp_path)
    shuffled = tmp_path / "shuffled.jsonl"
    shuffled.write_text("".join(sorted(Path(data.path).read_text().splitlines(keepends=True))))
    hashes = set()
    for name, given in (("a", data), ("b", data), ("c", Source(str(shuffled)))):
        train(given, str(tmp_path / f"{name}.bin"), Training.of(**(SMALL | changes)))
        hashes.add(sha256(tmp_path / f"{name}.bin"))
    assert len(hashes) == 1
    assert card_path(str(tmp_path / "a.bin")).read_bytes() == card_path(str(tmp_path / "b.bin")).read_bytes()


def test_another_seed_gives_another_model(tmp_path):
    data = source(tmp_path)
    cards = [train(data, str(tmp_path / "m"), Training.of(**SMALL, seed=seed)) for seed in (0, 1)]
    assert cards[0]["model_sha256"] != cards[1]["model_sha256"]


def test_a_quantized_model_is_smaller_and_measured_as_it_is(tmp_path):
    data = source(tmp_path)
    cards = {}
    for quantize in (False, True):
        cards[quantize] = train(data, str(tmp_path / str(quantize)), Training.of(**(SMALL | {"dim": 20}), quantize=quantize))
    assert (tmp_path / "True").stat().st_size < (tmp_path / "False").stat().st_size * 0.7
    assert cards[True]["held_out"]["accuracy"] > 0.9
    assert cards[True]["held_out"]["calibration"] != cards[False]["held_out"]["calibration"]


def test_graded_labels_are_measured_by_their_expectation(tmp_path):
    card = train(source(tmp_path, ("0", "1", "2", "3")), str(tmp_path / "model.bin"), Training.of(**SMALL))
    grades = card["held_out"]["grades"]
    assert grades["mean_absolute_error"] < 0.5
    assert grades["rank_correlation"] > 0.8
    scorer = load_classifier(str(tmp_path / "model.bin"), "expectation")
    means = [scorer.scores([text])[0] for _, text in lines(("0", "1", "2", "3"), 1)]
    assert means == sorted(means)


def test_segmented_training_has_its_own_defaults_and_is_written_on_the_card(tmp_path):
    path = tmp_path / "data.jsonl"
    good, other = "清流は山あいを流れる。", "この商品は今ならお得です。"
    path.write_text("".join(json.dumps({"text": text * (k % 5 + 1), "label": label}) + "\n" for k in range(40)
                            for label, text in (("good", f"{k}番目の{good}"), ("other", f"{k}番目の{other}"))))  # fmt: skip
    out = str(tmp_path / "model.bin")
    card = train(Source(str(path)), out, Training.of(segmented=True, dim=5, bucket=500))
    assert card["segmented"] is True
    assert [card["training"][name] for name in ("word_ngrams", "minn", "maxn", "min_count")] == [2, 0, 0, 2]
    scores = load_classifier(out, label="good", segmented=True).scores([good, other])
    assert scores[0] > 0.5 > scores[1]
    with pytest.raises(ValueError, match="was trained on segmented text"):
        load_classifier(out, label="good")


def test_nothing_held_out_means_nothing_measured(tmp_path):
    card = train(source(tmp_path), str(tmp_path / "model.bin"), Training.of(held_out=0, **SMALL))
    assert card["held_out"] is None
    assert sum(card["data"]["train"].values()) == 120


def test_the_last_label_is_the_positive_one_unless_it_is_said(tmp_path):
    data = source(tmp_path, ("0", "1"))
    assert train(data, str(tmp_path / "m"), Training.of(**SMALL))["held_out"]["positive"] == "1"
    assert train(data, str(tmp_path / "m"), Training.of(positive="__label__0", **SMALL))["held_out"]["positive"] == "0"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"held_out": 1.0}, "held_out is 1, and 0 to 0.9 is possible"),
        ({"held_out": float("nan")}, "held_out is nan, and 0 to 0.9 is possible"),
        ({"bucket": 0}, "bucket must be 1 or more where there are n-grams"),
        ({"minn": 4}, "minn 4 is more than maxn 3"),
        ({"positive": "god"}, r"data\.jsonl: no example for training has the label god; there are good, other"),
        ({"lr": 0.0}, "lr is 0, and a finite number above 0 is wanted"),
        ({"lr": float("nan")}, "lr is nan, and a finite number above 0 is wanted"),
        ({"dim": 3_000_000_000}, "dim is 3000000000, and fastText takes -2,147,483,648 to 2,147,483,647"),
        ({"seed": -(10**11)}, "seed is -100000000000, and fastText takes"),
        ({"bucket": 2**31}, "bucket is 2147483648, and fastText takes"),
        ({"word_ngrams": 2**40}, "word_ngrams is 1099511627776, and fastText takes"),
        ({"dim": 2**31 - 1}, "fastText finds no memory for dim 2,147,483,647"),
        ({"lr": 1e30}, "fastText gave up: Encountered NaN; a lower lr than 1e"),
        ({"quantize": True, "bucket": 1, "min_count": 60}, "fastText gave up: Matrix too small for quantization"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(tmp_path, changes, why):
    data = source(tmp_path)
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match=why):
        train(data, str(tmp_path / "out" / "model.bin"), Training.of(**(SMALL | changes)))
    assert list((tmp_path / "out").iterdir()) == []


def test_one_label_alone_is_refused_and_so_is_a_directory(tmp_path):
    with pytest.raises(ValueError, match="two labels or more are wanted among the examples for training, and only good is there"):
        train(source(tmp_path, ("good",)), str(tmp_path / "model.bin"), Training.of(**SMALL))
    with pytest.raises(ValueError, match="is a directory; the path of the model to write"):
        train(source(tmp_path), str(tmp_path), Training.of(**SMALL))


@pytest.mark.parametrize(
    ("name", "out", "what"),
    [("data.jsonl", "data.jsonl", "model"), ("data.jsonl", "deep/../data.jsonl", "model"), ("data.json", "data", "card"),
     ("data.jsonl", "link", "model")],
)  # fmt: skip
def test_the_labelled_texts_are_never_replaced(tmp_path, name, out, what):
    data = Path(source(tmp_path).path).rename(tmp_path / name)
    (tmp_path / "deep").mkdir()
    (tmp_path / "link").symlink_to(data)
    before = sha256(data)
    with pytest.raises(ValueError, match=f"the {what} would replace the labelled texts; give the model another name"):
        train(Source(str(data)), str(tmp_path / out), Training.of(**SMALL))
    assert sha256(data) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "deep", "link"])


def test_what_is_no_file_is_never_replaced(tmp_path):
    data = source(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "b.json").mkdir()
    for out, why in (("pipe", "pipe: is no file that the model could"), ("a", "a.json: is no file that the card could"),
                     ("b", "b.json: is no file that the card could")):  # fmt: skip
        with pytest.raises(ValueError, match=f"{why} replace; give the model another name"):
            train(data, str(tmp_path / out), Training.of(**SMALL))
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "a.json").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json", "data.jsonl", "pipe"]


def test_a_model_that_fails_leaves_the_one_that_was_there(tmp_path):
    out = str(tmp_path / "model.bin")
    train(source(tmp_path), out, Training.of(**SMALL))
    before = (sha256(out), sha256(card_path(out)))
    with pytest.raises(ValueError, match="gave up"):
        train(source(tmp_path), out, Training.of(**(SMALL | {"lr": 1e30})))
    assert (sha256(out), sha256(card_path(out))) == before
