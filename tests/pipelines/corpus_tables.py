"""Final documents as `clean` leaves them, and the stages behind it made of them in this process."""

import datetime
import json
from pathlib import Path

from page_tables import write

from seiryu.corpus import schema
from seiryu.corpus.formats.megatron import ShardReader
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.stages import shards, splits, tokenize
from seiryu.pipelines.stages.splits import NAMES
from seiryu.pipelines.unit import Unit


def config_of(run: Path, **shards_section: object) -> Config:
    value = {"run": str(run), "source": {"paths": ["nothing.warc.gz"]}, "shards": {"validation": {"share": 0.1}} | shards_section}
    return Config.model_validate_json(json.dumps(value))


def write_corpus(store: Store, files: list[list[dict[str, object]]]) -> tuple[str, ...]:
    """Files of documents; what one does not say is 0 or empty. Their names."""
    for number, rows in enumerate(files):
        said = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
        said.setdefault("crawl_date", [datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)] * len(rows))
        write(store, f"corpus/f{number:03d}.parquet", schema.CORPUS, said, len(rows))
    return tuple(f"f{number:03d}" for number in range(len(files)))


def make(
    store: Store, config: Config, lots: list[tuple[str, ...]], of: dict[str, int]
) -> dict[str, list[tuple[str, int, list[int]]]]:
    """Tokenize each lot of files, choose splits, write so many shards of each split.

    For each shard that has sequences, in the order of NAMES: (doc_id, copy, ids) of each, by its provenance and Megatron's files.
    """
    for lot in lots:
        tokenize.work(Unit("tokenize", lot[0], {}, {}, reads=lot), config, store).counts.check("tokenize")
    reads = tuple(lot[0] for lot in lots)
    splits.work(Unit("splits", "all", {}, {}, reads=reads), config, store)
    found = {}
    for split in NAMES:
        for index in range(of.get(split, 0)):
            name = f"{split}-{index:05d}-of-{of[split]:05d}"
            unit = Unit("shards", name, {"split": split, "index": index, "shards": of[split]}, {}, reads=reads)
            result = shards.work(unit, config, store)
            result.counts.check(name)
            if result.outputs:
                found[name] = sequences(store, name)
    return found


def sequences(store: Store, name: str) -> list[tuple[str, int, list[int]]]:
    reader = ShardReader(store.path(f"shards/megatron/{name}"))
    table = schema.read_table(store, f"provenance/{name}.parquet", shards.PROVENANCE)
    assert table["sequence"].to_pylist() == list(range(len(reader)))
    return [
        (doc_id, copy, reader[i].tolist())
        for i, (doc_id, copy) in enumerate(zip(table["doc_id"].to_pylist(), table["copy"].to_pylist(), strict=True))
    ]
