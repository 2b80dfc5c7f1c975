"""The bytes of one object on a server, each of them checked for its place, over as many requests as it takes.

A connection that breaks costs one request for the rest: what came is not asked again. An answer counts only if it is the very
range that was asked (206, Content-Range, the object's size) of the same object (ETag, Last-Modified) and as long as it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from seiryu.corpus.remote.asking import Answer, Asker, Place
from seiryu.corpus.remote.errors import EndsBefore, Unreachable
from seiryu.corpus.remote.trouble import Fault, Trouble

PIECE = 1 << 20
_PIECE_OF_UNKNOWN = 1 << 16  # of a body that does not say how long it is; as much is paid for
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,18})")


class RemoteObject:
    """`size` is known once a piece of a range has come."""

    def __init__(self, asker: Asker, place: Place) -> None:
        self._asker, self._place, self.name = asker, place, place.name
        self.size: int | None = None
        self._tags: dict[str, str] = {}

    def pieces(self, first: int, stop: int | None = None, *, whole: bool = False) -> Iterator[bytes]:
        """Bytes from `first` to before `stop` (or to the end), as they come, up to 1 MiB at once; a negative `first` is the last ones.

        `whole`: asked without a range, as small objects and pages can be that some servers do not give parts of.
        Unreachable when it cannot be had now, or changes meanwhile; Forbidden; InputError.
        """
        at = first
        trouble = Trouble(f"{self.name} ({_range(first, stop)})", self._asker.manners)
        while True:
            try:
                headers = {} if whole and at == 0 else {"Range": _header(at, stop)}
                with self._asker.ask(self._place, "GET", headers) as answer:
                    here, end = self._begun(answer, at, stop, whole=whole)
                    at = max(at, here)
                    while end is None or here < end:
                        piece = answer.read(_PIECE_OF_UNKNOWN if end is None else min(PIECE, end - here))
                        if not piece:
                            if end is None:
                                break
                            raise Fault(f"the body ended {end - here:,} bytes early")
                        here += len(piece)
                        if here > at:
                            piece = piece[len(piece) - (here - at) :] if here - at < len(piece) else piece
                            at = here
                            trouble.over()
                            yield piece
                    if end is None:
                        self.size = here
                    elif answer.length is None and answer.read(1):
                        raise Fault("more came than was asked")
                    return
            except Fault as fault:
                trouble.met(fault)

    def exactly(self, first: int, size: int) -> bytes:
        """`size` bytes from `first` on. EndsBefore if the object does."""
        data = b"".join(self.pieces(first, first + size)) if size else b""
        if len(data) != size:
            raise EndsBefore(f"{self.name} has {self.size or 0:,} bytes; bytes {first:,}-{first + size - 1:,} do not exist")
        return data

    def _begun(self, answer: Answer, at: int, stop: int | None, *, whole: bool) -> tuple[int, int | None]:
        """Place of the first byte that comes and the one behind the last, None if only the end will tell. Fault if not as asked."""
        if answer.status == 416:
            return self._nothing(answer, at)
        if answer.status == 200:
            return self._all(answer, answer.length, at, stop, whole=whole)
        given = answer.headers.get("Content-Range", "")
        found = _CONTENT_RANGE.fullmatch(given.strip())
        if answer.status != 206 or not found or (whole and at == 0):
            raise Fault(f"{answer} with Content-Range {given!r} where {_range(at, stop)} were asked")
        first, last, total = map(int, found.groups())
        begin = at if at >= 0 else max(0, total + at)
        end = total if stop is None else min(stop, total)
        if (first, last) != (begin, end - 1) or answer.length not in (None, end - begin):
            raise Fault(f"sent {given!r} in {answer.length or '?'} bytes where {_range(at, stop)} were asked")
        self._is_the_same(answer, total)
        return first, end

    def _all(self, answer: Answer, length: int | None, at: int, stop: int | None, *, whole: bool) -> tuple[int, int | None]:
        """The same for an answer that is the whole object, which does where that was asked."""
        if length is None and not (whole and "chunked" in answer.headers.get("Transfer-Encoding", "").lower()):
            raise Fault("did not say how many bytes it sends")
        wanted = whole or (at == 0 and (stop is None or stop == length)) or (length is not None and 0 <= length <= -at)
        if not wanted:
            raise Fault(f"sent the whole object ({answer}) where {_range(at, stop)} were asked")
        if length is not None:
            self._is_the_same(answer, length)
        return 0, length

    def _nothing(self, answer: Answer, at: int) -> tuple[int, int]:
        """The same for 416: an empty object has no first byte to begin a range with."""
        found = _UNSATISFIED.fullmatch(answer.headers.get("Content-Range", "").strip())
        total = int(found[1]) if found else None
        if at > 0 and self.size is None:
            raise EndsBefore(
                f"{self.name} has {'fewer' if total is None else format(total, ',')} bytes; {_range(at, None)} do not exist"
            )
        if at > 0 or total or self.size:
            raise Fault(f"{answer} where {_range(at, None)} were asked")
        self.size = 0
        return 0, 0

    def _is_the_same(self, answer: Answer, total: int) -> None:
        for field in ("ETag", "Last-Modified"):
            now = answer.headers.get(field)
            if now and now != self._tags.setdefault(field, now):
                raise Unreachable(f"{self.name} changed while it was read: its {field} was {self._tags[field]}, and is {now}")
        if self.size is None:
            self.size = total
        elif self.size != total:
            raise Fault(f"the object has {total:,} bytes now; it had {self.size:,}")


def _header(first: int, stop: int | None) -> str:
    return f"bytes={first}" if first < 0 else f"bytes={first}-{'' if stop is None else stop - 1}"


def _range(first: int, stop: int | None) -> str:
    if first < 0:
        return f"the last {-first:,} bytes"
    return f"bytes {first:,}-" if stop is None else f"bytes {first:,}-{stop - 1:,}"
