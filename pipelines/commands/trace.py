"""The command that says which page a sequence comes from."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from seiryu.pipelines.commands.checks import finished
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.telling.screen import out, plain
from seiryu.pipelines.tracing import Shard, Traced, trace

# What JSON lets stand and a terminal may obey, or what turns the writing round.
_NOT_PLAIN = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SHOWN = 400  # letters of the text
_FIRST = ("doc_id", "copy", "url", "host", "title", "crawl_date", "warc", "warc_offset", "payload_digest", "tokens")
_QUALITY = ("letters", "japanese_share", "language_score", "duplicates", "contaminated")
_SAID = {True: "yes", None: "cannot be told, one of them is not there"}


def trace_command(path: str, sequence: int | None, token: int | None, run: str, *, as_json: bool) -> int:
    """1 if the shard holds something else than the run says."""
    if (sequence is None) == (token is None):
        raise ConfigError("trace: give either a SEQUENCE or --token N")
    shard = Shard.of(path)
    state = finished(run or shard.run())
    found = trace(state, shard, sequence, token)
    if as_json:
        print(plain_json(found.to_json()))
    else:
        _show(found, state.store.root)
    return 1 if found.same is False or found.same_ids is False else 0


def _show(found: Traced, run: str) -> None:
    lines = [("shard", found.shard), ("sequence", f"{found.sequence:,}"), ("first token", f"{found.first_token:,}")]
    lines += [(name, str(found.row[name])) for name in _FIRST] + [("unit", found.unit)]
    lines += [(name, f"{found.row[name]:g}" if isinstance(found.row[name], float) else str(found.row[name])) for name in _QUALITY]
    for name, value in lines:
        out.print(f"{name:<15} {plain(value)}")
    no = f"NO: run seiryu verify {shlex.quote(run)}, or the shard is not of this run, or older than a takedown"
    out.print(f"\nthe record: {plain(_how_to_get(found))}")
    out.print(f"why it was kept: seiryu explain {shlex.quote(run)} {found.row['doc_id']}")
    out.print(f"the ids of the shard are those of tokens/: {_SAID.get(found.same_ids, no)}")
    out.print(f"they are the ids of the text in corpus/{plain(found.unit)}.parquet: {_SAID.get(found.same, no)}")
    cut = " ..." if len(found.decoded) > _SHOWN else ""
    out.print(f"\n{plain(found.decoded[:_SHOWN])}{cut}")


def _how_to_get(found: Traced) -> str:
    """A command that fetches the very record, if its archive is one of Common Crawl's; else where it lies."""
    record = found.record
    if record["url"]:
        return f"curl -s -r {record['range'].removeprefix('bytes=')} {shlex.quote(record['url'])} | gzip -dc"
    length = f", {record['length']:,} bytes" if record["length"] else ""
    return f"{record['warc']}, from byte {record['offset']:,}{length}"


def plain_json(value: Any) -> str:
    """JSON with text from the web in it: the same value, and nothing in it that a terminal would obey."""
    return _NOT_PLAIN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False, indent=1))
