"""Archives as bytes: read, taken apart, made."""

import io
import zlib
from pathlib import Path

import zstandard
from warcio.archiveiterator import ArchiveIterator

from seiryu.corpus.archive.warc import Damaged, RawRecord, raw_records

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "samples").glob("*.warc.gz"))
PACK = sorted((ROOT.parent / "shared/data/pack").glob("*.warc.gz"))
LIMIT = 1 << 24


def read(data, limit=LIMIT):
    return list(raw_records(io.BytesIO(data), "a.warc", limit))


def records(items):
    return [item for item in items if isinstance(item, RawRecord)]


def damage(items):
    return [item for item in items if isinstance(item, Damaged)]


def told(items):
    """What a record says, wherever it lies."""
    return [(item.kind, item.header, item.content) for item in records(items)]


def gz(data, level=6):
    deflate = zlib.compressobj(level, zlib.DEFLATED, 31)
    return deflate.compress(data) + deflate.flush()


def plain_of(data):
    out = []
    while data:
        inflate = zlib.decompressobj(31)
        out.append(inflate.decompress(data))
        data = inflate.unused_data
    return b"".join(out)


def members_of(data):
    out = []
    while data:
        inflate = zlib.decompressobj(31)
        inflate.decompress(data)
        out.append(data[: len(data) - len(inflate.unused_data)])
        data = inflate.unused_data
    return out


def record(number, content=b"", length=None, tail=b"\r\n\r\n"):
    size = len(content) if length is None else length
    fields = f"WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: http://a.jp/{number}\r\nContent-Length: {size}\r\n\r\n"
    return fields.encode() + content + tail


def numbers(items):
    return [int(item.header.split(b"a.jp/")[1].split(b"\r")[0]) for item in records(items)]


def warcio(data):
    """Offset, type and content of each record by the reference implementation."""
    found, reader = [], ArchiveIterator(io.BytesIO(data), no_record_parse=True)
    for item in reader:
        content = item.raw_stream.read()  # asking for the offset passes over what is unread
        found.append((reader.get_record_offset(), item.rec_type, content))
    return found


def frames(data, compressor):
    return b"".join(compressor.compress(plain_of(member)) for member in members_of(data))


def dictionary_frame(dictionary, *, compressed):
    data = zstandard.ZstdCompressor().compress(dictionary) if compressed else dictionary
    return b"\x5d\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data
