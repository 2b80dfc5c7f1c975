"""How a request is read, and what it hits: hosts and addresses however they are written, each rule counted for itself."""

import io
import json
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus.storage import Store
from seiryu.pipelines.commands.takedown import doc_ids_of, host_of, url_of
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.takedown import Rules, comparable, rules_of
from seiryu.pipelines.taking_down import HIT, Sum, by_rule, by_shard, total

UUID = "04184f13-c7df-4ae7-8a04-929f684cf870"


@pytest.mark.parametrize(
    ("said", "host"),
    [
        ("Example.JP", "example.jp"),
        ("example.jp.", "example.jp"),
        ("*.example.jp", "example.jp"),
        ("日本語.jp", "xn--wgv71a119e.jp"),
        ("www.日本語。ｊｐ", "www.xn--wgv71a119e.jp"),
        ("192.0.2.7", "192.0.2.7"),
        ("someone.hatenablog.com", "someone.hatenablog.com"),
    ],
)
def test_a_host_is_brought_into_the_one_form(said: str, host: str) -> None:
    assert host_of(said) == host


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("https://example.jp", "name the host alone: example.jp"),
        ("example.jp/page", "name the host alone: example.jp"),
        ("example.jp:8080", "pages of all ports are hit: name the host alone, example.jp"),
        ("jp", "public suffix"),
        ("", "no host"),
    ],
)
def test_what_is_no_host_is_refused(said: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        host_of(said)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://日本語.jp/記事?頁=1", "http://xn--wgv71a119e.jp/%E8%A8%98%E4%BA%8B?%E9%A0%81=1"),
        ("https://x.jp/%e3%81%82", "https://x.jp/%E3%81%82"),
        ("https://X.jp:443/a#b", "http://x.jp:80/a"),
        (" https://x.jp/a ", "https://x.jp/a"),
    ],
)
def test_two_ways_to_write_one_address_are_the_same(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    "other",
    ["https://x.jp/A", "https://x.jp/a/", "https://x.jp/a?b", "https://www.x.jp/a", "https://x.jp:8080/a", "https://x.jp/%61"],
)
def test_what_may_be_another_page_is_another_address(other: str) -> None:
    assert comparable("https://x.jp/a") != comparable(other)


def test_an_address_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(ConfigError, match="write other bytes of an address as %XX"):
        url_of("https://x.jp/\udcff")


def test_doc_ids_are_whole_in_any_spelling_of_a_record_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ids").write_text(f"\ufeff{UUID.upper()}\n\n# a letter of 3 May\n<urn:uuid:{UUID}>  # twice\r\n{'0f' * 16}\n")
    assert doc_ids_of(str(tmp_path / "ids")) == {UUID, "0f" * 16}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(UUID.encode())))
    assert doc_ids_of("-") == {UUID}
    for wrong in (UUID[:-1], UUID.replace("-", "") + "0", f"{UUID} {UUID}", "../etc", f"{UUID[:8]}\x1b[31m"):
        (tmp_path / "ids").write_text(wrong)
        with pytest.raises(ConfigError, match=r"line 1: .* is no doc_id") as error:
            doc_ids_of(str(tmp_path / "ids"))
        assert "\x1b" not in str(error.value)
    (tmp_path / "ids").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        doc_ids_of(str(tmp_path / "ids"))
    with pytest.raises(ConfigError, match="Is a directory"):
        doc_ids_of(str(tmp_path))


def test_what_a_person_wrote_into_the_file_by_hand_holds_too(tmp_path: Path) -> None:
    entry = {"hosts": ["日本語.JP"], "urls": [], "ids": [UUID.upper()]}
    (tmp_path / "takedown.json").write_text(json.dumps({"version": 1, "entries": [entry]}))
    rules = rules_of(Store(str(tmp_path)))
    assert rules == Rules(frozenset({"xn--wgv71a119e.jp"}), frozenset(), frozenset({UUID}))


LABELS = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=4).map(".".join)


@given(hosts=st.lists(LABELS, max_size=12), rules=st.frozensets(LABELS, max_size=5))
def test_a_host_is_hit_if_it_or_one_above_it_is_named(hosts: list[str], rules: frozenset[str]) -> None:
    table = pa.table({"doc_id": hosts, "url": [f"https://{host}/" for host in hosts], "host": hosts}, HIT_BY)
    found = Rules(hosts=rules).hits(table).to_pylist()
    assert [bool(rule) for rule in found] == [any(f".{host}".endswith(f".{rule}") for rule in rules) for host in hosts]


HIT_BY = pa.schema([HIT.field(name) for name in ("doc_id", "url", "host")])


def test_each_rule_is_counted_for_itself_and_copies_are_one_document() -> None:
    rows = [
        ("1", "https://x.jp/1", "x.jp", 0, 10, "train-00000-of-00002"),
        ("1", "https://x.jp/1", "x.jp", 1, 10, "train-00001-of-00002"),
        ("2", "https://w.x.jp/2#a", "w.x.jp", 0, 5, "train-00000-of-00002"),
        ("3", "https://y.jp/3", "y.jp", 0, 7, "validation-00000-of-00001"),
    ]
    hit = pa.table(dict(zip(HIT.names, map(list, zip(*rows, strict=True)), strict=True)), HIT)
    rules = Rules(frozenset({"x.jp", "w.x.jp", "z.jp"}), frozenset({"http://w.x.jp/2", "https://y.jp/4"}), frozenset({"3", "4"}))
    assert by_rule(hit, rules) == {
        "host w.x.jp": Sum(1, 1, 5),
        "host x.jp": Sum(2, 3, 25),
        "host z.jp": Sum(),
        "url http://w.x.jp/2": Sum(1, 1, 5),
        "url https://y.jp/4": Sum(),
        "id 3": Sum(1, 1, 7),
        "id 4": Sum(),
    }
    assert by_shard(hit) == {
        "train-00000-of-00002": Sum(2, 2, 15),
        "train-00001-of-00002": Sum(1, 1, 10),
        "validation-00000-of-00001": Sum(1, 1, 7),
    }
    assert total(hit) == Sum(3, 4, 32)
    assert by_rule(HIT.empty_table(), rules) == dict.fromkeys(rules.names(), Sum())
    assert total(HIT.empty_table()) == Sum()
