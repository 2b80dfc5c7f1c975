"""Bodies with their transfer and content codings still on them, and some that lie about it."""

import gzip
import tracemalloc
import zlib

import brotli
import pytest
import zstandard
from archive_bytes import SAMPLES
from page_bytes import HTML, coded

from seiryu.corpus.archive.page import BodyError, payload, read_page
from seiryu.corpus.archive.warc import raw_records


def deflate(data, bits):
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    return packer.compress(data) + packer.flush()


def chunked(data, size=1000):
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: x\r\n\r\n"


CODINGS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    " deflate ": lambda data: deflate(data, -15),
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "identity": bytes,
    "": bytes,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
    "zstd, gzip, deflate": lambda data: zlib.compress(gzip.compress(zstandard.ZstdCompressor().compress(data))),
}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("transfer", ["", "chunked", "Chunked, foo"])
def test_codings_are_undone(coding, transfer):
    body = CODINGS[coding](HTML)
    assert payload(coded(chunked(body) if transfer else body, coding, transfer), 1 << 20) == HTML


@pytest.mark.parametrize("coding", [coding for coding in CODINGS if "," not in coding])
def test_a_page_that_does_not_have_the_coding_it_names_is_taken_as_it_stands(coding):
    for body in (HTML, HTML.decode().encode("cp932"), b"", b"x", b"\n\n<!DOCTYPE html>", b"\xef\xbb\xbf<html>"):
        assert payload(coded(body, coding), 1 << 20) == body
        assert payload(coded(body, coding, "chunked"), 1 << 20) == body


def test_no_sample_page_is_taken_for_something_coded():
    for path in SAMPLES:
        with path.open("rb") as file:
            for item in raw_records(file, path.name, 1 << 24):
                if item.kind == "response":
                    page = read_page(item)
                    if page.html and not page.content_coding and not page.transfer_coding:
                        for coding in ("gzip", "deflate", "br", "zstd"):
                            page.content_coding, page.transfer_coding = coding, "chunked"
                            assert payload(page, 1 << 24) == page.body


@pytest.mark.parametrize("coding", ["gzip", "deflate", " deflate ", "br", "zstd"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_cut_body_gives_its_beginning(coding, share):
    noise = b"".join(zlib.crc32(b"%d" % n).to_bytes(4, "big").hex().encode() for n in range(40_000))
    body = CODINGS[coding](noise)
    found = payload(coded(body[: int(len(body) * share)], coding), 1 << 20)
    assert noise.startswith(found)
    assert len(found) > len(noise) * (share - 0.45)


def test_a_cut_chunk_gives_its_beginning():
    body = chunked(HTML)
    for cut in (5000, 5003, len(body) - 1, len(body) - 17):
        found = payload(coded(body[:cut], transfer="chunked"), 1 << 20)
        assert HTML.startswith(found)
        assert len(found) > cut - 1100


def test_several_gzip_members_are_one_body_and_garbage_behind_them_is_not():
    body = gzip.compress(HTML[:5000]) + gzip.compress(b"") + gzip.compress(HTML[5000:])
    assert payload(coded(body, "gzip"), 1 << 20) == HTML
    assert payload(coded(body + b"garbage", "gzip"), 1 << 20) == HTML
    assert payload(coded(body + bytes(1000), "gzip"), 1 << 20) == HTML


def test_a_wrong_checksum_costs_the_end_of_a_body_only():
    body = bytearray(gzip.compress(bytes(str(list(range(20_000))), "ascii")))
    body[-8] ^= 1
    found = payload(coded(bytes(body), "gzip"), 1 << 20)
    assert len(found) > 100_000
    assert bytes(str(list(range(20_000))), "ascii").startswith(found)


@pytest.mark.parametrize("coding", ["gzip", "deflate", " deflate ", "br", "zstd", "zstd, gzip", "gzip, gzip"])
def test_a_bomb_stops_at_the_limit(coding):
    body = bytes(200_000_000)
    for name in reversed(coding.split(", ")):
        body = CODINGS[name](body) if name != "br" else brotli.compress(body, quality=5)
    if coding == "zstd, gzip":
        body = gzip.compress(zstandard.ZstdCompressor().compress(bytes(200_000_000)))
    page = coded(body, coding)
    tracemalloc.start()
    try:
        with pytest.raises(BodyError, match="more than 1,000,000 bytes") as error:
            payload(page, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()
    assert error.value.reason == "too_large"


def test_the_limit_is_exact():
    for coding in ("", "gzip", "br", "zstd", "deflate"):
        page = coded(CODINGS[coding](HTML), coding)
        assert payload(page, len(HTML)) == HTML
        with pytest.raises(BodyError):
            payload(page, len(HTML) - 1)


def test_thousands_of_tiny_gzip_members_take_linear_work():
    page = coded(gzip.compress(b"x") * 100_000, "gzip")
    assert payload(page, 1 << 20) == b"x" * 100_000


@pytest.mark.parametrize(("coding", "compress"), [("br", brotli.compress), ("zstd", zstandard.compress), ("gzip", gzip.compress)])
@pytest.mark.parametrize("where", [0.5, 0.8, 1.0])
def test_a_coding_that_breaks_gives_what_stands_before_the_fault(coding, compress, where):
    body = b"".join(f"<p>{number * 7919 % 100_003:x} 日本語の段落です。</p>\n".encode() for number in range(20_000))
    data = compress(body)
    at = int(len(data) * where)
    broken = data[:at] + b"\xff\xfe\xff\xff" * 4 + data[at + 16 :]
    found = payload(coded(broken, coding), 1 << 24)
    assert found != broken
    kept = next(
        (place for place, (one, other) in enumerate(zip(found, body, strict=False)) if one != other), min(len(found), len(body))
    )
    assert kept > 0.3 * where * len(body)


def test_a_page_coded_over_and_over_is_refused():
    with pytest.raises(BodyError, match="coded 1,000 times") as error:
        payload(coded(b"x", ",".join(["deflate"] * 1000)), 1 << 24)
    assert error.value.reason == "bad_coding"
