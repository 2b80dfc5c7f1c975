"""The stage that looks for test items: its tables, what makes it work again, and what is told of a run."""

import gzip
import json
import time
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from page_tables import write

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError, load_config
from seiryu.pipelines.measured import signals_schema, to_measure
from seiryu.pipelines.reporting.contamination import as_json, as_text, contamination
from seiryu.pipelines.stages import contamination as stage
from seiryu.pipelines.unit import Sidecar, Unit

QUIZ = [
    {"id": "q1", "question": "電車に乗る前に、改札口で機械に通すものは何ですか？", "choices": ["切符", "財布"]},
    {"id": "q2", "question": "江戸幕府の第三代将軍で、参勤交代の制度を定めた人物は誰ですか。", "choices": ["家康", "家光"]},
    {"id": "q3", "question": "はい？", "choices": []},
]
SUMS = [{"text": "太郎は1個80円のりんごを6個と、120円のみかんを3個買いました。全部でいくら払いましたか？"}]
CLEAN = "吾輩は猫である。名前はまだ無い。\nどこで生れたかとんと見当がつかぬ。"
PAGES = [
    CLEAN, f"前書き。\n{QUIZ[0]['question']}\n切符です。", f"{SUMS[0]['text']}{CLEAN}{QUIZ[0]['question']}", f"問：{QUIZ[1]['question']}",
]  # fmt: skip


def save(file: Path, rows: list[dict[str, object]]) -> str:
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return str(file)


def config_of(folder: Path, **changes: object) -> Config:
    quiz, sums = save(folder / "quiz.jsonl", QUIZ), save(folder / "sums.jsonl", SUMS)
    section = {"benchmarks": {"quiz": {"path": quiz, "fields": ["question"]}, "SUMS-ja": {"path": sums}}} | changes
    value = {"run": str(folder / "run"), "source": {"paths": ["none"]}, "decontaminate": section}
    return Config.model_validate_json(json.dumps(value))


def survivors(store: Store, config: Config, unit: str, texts: list[str]) -> pa.ChunkedArray:
    """The tables from which a unit's survivors are read: all pages but a first, which is a near-duplicate; their ids."""
    ids = [f"{unit}-{row}" for row in range(len(texts) + 1)]
    rows, said = len(ids), {"doc_id": ids, "text": [QUIZ[0]["question"], *texts]}
    write(store, f"documents/{unit}.parquet", schema.DOCUMENTS, said, rows)
    write(store, f"signals/{unit}.parquet", signals_schema(to_measure(config)), said, rows)
    write(store, f"addresses/{unit}.parquet", schema.ADDRESSES, said, rows)
    write(store, f"verdicts/{unit}.parquet", schema.VERDICTS, said, rows)
    write(store, f"dedup/{unit}.parquet", schema.DECISIONS, said | {"verdict": ["near_duplicate", *["kept"] * len(texts)]}, rows)
    return pa.chunked_array([ids[1:]])


def work(store: Store, config: Config, unit: str = "a"):
    return stage.work(Unit("contamination", unit, {}, {}), config, store)


def test_each_item_in_each_document_is_a_row_with_its_stretches(tmp_path: Path) -> None:
    store, config = Store(str(tmp_path / "run")), config_of(tmp_path)
    ids = survivors(store, config, "a", PAGES)
    result = work(store, config)
    result.counts.check("contamination")
    assert (result.counts.records, result.counts.kept, dict(result.counts.extra)) == (4, 4, {"contaminated": 3, "found": 4})
    rows = pq.read_table(store.path("contamination/a.parquet")).to_pylist()
    found = [(row["doc_id"], row["benchmark"], row["item"], row["share"]) for row in rows]
    assert found == [("a-2", "quiz", 1, 1), ("a-3", "SUMS-ja", 1, 1), ("a-3", "quiz", 1, 1), ("a-4", "quiz", 2, 1)]
    at = stage.found_in(store, config, "a", ids)
    assert {place: found.benchmarks for place, found in at.items()} == {1: ("quiz",), 2: ("SUMS-ja", "quiz"), 3: ("quiz",)}
    texts = {place: [PAGES[place][begin:end] for begin, end in found.spans] for place, found in at.items()}
    assert texts[1] == [QUIZ[0]["question"].rstrip("？")]
    assert texts[2] == [SUMS[0]["text"].rstrip("？"), QUIZ[0]["question"].rstrip("？")]


def test_tables_of_other_documents_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    store, config = Store(str(tmp_path / "run")), config_of(tmp_path)
    ids = survivors(store, config, "a", PAGES)
    work(store, config)
    with pytest.raises(InputError, match="belongs to other documents"):
        stage.found_in(store, config, "a", ids.slice(0, 2))
    name = "contamination/a.parquet"
    store.write(name, store.read(name)[:-30])
    with pytest.raises(InputError, match=f"{name} is damaged"):
        stage.found_in(store, config, "a", ids)


def test_a_file_in_which_nothing_stands_has_an_empty_table(tmp_path: Path) -> None:
    store, config = Store(str(tmp_path / "run")), config_of(tmp_path)
    for unit, texts in (("a", [CLEAN]), ("b", [])):
        ids = survivors(store, config, unit, texts)
        assert work(store, config, unit).counts.records == len(texts)
        assert stage.found_in(store, config, unit, ids) == {}


def test_it_is_there_only_where_benchmarks_are(tmp_path: Path) -> None:
    config = config_of(tmp_path, benchmarks={})
    assert not stage.STAGE.wanted(config)
    assert stage.STAGE.settings(config) == {}
    assert stage.found_in(Store(str(tmp_path)), config, "a", pa.chunked_array([["x"]])) == {}
    assert stage.STAGE.wanted(config_of(tmp_path))


def test_only_what_decides_is_in_the_settings(tmp_path: Path) -> None:
    before = stage.settings(config_of(tmp_path))
    assert before["benchmarks"]["quiz"]["items"] == 3
    assert before["benchmarks"]["quiz"]["short"] == 1
    assert stage.settings(config_of(tmp_path, action="cut")) == before
    packed = tmp_path / "moved.gz"
    packed.write_bytes(gzip.compress((tmp_path / "quiz.jsonl").read_bytes()))
    moved = {"SUMS-ja": {"path": str(tmp_path / "sums.jsonl")}, "quiz": {"path": str(packed), "fields": ["question"]}}
    assert stage.settings(config_of(tmp_path, benchmarks=moved)) == before
    for change in ({"ngram": 11}, {"min_share": 0.7}, {"min_letters": 6}, {"benchmarks": {"quiz": moved["quiz"]}},
                   {"benchmarks": moved | {"quiz": {"path": str(packed), "fields": ["question", "choices"]}}}):  # fmt: skip
        assert stage.settings(config_of(tmp_path, **change)) != before


def test_what_goes_by_the_tables_is_made_of_them(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(stage, "survivor_inputs", lambda _: {"a": {"dedup": "1"}, "b": {"dedup": "2"}})
    done = {"a": SimpleNamespace(digest="3")}
    state = SimpleNamespace(config=config_of(tmp_path), completed=lambda _: done)
    assert stage.looked_at_inputs(state) == {"a": {"dedup": "1", "contamination": "3"}}
    state.config = config_of(tmp_path, benchmarks={})
    assert stage.looked_at_inputs(state) == {"a": {"dedup": "1"}, "b": {"dedup": "2"}}


def test_a_file_that_changes_is_read_again_in_the_same_process(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    before = stage.settings(config)
    assert stage.benchmarks(config) is stage.benchmarks(config)
    time.sleep(0.01)
    save(tmp_path / "quiz.jsonl", QUIZ[::-1])
    assert stage.settings(config)["benchmarks"]["quiz"]["sha256"] != before["benchmarks"]["quiz"]["sha256"]


@pytest.mark.parametrize(
    ("benchmark", "message"),
    [
        ({"path": "nowhere.jsonl"}, "decontaminate.benchmarks.bad: nowhere.jsonl does not exist"),
        (
            {"path": "quiz.jsonl", "fields": ["question", "answer"]},
            'bad: .*quiz.jsonl: no line has the field "answer"; there are id, question',
        ),
        ({"path": "broken.jsonl"}, "bad: .*broken.jsonl, line 2: not JSON"),
        (
            {"path": "quiz.jsonl", "fields": ["choices"]},
            "benchmarks.bad: none of its 3 items can be looked for: 3 hold no text of 10 letters",
        ),
    ],
)
def test_a_benchmark_that_cannot_be_used_is_told_by_name(tmp_path: Path, monkeypatch, benchmark: dict, message: str) -> None:
    (tmp_path / "broken.jsonl").write_text('{"a": "b"}\n{\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message) as raised:
        stage.benchmarks(config_of(tmp_path, benchmarks={"bad": benchmark}))
    assert raised.value.field[:2] == ("decontaminate", "benchmarks")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{min_letters: 11}", "config.yaml:4: decontaminate: .*min_letters is for texts shorter than ngram"),
        ("{min_share: 0}", "config.yaml:4: decontaminate.min_share"), ("{action: delete}", "config.yaml:4: decontaminate.action"),
        ("{benchmarks: {a/b: {path: x}}}", "config.yaml:4: decontaminate.benchmarks"),
        ("{benchmarks: {a: {file: x}}}", 'config.yaml:4: .*file: unknown key; did you mean|config.yaml:4: decontaminate.benchmarks.a'),
    ],
)  # fmt: skip
def test_a_section_that_means_nothing_is_told_with_its_line(tmp_path: Path, section: str, message: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"run: {tmp_path}/run\nsource:\n  paths: [x]\ndecontaminate: {section}\n")
    with pytest.raises(ConfigError, match=message):
        load_config(str(file))


def test_the_report_has_a_line_for_each_benchmark(tmp_path: Path) -> None:
    store, config = Store(str(tmp_path / "run")), config_of(tmp_path)
    done = {}
    for unit, texts in (("a", PAGES), ("b", [*PAGES[:2], QUIZ[0]["question"] * 2])):
        survivors(store, config, unit, texts)
        result = work(store, config, unit)
        made_of = {"settings": json.loads(json.dumps(stage.settings(config)))}
        done[unit] = Sidecar("contamination", unit, made_of, tuple(result.outputs), result.counts, 0)
    found = contamination(SimpleNamespace(store=store, completed=lambda _: done))
    sums, quiz = len(SUMS[0]["text"]) - 1, [len(row["question"]) - 1 for row in QUIZ]
    assert as_json(found) == [
        {"benchmark": "SUMS-ja", "items": 1, "short": 0, "common": 0, "documents": 1, "found": 1, "letters": sums, "most": ((1, 1),)},
        {"benchmark": "quiz", "items": 3, "short": 1, "common": 0, "documents": 5, "found": 2,
         "letters": 4 * quiz[0] + quiz[1] + quiz[0] + 1, "most": ((1, 4), (2, 1))},
    ]  # fmt: skip
    text = as_text(found[1])
    assert text.startswith("quiz: 2 of 3 items (1 too short: not looked for) in 5 documents, ")
    assert text.endswith("; most: line 1 in 4")
    assert contamination(SimpleNamespace(store=store, completed=lambda _: {})) == []
