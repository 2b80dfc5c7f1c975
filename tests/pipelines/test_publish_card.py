"""The card's words: strings from outside stay text, and what is not known is said to be not known."""

import re
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard, DatasetCardData
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from seiryu.pipelines.publishing import escaping
from seiryu.pipelines.publishing.card import Said, card, front_matter, missing, size_category
from seiryu.pipelines.publishing.checksums import read_sums, sums
from seiryu.pipelines.publishing.layout import File, configs

HOSTILE = (
    "<script>alert(1)</script>", "[click](javascript:alert(1))", "![x](https://example.org/p.png)", "a | b |\n|---|", "`code` ``x``",
    "\n# Heading\n\n- item", "---\nlicense: mit\n---", "&lt;b&gt;", "**bold** _it_ ~~gone~~", "https://example.org/x www.example.org",
    "\u202egnp.exe", "{{ 7 * 7 }}{% raw %}", "a\\| b", "1. one", "> quote", "$x$", "me@example.org", "x\u2028y\x00z", "é日本 語",
)  # fmt: skip
FILES = [
    File(name, 1, "0" * 64, name)
    for name in ("data/train-0.parquet", "jsonl/train-0.jsonl.zst", "megatron/train-0.bin", "provenance/train-0.parquet")
]
MARKDOWN = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])


def shown(text: str) -> str:
    """What a reader must see of a string: no controls, one line."""
    return escaping.one_line(text)


def plain(html: str) -> str:
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        html = html.replace(entity, letter)
    return html


@pytest.mark.parametrize("make", [escaping.text, escaping.code])
@given(text=st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60), st.text("<>[](){}`*_|\\&#!~-+.:/@a1 \n", max_size=40)))
def test_a_string_from_outside_is_text_in_a_table_whatever_it_holds(make: Any, text: str) -> None:
    html = MARKDOWN.render(f"| a | b |\n|---|---|\n| x{make(text)}y | end |\n")
    cells = re.findall(r"<td>(.*?)</td>", html, re.DOTALL)
    assert len(cells) == 2
    assert cells[1] == "end"
    seen = re.sub(r"^x<code>(.*)</code>y$", r"x\1y", cells[0])
    assert plain(seen) == f"x{shown(text)}y"
    assert set(re.findall(r"<[^>]*>", html)) <= set(re.findall(r"</?(?:table|thead|tbody|tr|th|td|code)>", html))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_string_from_outside_begins_no_block_and_no_link(text: str) -> None:
    html = MARKDOWN.render(f"- {escaping.text(text)}\n\n{escaping.text(text)}\n")
    assert set(re.findall(r"<(\w+)", html)) <= {"ul", "li", "p"}
    assert "javascript:" not in re.sub(r">[^<]*<", "><", html)
    assert not re.search(r"(?<!\\):(?=//)|(?<!\\)@", escaping.text(text))  # by which GitHub and the hub find links


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_stays_one_value_of_the_front_matter(text: str) -> None:
    page = card(Said(name=text, license=text, contact=text, homepage=text), facts(source_names=[text]), FILES)
    data = DatasetCard(page).data
    assert data.pretty_name == shown(text)
    assert data.license == "other"
    assert re.fullmatch(r"[a-z0-9-]+", data.to_dict()["license_name"])
    assert yaml.safe_load(page.split("---\n")[1])["language"] == ["ja"]
    headings = re.findall(r"^#+ .*$", page, re.MULTILINE)
    assert headings[1:] == [
        "## What is in it", "## How to load", "## Where it is from", "## How it was filtered", "## Known gaps", "## Licences", "## Removal",
        "## How it was made",
    ]  # fmt: skip
    assert "<script" not in page.split("\n---\n", 1)[1]


def test_what_is_not_known_is_said_to_be_not_known() -> None:
    page = card(Said("Kiyoi"), facts(), FILES)
    assert "| train | 12 | not known | not known | 345 | 1 |" in page
    assert "end of document not known" in page
    assert "Pages fetched from not known to not known" in page
    assert "config sha256 not known" in page
    assert "None" not in page


def test_what_failed_and_what_was_set_aside_is_counted_by_reason() -> None:
    known = facts()
    known["gaps"] |= {"failed": {"extract": {"damaged": 1234, "timeout": 5}}, "set_aside": {"extract": 2}, "lost_bytes": 1500}
    page = card(Said("Kiyoi"), known, FILES)
    assert "Records that failed: `extract`: `damaged` 1,234, `timeout` 5." in page
    assert "set aside after all attempts: `extract` 2. What they hold is not in the dataset." in page
    assert "1.5 kB" in page


@pytest.mark.parametrize(
    ("rows", "category"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (99_999, "10K<n<100K"),
        (10**6, "1M<n<10M"),
        (5 * 10**8, "100M<n<1B"),
        (10**12, "n>1T"),
    ],
)
def test_the_size_is_the_hubs_class_of_the_true_number(rows: int, category: str) -> None:
    assert size_category(rows) == category


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", {"license": "unknown"}),
        ("ODC-By", {"license": "odc-by"}),
        ("Our terms, v2", {"license": "other", "license_name": "our-terms-v2"}),
    ],
)
def test_a_licence_that_the_hub_does_not_know_is_other_with_its_name(said: str, expected: dict[str, str]) -> None:
    made = front_matter(Said("x", license=said), facts(), [])
    assert {key: value for key, value in made.items() if key.startswith("license")} == expected
    assert DatasetCardData(**made).to_dict()["license"] == expected["license"]
    assert any("--license" in what for what in missing(Said(license=said))) is not bool(said)


def shard(name: str) -> File:
    return File(name, 1, "0" * 64, name)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["data/train-0.parquet", "jsonl/train-0.jsonl.zst", "provenance/train-0.parquet"], ["default", "provenance"]),
        (["tokens-parquet/test-0.parquet", "provenance/test-0.parquet"], ["tokens", "provenance"]),
        (["jsonl/train-0.jsonl.zst", "provenance/train-0.parquet"], ["jsonl"]),
        (["megatron/train-0.bin", "provenance/train-0.parquet"], ["provenance"]),
        ([], []),
    ],
)
def test_the_configs_are_of_one_kind_of_file_and_the_first_is_the_default(names: list[str], expected: list[str]) -> None:
    made = configs([shard(name) for name in names])
    assert [config["config_name"] for config in made] == expected
    assert [config.get("default") for config in made] == [True, *[None] * (len(made) - 1)] * bool(made)


def test_checksums_come_back_as_they_were_written() -> None:
    files = [File("data/b 1.parquet", 3, "b" * 64), File("a", 1, "a" * 64)]
    assert sums(files) == b"a" * 64 + b"  a\n" + b"b" * 64 + b"  data/b 1.parquet\n"
    assert read_sums(sums(files)) == {"a": "a" * 64, "data/b 1.parquet": "b" * 64}
    assert read_sums(b"no list\n\xff\n") == {}
    with pytest.raises(ValueError, match="cannot stand"):
        sums([File("a\nb", 1, "a" * 64)])


def facts(source_names: list[str] | None = None) -> dict[str, Any]:
    """Of a run of which little is known; names from outside wherever one can stand."""
    names = source_names or []
    rules = [{"name": name, "signal": name, "limits": name, "hit": 1, "only": 0, "first": 1} for name in names]
    return {
        "seiryu": "1", "python": None, "libraries": dict.fromkeys(names, "1"), "models": dict.fromkeys(names, "1"),
        "config_sha256": None, "input_sha256": None,
        "funnel": [{"kind": "rejected", "stage": "decide", "name": name, "documents": 1, "letters": None, "tokens": None} for name in names],
        "splits": [{"split": "train", "shards": 1, "sequences": 12, "documents": None, "letters": None, "tokens": 345}],
        "rules": rules,
        "source": {"kind": "files", "by": None, "archives": names, "crawls": [{"crawl": name, "archives": 1} for name in names],
                   "first": None, "last": None, "extractor": "trafilatura", "languages": ["ja"], "least_score": 0.5},
        "tokenizer": {"name": names[0] if names else "llama3", "sha256": None, "eod": None, "bos": None},
        "duplicates": {"removed": dict.fromkeys(names, 1), "kept": 1, "bands": 1, "rows": 1, "shingle": 5, "threshold": 0.8,
                       "verify": "exact", "priority": "newest", "earlier_runs": 1},
        "hosts": {"known": 1, "left_out": 1, "named": names, "categories": names, "documents": 0, "addresses": 0, "max_share": {}},
        "personal_data": {}, "takedowns": [{"date": None, "documents": None, "sequences": None}],
        "contamination": {"action": "cut", "ngram": 10, "min_share": 0.8, "benchmarks": [
            {"benchmark": name, "items": 1, "short": 0, "common": 0, "documents": 1, "found": 1, "letters": 1, "most": []} for name in names]},
        "opt_outs": {"noai": names},
        "gaps": {"failed": {name: {name: 1} for name in names}, "set_aside": {}, "lost_bytes": 0, "screened": {}, "refused": 0,
                 "truncated": None, "languages_of_index": names, "rejected_by_index": {name: {name: 1} for name in names}},
        "shards": {"seed": names[0] if names else "seiryu", "keep_together": "cluster", "repeat": None},
    }  # fmt: skip
