"""What a unit counted, and the law that nothing vanishes: records = kept + all rejected + all failed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import index
from sys import intern
from typing import Any

from seiryu.corpus.errors import LawBroken

NOT_FETCHED = "not_fetched"  # of records that a server did not give, and may give another time


@dataclass(slots=True)
class Counts:
    """Records of one unit (or of many, added up), each in exactly one place, and their letters beside them.

    `rejected`, `failed`: reason -> records. `letters`: kept or a reason -> letters of those records' texts (where a text is known).
    `extra`: further sums, such as tokens or bytes.
    """

    records: int = 0
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)

    @property
    def not_come(self) -> int:
        """Records that did not come and may come another time."""
        return self.failed[NOT_FETCHED]

    def check(self, where: str) -> None:
        """LawBroken unless every record is accounted for."""
        accounted = self.kept + self.rejected.total() + self.failed.total()
        if self.records != accounted:
            raise LawBroken(f"{where}: {self.records} records went in, {accounted} are accounted for; please report this")

    def add(self, other: Counts) -> None:
        self.records += other.records
        self.kept += other.kept
        for mine, theirs in zip(self._counters(), other._counters(), strict=True):
            mine.update(theirs)

    def _counters(self) -> tuple[Counter[str], ...]:
        return self.rejected, self.failed, self.letters, self.extra

    def to_json(self) -> dict[str, Any]:
        named = zip(("rejected", "failed", "letters", "extra"), self._counters(), strict=True)
        return {"records": self.records, "kept": self.kept} | {name: dict(sorted(counter.items())) for name, counter in named}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Counts:
        """LookupError, TypeError or AttributeError if it is none."""
        # Interned: a run reads hundreds of thousands of these, all with the same few reasons.
        named = {
            name: Counter({intern(reason): index(number) for reason, number in value[name].items()})
            for name in ("rejected", "failed", "letters", "extra")
        }
        return cls(index(value["records"]), index(value["kept"]), **named)
