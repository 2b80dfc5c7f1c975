import gzip
import json
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from labelled_lines import lines

from seiryu.filters.classifiers.scoring import card_path, load_classifier, one_line

ROOT = Path(__file__).parents[3]
TEXTS = [text for _, text in lines(("good", "other"), 5)] + ["語1語2", "未知の\n語3", "a\0b 語5", "語1\r\n語101\v語7\f語8"]


def expected(path: str, text: str) -> dict[str, float]:
    """What fastText itself says of the text in one line."""
    labels, values = fasttext.load_model(path).predict(text.replace("\n", " "), k=-1)
    return dict(zip(labels, values.tolist(), strict=True))


@pytest.mark.parametrize(
    "options", [{"loss": "softmax"}, {"loss": "hs"}, {"loss": "ova"}, {"wordNgrams": 2}, {"quantize": {}}], ids=str
)
def test_the_probability_is_what_fasttext_says_of_the_line(make_model, options):
    path = make_model(**options)
    scores = load_classifier(path, label="good").scores(TEXTS)
    assert scores.dtype == np.float64
    assert scores.tolist() == [round(min(expected(path, text)["__label__good"], 1.0), 4) for text in TEXTS]
    assert max(scores) > 0.6 > 0.4 > min(scores)


@pytest.mark.parametrize("labels", [("0", "1", "2", "3"), ("0", "0.5", "1"), ("-1", "5")], ids=str)
def test_the_expectation_is_the_mean_of_the_grades(make_model, labels):
    path = make_model(labels)
    scores = load_classifier(path, "expectation").scores(TEXTS)
    for text, score in zip(TEXTS, scores.tolist(), strict=True):
        said = {float(label.removeprefix("__label__")): value for label, value in expected(path, text).items()}
        assert score == pytest.approx(sum(grade * value for grade, value in said.items()) / sum(said.values()), abs=6e-5)
        assert min(map(float, labels)) <= score <= max(map(float, labels))


def test_the_probabilities_of_all_labels_stand_in_the_order_of_the_labels(make_model):
    path = make_model(("good", "other", "poor"))
    scorer = load_classifier(path, label="poor")
    for row, text in zip(scorer.probabilities(TEXTS), TEXTS, strict=True):
        said = expected(path, text)
        assert row.tolist() == [min(said[label], 1.0) for label in scorer.labels]


def test_real_pages_get_the_score_that_fasttext_gives_them(make_model):
    path = make_model()
    with gzip.open(ROOT / "samples" / "labels.jsonl.gz", "rt", encoding="utf-8") as rows:
        texts = [text for row in map(json.loads, rows) if (text := row.get("gold_text"))][:300]
    model = fasttext.load_model(path)
    labels, values = model.predict([text.replace("\n", " ") for text in texts], k=-1)
    said = [dict(zip(*pair, strict=True))["__label__good"].item() for pair in zip(labels, values, strict=True)]
    assert load_classifier(path, label="good").scores(texts).tolist() == [round(min(value, 1.0), 4) for value in said]


@pytest.mark.parametrize("blank", ["", " ", "\n\n", "\t\u3000\xa0", "\0", "</s>", "__label__good __label__other"])
def test_a_blank_text_scores_nothing(make_model, blank):
    assert load_classifier(make_model(), label="good").scores([blank]).tolist() == [0]
    assert load_classifier(make_model(("1", "2")), "expectation").scores([blank, TEXTS[0]])[0] == 0


def test_arrow_arrays_and_lists_of_any_length_give_one_score_a_text(make_model):
    scorer = load_classifier(make_model(), label="good")
    many = [TEXTS[k % len(TEXTS)] for k in range(1000)]
    alone = {text: scorer.scores([text])[0] for text in TEXTS}
    want = [alone[text] for text in many]
    assert scorer.scores(many).tolist() == want
    assert scorer.scores(pa.array(many)).tolist() == want
    assert scorer.scores(pa.chunked_array([many[:3], [], many[3:]], pa.large_string())).tolist() == want
    assert scorer.scores([]).shape == (0,)
    assert scorer.scores(pa.array([], pa.string())).shape == (0,)


def test_a_page_cannot_steer_the_model_with_its_own_signs(make_model):
    scorer = load_classifier(make_model(), label="good")
    good, other = TEXTS[0], TEXTS[1]
    assert scorer.scores([f"</s> {other}", f"{other} </s>", f"__label__good {other}"]).tolist() == [scorer.scores([other])[0]] * 3
    assert scorer.scores([f"{good} </s> {other} {other} {other}"])[0] < scorer.scores([good])[0]  # fastText would stop reading
    assert one_line("a\tb __label__x\n</s>c </s>") == "a b </s>c"
    assert one_line("a\u3000b\r\n\u2028c\0d") == "a\u3000b\r \u2028c d"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8")))
def test_every_text_has_a_score_between_0_and_1(make_model, text):
    (score,) = load_classifier(make_model(), label="good").scores([text]).tolist()
    assert 0 <= score <= 1
    assert score == round(score, 4)


def test_a_very_long_text_is_scored_whole(make_model):
    scorer = load_classifier(make_model(), label="good")
    long = (TEXTS[1] + "\n") * 10_000
    assert scorer.scores([long])[0] < 0.5 < scorer.scores([(TEXTS[0] + " ") * 9 * 10_000 + long])[0]


def test_segmented_text_gets_spaces_between_its_words_first(make_model):
    path = make_model(minn=0, maxn=0, bucket=0)
    raw, words = load_classifier(path, label="good"), load_classifier(path, label="good", segmented=True)
    assert one_line("清流は\n速い。", segmented=True).split() == ["清流", "は", "速い", "。"]
    assert words.scores(["語5と語7と語9"])[0] == raw.scores(["語 5 と 語 7 と 語 9"])[0]


@pytest.mark.parametrize(
    ("labels", "wanted", "why"),
    [
        (("good", "other"), {}, r"which label's probability is the score\? label must be one of __label__\w+, __label__\w+$"),
        (("good", "other"), {"label": "goood"}, r"has no label goood; did you mean __label__good\? It has __label__"),
        (("good", "other"), {"label": "水"}, r"has no label 水; it has __label__"),
        (
            ("good", "other"),
            {"value": "expectation"},
            r"expectation wants labels that are numbers, such as __label__3; it has __label__",
        ),
        (("1", "nan"), {"value": "expectation"}, r"expectation wants labels that are numbers"),
        (
            ("1", "2"),
            {"value": "expectation", "label": "1"},
            r"label 1 is of no use with value: expectation, which takes all labels$",
        ),
    ],
)
def test_a_question_that_the_model_cannot_answer_is_refused(make_model, labels, wanted, why):
    path = make_model(labels)
    with pytest.raises(ValueError, match=why) as raised:
        load_classifier(path, **wanted)
    assert str(raised.value).startswith(f"{path}: ")


def test_a_label_may_be_written_with_its_prefix(make_model):
    path = make_model()
    assert (
        load_classifier(path, label="__label__good").scores(TEXTS).tolist()
        == load_classifier(path, label="good").scores(TEXTS).tolist()
    )


def test_a_model_that_was_put_in_the_place_of_another_is_read_anew(make_model, tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(Path(make_model()).read_bytes())
    first = load_classifier(str(path), label="good")
    assert load_classifier(str(path), label="good") is first
    path.write_bytes(Path(make_model(("good", "other", "poor"))).read_bytes())
    assert load_classifier(str(path), label="good").sha256 != first.sha256


def test_the_card_beside_a_model_is_held_to(make_model, tmp_path):
    path = str(tmp_path / "model.bin")
    Path(path).write_bytes(Path(make_model()).read_bytes())
    sha256 = load_classifier(path, label="good").sha256
    card_path(path).write_text(json.dumps({"model_sha256": sha256, "segmented": True}))
    with pytest.raises(ValueError, match=r"was trained on segmented text, and raw text is to be scored; set segmented: true$"):
        load_classifier(path, label="good")
    load_classifier(path, label="good", segmented=True)
    card_path(path).write_text(json.dumps({"model_sha256": sha256, "segmented": False}))
    with pytest.raises(ValueError, match=r"was trained on raw text, and segmented text is to be scored; set segmented: false$"):
        load_classifier(path, label="good", segmented=True)
    card_path(path).write_text(json.dumps({"model_sha256": "0" * 64, "segmented": False}))
    with pytest.raises(ValueError, match=r"model\.bin\.json: is the card of another model than "):
        load_classifier(path, label="good")
    card_path(path).write_text("{")
    with pytest.raises(ValueError, match=r"model\.bin\.json: the card of the model cannot be read .*; mend or delete it$"):
        load_classifier(path, label="good")
    for other in ('{"license": "CC BY-SA 4.0"}', "[]"):  # another's file
        card_path(path).write_text(other)
        load_classifier(path, label="good")


def test_weights_that_are_no_numbers_are_an_error(make_model, tmp_path):
    data = bytearray(Path(make_model()).read_bytes())
    data[-40:] = b"\xff" * 40  # the output matrix: 2 x 5 of four bytes
    path = tmp_path / "nan.bin"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"nan\.bin: "):
        load_classifier(str(path), label="good").scores(TEXTS)
