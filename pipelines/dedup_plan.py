"""What the deduplication of N documents takes: memory, disk and time, from measured constants.

`python -m benchmarks planner` measures the constants again and prints them beside these. Time is that of one core; disk is what the
tables take, compressed. Of two things nobody knows beforehand how many there are: copies, so every document is taken to get a
signature; and documents that meet another, which is `MEETING` of them unless the run has counted them. Both are on the safe side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from seiryu.dedup.bands import match_probability
from seiryu.pipelines.config import Config
from seiryu.pipelines.stages.deduplicating import bands, copies, pages
from seiryu.pipelines.stages.deduplicating.numbering import FILES_A_BLOCK, member_bytes, stretches
from seiryu.pipelines.state import State

LETTERS = 1700  # of a document of the Swallow corpus's kind
MEETING = (
    0.5  # of documents share a band with another; 0.08 in samples/, and a snapshot of the web loses 0.71 to all deduplication
)
DOCUMENTS_A_GB = (
    300  # of Common Crawl's archives that pass the rules: a twentieth of the pages is Japanese, a fifth of those passes
)

# Microseconds of one core; measured on 2026-11-26 by the command above, with two AMD EPYC cores.
NORMAL_FORM = 0.045  # a letter
VALUE = 3.7e-5  # a letter and value of a signature
SET = 0.045  # a letter whose shingle goes into a set
FINGERPRINT, SIGNATURE, PAGE, COPY, BAND, NUMBER, SELECTED = 12.0, 12.0, 0.1, 0.1, 0.065, 0.13, 0.75  # a document; BAND: and band
MEMBER, CHOICE = 19.0, 12.5  # a document that meets another
OPENING, OPENING_SIGNATURES = 500.0, 1100.0  # a file that a unit reads; one of 44 columns
FINGERPRINT_UNIT, SIGNATURE_UNIT = 15_000.0, 17_000.0  # a unit, whatever it holds: the engine, its files, its sidecar
# Bytes on disk.
PRINTED, SIGNED, MET, CHOSEN, DECIDED = 85, 30, 4, 45, 25  # a document; MET: and meeting
MEETINGS = 15  # of a document that meets another

SIMILARITIES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Step:
    """One stage: units of work, bytes of memory of the largest, bytes on disk, seconds of one core."""

    stage: str
    units: int
    memory: int
    disk: int
    seconds: float


@dataclass(frozen=True, slots=True)
class DedupPlan:
    """`where`: what says how many documents there are. `found`: (similarity, share of such pairs that meet)."""

    documents: int
    where: str
    letters: int
    meeting: float
    found: tuple[tuple[float, float], ...]
    steps: tuple[Step, ...]
    config: Config

    @property
    def workers(self) -> int:
        return self.config.engine.workers or 0

    @property
    def disk(self) -> int:
        return sum(step.disk for step in self.steps)

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)

    @property
    def wall_seconds(self) -> float | None:
        """On the config's workers, of which a stage uses no more than it has units; None if the config does not say how many."""
        return sum(step.seconds / min(self.workers, step.units) for step in self.steps) if self.workers else None

    def as_json(self) -> dict[str, Any]:
        dedup, cut = self.config.dedup, self.config.dedup.banding
        return {
            "preset": dedup.preset, "bands": cut.bands, "rows": cut.rows, "found": self.found, "threshold": dedup.threshold,
            "verify": dedup.verify, "documents": self.documents, "where": self.where, "letters": self.letters,
            "meeting": self.meeting, "steps": [asdict(step) for step in self.steps], "disk": self.disk,
            "memory": max(step.memory for step in self.steps), "seconds": self.seconds, "workers": self.workers,
            "wall_seconds": self.wall_seconds,
        }  # fmt: skip


def dedup_plan(state: State, archive_bytes: int, number: int | None = None) -> DedupPlan:
    """The plan for `number` documents, or for those that the run has found to pass, or for what archives of that size may hold."""
    config, decided, signed, grouped = state.config, *(state.counts(name) for name in ("decide", "fingerprints", "groups"))
    letters = round(signed.letters["kept"] / signed.records) if signed.records else LETTERS
    meeting = grouped.extra["members"] / grouped.records if grouped.records else MEETING
    if number is not None:
        where, meeting = "--documents", MEETING  # more documents meet more of them
    elif decided.records:
        number, where = decided.kept, "those that pass the rules"
    else:
        number = ceil(archive_bytes / 1e9 * DOCUMENTS_A_GB)
        where = f"{DOCUMENTS_A_GB} a GB of archives, as of Common Crawl"
    decided_files = len(state.completed("decide")) if where != "--documents" else 0
    files = decided_files or ceil(number / DOCUMENTS_A_GB)  # an archive has a GB
    cut = config.dedup.banding
    found = tuple((each, match_probability(each, cut.bands, cut.rows)) for each in SIMILARITIES)
    return DedupPlan(
        number, where, letters, meeting, found, tuple(steps(config, number, max(1, files), letters, meeting)), config
    )


def steps(config: Config, number: int, files: int, letters: int, meeting: float) -> Sequence[Step]:
    """Each stage of deduplication."""
    cut, members = config.dedup.banding, round(number * meeting)
    exact, a_file = config.dedup.verify == "exact", number / files
    text = NORMAL_FORM * letters
    whole, each = config.dedup.memory, member_bytes(config, letters)
    signature = 8 * cut.bands + cut.num_perm
    together, parts = bands.shared_out(config, number)
    blocks = max(ceil(files / FILES_A_BLOCK), ceil(number * each / whole))

    def step(stage: str, units: int, memory: float, disk: float, microseconds: float, a_file: float = 0) -> Step:
        """`a_file`: microseconds for each file, however few documents are in it."""
        return Step(stage, max(1, units), round(memory), round(disk), (microseconds + a_file * files) / 1e6)

    def a_part(bytes_each: int) -> float:
        return min(whole, number * bytes_each)

    set_bytes = 4 * letters if exact else 0
    return [
        step("fingerprints", files, a_file * (8 * letters + 300), number * PRINTED, number * (FINGERPRINT + text),
             FINGERPRINT_UNIT),
        step("pages", stretches(config, number, pages.BYTES), a_part(pages.BYTES), 0, number * PAGE,
             OPENING * stretches(config, number, pages.BYTES)),
        step("copies", stretches(config, number, copies.BYTES), a_part(copies.BYTES), 0, number * COPY,
             OPENING * stretches(config, number, copies.BYTES)),
        step("signatures", files, a_file * (8 * letters + 2 * signature + 4 * cut.num_perm), number * (signature + SIGNED),
             number * (SIGNATURE + text + VALUE * letters * cut.num_perm), SIGNATURE_UNIT),
        step("bands", ceil(cut.bands / together) * parts, a_part(bands.BYTES + bands.BYTES_A_BAND * together),
             members * MEETINGS * MET, number * cut.bands * BAND,
             OPENING_SIGNATURES * ceil(cut.bands / together) * parts),
        step("groups", 1, 16 * (number + members), members * MET, number * NUMBER),
        step("members", blocks, min(whole, members * each), members * (signature + set_bytes + 60),
             members * (MEMBER + (text + SET * letters if exact else 0)), OPENING_SIGNATURES + OPENING * (2 if exact else 1)),
        step("choices", ceil(members * each / whole), min(whole, members * each), members * CHOSEN, members * CHOICE),
        step("select", max(ceil(files / FILES_A_BLOCK), ceil(400 * number / whole)), a_part(400), number * DECIDED, number * SELECTED,
             OPENING),
    ]  # fmt: skip
