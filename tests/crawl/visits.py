"""Archives made of records of other archives, member by member: a visit is a page's request, response and metadata record."""

import gzip
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from index_table import Row
from warcio.archiveiterator import ArchiveIterator


@dataclass(slots=True)
class Visit:
    """`members`: offset and length of each, in the order of the archive."""

    url: str
    members: list[tuple[int, int]] = field(default_factory=list)

    def holds(self, offset: int) -> bool:
        return any(offset == member for member, _ in self.members)


def visits(archive: Path) -> list[Visit]:
    """All that an archive holds but its warcinfo record."""
    found: list[Visit] = []
    with archive.open("rb") as file:
        records = ArchiveIterator(file, no_record_parse=True)
        for record in records:
            url, offset = record.rec_headers["WARC-Target-URI"], records.get_record_offset()
            records.read_to_end(record)
            if url:
                if not found or found[-1].url != url:
                    found.append(Visit(url))
                found[-1].members.append((offset, records.get_record_length()))
    return found


def copied(archive: Path, chosen: Sequence[Visit], change: Callable[[bytes], bytes] | None = None) -> bytes:
    """An archive of the chosen visits; `change` is applied to the head of each record."""
    data = archive.read_bytes()
    members = [
        (0, min(visit.members[0][0] for visit in visits(archive))),
        *(member for visit in chosen for member in visit.members),
    ]
    parts = [data[offset : offset + length] for offset, length in members]
    return b"".join([parts[0], *(_changed(part, change) if change else part for part in parts[1:])])


def fetched_again(root: Path, pages: Sequence[Row], time: datetime) -> bytes:
    """An archive of the visits that these index rows are about, as if they had been made at another time with the same result."""

    def change(head: bytes) -> bytes:
        head = re.sub(rb"(?<=WARC-Date: )\S+", f"{time:%Y-%m-%dT%H:%M:%SZ}".encode(), head)
        return re.sub(
            rb"(?<=<urn:uuid:)[0-9a-f-]{36}",
            lambda found: str(uuid.uuid5(uuid.UUID(found[0].decode()), str(time))).encode(),
            head,
        )

    offsets: dict[str, set[int]] = defaultdict(set)
    for row in pages:
        offsets[row["warc_filename"]].add(row["warc_record_offset"])
    return b"".join(
        copied(root / name, [visit for visit in visits(root / name) if any(map(visit.holds, wanted))], change)
        for name, wanted in sorted(offsets.items())
    )


def _changed(member: bytes, change: Callable[[bytes], bytes]) -> bytes:
    head, end, content = gzip.decompress(member).partition(b"\r\n\r\n")
    return gzip.compress(change(head) + end + content, 6, mtime=0)
