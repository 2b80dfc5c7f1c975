"""Small parts of the pipeline, each by itself."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus.errors import LawBroken
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.sizes import human, size
from seiryu.pipelines.sources.files import archives
from seiryu.pipelines.sources.names import names, unit_names
from seiryu.pipelines.stages.tokenize import shuffle_key, split_key
from seiryu.pipelines.unit import difference

reasons = st.sampled_from(["a", "b", "c"])
counters = st.dictionaries(reasons, st.integers(0, 1000)).map(Counter)


def test_a_record_too_few_or_too_many_breaks_the_law() -> None:
    counts = Counts(10, 5, Counter(a=3), Counter(b=2))
    counts.check("here")
    for wrong in (9, 11):
        counts.records = wrong
        with pytest.raises(LawBroken, match=f"here: {wrong} records went in, 10 are accounted for"):
            counts.check("here")


@given(st.lists(st.tuples(st.integers(0, 1000), counters, counters, counters, counters), max_size=5))
def test_units_that_keep_the_law_keep_it_together_and_survive_their_sidecar(parts) -> None:
    total = Counts()
    for kept, rejected, failed, letters, extra in parts:
        records = kept + rejected.total() + failed.total()
        counts = Counts.from_json(Counts(records, kept, rejected, failed, letters, extra).to_json())
        counts.check("unit")
        total.add(counts)
    total.check("total")
    assert total.extra.total() == sum(part[4].total() for part in parts)


def test_the_order_of_documents_is_known_for_all_time() -> None:
    assert shuffle_key("0036c42e-7d4d-47c5-a6f5-c5ce723e249a", "seiryu") == 17143125611472803977
    assert shuffle_key("0036c42e-7d4d-47c5-a6f5-c5ce723e249a", "other") != 17143125611472803977


def test_keys_are_spread_evenly_and_the_split_does_not_follow_them() -> None:
    ids = [f"document {number}" for number in range(20_000)]
    keys = np.array([shuffle_key(doc_id, "s") for doc_id in ids], np.uint64)
    held_out = np.array([split_key(doc_id, "s") for doc_id in ids], np.uint64) < 2**62
    shares = np.histogram(keys.astype(np.float64), bins=10, range=(0, 2.0**64))[0] / len(ids)
    assert np.abs(shares - 0.1).max() < 0.01
    assert abs(held_out.mean() - 0.25) < 0.01
    assert abs(held_out[keys < 2**63].mean() - 0.25) < 0.02


def test_why_a_unit_is_stale_is_said_in_words() -> None:
    old = {"version": 1, "settings": {"low": 1, "high": 2}, "params": {}, "inputs": {"text": "a"}}
    new = {"version": 2, "settings": {"low": 1, "high": 3}, "params": {}, "inputs": {"text": "b"}}
    assert difference(old, new) == "input text changed; high: 2 -> 3; code version 1 -> 2"


def test_rules_that_differ_are_told_by_name_and_long_lists_by_their_length() -> None:
    old = {"settings": {"rules": [["a", "s", "1"], ["b", "t", "2"]]}, "params": {"files": [str(i) for i in range(90_000)]}}
    new = {"settings": {"rules": [["a", "s", "1"], ["b", "t", "3"]]}, "params": {"files": [str(i) for i in range(90_001)]}}
    assert difference(old, new) == 'files: 90,000 entries -> 90,001 entries; rules.b: ["t", "2"] -> ["t", "3"]'
    other = {"settings": {"rules": old["settings"]["rules"][::-1]}, "params": old["params"]}
    assert difference(old, other) == "the same in another order"


def test_a_signal_that_is_asked_for_twice_hides_no_change() -> None:
    old, new = ({"settings": {"screen": [["s", low, "inf"], ["s", "3", "inf"]]}} for low in ("1", "2"))
    assert difference(old, new) == 'screen: [["s", "1", "inf"], ["s", "3", "inf"]] -> [["s", "2", "inf"], ["s", "3", "inf"]]'


@given(st.integers(0, 10**15))
def test_a_size_is_read_from_a_number_or_its_text(number: int) -> None:
    assert size(number) == size(str(number)) == size(f"{number}B") == number
    assert human(number).split()[1] in ("B", "kB", "MB", "GB", "TB")


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5.5", "20 apples", "１０", True, None, [1]])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="a size such as 500, 20MB"):
        size(text)


def test_archives_are_called_by_as_much_of_their_path_as_tells_them_apart() -> None:
    paths = ["/here/2023/a.warc.gz", "/here/2024/a.warc.gz", "/here/b.warc", "/here/b.warc.zst"]
    assert names(paths) == ["2023/a.warc.gz", "2024/a.warc.gz", "b.warc", "b.warc.zst"]
    elsewhere = [path.replace("/here", "x/y") for path in paths]
    assert names(elsewhere) == names(paths)
    units = unit_names(names(paths))
    assert len(set(units)) == 4
    assert all("/" not in unit for unit in units)
    assert unit_names(["c.warc.gz"]) == ["c"]


def test_a_directory_gives_its_archives_and_a_glob_all_that_it_matches(tmp_path, monkeypatch) -> None:
    for name in ("a.warc.gz", "sub/b.warc.zst", "sub/notes.txt", "labels.jsonl.gz", "odd [1].warc"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)

    def found(*paths: str) -> list[str]:
        config = Config.model_validate_json(json.dumps({"run": "r", "source": {"paths": paths}}))
        return archives(config.source, config)

    assert found("in") == ["in/a.warc.gz", "in/odd [1].warc", "in/sub/b.warc.zst"]
    assert found("in/sub/*") == ["in/sub/b.warc.zst", "in/sub/notes.txt"]
    assert found("in/**/*.zst", "in") == ["in/sub/b.warc.zst", "in/a.warc.gz", "in/odd [1].warc"]
    assert found("in/odd [1].warc") == ["in/odd [1].warc"]
    with pytest.raises(ConfigError, match=r"source.paths\[1\]: nowhere names no archive"):
        found("in", "nowhere")
