"""Real records with real mistakes put into them, the same for the same seed and number wherever and in whatever order they are made.

A mutant is a record of the samples after one to three mutations: of its page, its codings, its HTTP header, its WARC header, or
of the compressed member it lies in. What a mutation does was seen in crawls or in reports of parsers that fell over: bytes flipped, cut
and spliced, lengths and codings that lie, labels of another charset, tags without end, thousands of levels, references in pieces,
bombs. Noise alone would not do: most of it is refused at the gzip checksum. So what lies outside a mutation is kept whole, and
a record whose length is not meant to lie says its own.
"""

from __future__ import annotations

import gzip
import random
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import brotli
import zstandard

from seiryu.corpus.archive.warc import RawRecord, raw_records

MOST = 300_000  # bytes of a page that a mutation makes longer
LIMIT = 20_000_000
_LENGTH = re.compile(rb"(?i)(\ncontent-length[ \t]*:)[^\r\n]*")
_LETTER = re.compile("[ぁ-ヺ一-龥]")
_LABELS = ("utf-8", "Shift_JIS", "EUC-JP", "iso-2022-jp", "utf-16le", "utf-7", "gb18030", "windows-1252", "x-user-defined",
           "日本", "", "a" * 99)  # fmt: skip
_CODINGS = ("gzip", "br", "deflate", "zstd", "compress", "identity", "gzip, br", "x-gzip,gzip", "", "\xff", "gzip;q=1")
_KINDS = ("text/html", "application/xhtml+xml", "text/html; charset=", 'TEXT/HTML ; Charset = "utf-8"', "image/png",
          "text/html, text/html", "")  # fmt: skip
_TAGS = ("div", "blockquote", "ul><li", "table><tr><td", "b", "a href=/", "ruby", "p", "font", "select", "svg", "template", "button",
         "form")  # fmt: skip
_FLOODS = ("<!--", "<a", "<p>", "</div>", "<br>", "<td>", "&", "&#x", "&amp;amp;", "<![CDATA[", "<script>", "<ruby>漢<rt>", "\\u30",
           "<b>あ</b>い", "\0", "\ufffe")  # fmt: skip
_NOISE = ("\0", "\x1b$B", "\x0e", "\ud800", "\U000e0041", "\u202e", "&#0;", "&#xD800;", "&#99999999999;", "<", ">", '"', "<!",
          "<?", "]]>", "\r")  # fmt: skip


@dataclass(slots=True)
class Record:
    """A record in its parts. `length`: what it says its content has, if that is a lie."""

    warc: bytes
    http: bytes
    body: bytes
    length: bytes | None = None

    def plain(self) -> bytes:
        content = self.http + self.body
        length = b"%d" % len(content) if self.length is None else self.length
        return _LENGTH.sub(lambda found: found[1] + b" " + length, self.warc, count=1) + content + b"\r\n\r\n"


Mutation = Callable[[random.Random, Record, Record], None]


def real_records(folder: Path, archives: int | None = None) -> list[Record]:
    """All records of a folder's archives, or of the first so many, in order; of what is no HTTP response the content is the body."""
    found = []
    for path in sorted(folder.glob("*.warc.gz"))[:archives]:
        with path.open("rb") as file:
            for item in raw_records(file, path.name, LIMIT):
                if isinstance(item, RawRecord) and item.content is not None:
                    http, end, body = item.content.partition(b"\r\n\r\n") if item.kind == "response" else (b"", b"", item.content)
                    found.append(Record(item.header, http + end, body))
    return found


def mutant(records: list[Record], seed: int, number: int) -> tuple[bytes, list[str]]:
    """(the compressed member, names of the mutations) of one number. Small pages are taken more often: they break as well, for less."""
    chance = random.Random(f"{seed}:{number}")
    other = chance.choice(records)
    drawn = [chance.choice(records) for _ in range(8)]
    made = replace(min([record for record in drawn if record.http][:3] or drawn, key=lambda record: len(record.body)))
    names = chance.choices(list(MUTATIONS), [weight for _, weight in MUTATIONS.values()], k=chance.choice((1, 1, 2, 3)))
    for name in names:
        MUTATIONS[name][0](chance, made, other)
    data = gzip.compress(made.plain(), 1, mtime=0)
    if chance.random() < 0.06:
        names.append("member")
        data = _broken_member(chance, data)
    return data, names


def inflated(member: bytes) -> bytes:
    """What can be read of a member that may be broken."""
    try:
        return zlib.decompressobj(31).decompress(member)
    except zlib.error:
        return b""


def _broken_member(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    kind = chance.randrange(4)
    if kind == 0:
        return data[: max(at, 1)]
    if kind == 1:
        return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
    return data + chance.randbytes(at % 500) if kind == 2 else data[:at] + chance.randbytes(20) + data[at:]


def flip(chance: random.Random, made: Record, _: Record) -> None:
    body = bytearray(made.body)
    for _number in range(chance.choice((1, 10, 100))):
        if body:
            body[chance.randrange(len(body))] = chance.randrange(256)
    made.body = bytes(body)


def cut(chance: random.Random, made: Record, _: Record) -> None:
    begin, end = _stretch(chance, made.body)
    made.body = chance.choice((made.body[:begin], made.body[end:], made.body[:begin] + made.body[end:]))


def insert(chance: random.Random, made: Record, _: Record) -> None:
    for _number in range(chance.choice((1, 5, 50))):
        at, noise = _place(chance, made.body), chance.choice(_NOISE).encode("utf-8", "surrogatepass")
        made.body = made.body[:at] + chance.choice((noise, chance.randbytes(9))) + made.body[at:]


def splice(chance: random.Random, made: Record, other: Record) -> None:
    begin, end = _stretch(chance, other.body)
    at = _place(chance, made.body)
    made.body = made.body[:at] + other.body[begin:end][:MOST] + made.body[at:]


def repeat(chance: random.Random, made: Record, _: Record) -> None:
    begin = _place(chance, made.body)
    part = made.body[begin : begin + chance.randrange(1, 2000)]
    made.body = made.body[:begin] + part * (chance.randrange(1, MOST) // (len(part) or 1)) + made.body[begin:]


def mutilate_tags(chance: random.Random, made: Record, _: Record) -> None:
    """Some of one kind of sign of the markup are lost, or become another."""
    sign, by = (
        chance.choice((b"<", b">", b'"', b"/", b"=", b"</", b"<p", b"-->")),
        chance.choice((b"", b"<", b">", b"'", b"<!--")),
    )
    pieces, share = made.body.split(sign), chance.choice((0.01, 0.3, 1))
    made.body = pieces[0] + b"".join((by if chance.random() < share else sign) + piece for piece in pieces[1:])


def nest(chance: random.Random, made: Record, _: Record) -> None:
    tag, levels = chance.choice(_TAGS), chance.choice((3, 100, 300, 2500, 20_000))
    begin, end = _stretch(chance, made.body)
    before = "".join(f"<{name}>" for name in tag.split("><")).encode() * levels
    behind = "".join(f"</{name.split()[0]}>" for name in reversed(tag.split("><"))).encode() * (
        levels if chance.random() < 0.7 else 0
    )
    made.body = made.body[:begin] + before + made.body[begin:end] + behind + made.body[end:]


def references(chance: random.Random, made: Record, _: Record) -> None:
    """Letters become references: whole, in pieces, doubly escaped, without an end."""
    form = chance.choice(
        ("&#{};", "&#x{:x};", "&amp;#{};", "&#{}", "&amp;amp;#{};", "&#00000{};", "&#<b>{};", "\\u{:04x}", "&#{};&#8203;")
    )
    share = chance.choice((0.01, 0.5, 1))
    text = made.body.decode("utf-8", "replace")
    made.body = _LETTER.sub(lambda found: form.format(ord(found[0])) if chance.random() < share else found[0], text).encode()


def huge_attribute(chance: random.Random, made: Record, _: Record) -> None:
    value = chance.choice(("あ", "x ", "&amp;", "\"'", "かな 漢字 ", "a:b;")) * chance.choice((100, 10_000, 60_000))
    tag = chance.choice(
        ('<div class="{}">', "<html lang='{}'>", '<a href="{}">', "<p {}>", '<meta content="{}">', "<img alt='{}'>")
    )
    at = chance.choice((0, _place(chance, made.body)))
    made.body = made.body[:at] + tag.format(value).encode() + made.body[at:]


def flood(chance: random.Random, made: Record, _: Record) -> None:
    at, what = _place(chance, made.body), chance.choice(_FLOODS).encode("utf-8", "surrogatepass")
    made.body = made.body[:at] + what * (chance.choice((1000, 5000, 20_000, 20_000, MOST)) // len(what)) + made.body[at:]


def transcode(chance: random.Random, made: Record, _: Record) -> None:
    """Other bytes under the old label; pairs of UTF-16 lose their halves."""
    codec = chance.choice(("cp932", "euc_jp", "iso2022_jp", "utf-16-le", "utf-16", "utf-32", "utf-8-sig", "gb18030", "cp1252"))
    body = made.body.decode("utf-8", "replace").encode(codec, "ignore")
    at = _place(chance, body)
    made.body = body[:at] + body[at + (codec == "utf-16" and chance.random() < 0.5) :]


def swap_label(chance: random.Random, made: Record, _: Record) -> None:
    label = chance.choice(_LABELS).encode()
    made.body = re.sub(rb"(?i)(charset=[\"']?)[\w-]+", lambda found: found[1] + label, made.body, count=chance.choice((0, 1)))
    made.http = re.sub(rb"(?i)(\ncontent-type:)[^\r\n]*", lambda found: found[1] + b" text/html; charset=" + label, made.http)


def code(chance: random.Random, made: Record, _: Record) -> None:
    """A coding that is there, at times named otherwise, cut, broken, or doubled."""
    body, name = made.body, chance.choice(("gzip", "br", "deflate", "zstd"))
    if chance.random() < 0.05:
        body = body + b"\0" * chance.choice((10 << 20, 25 << 20))
    coders = {"gzip": lambda: gzip.compress(body, 1, mtime=0), "br": lambda: brotli.compress(body, quality=1),
              "deflate": lambda: zlib.compress(body, 1), "zstd": lambda: zstandard.compress(body, 1)}  # fmt: skip
    coded, way = coders[name](), chance.randrange(6)
    at = _place(chance, coded)
    made.body = (coded, coded, coded[:at], coded[:at] + b"\xa5" + coded[at + 1 :], coded + coded, coded + b"<html>")[way]
    said = name if chance.random() < 0.8 else chance.choice(_CODINGS)
    made.http = _with_field(made.http, b"Content-Encoding: " + said.encode("latin-1"))


def lie_about_coding(chance: random.Random, made: Record, _: Record) -> None:
    chunked = chance.random() < 0.5
    said = "Transfer-Encoding: chunked" if chunked else "Content-Encoding: " + chance.choice(_CODINGS)
    made.http = _with_field(made.http, said.encode("latin-1"))
    if chunked and chance.random() < 0.6:
        sizes = chance.choice(("%x", "%X", "0%x", "-%x", "%xff", " %x"))
        made.body = b"".join(
            (sizes % 512).encode() + b"\r\n" + made.body[at : at + 512] + b"\r\n" for at in range(0, len(made.body), 512)
        )


def break_http(chance: random.Random, made: Record, _: Record) -> None:
    made.http = _broken_fields(chance, made.http)


def break_warc(chance: random.Random, made: Record, _: Record) -> None:
    made.warc = _broken_fields(chance, made.warc)


def retype(chance: random.Random, made: Record, _: Record) -> None:
    made.http = re.sub(rb"(?i)(\ncontent-type:)[^\r\n]*", lambda found: found[1] + chance.choice(_KINDS).encode(), made.http)
    if chance.random() < 0.3:
        made.warc = re.sub(
            rb"(?i)(\nwarc-identified-payload-type:)[^\r\n]*", lambda found: found[1] + chance.choice(_KINDS).encode(), made.warc
        )


def lie_about_length(chance: random.Random, made: Record, _: Record) -> None:
    size = len(made.http) + len(made.body)
    made.length = str(chance.choice((0, size - 1, size + 1, size // 2, size + 10_000, 10**17, -1, f"{size}x", ""))).encode()


def _broken_fields(chance: random.Random, header: bytes) -> bytes:
    lines = header.split(b"\r\n")
    at = chance.randrange(len(lines))
    line, way = lines[at], chance.randrange(9)
    lines[at : at + 1] = (
        [line, line], [], [line.replace(b":", b"")], [line + b" " * 300 + b"x"], [b" " + line],
        [line + "日本\udcff".encode("utf-8", "surrogatepass")],
        [line[: len(line) // 2] + chance.randbytes(12) + line[len(line) // 2 :]],
        [line.split(b":")[0] + b": " + chance.randbytes(30)], [line + b"\n"],
    )[way]  # fmt: skip
    return b"\r\n".join(lines)


def _with_field(http: bytes, field: bytes) -> bytes:
    status, end, rest = http.partition(b"\r\n")
    return status + end + field + b"\r\n" + rest


def _place(chance: random.Random, data: bytes) -> int:
    return chance.randrange(len(data) + 1)


def _stretch(chance: random.Random, data: bytes) -> tuple[int, int]:
    begin = _place(chance, data)
    return begin, min(len(data), begin + chance.choice((10, 1000, 100_000)))


# What is done, and how often; those of the page most of all, for its way is the longest.
MUTATIONS: dict[str, tuple[Mutation, int]] = {
    function.__name__: (function, weight)
    for function, weight in (
        (flip, 6), (cut, 4), (insert, 6), (splice, 6), (repeat, 3), (mutilate_tags, 6), (nest, 4), (references, 4), (huge_attribute, 3),
        (flood, 4), (transcode, 5), (swap_label, 4), (code, 5), (lie_about_coding, 4), (break_http, 5), (break_warc, 5), (retype, 2),
        (lie_about_length, 2),
    )
}  # fmt: skip
