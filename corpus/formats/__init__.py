"""The formats that shards are written in, each with its writer and its check."""

from seiryu.corpus.formats import datatrove, jsonl, megatron, mosaic, parquet
from seiryu.corpus.formats.shard import Format

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (megatron.FORMAT, datatrove.FORMAT, mosaic.FORMAT, parquet.FORMAT, parquet.FORMAT_WITH_TOKENS, jsonl.FORMAT)
}
