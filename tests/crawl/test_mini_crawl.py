"""The miniature Common Crawl is what it claims to be, held against warcio record by record."""

import gzip
import io
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from index_table import SCHEMA, surt, url_columns
from mini_crawl import SAMPLES, MiniCrawl, Shape, make_mini_crawl
from warcio.archiveiterator import ArchiveIterator
from wrong_rows import ADDED, KINDS

LATEST = "CC-MAIN-2025-05"
# The two smallest archives with pages, of which one goes to each crawl.
SMALL = [SAMPLES / "CC-MAIN-2021-25-00000.warc.gz", SAMPLES / "CC-MAIN-2025-05-wire-00000.warc.gz"]
# As the columns are documented at https://github.com/commoncrawl/cc-index-table.
PUBLISHED = """url_surtkey url url_host_name url_host_tld url_host_2nd_last_part url_host_3rd_last_part url_host_4th_last_part
url_host_5th_last_part url_host_registry_suffix url_host_registered_domain url_host_private_suffix url_host_private_domain
url_host_name_reversed url_protocol url_port url_path url_query fetch_time fetch_status fetch_redirect content_digest
content_mime_type content_mime_detected content_charset content_languages content_truncated warc_filename warc_record_offset
warc_record_length warc_segment"""


@dataclass(frozen=True)
class Published:
    crawl: str
    subset: str


def published(mini_crawl: MiniCrawl) -> list[Published]:
    found = {(name.split("/")[1], name.split("/")[4]) for name in mini_crawl.archives}
    return [Published(*item) for item in sorted(found)]


def all_rows(made: MiniCrawl) -> list[dict]:
    return [row for item in published(made) for row in made.rows(item.crawl, item.subset).to_pylist()]


def member(made: MiniCrawl, row: dict) -> bytes:
    with (made.root / row["warc_filename"]).open("rb") as file:
        file.seek(row["warc_record_offset"])
        return file.read(row["warc_record_length"])


def test_the_index_says_what_warcio_reads_of_all_archives(mini_crawl: MiniCrawl) -> None:
    seen, languages = defaultdict(set), {}
    for name in mini_crawl.archives:
        with (mini_crawl.root / name).open("rb") as file:
            for record in ArchiveIterator(file):
                headers = record.rec_headers
                if record.rec_type in ("response", "revisit"):
                    digest = headers["WARC-Payload-Digest"].removeprefix("sha1:")
                    status = record.http_headers.get_statuscode()
                    seen[name].add((headers["WARC-Target-URI"], int(status), digest, headers["WARC-Truncated"]))
                    ident = headers["WARC-Record-ID"]
                elif record.rec_type == "metadata" and headers["WARC-Concurrent-To"] == ident:
                    line = next(
                        (text for text in record.content_stream().read().splitlines() if text.startswith(b"languages-cld2: ")),
                        b": {}",
                    )
                    found = [item["code-iso-639-3"] for item in json.loads(line.split(b": ", 1)[1]).get("languages", ())]
                    languages[name, headers["WARC-Target-URI"]] = ",".join(sorted(set(found), key=found.index)) or None
    indexed = defaultdict(set)
    for row in all_rows(mini_crawl):
        indexed[row["warc_filename"]].add((row["url"], row["fetch_status"], row["content_digest"], row["content_truncated"]))
        assert row["content_languages"] == languages.get((row["warc_filename"], row["url"]))
    assert indexed == seen
    assert sum(map(len, seen.values())) == 1827  # as samples/README.md counts: pages, the rest of the diagnostics, and 3 copies


def test_every_place_in_the_index_is_one_member_that_holds_that_record(mini_crawl: MiniCrawl) -> None:
    for row in all_rows(mini_crawl):
        data = member(mini_crawl, row)
        gzip.decompress(data)  # a whole member and nothing behind it, or this raises
        (record,) = ArchiveIterator(io.BytesIO(data))
        assert record.rec_headers["WARC-Target-URI"] == row["url"]
        assert record.rec_type == ("revisit" if row["content_mime_type"] == "warc/revisit" else "response")


def test_every_index_file_has_the_published_columns_in_their_order(mini_crawl: MiniCrawl) -> None:
    names = PUBLISHED.split()
    for path in sorted(mini_crawl.root.rglob("*.parquet")):
        schema = pq.read_schema(path)
        assert schema.names == names
        assert schema.equals(SCHEMA)
        others = {
            "url_port": pa.int32(),
            "fetch_status": pa.int16(),
            "warc_record_offset": pa.int32(),
            "warc_record_length": pa.int32(),
        }
        for name in set(names) - {"fetch_time"}:
            assert schema.field(name).type == others.get(name, pa.string())
        assert pa.types.is_timestamp(schema.field("fetch_time").type)


def test_the_index_files_of_a_crawl_are_several_and_sorted_through(mini_crawl: MiniCrawl) -> None:
    for crawl in mini_crawl.crawls:
        files = [pq.ParquetFile(path) for path in mini_crawl.index_files(crawl)]
        assert len(files) == 3
        assert all(file.num_row_groups >= 2 for file in files)
        keys = mini_crawl.rows(crawl)["url_surtkey"].to_pylist()
        assert keys == sorted(keys)


def test_the_lists_name_what_is_there_and_nothing_else(mini_crawl: MiniCrawl) -> None:
    listed = [f"crawl-data/{crawl}/{name}.paths.gz" for crawl in mini_crawl.crawls
              for name in ("warc", "cc-index-table", "segment", "robotstxt", "non200responses")]  # fmt: skip
    for crawl in mini_crawl.crawls:
        lists = {name: mini_crawl.listed(crawl, name) for name in ("warc", "cc-index-table", "robotstxt", "non200responses")}
        assert len(lists["warc"]) >= 2
        assert all(f"/{crawl}/segments/" in path and "/warc/" in path for path in lists["warc"])
        listed += [path for lines in lists.values() for path in lines]
        segments = {path.rsplit("/", 2)[0] + "/" for name, lines in lists.items() for path in lines if name != "cc-index-table"}
        assert sorted(segments) == mini_crawl.listed(crawl, "segment")
        assert all((mini_crawl.root / segment).is_dir() for segment in segments)
    there = [str(path.relative_to(mini_crawl.root)) for path in mini_crawl.root.rglob("*") if path.is_file()]
    assert sorted([*listed, "collinfo.json"]) == sorted(there)


def test_diagnostics_and_robots_have_subsets_of_their_own(mini_crawl: MiniCrawl) -> None:
    paths = mini_crawl.listed("CC-MAIN-2024-33", "cc-index-table")
    assert [path.split("/")[5] for path in paths] == ["subset=crawldiagnostics", "subset=robotstxt"] + 3 * ["subset=warc"]
    assert set(mini_crawl.rows("CC-MAIN-2024-33", "crawldiagnostics")["fetch_status"].to_pylist()) >= {301, 304, 404, 500}
    assert all("/robots" in url for url in mini_crawl.rows("CC-MAIN-2024-33", "robotstxt")["url"].to_pylist())


def test_the_list_of_crawls_begins_with_the_newest(mini_crawl: MiniCrawl) -> None:
    known = json.loads((mini_crawl.root / "collinfo.json").read_text())
    assert [entry["id"] for entry in known][:3] == [LATEST, "CC-MAIN-2024-33", "CC-MAIN-2012"]
    assert known[0]["cdx-api"] == "https://index.commoncrawl.org/CC-MAIN-2025-05-index"


def test_it_is_made_of_the_samples_and_the_same_every_time(mini_crawl: MiniCrawl, tmp_path: Path) -> None:
    sources = [path for path in mini_crawl.archives.values() if path]
    assert sorted(sources) == sorted(SAMPLES.glob("*.warc.gz"))
    assert all((mini_crawl.root / name).read_bytes() == path.read_bytes() for name, path in mini_crawl.archives.items() if path)
    for folder in "ab":
        make_mini_crawl(tmp_path / folder, SMALL, Shape(recrawled=2, wrong=("other_url",)))
    first, second = ({str(path.relative_to(tmp_path / folder)): path.read_bytes() for path in (tmp_path / folder).rglob("*.*")
                      if path.is_file()} for folder in "ab")  # fmt: skip
    assert first == second


@pytest.mark.parametrize(("url", "key"), [
    ("https://www.example.com/Path/index.html", "com,example)/path/index.html"),
    ("http://example.com", "com,example)/"),
    ("http://example.com/a/", "com,example)/a"),
    ("http://www2.example.co.jp:80/?b=2&a=1#top", "jp,co,example)/?a=1&b=2"),
    ("https://example.com:8443/x", "com,example:8443)/x"),
    ("http://192.0.2.7/x", "192.0.2.7)/x"),
])  # fmt: skip
def test_surt_keys(url: str, key: str) -> None:
    assert surt(url) == key


def test_host_columns_know_registries_and_private_suffixes() -> None:
    columns = url_columns("https://a.b.blog.example.co.jp:8443/p?q=1")
    assert columns["url_host_registry_suffix"] == "co.jp"
    assert columns["url_host_registered_domain"] == "example.co.jp"
    assert [columns[f"url_host_{part}"] for part in ("tld", "2nd_last_part", "5th_last_part")] == ["jp", "co", "b"]
    assert (columns["url_host_name_reversed"], columns["url_port"], columns["url_query"]) == (
        "jp.co.example.blog.b.a",
        8443,
        "q=1",
    )
    assert url_columns("http://x.blogspot.com/")["url_host_private_domain"] == "x.blogspot.com"
    address = url_columns("http://192.0.2.7/")
    assert (address["url_host_name"], address["url_host_tld"], address["url_host_name_reversed"]) == ("192.0.2.7", None, None)


def test_every_kind_of_wrong_row_is_wrong_in_its_way(tmp_path: Path) -> None:
    made = make_mini_crawl(tmp_path, SMALL, Shape(wrong=tuple(KINDS)))
    assert [item.kind for item in made.wrong] == 2 * list(KINDS)
    rows = [(row["url"], row["content_digest"], row["warc_filename"], row["warc_record_offset"], row["warc_record_length"])
            for row in all_rows(made)]  # fmt: skip
    names = ("url", "content_digest", "warc_filename", "warc_record_offset", "warc_record_length")
    for item in made.wrong:
        wrong, true = (tuple(row[name] for name in names) for row in (item.row, item.true))
        assert rows.count(wrong) == (2 if item.kind == "twice" else 1)
        assert (true in rows) == (item.kind in ADDED)
        size, end = (tmp_path / wrong[2]).stat().st_size, wrong[3] + wrong[4]
        data = member(made, item.row)
        match item.kind:
            case "beyond_the_end":
                assert wrong[3] > size
            case "over_the_end":
                assert wrong[3] < size < end
            case "other_url" | "other_digest" | "twice":
                (record,) = ArchiveIterator(io.BytesIO(data))
                assert (record.rec_headers["WARC-Target-URI"] == wrong[0]) == (item.kind != "other_url")
                assert (record.rec_headers["WARC-Payload-Digest"] == "sha1:" + wrong[1]) == (item.kind != "other_digest")
            case _:
                with pytest.raises((OSError, EOFError)):
                    gzip.decompress(data)


def test_pages_that_were_crawled_again_are_the_same_in_another_record(tmp_path: Path) -> None:
    made = make_mini_crawl(tmp_path, SMALL, Shape(recrawled=5))
    older, newer = (made.rows(crawl).to_pylist() for crawl in made.crawls)
    before = {(row["url"], row["content_digest"]): row for row in older}
    again = [row for row in newer if (row["url"], row["content_digest"]) in before]
    assert len(again) == 5
    for row in again:
        first = before[row["url"], row["content_digest"]]
        assert row["fetch_time"] > first["fetch_time"]
        assert row["content_languages"] == first["content_languages"]
        pair = [next(iter(ArchiveIterator(io.BytesIO(member(made, item))))) for item in (first, row)]
        assert pair[0].content_stream().read() == pair[1].content_stream().read()
        assert pair[0].rec_headers["WARC-Record-ID"] != pair[1].rec_headers["WARC-Record-ID"]
    assert {urlsplit(row["url"]).hostname for row in again} <= {urlsplit(row["url"]).hostname for row in older}


def test_an_older_index_lacks_the_columns_it_lacked(tmp_path: Path) -> None:
    made = make_mini_crawl(
        tmp_path, SMALL, Shape(without=("content_languages", "content_charset"), index_files=1, row_group_rows=50)
    )
    (path,) = made.index_files(made.crawls[0])
    assert pq.ParquetFile(path).num_row_groups == 4
    assert pq.read_schema(path).names == [name for name in SCHEMA.names if name not in ("content_languages", "content_charset")]


def test_a_newer_index_has_the_ids_of_the_records(tmp_path: Path) -> None:
    made = make_mini_crawl(tmp_path, SMALL, Shape(record_ids=True))
    rows = made.rows(LATEST).to_pylist()
    assert list(rows[0])[-5:] == ["warc_record_id", "warc_filename", "warc_record_offset", "warc_record_length", "warc_segment"]
    for row in rows:
        (record,) = ArchiveIterator(io.BytesIO(member(made, row)))
        assert record.rec_headers["WARC-Record-ID"] == f"<urn:uuid:{UUID(bytes=row['warc_record_id'])}>"
