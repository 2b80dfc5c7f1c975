"""From a sequence of a shard back to its page: what the run knows of it, its text, and where the very record lies.

The way: the shard's row in `provenance/` names the document; its place in the global order finds its row in `tokens/`, which was made
of a few corpus files, one of which holds the text. Ids are read from the shard itself where it is a flat file of them (Megatron's .bin,
datatrove's .ds), and held against those of `tokens/`, and against the text in `corpus/`, encoded anew.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.formats.shard import Ids, Place
from seiryu.corpus.inputs import open_input
from seiryu.corpus.shard_schema import PROVENANCE, SEQUENCES
from seiryu.corpus.storage import Store
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.measured import tokenizer
from seiryu.pipelines.places import read_stretch_of
from seiryu.pipelines.source_config import CommonCrawl
from seiryu.pipelines.sources import commoncrawl
from seiryu.pipelines.stages.tokenize import shuffle_key, vocabulary
from seiryu.pipelines.stages.tokenize import units as units_of_tokenize
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar

_SHARD = re.compile(
    r"(?:^|/)(?P<split>train|validation|test)[-/](?P<index>\d{5})-of-(?P<of>\d{5})"
    r"(?P<end>|\.bin|\.idx|\.ds|\.ds\.index|\.ds\.metadata|\.parquet|\.jsonl\.zst|/index\.json|/shard\.(?P<part>\d{5})\.mds)/?\Z"
)
_FLAT = {".bin": ".bin", ".idx": ".bin", ".ds": ".ds", ".ds.index": ".ds", ".ds.metadata": ".ds"}
_OF_CRAWL = re.compile(r"crawl-data/CC-MAIN-[0-9A-Za-z-]+/")
_PUBLIC = "https://data.commoncrawl.org/"


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as it was named. `path`: without a slash at its end; `end`: what follows the shard's number in it; `part`: number of an
    .mds file in it, None if the whole shard is meant."""

    place: Place
    path: str
    end: str
    part: int | None = None

    @classmethod
    def of(cls, path: str) -> Shard:
        """ConfigError if that is no name of a shard."""
        found = _SHARD.search(path)
        if not found or int(found["index"]) >= int(found["of"]):
            raise ConfigError(
                f"{path}: no shard is called so; name a file, a prefix or a folder below RUN/shards/, such as "
                "RUN/shards/megatron/train-00000-of-00002"
            )
        place = Place(found["split"], int(found["index"]), int(found["of"]))
        return cls(place, path.rstrip("/"), found["end"], None if found["part"] is None else int(found["part"]))

    def run(self) -> str:
        """The run directory that the shard lies in. ConfigError if it lies in none."""
        above = posixpath.dirname(self.path if "://" in self.path else os.path.abspath(self.path))  # noqa: PTH100 - links stay
        while True:
            if Store(above).exists("run.json"):
                return above
            if above.count("/") <= (2 if "://" in self.path else 1):
                raise ConfigError(f"{self.path}: it lies in no run; name the run directory: --run RUN")
            above = posixpath.dirname(above)

    def flat(self, store: Store) -> str:
        """The flat file of ids that is meant: the one that was named, if it is there, else the run's own; empty if there is none."""
        if self.end and self.end not in _FLAT and _is_there(self.path):
            return ""
        named = self.path.removesuffix(self.end) + _FLAT.get(self.end, ".bin")
        inside = (f"megatron/{self.place.name}.bin", f"datatrove/{self.place.split}/{self.place.number}.ds")
        return next((path for path in (named, *(store.path(f"shards/{name}") for name in inside)) if _is_there(path)), "")


@dataclass(frozen=True, slots=True)
class Traced:
    """Where a sequence comes from.

    `row`: of `tokens/`, with names as in its schema; `record`: where it lies in which archive; `decoded`: the text of all its ids, of
    those in `tokens/` if the shard has others; `text`: that of the corpus. `same_ids`: whether the ids in the shard are those of
    `tokens/`, None if the shard is no flat file of ids; `same`: whether they are those of the text, None if the corpus is not there any
    more.
    """

    shard: str
    sequence: int
    first_token: int
    row: dict[str, Any]
    unit: str
    record: dict[str, Any]
    decoded: str
    text: str | None
    same_ids: bool | None
    same: bool | None

    def to_json(self) -> dict[str, Any]:
        row = {name: value if isinstance(value, int | float | str) else value.isoformat() for name, value in self.row.items()}
        return {
            "shard": self.shard, "sequence": self.sequence, "first_token": self.first_token, **row, "unit": self.unit,
            "record": self.record, "same_ids": self.same_ids, "same": self.same, "text": self.text, "decoded": self.decoded,
        }  # fmt: skip


def trace(state: State, shard: Shard, sequence: int | None, token: int | None) -> Traced:
    """A sequence by its number, or the one that holds a token. InputError or ConfigError where there is none such."""
    done = _sidecar(state, shard)
    _check_same(state, shard, done)
    lengths = _lengths(state.store, shard.place)
    number = _number(shard, lengths, samples_of(state.store, shard, len(lengths)), sequence, token)
    row, ids, unit = _row_of_tokens(state, shard.place, number)
    begin = int(lengths[:number].sum())
    read = _ids_at(flat, begin, int(lengths[number]), state) if (flat := shard.flat(state.store)) else None
    name, text = _in_corpus(state, unit, row["doc_id"])
    found, known, made = ids if read is None else read, vocabulary(state.config), tokenizer(state.config.tokenize)
    same_ids = None if read is None else bool(np.array_equal(read, ids))
    first = [] if known.bos is None else [known.bos]
    same = None if text is None else bool(np.array_equal(found, [*first, *made.encode_batch([text])[0], known.eod]))
    decoded = made.decode(ids if same_ids is False else found)  # what is no id of the vocabulary has no text
    return Traced(
        shard.place.name, number, begin, row, name, record_of(state, name, row), decoded, text, same_ids, same
    )  # fmt: skip


def _sidecar(state: State, shard: Shard) -> Sidecar:
    """The shard's record; of a run that holds a takedown that is not carried out too."""
    name = f"units/shards/{shard.place.name}.json"
    if not state.store.exists(name):
        held = [file.removesuffix(".json") for file in state.store.names("units/shards", ".json")]
        raise ConfigError(f"{state.store.root} has no shard {shard.place.name}; there are {', '.join(held[:6]) or 'none'}")
    try:
        done = Sidecar.from_json(state.store.read_json(name))
    except InputError as error:
        raise InputError(f"{state.store.path(name)} is damaged; delete it and run again") from error
    if not done.outputs:
        raise InputError(f"{state.store.path(name)}: a takedown left nothing in this shard")
    return done


def _check_same(state: State, shard: Shard, done: Sidecar) -> None:
    """InputError if the file that was named is another one than the run holds now: its sequences have other numbers."""
    inside = shard.path.removeprefix(f"{state.store.root.rstrip('/')}/")
    for output in done.outputs:
        if output.name in (inside, f"{inside}.bin") and not state.store.exists(output.name):
            raise InputError(
                f"{state.store.path(output.name)} is missing; seiryu verify --drop {state.store.root}, and run again"
            )
    path = shard.flat(state.store) or shard.path
    size = _size(path)
    if size is None:
        return
    ending = next((end for end in (_FLAT.get(shard.end), shard.end, ".bin") if end and path.endswith(end)), "")
    known = [output for output in done.outputs if ending and output.name.endswith(ending)]
    if known and size not in {output.size for output in known}:
        raise InputError(
            f"{path} has {size:,} bytes, that of {state.store.root} {known[0].size:,}: it is older than a takedown, or of another run; "
            "only the provenance that it was made with tells its sequences"
        )


def _lengths(store: Store, place: Place) -> npt.NDArray[np.int64]:
    table = schema.read_table(store, f"provenance/{place.name}.parquet", PROVENANCE, ["tokens"])
    lengths: npt.NDArray[np.int64] = table["tokens"].to_numpy().astype(np.int64)
    return lengths


def samples_of(store: Store, shard: Shard, sequences: int) -> tuple[int, int]:
    """The sequences of a shard that are meant, first and behind the last: all, or those in an .mds file that was named."""
    if shard.part is None:
        return 0, sequences
    index = f"shards/mds/{shard.place.split}/{shard.place.number}/index.json"
    try:
        samples = [int(file["samples"]) for file in store.read_json(index)["shards"]]
    except FileNotFoundError as error:
        raise InputError(f"{store.path(index)} is not there; run again") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{store.path(index)} is damaged; delete it and run again") from error
    if shard.part >= len(samples):
        raise ConfigError(f"{shard.path}: {store.path(index)} has {len(samples)} files, no such one")
    return sum(samples[: shard.part]), sum(samples[: shard.part + 1])


def _number(
    shard: Shard, lengths: npt.NDArray[np.int64], stretch: tuple[int, int], sequence: int | None, token: int | None
) -> int:
    """Number in the shard of a sequence, or of the one that holds a token, counted from the first of a stretch of sequences."""
    first, end = stretch
    if token is not None:
        begin, tokens = int(lengths[:first].sum()), int(lengths[first:end].sum())
        if not 0 <= token < tokens:
            raise ConfigError(f"--token {token}: the shard has {tokens:,} tokens, counted from 0")
        return int(np.searchsorted(np.cumsum(lengths), begin + token, side="right"))
    assert sequence is not None
    if not 0 <= sequence < end - first:
        raise ConfigError(f"sequence {sequence}: {shard.path} has {end - first:,} sequences, 0 to {end - first - 1:,}")
    return first + sequence


def _row_of_tokens(state: State, place: Place, number: int) -> tuple[dict[str, Any], Ids, str]:
    """The row of `tokens/` of a sequence, its ids there, and the unit that holds it."""
    told = schema.read_table(state.store, f"provenance/{place.name}.parquet", PROVENANCE).slice(number, 1).to_pylist()[0]
    key = shuffle_key(told["doc_id"], state.config.shards.seed, told["copy"])
    for unit in state.completed("tokenize"):
        table = read_stretch_of(state.store, f"tokens/{unit}.parquet", SEQUENCES, "shuffle_key", SEQUENCES.names, key, key)
        for row in table.filter(
            pc.and_(pc.equal(table["doc_id"], told["doc_id"]), pc.equal(table["copy"], told["copy"]))
        ).to_pylist():
            path = state.store.path(f"tokens/{unit}.ids")
            return row, _ids_at(path, row["start"], row["tokens"], state), unit
    raise InputError(f"{state.store.root}: sequence {number} is of {told['doc_id']}, which is in no table of tokens/: run verify")


def _ids_at(path: str, begin: int, length: int, state: State) -> Ids:
    """Ids of a flat file, from a token on."""
    dtype = vocabulary(state.config).dtype
    with open_input(path) as file:
        file.seek(begin * dtype.itemsize)
        data = file.read(length * dtype.itemsize)
    if len(data) < length * dtype.itemsize:
        raise InputError(f"{path} is shorter than its table says: run verify")
    return np.frombuffer(data, dtype)


def _in_corpus(state: State, unit: str, doc_id: str) -> tuple[str, str | None]:
    """(the corpus file that holds a document, its text); the text is None if there is none."""
    files = next((made.reads for made in units_of_tokenize(state) if made.name == unit), (unit,))
    for name in files:
        if state.store.exists(f"corpus/{name}.parquet"):
            table = schema.read_table(state.store, f"corpus/{name}.parquet", schema.CORPUS, ["doc_id", "text"])
            if len(found := table.filter(pc.equal(table["doc_id"], doc_id))):
                return str(name), str(found["text"][0].as_py())
    return unit, None


def record_of(state: State, unit: str, row: dict[str, Any]) -> dict[str, Any]:
    """Where the record lies: archive, offset, length if the documents are still there, the address of an archive of a crawl."""
    warc, offset, length = row["warc"], row["warc_offset"], 0
    if state.store.exists(f"documents/{unit}.parquet"):
        table = schema.read_table(state.store, f"documents/{unit}.parquet", schema.DOCUMENTS, ["doc_id", "warc_length"])
        found = table.filter(pc.equal(table["doc_id"], row["doc_id"]))
        length = found["warc_length"][0].as_py() if len(found) else 0
    url = ""
    if _OF_CRAWL.match(warc):
        url = commoncrawl.url(state.config, warc) if isinstance(state.config.source, CommonCrawl) else _PUBLIC + warc
    span = f"bytes={offset}-{offset + length - 1}" if length else f"bytes={offset}-"
    return {"warc": warc, "offset": offset, "length": length, "url": url, "range": span}


def _is_there(path: str) -> bool:
    return _size(path) is not None


def _size(path: str) -> int | None:
    """Bytes of a file; None if there is none."""
    try:
        with open_input(path) as file:
            return file.seek(0, 2)
    except InputError:
        return None
