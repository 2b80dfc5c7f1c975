"""Texts are compared by their letters, addresses by their pages."""

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.dedup.bands import NO_KEY
from seiryu.dedup.digests import NONE, address, digests, words
from seiryu.dedup.normal import normal, normalised


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("清流の　音\r\n が聞こえる", "清流の音が聞こえる"),
        ("ＡＢＣ１２３ｱｲｳ", "abc123アイウ"),
        ("か\u3099", "が"),
        ("価格は1,200円。", "価格は1,200円。"),
        ("　\n\t", ""),
    ],
)
def test_width_case_and_white_space_do_not_count(text: str, compared: str) -> None:
    assert normal(text) == compared


japanese = st.text(st.sampled_from("かがは゛゜ハﾊﾞﾟ\u3099\u309aABＡé\u0301가\u1100\u1161\u11a8a①㍿ 　\n。｡漢𠮷ヷ"), max_size=30)


@given(st.text() | japanese)
@settings(max_examples=2000)
def test_what_is_compared_is_nfkc_in_lower_case_without_white_space(text: str) -> None:
    expected = "".join(letter for letter in unicodedata.normalize("NFKC", text).lower() if not letter.isspace())
    assert normal(text) == expected


def test_columns_of_any_layout_are_compared_row_for_row() -> None:
    chunked = pa.chunked_array([pa.array(["x", "Ａ"]).slice(1), pa.array([], pa.string()), pa.array(["", "ｂ c"])])
    assert normalised(chunked).to_pylist() == ["a", "", "bc"]


@pytest.mark.parametrize(
    "same",
    [
        "http://example.jp/a?b=1", "https://example.jp/a?b=1#c", "HTTPS://EXAMPLE.JP:443/a?b=1", "http://example.jp:80/a?b=1#",
        "//example.jp/a?b=1", "http://user@example.jp/a?b=1", "http://example.jp./a?b=1",
    ],
)  # fmt: skip
def test_scheme_fragment_case_of_the_host_and_usual_ports_are_no_other_page(same: str) -> None:
    assert address(same) == "example.jp/a?b=1"


def test_other_paths_hosts_and_ports_are_other_pages() -> None:
    some = ["http://example.jp", "http://example.jp/a", "http://example.jp/A", "http://www.example.jp", "http://example.jp:8080",
            "http://example.jp/?a", "urn:x", ""]  # fmt: skip
    assert len({address(url) for url in some}) == len(some)
    assert address("http://example.jp") == address("http://example.jp/")
    assert address("http://example.jp?a") == address("http://example.jp/?a")


@given(st.lists(st.text(max_size=5)))
def test_digests_are_equal_for_equal_texts_and_nobodys_for_empty_ones(some: list[str]) -> None:
    found = digests(some)
    for left, one in zip(some, found.to_pylist(), strict=True):
        assert (one == NONE) == (left == "")
        assert [other == one for other in found.to_pylist()] == [right == left for right in some]
    pairs = words(pa.chunked_array([found, found.slice(1)]))
    assert pairs.shape == (len(found) + len(found.slice(1)), 2)
    assert [int(key) for key in pairs[: len(some), 0]] == [int.from_bytes(one[:8], "little") for one in found.to_pylist()]
    assert all((pairs[: len(some), 0] == NO_KEY) == np.array([text == "" for text in some], np.bool_))
