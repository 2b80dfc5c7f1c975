import io
import random
import zlib

import pytest
import zstandard
from archive_bytes import SAMPLES
from isal import isal_zlib

from seiryu.corpus.archive.inflate import Gap, Piece, is_plain, pieces
from seiryu.corpus.errors import InputError

RECORD = b"WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n"
NOISE = random.Random(1).randbytes(300_000)


def read(data, start=0):
    return list(pieces(io.BytesIO(data), "a.warc.gz", start))


def gz(data, level=6):
    deflate = zlib.compressobj(level, zlib.DEFLATED, 31)
    return deflate.compress(data) + deflate.flush()


def zst(data):
    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_all_members_come_out_whole_and_tile_the_file(path):
    data = path.read_bytes()
    found = read(data)
    at = 0
    inflated = zlib.decompressobj(31)
    for piece in found:
        if piece.first:
            assert piece.offset == at
            inflated = zlib.decompressobj(31)
        if piece.last:
            at = piece.end
        assert piece.data == inflated.decompress(data[piece.offset : piece.end])[-len(piece.data) :]
    assert at == len(data)


@pytest.mark.parametrize("pack_up", [gz, zst])
def test_a_short_member_is_one_piece_and_a_long_one_several(pack_up):
    data = pack_up(RECORD) + pack_up(RECORD + NOISE * 6) + pack_up(b"")
    found = read(data)
    assert (found[0].data, found[0].first, found[0].last) == (RECORD, True, True)
    assert (found[-1].data, found[-1].first, found[-1].last, found[-1].end) == (b"", True, True, len(data))
    long = found[1:-1]
    assert len(long) > 1
    assert b"".join(piece.data for piece in long) == RECORD + NOISE * 6
    assert [piece.first for piece in long] == [True] + [False] * (len(long) - 1)
    assert [piece.last for piece in long] == [False] * (len(long) - 1) + [True]


def test_a_plain_file_is_one_member_without_an_end():
    data = RECORD + NOISE * 3
    found = read(data)
    assert b"".join(piece.data for piece in found) == data
    assert [piece.first for piece in found].count(True) == 1
    assert not any(piece.last for piece in found)
    assert found[-1].end == len(data)
    assert b"".join(piece.data for piece in read(data, 100)) == data[100:]


def test_reading_can_begin_at_any_member():
    one, two = gz(RECORD), gz(RECORD * 2)
    assert read(one + two, len(one)) == [Piece(RECORD * 2, len(one), len(one + two), True, True)]


def test_only_an_archive_that_is_not_compressed_is_plain():
    assert is_plain(io.BytesIO(RECORD))
    assert is_plain(io.BytesIO(b"junk" + RECORD))
    assert not is_plain(io.BytesIO(gz(RECORD)))
    assert not is_plain(io.BytesIO(gz(RECORD, 0)))
    assert not is_plain(io.BytesIO(b"junk" + gz(RECORD, 0)))
    assert not is_plain(io.BytesIO(zst(RECORD)))
    assert not is_plain(io.BytesIO(b"<html>"))


@pytest.mark.parametrize("pack_up", [gz, zst])
def test_a_member_under_a_mebibyte_that_proves_broken_gives_nothing(pack_up):
    good, broken = pack_up(RECORD), bytearray(pack_up(RECORD + NOISE))
    broken[len(broken) // 2] ^= 255
    if pack_up is zst:
        broken = pack_up(RECORD + NOISE)[:4] + b"\xff" + pack_up(RECORD + NOISE)[5:]
    found = read(good + bytes(broken) + good)
    assert [type(item) for item in found] == [Piece, Gap, Piece]
    gap = found[1]
    assert (gap.offset, gap.end) == (len(good), len(good + broken))
    assert gap.offset <= gap.at < gap.end
    assert "cannot be decompressed" in gap.why


def test_a_cut_member_gives_what_was_inflated_and_a_gap():
    whole = gz(RECORD + NOISE)
    found = read(gz(RECORD) + whole[:-1000])
    assert [type(item) for item in found] == [Piece, Piece, Gap]
    assert (RECORD + NOISE).startswith(found[1].data)
    assert len(found[1].data) > 250_000
    assert not found[1].last
    assert found[2].why == "the file ends inside a compressed record"


def test_reading_goes_on_at_a_member_with_a_record_not_at_anything_that_looks_like_one():
    page = gz(b"<html>a page inside a page</html>")
    broken = bytearray(gz(RECORD + page * 50 + NOISE, 0))
    broken[-8] ^= 1
    found = read(gz(RECORD) + bytes(broken) + b"\x1f\x8b\x08 junk" + gz(b"the end of one\r\n\r\n" + RECORD))
    assert [type(item) for item in found] == [Piece, Gap, Piece]
    assert found[2].data.endswith(RECORD)


def test_the_next_member_is_found_across_the_borders_of_what_is_searched_at_once():
    good = gz(RECORD)
    for size in range((1 << 20) - 8, (1 << 20) + 4):
        found = read(good + b"\1" * size + good)
        assert [(item.offset, item.end) for item in found if isinstance(item, Gap)] == [(len(good), len(good) + size)]
        assert found[-1].data == RECORD


def test_zeros_at_the_end_are_padding_and_zeros_before_a_member_are_not():
    good = gz(RECORD)
    assert [type(item) for item in read(good + bytes(100_000))] == [Piece]
    assert [type(item) for item in read(good + bytes(100_000) + good)] == [Piece, Gap, Piece]
    assert [type(item) for item in read(good + bytes(100_000) + b"x")] == [Piece, Gap]


@pytest.mark.parametrize("data", [b"", b"x", b"<html>", NOISE, b"\x1f\x8b", b"PK\x03\x04" * 100, bytes(100)])
def test_what_is_no_archive_is_refused_by_name(data):
    with pytest.raises(InputError, match=r"^a\.warc\.gz is (empty|not a WARC archive)"):
        read(data)


def test_isal_tells_a_wrong_checksum():
    """What the promise of sound records rests on."""
    broken = bytearray(gz(b"text"))
    broken[-8] ^= 1
    with pytest.raises(isal_zlib.error):
        isal_zlib.decompressobj(31).decompress(bytes(broken))
