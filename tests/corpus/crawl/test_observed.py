import io
import json

import pytest
from archive_bytes import SAMPLES, gz
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from seiryu.corpus.archive.warc import Damaged, RawRecord, raw_records
from seiryu.corpus.crawl.columnar import COLUMNS, Selection, judge
from seiryu.corpus.crawl.observed import Observer


def by_warcio(path):
    """The same rows by the reference implementation, languages from the metadata record that names the response."""
    rows, reader = {}, ArchiveIterator(path.open("rb"))
    for record in reader:
        header = record.rec_headers.get_header
        content = record.raw_stream.read()
        offset, length = reader.get_record_offset(), reader.get_record_length()
        if record.rec_type == "response":
            host = header("WARC-Target-URI").split("/")[2]
            rows[header("WARC-Record-ID")] = {
                "url": header("WARC-Target-URI"),
                "url_host_name": host,
                "url_host_tld": host.split(".")[-1],
                "fetch_status": int(record.http_headers.get_statuscode()),
                "content_digest": header("WARC-Payload-Digest") and header("WARC-Payload-Digest").split("sha1:")[1],
                "content_mime_detected": header("WARC-Identified-Payload-Type"),
                "content_languages": None,
                "content_truncated": header("WARC-Truncated"),
                "warc_filename": "crawl-data/x.warc.gz",
                "warc_record_offset": offset,
                "warc_record_length": length,
            }
        elif record.rec_type == "metadata":
            said = dict(line.split(": ", 1) for line in content.decode().splitlines() if ": " in line)
            if "languages-cld2" in said:
                languages = json.loads(said["languages-cld2"])["languages"]
                row = rows[header("WARC-Concurrent-To")]
                row["content_languages"] = ",".join(dict.fromkeys(language["code-iso-639-3"] for language in languages)) or None
    return list(rows.values())


def observe(items, warc="crawl-data/x.warc.gz"):
    observer = Observer(warc)
    return list(observer.watch(items)), observer.table()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_rows_are_what_warcio_reads_and_the_items_go_by_unchanged(path):
    items = list(raw_records(io.BytesIO(path.read_bytes()), path.name, 1 << 24))
    passed, table = observe(iter(items))
    assert all(one is other for one, other in zip(passed, items, strict=True))
    assert table.schema == COLUMNS
    assert table.to_pylist() == by_warcio(path)
    assert table.num_rows == sum(isinstance(item, RawRecord) and item.kind == "response" for item in items) > 0


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_rows_agree_with_the_labels(path, labels):
    _, table = observe(raw_records(io.BytesIO(path.read_bytes()), path.name, 1 << 24), path.name)
    assert set(table["content_languages"].to_pylist()) - {None}
    for row in table.to_pylist():
        label = labels[row["warc_filename"], row["warc_record_offset"]]
        assert (row["url"], row["fetch_status"], row["warc_record_length"]) == (label["url"], label["status"], label["length"])


def test_what_a_selection_takes_of_the_samples_is_mostly_japanese(labels):
    """CLD2 is not a lesser judge here than the index; and the rows can be judged at all."""
    taken, right = set(), set()
    for path in SAMPLES:
        _, table = observe(raw_records(io.BytesIO(path.read_bytes()), path.name, 1 << 24), path.name)
        verdict = judge(table, Selection())
        chosen = table.filter(verdict == -1)
        taken |= {(path.name, offset) for offset in chosen["warc_record_offset"].to_pylist()}
        right |= {
            place for place, label in labels.items() if place[0] == path.name and label["lang"] == "ja" and label["status"] == 200
        }
    assert len(taken & right) / len(right) > 0.95


def made(kind, fields, content=b""):
    header = f"WARC/1.0\r\nWARC-Type: {kind}\r\n{fields}Content-Length: {len(content)}\r\n\r\n".encode()
    return RawRecord(0, 9, 0, kind, header, content, len(content))


def cld2(*codes):
    answer = {"reliable": False, "languages": [{"code": code[:2], "code-iso-639-3": code} for code in codes]}
    return b"fetchTimeMs: 7\r\nlanguages-cld2: " + json.dumps(answer).encode() + b"\r\n\r\n"


def response(number, url="http://a.jp/", more=""):
    fields = f"WARC-Target-URI: {url}\r\nWARC-Record-ID: <response-{number}>\r\nWARC-Concurrent-To: <request-{number}>\r\n{more}"
    return made("response", fields, b"HTTP/1.1 200 OK\r\n\r\nbody")


def metadata(to, content):
    return made("metadata", f"WARC-Record-ID: <metadata>\r\nwarc-concurrent-to: <{to}>\r\n", content)


def languages(*items):
    return observe(items)[1]["content_languages"].to_pylist()


def test_a_metadata_record_belongs_to_the_response_it_names():
    first, second = response(1), response(2)
    assert languages(first, second, metadata("response-1", cld2("jpn")), metadata("response-2", cld2("eng"))) == ["jpn", "eng"]
    assert languages(first, second, metadata("request-2", cld2("eng", "jpn"))) == [None, "eng,jpn"]
    assert languages(first, metadata("response-3", cld2("jpn"))) == [None]
    assert languages(metadata("response-1", cld2("jpn")), first) == [None]
    assert languages(first, metadata("response-1", cld2("jpn")), metadata("response-1", cld2("eng"))) == ["jpn"]
    assert languages(first, metadata("response-1", cld2("jpn")), response(1), metadata("response-1", cld2("eng"))) == [
        "jpn",
        "eng",
    ]
    both = made("metadata", "WARC-Concurrent-To: <request-1>\r\nWARC-Concurrent-To: <response-1>\r\n", cld2("jpn"))
    assert languages(first, both) == ["jpn"]
    assert languages(made("response", "", b""), made("metadata", "", cld2("jpn"))) == [None]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (cld2("jpn", "eng", "jpn", "kor", "zho"), "jpn,eng,kor"),
        (cld2(), None),
        (cld2(""), None),
        (cld2("null"), None),
        (cld2("zho", "null", "zho"), "zho"),
        (b"languages-cld2: {}\r\n", None),
        (b"languages-cld2: []\r\n", None),
        (b"languages-cld2: \r\n", None),
        (b"languages-cld2: {\"languages\":[{\"code\":\"ja\"}]}\r\n", None),
        (b'languages-cld2: {"languages":[{"code-iso-639-3":7}]}\r\n', None),
        (b'languages-cld2: {"languages":[{"code-iso-639-3":[]}]}\r\n', None),
        (b'languages-cld2: {"languages":7}\r\n', None),
        (b"languages-cld2: " + b"[" * 100_000 + b"\r\n", None),
        (b"languages-cld2: \xff\xfe\r\n", None),
        (b"x-languages-cld2: " + cld2("jpn")[33:], None),
        (b"", None),
        (None, None),
    ],
)  # fmt: skip
def test_languages_are_up_to_three_codes_or_nothing(content, expected):
    about = metadata("response-1", content or b"")
    about.content = content
    assert languages(response(1), about) == [expected]


@pytest.mark.parametrize(
    ("url", "host", "tld"),
    [
        ("http://a.jp/", "a.jp", "jp"),
        ("HTTPS://WWW.A.Co.JP:8443?x=http://b.com/", "www.a.co.jp", "jp"),
        ("<http://a.jp>", "a.jp", "jp"),
        ("http://user:pass@a.jp./x@y", "a.jp", "jp"),
        ("http://日本語.jp/", "xn--wgv71a119e.jp", "jp"),
        ("http://日本語.テスト/", "xn--wgv71a119e.xn--zckzah", "xn--zckzah"),
        (f"http://{'日' * 80}.jp/", "", None),
        ("http://192.0.2.1/", "192.0.2.1", None),
        ("http://[2001:DB8::1]:80/", "[2001:db8::1]", None),
        ("http://localhost/", "localhost", "localhost"),
        ("https:////a.jp/robots.txt", "a.jp", "jp"),
        ("http://[/", "", None),
        ("http:///", "", None),
        ("dns:a.jp", "", None),
        ("", "", None),
    ],
)
def test_host_and_top_level_domain_are_as_the_index_writes_them(url, host, tld):
    _, table = observe([response(1, url)])
    assert (table["url_host_name"].to_pylist(), table["url_host_tld"].to_pylist()) == ([host], [tld])


def test_a_response_may_say_little_or_have_its_content_passed_over():
    bare, big, folded = (
        made("response", ""),
        response(1),
        response(2, more="WARC-Truncated: length\r\nWARC-Payload-Digest: md5:00\r\n"),
    )
    big.content = None
    folded.header = folded.header.replace(b"\r\n", b"\n")
    _, table = observe([bare, big, Damaged(0, 7, "broken"), made("revisit", "WARC-Target-URI: http://b.jp/\r\n"), folded])
    assert table["fetch_status"].to_pylist() == [-1, -1, 200]
    assert table["url"].to_pylist() == ["", "http://a.jp/", "http://a.jp/"]
    assert table["content_truncated"].to_pylist() == [None, None, "length"]
    assert table["content_digest"].to_pylist() == [None, None, "md5:00"]


@pytest.mark.parametrize(
    ("said", "type"), [("text/html", "text/html"), ("Text/HTML; charset=x", "text/html"), ("", None), (";", None)]
)
def test_the_type_found_in_the_bytes_stands_alone(said, type):
    _, table = observe([response(1, more=f"WARC-Identified-Payload-Type: {said}\r\n")])
    assert table["content_mime_detected"].to_pylist() == [type]


def test_rows_can_be_asked_for_on_the_way_and_hold_no_content():
    observer = Observer("a.warc.gz")
    items = observer.watch(iter([response(1), response(2)]))
    next(items)
    assert observer.table().num_rows == 1
    next(items)
    assert observer.table().num_rows == 2
    assert Observer("b").table().schema == COLUMNS


@given(st.binary(), st.binary())
def test_no_record_makes_it_fail(fields, content):
    header = b"WARC/1.0\r\nWARC-Target-URI: http://" + fields + b"\r\nWARC-Record-ID: <a>\r\n\r\n"
    about = b"WARC/1.0\r\nWARC-Concurrent-To: <a>\r\n" + fields + b"\r\n\r\n"
    items = [RawRecord(0, 0, 0, "response", header, b"HTTP/1.1 " + content, 0),
             RawRecord(0, 0, 0, "metadata", about, b"languages-cld2: " + content, 0)]  # fmt: skip
    _, table = observe(items)
    table.validate(full=True)
    assert table.num_rows == 1


def test_an_archive_of_its_own_is_observed_through_the_reader():
    data = b"".join(gz(item.header + item.content + b"\r\n\r\n") for item in (response(1), metadata("response-1", cld2("jpn"))))
    _, table = observe(raw_records(io.BytesIO(data), "a.warc.gz", 1 << 20))
    assert table["content_languages"].to_pylist() == ["jpn"]
    assert table["warc_record_length"].to_pylist()[0] == data.find(b"\x1f\x8b", 2)
