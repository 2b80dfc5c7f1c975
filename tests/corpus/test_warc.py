"""Sound archives, however they are packed up, held against warcio and FastWARC."""

import io
import random
from itertools import accumulate, pairwise

import pytest
import zstandard
from archive_bytes import (
    dictionary_frame,
    frames,
    gz,
    members_of,
    plain_of,
    read,
    record,
    records,
    told,
    warcio,
)
from fastwarc.warc import ArchiveIterator as FastIterator

from seiryu.corpus.errors import InputError


def test_all_records_of_an_archive_are_those_of_warcio(archive):
    data = archive.read_bytes()
    items = read(data)
    assert [(item.offset, item.kind, item.content) for item in items] == warcio(data)
    assert len(items) == sum(1 for _ in FastIterator(io.BytesIO(data)))
    assert all(item.ordinal == 0 and item.content_length == len(item.content) for item in items)


def test_all_records_of_the_pack_are_those_of_warcio(pack):
    for path in pack:
        data = path.read_bytes()
        assert [(item.offset, item.kind, item.content) for item in read(data)] == warcio(data)


def test_records_tile_the_file_when_each_has_its_member(archive):
    data = archive.read_bytes()
    items = read(data)
    assert [item.offset for item in items] == [0, *accumulate(item.length for item in items)][:-1]
    assert items[-1].offset + items[-1].length == len(data)
    one = items[len(items) // 2]
    assert told(read(data[one.offset : one.offset + one.length])) == told([one])


def test_a_plain_archive_holds_the_same_records_and_they_tile_it(archive):
    data = archive.read_bytes()
    plain = plain_of(data)
    items = read(plain)
    assert told(items) == told(read(data))
    assert [(item.offset, item.kind, item.content) for item in items] == warcio(plain)
    assert all(a.offset + a.length == b.offset for a, b in pairwise(items))
    assert items[-1].offset + items[-1].length == len(plain)


@pytest.mark.parametrize("compressed", [False, True])
def test_zstd_with_a_frame_a_record_and_a_dictionary_before_them(archive, compressed):
    data = archive.read_bytes()
    plain = [plain_of(member) for member in members_of(data)]
    trained = zstandard.train_dictionary(16384, plain)
    compressor = zstandard.ZstdCompressor(dict_data=trained)
    front = dictionary_frame(trained.as_bytes(), compressed=compressed)
    packed = front + b"".join(compressor.compress(one) for one in plain)
    items = read(packed)
    assert told(items) == told(read(data))
    assert items[0].offset == len(front)
    assert items[-1].offset + items[-1].length == len(packed)
    assert all(a.offset + a.length == b.offset for a, b in pairwise(items))


def test_zstd_without_dictionary_a_frame_a_record_or_one_for_all(archive):
    data = archive.read_bytes()
    expected = told(read(data))
    items = read(frames(data, zstandard.ZstdCompressor()))
    assert told(items) == expected
    assert all(a.offset + a.length == b.offset for a, b in pairwise(items))
    whole = read(zstandard.ZstdCompressor().compress(plain_of(data)))
    assert told(whole) == expected
    assert [item.ordinal for item in whole] == list(range(len(expected)))


def test_other_skippable_frames_are_no_records_and_no_damage(diagnostics):
    skippable = b"\x5e\x2a\x4d\x18\x05\x00\x00\x00abcde"
    packed = frames(diagnostics, zstandard.ZstdCompressor())
    items = read(skippable + packed + skippable)
    assert told(items) == told(read(diagnostics))


def test_one_gzip_member_may_hold_all_records(archive):
    data = archive.read_bytes()
    items = read(gz(plain_of(data), 1))
    assert told(items) == told(read(data))
    assert {(item.offset, item.length) for item in items} == {(0, 0)}
    assert [item.ordinal for item in items] == list(range(len(items)))


@pytest.mark.parametrize("size", [500, 65280])
def test_gzip_members_may_be_cut_anywhere_between_records(archive, size):
    data = archive.read_bytes()
    plain = plain_of(data)
    blocks = [gz(plain[at : at + size], 1) for at in range(0, min(len(plain), 4_000_000), size)] + [gz(b"")]
    starts = [0, *accumulate(map(len, blocks))]
    expected = read(plain[: min(len(plain), 4_000_000) // size * size + size])
    items = read(b"".join(blocks))
    assert told(items) == told(expected)
    for item, there in zip(records(items), records(expected), strict=True):
        assert item.offset == starts[there.offset // size]
        if item.length:  # then it is what a range request for one record needs
            assert told(read(b"".join(blocks)[item.offset : item.offset + item.length])) == told([item])


def test_a_record_in_the_middle_of_a_member_has_no_length_of_its_own():
    items = read(gz(record(1, b"x") + record(2, b"y")[:50]) + gz(record(2, b"y")[50:]))
    assert [(item.offset, item.length, item.ordinal) for item in items] == [(0, 0, 0), (0, 0, 1)]


def test_a_record_that_fills_several_members_spans_them():
    whole = record(1, b"x" * 1000)
    a, b = gz(whole[:600]), gz(whole[600:])
    items = read(a + b + gz(record(2)))
    assert [(item.offset, item.length) for item in items] == [(0, len(a + b)), (len(a + b), len(gz(record(2))))]


@pytest.mark.parametrize("version", ["0.18", "1.0", "1.1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_and_letter_case_of_a_header_are_free(version, end):
    content = b"HTTP/1.1 200 OK\r\n\r\nx\n\ny"
    header = end.join([f"WARC/{version}", "warc-type:Response", f"CONTENT-LENGTH:  {len(content)} ", "", ""]).encode()
    assert told(read(gz(header + content + b"\r\n\r\n"))) == [("response", header, content)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>403</body>", "<!DOCTYP"),
        (gz(b"<!DOCTYPE html><html><body>403</body>"), "<!DOCTYPE html"),
        (random.Random(1).randbytes(5000), repr(random.Random(1).randbytes(8))),
        (gz(record(1))[:2], "begins with"),
        (gz(b""), "no WARC record"),
        (zstandard.ZstdCompressor().compress(b"plain text"), "plain text"),
        (b"\x5d\x2a\x4d\x18\xff\xff\xff\xff", "dictionary"),
        (dictionary_frame(b"\x28\xb5\x2f\xfd broken", compressed=False), "dictionary"),
    ],
)
def test_what_is_no_archive_is_refused_by_name_and_first_bytes(data, said):
    with pytest.raises(InputError) as error:
        read(data)
    assert str(error.value).startswith("a.warc ")
    assert said in str(error.value)
