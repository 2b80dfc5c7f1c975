import io
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from index_files import TRUE_SCHEMA, index_file, index_rows

from seiryu.corpus.crawl.columnar import COLUMNS, REASONS, Selection, judge, read_index
from seiryu.corpus.errors import InputError

ANYTHING = Selection(languages=(), mime=(), status=(), truncated=True)


def judged(row, selection, archives):
    """What judge says of one row, in plain Python."""
    codes = row["content_languages"].split(",") if row["content_languages"] is not None else []
    host = row["url_host_name"]
    if selection.status and row["fetch_status"] not in selection.status:
        return "other_status"
    if selection.mime and row["content_mime_detected"] not in selection.mime:
        return "other_mime"
    if selection.languages and not set(codes[:1] if selection.language == "primary" else codes) & set(selection.languages):
        return "other_language"
    if selection.tlds and row["url_host_tld"] not in selection.tlds:
        return "other_tld"
    if selection.hosts and not any(host is not None and (host == one or host.endswith("." + one)) for one in selection.hosts):
        return "other_host"
    if not selection.truncated and row["content_truncated"]:
        return "truncated"
    return "other_archive" if archives is not None and row["warc_filename"] not in archives else None


def named(verdict):
    return [REASONS[number] if number >= 0 else None for number in verdict]


HOSTS = st.one_of(st.sampled_from(["a.jp", "www.a.jp", "ba.jp", "jp", "b.co.jp", "x.y.b.co.jp", "192.0.2.1", "[::1]", "localhost"]),
                  st.text("ab.\n", max_size=6))  # fmt: skip
LANGUAGES = st.sampled_from(["jpn", "eng", "jpn,eng", "eng,jpn", "eng,zho,jpn", "jav", "jpnx", "xjpn", "xjpn,jpnx", ""])
ROWS = st.fixed_dictionaries({
    "fetch_status": st.sampled_from([200, 200, 301, 404, -1]),
    "content_mime_detected": st.sampled_from(["text/html", "text/html", "application/xhtml+xml", "text/plain", "text/html; charset=x", None]),
    "content_languages": st.none() | LANGUAGES,
    "url_host_tld": st.sampled_from(["jp", "com", None]),
    "url_host_name": HOSTS,
    "content_truncated": st.sampled_from([None, None, "length", "disconnect"]),
    "warc_filename": st.sampled_from(["a.warc.gz", "b.warc.gz"]),
})  # fmt: skip
SELECTIONS = st.builds(
    Selection,
    languages=st.sampled_from([("jpn",), ("jpn", "eng"), ("jp",), ("j.n",), ("",), ()]),
    language=st.sampled_from(["primary", "any"]),
    tlds=st.sampled_from([(), (), ("jp",), ("com", "jp")]),
    hosts=st.just(frozenset()) | st.frozensets(HOSTS, max_size=4),
    mime=st.sampled_from([("text/html", "application/xhtml+xml"), ("text/html",), ()]),
    status=st.sampled_from([(200,), (200, 301), (70_000,), ()]),
    truncated=st.booleans(),
)
ARCHIVES = st.none() | st.frozensets(st.sampled_from(["a.warc.gz", "c.warc.gz"]))


@settings(max_examples=400)
@given(st.lists(ROWS, max_size=12), SELECTIONS, ARCHIVES, st.booleans())
def test_a_row_is_judged_by_the_first_condition_it_does_not_fulfil(rows, selection, archives, coded):
    table = pa.Table.from_pylist(rows, schema=pa.schema([field for field in TRUE_SCHEMA if field.name in ROWS_HAVE]))
    if coded:
        table = pa.table({name: column.dictionary_encode() if pa.types.is_string(column.type) else column
                          for name, column in zip(table.column_names, table.columns, strict=True)})  # fmt: skip
    table = pa.concat_tables([table.slice(0, 2), table.slice(2)])
    verdict = judge(table, selection, archives)
    assert verdict.dtype == np.int8
    assert named(verdict) == [judged(row, selection, archives) for row in rows]


ROWS_HAVE = ("fetch_status", "content_mime_detected", "content_languages", "url_host_tld", "url_host_name", "content_truncated",
             "warc_filename")  # fmt: skip


@settings(max_examples=100)
@given(st.lists(ROWS, max_size=12), SELECTIONS, ARCHIVES, st.integers(1, 5))
def test_a_file_gives_the_wanted_rows_and_counts_of_each_row_group(changes, selection, archives, size):
    rows = index_rows(
        *({"url": f"http://a.jp/{number}", "warc_record_offset": 7 * number} | change for number, change in enumerate(changes))
    )
    groups = list(read_index(io.BytesIO(index_file(rows, size)), "part-0", selection, archives))
    assert len(groups) == max(1, -(-len(changes) // size))
    for number, (table, counts) in enumerate(groups):
        part = rows.slice(number * size, size)
        verdicts = [judged(row, selection, archives) for row in part.to_pylist()]
        assert counts == Counter(verdict for verdict in verdicts if verdict) + Counter(rows=len(part))
        assert table.schema == pa.schema([COLUMNS.field(name) for name in table.column_names])
        kept = part.filter(pa.array([verdict is None for verdict in verdicts], pa.bool_()))
        assert table.to_pylist() == kept.select(table.column_names).to_pylist()


def test_the_columns_are_those_that_a_fetcher_needs():
    ((table, _),) = read_index(io.BytesIO(index_file(index_rows({"content_digest": None}))), "part-0", Selection())
    assert table.to_pylist() == [{"url": "http://a.jp/", "url_host_name": "a.jp", "content_digest": None, "warc_filename": "crawl-data/x/a.warc.gz",
                                  "warc_record_offset": 0, "warc_record_length": 100}]  # fmt: skip
    assert table.schema.field("warc_record_offset").type == pa.int64()


def test_a_file_without_rows_gives_nothing():
    ((table, counts),) = read_index(io.BytesIO(index_file(index_rows())), "part-0", Selection())
    assert (table.num_rows, counts) == (0, Counter(rows=0))
    out = io.BytesIO()
    pq.ParquetWriter(out, TRUE_SCHEMA).close()
    assert list(read_index(io.BytesIO(out.getvalue()), "part-0", Selection())) == []


class Watched(io.BytesIO):
    """Notes which bytes are read."""

    def __init__(self, data):
        super().__init__(data)
        self.asked = []

    def read(self, size=-1):
        before = self.tell()
        data = super().read(size)
        self.asked.append((before, len(data)))
        return data


def test_of_a_row_group_without_a_wanted_row_only_the_columns_of_conditions_are_read():
    many = 20_000
    changes = [{"url": f"http://a.jp/{number * 7919 % many}", "content_languages": "eng" if number < many // 2 else "jpn",
                "content_digest": f"{number * 104729:032}"} for number in range(many)]  # fmt: skip
    data = index_file(index_rows(*changes), many // 2)
    file = Watched(data)
    groups = read_index(file, "part-0", Selection())
    table, counts = next(groups)
    assert (table.num_rows, counts) == (0, Counter(rows=many // 2, other_language=many // 2))
    first = file.asked.copy()
    assert next(groups)[0].num_rows == many // 2
    second = file.asked[len(first) :]
    assert sum(size for _, size in first[1:]) < len(data) / 100  # after the footer
    assert sum(size for _, size in second) > len(data) / 4
    assert len(second) <= 8  # neighbours are read at once
    assert max(size for _, size in file.asked) < len(data) / 2


@pytest.mark.parametrize(
    ("column", "selection", "hint"),
    [
        ("content_languages", Selection(), "since CC-MAIN-2018-39; choose later crawls, or ask for no languages"),
        (
            "content_truncated",
            Selection(languages=()),
            "since CC-MAIN-2019-47; choose later crawls, or take truncated records too",
        ),
    ],
)
def test_a_column_that_older_crawls_lack_is_missed_only_where_it_is_asked_for(column, selection, hint):
    data = index_file(index_rows({}).drop_columns([column, "fetch_redirect"]))
    with pytest.raises(InputError) as error:
        next(read_index(io.BytesIO(data), "part-0", selection))
    assert str(error.value).startswith(f"part-0 has no column {column}, which the index has {hint}")
    assert next(read_index(io.BytesIO(data), "part-0", ANYTHING))[0].num_rows == 1


def test_columns_that_come_later_and_wider_numbers_are_no_hindrance():
    rows = index_rows({}).append_column("warc_record_id", pa.array([b"0123456789abcdef"]))
    at = rows.schema.get_field_index("warc_record_offset")
    rows = rows.set_column(at, "warc_record_offset", pa.array([2**33]))
    assert next(read_index(io.BytesIO(index_file(rows)), "part-0", Selection()))[0]["warc_record_offset"].to_pylist() == [2**33]


GOOD = index_file(index_rows(*({"url": f"http://a.jp/{number}"} for number in range(3000))), 1000, write_page_checksum=True)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "part-0 is damaged or no Parquet file"),
        (b"PAR1", "part-0 is damaged or no Parquet file"),
        (b"<html>503 Slow Down</html>" * 10, "part-0 is damaged or no Parquet file"),
        (GOOD[:-1], "part-0 is damaged or no Parquet file"),
        (GOOD[: len(GOOD) // 2], "part-0 is damaged or no Parquet file"),
        (GOOD[:-40] + b"\xff" * 20 + GOOD[-20:], "part-0 is damaged or no Parquet file"),
        (
            index_file(pa.table({"url": ["a"]})),
            "part-0 has no column fetch_status; expected is a file of Common Crawl's columnar index",
        ),
        (index_file(pa.table({"url": [{"url": "a"}], "fetch": [{"status": 200}]})), "part-0 has no column fetch_status"),
        (index_file(index_rows({}).drop_columns(["warc_filename"])), "part-0 has no column warc_filename"),
        (index_file(index_rows({}).set_column(1, "url", pa.array([7]))), "part-0 has int64 as url"),
        (index_file(index_rows({}).set_column(18, "fetch_status", pa.array(["200"]))), "part-0 has string as fetch_status"),
    ],
)
def test_what_is_no_whole_file_of_the_index_is_said_in_one_line(data, why):
    with pytest.raises(InputError) as error:
        list(read_index(io.BytesIO(data), "part-0", Selection()))
    assert str(error.value).startswith(why)
    assert "\n" not in str(error.value)


def test_damage_in_a_row_group_is_told_with_its_number_after_those_before_it():
    at = pq.ParquetFile(io.BytesIO(GOOD)).metadata.row_group(1).column(1).data_page_offset
    data = GOOD[: at + 50] + bytes(byte ^ 0x55 for byte in GOOD[at + 50 : at + 90]) + GOOD[at + 90 :]
    done = []
    with pytest.raises(InputError, match=r"^part-0, row group 1 is damaged") as error:
        done.extend(counts["rows"] for _, counts in read_index(io.BytesIO(data), "part-0", ANYTHING))
    assert "\n" not in str(error.value)
    assert done == [1000]


def test_a_letter_that_changed_on_the_way_is_damage_where_the_pages_have_checksums():
    data = index_file(index_rows({"url": "http://a.jp/first"}), compression="none", write_page_checksum=True)
    assert next(read_index(io.BytesIO(data), "part-0", Selection()))[0]["url"].to_pylist() == ["http://a.jp/first"]
    with pytest.raises(InputError, match=r"^part-0, row group 0 is damaged"):
        next(read_index(io.BytesIO(data.replace(b"a.jp/first", b"a.jp/worst")), "part-0", Selection()))


@pytest.mark.parametrize(
    "change", [{"url": None}, {"warc_filename": None}, {"warc_record_offset": None}, {"warc_record_offset": -1}, {"warc_record_length": 0},
               {"fetch_status": None}, {"warc_record_length": -1}],
)  # fmt: skip
def test_a_row_without_its_place_is_damage(change):
    schema = pa.schema([field.with_nullable(True) for field in TRUE_SCHEMA])
    rows = index_rows({}, {}, {}, change, schema=schema)
    groups = read_index(io.BytesIO(index_file(rows, 2)), "part-0", Selection())
    assert next(groups)[0].num_rows == 2
    with pytest.raises(InputError, match=r"part-0, row group 1 is damaged .*get it again$"):
        next(groups)


def test_text_that_is_no_utf_8_is_damage_and_costs_no_time():
    rows = index_rows({}, {})
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"a.jp", b"\xff\n.\xfe.b"]).buffers())
    rows = rows.set_column(2, pa.field("url_host_name", pa.string(), False), broken)
    selection = Selection(hosts=frozenset(["b"]))
    assert named(judge(rows, selection)) == ["other_host", None]
    with pytest.raises(InputError, match=r"row group 0 is damaged .*UTF"):
        list(read_index(io.BytesIO(index_file(rows)), "part-0", selection))


class Refusing(io.BytesIO):
    def read(self, size=-1):
        if self.tell() < 1000:
            raise Stopped("403")
        return super().read(size)


class Stopped(Exception):
    """What a server's refusal becomes."""


def test_what_the_file_itself_says_is_not_called_damage():
    with pytest.raises(Stopped, match="403"):
        list(read_index(Refusing(GOOD), "part-0", Selection()))


def test_ten_thousand_hosts_are_looked_for_as_quickly_as_one():
    """A host of many labels, and a million rows, in fractions of a second: nothing is done row by row."""
    hosts = pa.array([f"www{number % 97}.a{number % 5000}.example.jp" for number in range(100_000)])
    rows = pa.table({"url_host_name": pa.concat_arrays([hosts] * 5)})
    wanted = frozenset(f"a{number}.example.jp" for number in range(0, 20_000, 2))
    verdict = judge(rows, Selection((), "any", (), wanted, (), (), True))
    assert (verdict == -1).sum() == len(rows) / 2
