import io
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seiryu.corpus import schema, shard_schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store

ROWS = {
    "host": ["a.jp", "日本.jp"] * 500,
    "documents": list(range(1000)),
    "site": ["a.jp", "日本.jp"] * 500,
    "site_documents": [1000, 2000] * 500,
    "letters": [2**40, 0] * 500,
    "verdict": ["", "blocked"] * 500,
}
TABLES = ("DOCUMENTS", "LEDGER", "CORPUS", "DECISIONS", "HOSTS", "FINGERPRINTS", "MEETINGS", "COPIES", "BEHIND",
          "SIGNATURE_OF", "GROUPS", "MEMBERS", "CHOICES", "PARAGRAPHS")  # fmt: skip
OF_SHARDS = ("SEQUENCES", "PROVENANCE", "SPLITS", "TAKEN_DOWN")


def parquet(table, write=schema.write_table):
    out = io.BytesIO()
    write(table, out)
    return out.getvalue()


def read(data, columns=None, expected=schema.HOSTS):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "hosts.parquet").write_bytes(data)
        return schema.read_table(Store(folder), "hosts.parquet", expected, columns)


@pytest.fixture(scope="module")
def hosts():
    return parquet(schema.table(schema.HOSTS, ROWS))


@pytest.mark.parametrize("name", TABLES + OF_SHARDS)
def test_every_column_says_what_it_means_and_is_never_empty(name):
    for field in getattr(shard_schema if name in OF_SHARDS else schema, name):
        assert len(field.metadata[b"meaning"]) > 5
        assert not field.nullable


def test_a_table_comes_back_as_it_was_written_with_its_meanings(hosts):
    table = read(hosts)
    assert table.to_pydict() == ROWS
    assert table.schema.equals(schema.HOSTS, check_metadata=True)
    assert read(hosts, ["letters", "host"]).to_pydict() == {"letters": ROWS["letters"], "host": ROWS["host"]}


def test_the_same_rows_are_the_same_bytes(hosts):
    assert parquet(schema.table(schema.HOSTS, dict(reversed(ROWS.items())))) == hosts


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_is_a_table(name):
    expected = getattr(schema, name)
    data = parquet(schema.table(expected, {field: [] for field in expected.names}))
    assert read(data, expected=expected).num_rows == 0


def test_columns_that_do_not_fit_are_refused_before_they_are_written():
    for column, value in (("host", None), ("host", 5), ("documents", "many"), ("documents", 2**70)):
        with pytest.raises((pa.ArrowException, OverflowError)):
            schema.table(schema.HOSTS, {**ROWS, column: [value] * 1000})
    with pytest.raises(pa.ArrowException):
        schema.table(schema.HOSTS, {**ROWS, "host": ["a"]})
    with pytest.raises(KeyError):
        schema.table(schema.HOSTS, {"host": ["a"]})


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"verdict": None}, "no column verdict of type string"),
        ({"letters": ["7"] * 1000}, "no column letters of type int64"),
        ({"documents": pa.array([1] * 1000, pa.int32())}, "no column documents of type int64"),
        ({"shoe_size": [43] * 1000}, "a column shoe_size"),
    ],
)
def test_a_table_of_another_version_is_refused_by_name_whatever_columns_are_wanted(columns, said):
    rows = {name: value for name, value in (ROWS | columns).items() if value is not None}
    data = parquet(pa.table(rows), pq.write_table)
    for wanted in (None, ["host"]):
        with pytest.raises(InputError, match=said) as error:
            read(data, wanted)
        assert "/hosts.parquet" in str(error.value)


def test_a_table_with_missing_values_is_refused_by_name():
    data = parquet(
        pa.table(ROWS | {"host": [None] * 1000}, schema=pa.schema([field.with_nullable(True) for field in schema.HOSTS])),
        pq.write_table,
    )
    with pytest.raises(InputError, match=r"/hosts\.parquet is damaged"):
        read(data)


@pytest.mark.parametrize(
    "data", [b"", b"host,documents\na.jp,1\n", b"PAR1", b"PAR1PAR1", bytes(5000), b"\x89PNG\r\n\x1a\n" * 100]
)
def test_a_file_that_is_no_parquet_is_refused_by_name(data):
    with pytest.raises(InputError, match=r"/hosts\.parquet is damaged .*delete it and run again"):
        read(data)


def test_a_table_cut_anywhere_is_refused_by_name(hosts):
    for size in (*range(0, len(hosts), 61), len(hosts) - 1):
        with pytest.raises(InputError, match=r"/hosts\.parquet"):
            read(hosts[:size])


def test_a_flipped_byte_never_changes_a_value_unseen(hosts):
    @settings(deadline=None, max_examples=300)
    @given(st.integers(0, len(hosts) - 1), st.integers(1, 255))
    @example(6, 255)  # an error of several lines
    @example(4013, 16)
    @example(4014, 8)
    def check(place, flip):
        data = bytearray(hosts)
        data[place] ^= flip
        try:
            table = read(bytes(data))
        except InputError as error:
            assert "/hosts.parquet" in str(error)
            assert "\n" not in str(error)
        else:
            assert table.to_pydict() == ROWS  # a byte of the statistics, say

    check()
