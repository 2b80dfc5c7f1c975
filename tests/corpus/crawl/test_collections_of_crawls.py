import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus.crawl.collections import chosen_crawls, known_crawls
from seiryu.corpus.errors import InputError

ARC = ("CC-MAIN-2008-2009", "CC-MAIN-2009-2010", "CC-MAIN-2012")
WARC = ("CC-MAIN-2013-20", "CC-MAIN-2013-48", "CC-MAIN-2014-10", "CC-MAIN-2023-06", "CC-MAIN-2023-50", "CC-MAIN-2024-33")
KNOWN = ARC + WARC


def collinfo(ids):
    """As index.commoncrawl.org answers: newest first."""
    return json.dumps([
        {"id": crawl, "name": f"{crawl} Index", "timegate": f"https://index.commoncrawl.org/{crawl}/",
         "cdx-api": f"https://index.commoncrawl.org/{crawl}-index", "from": "2024-08-02T23:38:41", "to": "2024-08-16T07:31:47"}
        for crawl in reversed(ids)
    ]).encode()  # fmt: skip


def test_the_crawls_of_collinfo_come_oldest_first():
    assert known_crawls(collinfo(KNOWN), "collinfo.json") == KNOWN


def test_a_collection_that_is_no_main_crawl_is_left_out():
    ids = (*KNOWN, "CC-NEWS-2024", "CC-MAIN-2024-33/../..", "CC-MAIN-２０２４", "CC-MAIN-2024-33\n")
    assert known_crawls(collinfo([*ids, ids[0]]), "x") == KNOWN


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>", "is not JSON, it begins with b'<!DOCTYPE html>"),
        (b"", "is not JSON"),
        (b"\xff\xfe\x00\x93", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (collinfo(KNOWN)[:300], "is not JSON"),
        (b'{"message": "slow down"}', "is not a list of crawls"),
        (b'["CC-MAIN-2024-33"]', "is not a list of crawls"),
        (b'[{"id": 7}]', "is not a list of crawls"),
        (b'[{"name": "CC-MAIN-2024-33"}]', "is not a list of crawls"),
        (b"[]", "lists no crawl"),
        (b'[{"id": "CC-NEWS"}]', "lists no crawl"),
    ],
)
def test_what_is_no_list_of_crawls_is_said_in_one_line(data, why):
    with pytest.raises(InputError) as error:
        known_crawls(data, "https://index.example/collinfo.json")
    assert str(error.value).startswith("https://index.example/collinfo.json " + why)
    assert "\n" not in str(error.value)
    assert "try again later" in str(error.value)


@given(st.binary() | st.recursive(st.none() | st.text() | st.floats(), lambda x: st.lists(x) | st.dictionaries(st.just("id") | st.text(), x)).map(
    lambda value: json.dumps(value).encode()))  # fmt: skip
def test_no_answer_of_a_server_makes_it_fail_otherwise(data):
    try:
        assert known_crawls(data, "x")
    except InputError:
        return


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["CC-MAIN-2023-50"], ["CC-MAIN-2023-50"]),
        (["latest"], ["CC-MAIN-2024-33"]),
        (["CC-MAIN-2024-33", "latest", "CC-MAIN-2023-06"], ["CC-MAIN-2023-06", "CC-MAIN-2024-33"]),
        (["CC-MAIN-2023-06..CC-MAIN-2024-33"], ["CC-MAIN-2023-06", "CC-MAIN-2023-50", "CC-MAIN-2024-33"]),
        (["CC-MAIN-2023-06 .. CC-MAIN-2023-06"], ["CC-MAIN-2023-06"]),
        (["CC-MAIN-2023-50.."], ["CC-MAIN-2023-50", "CC-MAIN-2024-33"]),
        (["CC-MAIN-2023-50..latest"], ["CC-MAIN-2023-50", "CC-MAIN-2024-33"]),
        (["latest.."], ["CC-MAIN-2024-33"]),
        (["..CC-MAIN-2014-10"], ["CC-MAIN-2013-20", "CC-MAIN-2013-48", "CC-MAIN-2014-10"]),
        ([".."], list(WARC)),
        (["CC-MAIN-2023-50..", "..CC-MAIN-2013-20"], ["CC-MAIN-2013-20", "CC-MAIN-2023-50", "CC-MAIN-2024-33"]),
    ],
)
def test_crawls_are_chosen_by_name_by_range_and_as_the_latest(wanted, chosen):
    assert list(chosen_crawls(wanted, KNOWN)) == chosen
    assert list(chosen_crawls(wanted, KNOWN[::-1])) == chosen


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("CC-MAIN-2024-34", "there is no crawl 'CC-MAIN-2024-34'; the nearest is CC-MAIN-2024-33, the latest CC-MAIN-2024-33"),
        ("CC-MAIN-2014-01", "nearest is CC-MAIN-2013-48"),
        ("CC-MAIN-2030-01", "nearest is CC-MAIN-2024-33"),
        ("cc-main-2023-50", "nearest is CC-MAIN-2023-50"),
        ("CC-MAIN-2023_06", "nearest is CC-MAIN-2023-06"),
        ("2023-06", "nearest is CC-MAIN-2023-06"),
        ("", "there is no crawl ''"),
        ("CC-MAIN-2023-07..latest", "there is no crawl 'CC-MAIN-2023-07'; the nearest is CC-MAIN-2023-06"),
        ("CC-MAIN-2023-06..CC-MAIN-2023-51", "nearest is CC-MAIN-2023-50"),
        (
            "CC-MAIN-2024-33..CC-MAIN-2023-06",
            "holds no crawl: CC-MAIN-2024-33 is later than CC-MAIN-2023-06; name the older one first",
        ),
        ("..CC-MAIN-2012", "holds no crawl"),
        ("CC-MAIN-2012", "names CC-MAIN-2012, which holds ARC files, and seiryu reads WARC; begin at CC-MAIN-2013-20"),
        ("CC-MAIN-2009-2010..CC-MAIN-2023-06", "names CC-MAIN-2009-2010, which holds ARC files"),
    ],
)
def test_a_choice_that_cannot_be_is_explained(wanted, why):
    with pytest.raises(InputError) as error:
        chosen_crawls(["latest", wanted], KNOWN)
    assert why in str(error.value)


def test_choosing_nothing_or_from_nothing_is_an_error():
    with pytest.raises(InputError, match="no crawl is named; name one, such as CC-MAIN-2024-33"):
        chosen_crawls([], KNOWN)
    with pytest.raises(InputError, match="no crawl of WARC files is known"):
        chosen_crawls(["latest"], ARC)
