"""What a request to take down hits, and that what cannot be one is refused."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.commands.takedown import takedown_command
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.takedown import Rules, check_not_lost, rules_of, write_entries

PAGES = {
    "doc_id": ["a", "b", "c", "d", "e"],
    "url": [
        "http://x.jp/1",
        "https://www.x.jp/1#top",
        "https://notx.jp/1?q=1",
        "http://u:p@Y.jp:80/a",
        "https://xn--wgv71a119e.jp/",
    ],
    "host": ["x.jp", "www.x.jp", "notx.jp", "y.jp", "xn--wgv71a119e.jp"],
}


def hits(**rules: list[str]) -> list[str]:
    made = Rules(*(frozenset(rules.get(kind, [])) for kind in ("hosts", "urls", "ids")))
    return made.hits(pa.table(PAGES)).to_pylist()


def test_a_host_hits_itself_and_those_below_it_and_no_other() -> None:
    assert hits(hosts=["x.jp"]) == ["host x.jp", "host x.jp", "", "", ""]
    assert hits(hosts=["www.x.jp"]) == ["", "host www.x.jp", "", "", ""]
    assert hits(hosts=["jp.x", "x"]) == [""] * 5


def test_an_address_hits_whatever_its_scheme_and_fragment() -> None:
    assert hits(urls=["http://www.x.jp/1"]) == ["", "url https://www.x.jp/1#top", "", "", ""]
    assert hits(urls=["notx.jp/1?q=1", "https://notx.jp/1"]) == ["", "", "url https://notx.jp/1?q=1", "", ""]
    assert hits(urls=["https://y.jp/a#x"]) == ["", "", "", "url http://u:p@Y.jp:80/a", ""]


def test_an_id_hits_one_document_and_the_first_kind_that_hits_is_named() -> None:
    assert hits(ids=["c", "zz"]) == ["", "", "id c", "", ""]
    assert hits(ids=["a"], hosts=["x.jp"]) == ["id a", "host x.jp", "", "", ""]
    assert hits() == [""] * 5


def test_no_rows_are_no_hits() -> None:
    empty = pa.table({name: pa.array([], pa.string()) for name in PAGES})
    assert Rules(frozenset(["x.jp"]), frozenset(["x.jp/1"]), frozenset(["a"])).hits(empty).to_pylist() == []


def test_rules_of_all_requests_hold_and_their_order_changes_nothing(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert not rules_of(store)
    first = {"hosts": ["b.jp"], "urls": [], "ids": ["1"]}
    second = {"hosts": ["a.jp", "b.jp"], "urls": ["c.jp/x"], "ids": []}
    write_entries(store, [first, second])
    one = rules_of(store)
    write_entries(store, [second, first])
    assert one.digest() == rules_of(store).digest()
    assert one.names() == ["host a.jp", "host b.jp", "url c.jp/x", "id 1"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"version": 1}', b'{"version": 1, "entries": [{"hosts": "x.jp"}]}', b'{"version": 2, "entries": []}'],
)
def test_a_damaged_list_stops_the_run_instead_of_letting_pages_back_in(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "takedown.json").write_bytes(content)
    with pytest.raises(InputError, match=r"takedown\.json"):
        rules_of(Store(str(tmp_path)))


def test_a_list_that_is_gone_stops_the_run(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    check_not_lost(store)
    store.write_json("units/takedown/all.json", {})
    with pytest.raises(InputError, match=r"takedown\.json is gone, and pages were taken down by it: bring it back"):
        check_not_lost(store)
    write_entries(store, [])
    check_not_lost(store)


@pytest.mark.parametrize(
    ("hosts", "urls", "ids", "problem"),
    [
        ([], [], "", "nothing to take down"),
        (["http://x.jp/"], [], "", "name the host alone: x.jp"),
        (["co.jp"], [], "", "public suffix"),
        (["x y"], [], "", "no host"),
        ([], ["ftp://x.jp/a"], "", "an address such as"),
        ([], ["https://x.jp"], "", "--host x.jp takes down all of it"),
        ([], ["page.html"], "", "--host page.html"),
        ([], ["x"], "", "an address such as"),
        ([], [], "nowhere.txt", "--ids nowhere.txt"),
    ],
)
def test_what_cannot_be_taken_down_is_refused_with_what_to_name(
    hosts: list[str], urls: list[str], ids: str, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        takedown_command("nowhere", hosts, urls, ids, "", dry_run=True, as_json=False)


@pytest.mark.parametrize(("content", "problem"), [("", "no doc_id in it"), (f"{'0' * 32}\nabc\n", "line 2: 'abc' is no doc_id")])
def test_a_list_of_ids_is_read_strictly(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "ids").write_text(content)
    with pytest.raises(ConfigError, match=problem):
        takedown_command("nowhere", [], [], str(tmp_path / "ids"), "", dry_run=True, as_json=False)


def test_a_run_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run"):
        takedown_command(str(tmp_path), ["x.jp"], [], "", "", dry_run=True, as_json=False)
    (tmp_path / "run.json").write_text(json.dumps({"config": {"tokenize": {"seed": "of an earlier version"}}}))
    with pytest.raises(InputError, match="written by another version"):
        takedown_command(str(tmp_path), ["x.jp"], [], "", "", dry_run=True, as_json=False)
