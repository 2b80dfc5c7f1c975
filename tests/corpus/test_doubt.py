"""A member that breaks in a file from a network is read again before it is called damage."""

import io
import random

import pytest
import zstandard
from archive_bytes import LIMIT, SAMPLES, damage, gz, members_of, plain_of, read, record, records
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.corpus.archive.inflate import Gap, pieces
from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.errors import InputError

NOISE = random.Random(7).randbytes(3_000_000)


class Doubted(io.BytesIO):
    """Bytes that come wrong at first: each version is what is read until the next doubt; the last one is the truth."""

    def __init__(self, *versions):
        super().__init__(versions[0])
        self.versions, self.doubts = list(versions[1:]), []

    def doubt(self, offset):
        if self.doubts.count(offset) == 2:
            return False
        self.doubts.append(offset)
        if self.versions:
            place = self.tell()
            self.seek(0)
            self.truncate()
            self.write(self.versions.pop(0))
            self.seek(place)
        return True


def again(*versions):
    file = Doubted(*versions)
    return list(raw_records(file, "a.warc", LIMIT)), file.doubts


def flipped(data, *places):
    out = bytearray(data)
    for place in places:
        out[place] ^= 0x55
    return bytes(out)


@settings(max_examples=150)
@given(st.data())
def test_a_byte_that_came_wrong_anywhere_costs_nothing(data):
    sound = next(path for path in SAMPLES if "diagnostics" in path.name).read_bytes()
    place = data.draw(st.integers(0, len(sound) - 1))
    items, doubts = again(flipped(sound, place), sound)
    assert items == read(sound)
    assert len(doubts) <= 1


@pytest.mark.parametrize("pack_up", [gz, zstandard.ZstdCompressor().compress, bytes], ids=["gzip", "zstd", "plain"])
def test_a_first_byte_that_came_wrong_does_not_make_it_no_archive(pack_up):
    sound = pack_up(record(1, NOISE[:1000]))
    assert again(flipped(sound, 0), sound) == (read(sound), [0])


def test_a_byte_that_came_wrong_twice_costs_nothing(diagnostics):
    place = len(diagnostics) // 2
    items, doubts = again(flipped(diagnostics, place), flipped(diagnostics, place + 1), diagnostics)
    assert items == read(diagnostics)
    assert len(doubts) == 2


def test_a_file_that_seems_to_end_inside_a_record_is_asked_again(diagnostics):
    items, _ = again(diagnostics[:-1000], diagnostics)
    assert items == read(diagnostics)


@settings(max_examples=100)
@given(st.data())
def test_what_is_damaged_for_good_is_the_same_damage_as_on_disk(data):
    sound = next(path for path in SAMPLES if "diagnostics" in path.name).read_bytes()
    places = data.draw(st.lists(st.integers(0, len(sound) - 1), min_size=1, max_size=4))
    broken = flipped(sound, *places)[: data.draw(st.sampled_from([len(sound), len(sound) - 700]))]
    assert again(broken)[0] == read(broken)


@pytest.mark.parametrize("pack_up", [gz, zstandard.ZstdCompressor().compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("cut", [None, -5000])
def test_long_members_too_are_the_same_damage_as_on_disk(pack_up, cut):
    """Those over 1 MiB, of which a disk's reader has handed out the beginning when they break."""
    long = pack_up(b"".join(record(number, NOISE[:700_000]) for number in range(4)))
    first = pack_up(record(10, NOISE[:40_000]))
    for place in (len(long) // 3, len(long) * 2 // 3, len(long) - 6):
        broken = (first + flipped(long, place) + first)[:cut]
        items, doubts = again(broken)
        assert items == read(broken)
        if pack_up is gz:
            assert damage(items)
            assert doubts[:2] == [len(first)] * 2


def test_a_long_member_that_came_wrong_gives_all_of_its_records():
    long = gz(b"".join(record(number, NOISE[:700_000]) for number in range(4)))
    assert len(records(read(flipped(long, len(long) - 6)))) < 4 or damage(read(flipped(long, len(long) - 6)))
    items, _ = again(flipped(long, len(long) - 6), long)
    assert items == read(long)
    assert len(records(items)) == 4


def test_zstd_and_its_dictionary_are_read_again(diagnostics):
    plain = [plain_of(member) for member in members_of(diagnostics)]
    dictionary = zstandard.train_dictionary(20_000, plain)
    compressor = zstandard.ZstdCompressor(dict_data=dictionary, write_checksum=True)
    packed = zstandard.ZstdCompressor(write_checksum=True).compress(dictionary.as_bytes())
    sound = b"\x5d\x2a\x4d\x18" + len(packed).to_bytes(4, "little") + packed + b"".join(map(compressor.compress, plain))
    for place in (6, 7, 30, 8 + len(packed) // 2, 8 + len(packed) + 2, len(sound) // 2, len(sound) - 2):
        assert again(flipped(sound, place), sound)[0] == read(sound)


@pytest.mark.parametrize("data", [b"", b"<html>", NOISE[:1000]])
def test_what_is_no_archive_stays_none(data):
    with pytest.raises(InputError, match=r"^a\.warc (is empty|is not)"):
        again(data)


def test_padding_is_still_padding(diagnostics):
    assert again(diagnostics + bytes(100_000))[0] == read(diagnostics)


def test_a_member_longer_than_is_held_back_is_not_doubted_when_parts_of_it_were_used():
    long = gz(bytes(70 << 20) + NOISE)
    file = Doubted(flipped(long, len(long) - 6), long)
    found = list(pieces(file, "a.warc", 0))
    assert isinstance(found[-1], Gap)
    assert sum(len(piece.data) for piece in found[:-1]) > 70 << 20
    assert not file.doubts
