"""The command that takes pages out of a run's shards."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from rich.table import Table

from seiryu.corpus.errors import InputError
from seiryu.filters.addresses.hosts import is_listable, normal_host, split_address
from seiryu.filters.addresses.names import named_domain
from seiryu.pipelines.commands.checks import finished
from seiryu.pipelines.commands.trace import plain_json
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.reporting.report import write_report
from seiryu.pipelines.stages.splits import NAMES
from seiryu.pipelines.state import State
from seiryu.pipelines.takedown import Rules, entries, rules_of
from seiryu.pipelines.taking_down import (
    Sum,
    Twin,
    by_rule,
    by_shard,
    carry_out,
    check_ready,
    close_entries,
    files_of,
    hit_by,
    is_whole,
    record,
    total,
    twins,
)
from seiryu.pipelines.telling.screen import out, plain, say

DOC_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HTTP = re.compile(r"https?://", re.IGNORECASE)
_SHOWN = 20  # lines of what may be very many
_LEFT = (
    "documents/, corpus/, tokens/, line_counts/, paragraph_counts/ and boilerplate/ of this run, and what was published or copied"
)


def takedown_command(
    run: str,
    hosts: Sequence[str],
    urls: Sequence[str],
    ids: str,
    why: str,
    *,
    in_advance: bool = False,
    dry_run: bool = False,
    as_json: bool = False,
) -> int:
    """1 if nothing is hit and nothing was taken down for it."""
    asked = Rules(frozenset(map(host_of, hosts)), frozenset(map(url_of, urls)), doc_ids_of(ids) if ids else frozenset())
    if not asked:
        raise ConfigError("nothing to take down: name it by --host, --url or --ids FILE")
    _encodable("--why", why)
    state, earlier = _whole(run, dry_run=dry_run)
    before = rules_of(state.store)
    rules = asked.beyond(before)
    hit = hit_by(state, before | asked)
    _refuse_all(state, total(hit))
    new = hit.filter(pc.equal(before.hits(hit), ""))
    found, alike = by_rule(hit, asked), twins(state, asked, frozenset(hit["doc_id"].to_pylist()))
    if not as_json:
        _show_hits(found, total(new), by_shard(new))
        _show_twins(alike)
    nothing = [rule for rule in rules.names() if not found[rule].sequences]
    _say_rules(asked, rules, nothing)
    refused = bool(rules) and len(nothing) == len(rules.names()) and not in_advance
    written = bool(rules) and not dry_run and not refused
    if rules and not refused:
        check_ready(state.config)
    if written:
        record(state, rules, new, why.strip())
        carry_out(state.config)
    shards = files_of(entries(state.store)[-1]) if written else {name: asdict(here) for name, here in by_shard(new).items()}
    if as_json:
        told: dict[str, Any] = {
            "run": run, "dry_run": dry_run, "written": written, **asdict(total(new)),
            "rules": {rule: asdict(here) for rule, here in found.items()}, "hit_nothing": nothing,
            "taken_down_before": [rule for rule in asked.names() if rule not in rules.names()],
            "twins": [asdict(twin) for twin in alike], "shards": shards,
            "earlier": [files_of(entry) for entry in earlier],
        }  # fmt: skip
        print(plain_json(told))
    else:
        for changed in (*map(files_of, earlier), *([shards] if written else [])):
            _show_files(changed)
    here = total(new)
    say(f"{here.documents:,} documents, {here.sequences:,} sequences, {here.tokens:,} tokens in {len(shards):,} shards")
    if dry_run:
        say("a dry run: nothing was written")
    elif refused:
        say("nothing was written. If it is spelt right, --in-advance leaves such pages out when later archives bring them")
    elif written:
        say(f"they are out, and later runs in {run} leave out what takedown.json names")
        say(f"the pages still stand in {_LEFT}: docs/takedown.md says how to be rid of them")
    return 1 if refused else 0


def host_of(text: str) -> str:
    """A host that a person named, in the one form. ConfigError if it is an address, has a port, is none, or is too much."""
    try:
        name = named_domain(text)
    except ValueError as error:
        raise ConfigError(f"--host {error}") from error
    if normal_host(text.strip().removeprefix("*.")) != name:
        raise ConfigError(f"--host {text}: pages of all ports are hit: name the host alone, {name}")
    return name


def url_of(text: str) -> str:
    """An address that a person named. ConfigError if it has no scheme, no host or no path, which would be a host's first page only."""
    url = _encodable("--url", text).strip()
    host, rest = split_address(url)
    name = normal_host(host)
    if not is_listable(name) or not (_HTTP.match(url) or "//" not in url):
        raise ConfigError(f"--url {text}: an address such as https://example.jp/page is wanted")
    if not rest or not _HTTP.match(url):
        page = url if _HTTP.match(url) else f"https://{url}"
        raise ConfigError(f"--url {text}: --host {name} takes down all of it, --url {page}{'' if rest else '/'} one page")
    return url


def _encodable(option: str, text: str) -> str:
    """ConfigError for what the command line could not read as text."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"{option}: it is not UTF-8; write other bytes of an address as %XX") from error
    return text


def doc_ids_of(path: str) -> frozenset[str]:
    """The doc_ids of a file, one a line; ConfigError for anything else in it. Blank lines and what follows a # do not count."""
    if path == "-" and sys.stdin is None:
        raise ConfigError("--ids -: stdin is closed; pipe doc_ids into it, or name a file")
    try:
        text = (sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"--ids {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"--ids {path}: not UTF-8 (byte {error.start})") from error
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip().lower().removeprefix("<urn:uuid:").removeprefix("urn:uuid:").removesuffix(">")
        if said and not DOC_ID.fullmatch(said):
            raise ConfigError(
                f"--ids {path}: line {number}: {plain(line.strip()[:80])!r} is no doc_id: a whole UUID or 32 hex digits, one a line"
            )
        found.add(said)
    if not found - {""}:
        raise ConfigError(f"--ids {path}: there is no doc_id in it")
    return frozenset(found - {""})


def _whole(run: str, *, dry_run: bool) -> tuple[State, list[dict[str, Any]]]:
    """The run, once every earlier takedown is carried out, and the entries of those that were not. InputError if it is not finished."""
    state = finished(run)
    if is_whole(state):
        earlier = [] if dry_run else close_entries(state)
        if earlier:  # what carried it out may have ended before it came to the report
            write_report(state)
        return state, earlier
    if not state.completed("splits") or not rules_of(state.store):
        raise InputError(f"{run} is not finished: bring it up to date with seiryu run, and take down then")
    if dry_run:
        raise InputError(f"{run}: an earlier takedown is not carried out yet; the same command without --dry-run begins with it")
    say("an earlier takedown is not carried out yet; it comes first")
    earlier = carry_out(state.config)
    return finished(run), earlier


def _refuse_all(state: State, gone: Sum) -> None:
    sizes = state.counts("splits").extra
    if gone.sequences and gone.sequences >= sum(sizes[f"sequences.{split}"] for split in NAMES):
        raise InputError(f"this hits every sequence of the run, and no shard would be left: delete {state.store.root} instead")


def _show_hits(found: dict[str, Sum], new: Sum, shards: dict[str, Sum]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("rule", overflow="fold")
    for title in ("documents", "sequences", "tokens"):
        table.add_column(title, justify="right")
    for rule, here in list(found.items())[:_SHOWN]:
        table.add_row(plain(rule), *_numbers(here))
    if len(found) > _SHOWN:
        table.add_row(f"and {len(found) - _SHOWN:,} more rules")
    for name, here in shards.items():
        table.add_row(f"out of {name}", *_numbers(here))
    table.add_row("together, not taken down before", *_numbers(new), style="bold")
    out.print(table)


def _numbers(here: Sum) -> tuple[str, str, str]:
    return f"{here.documents:,}", f"{here.sequences:,}", f"{here.tokens:,}"


def _show_twins(alike: list[Twin]) -> None:
    if alike:
        out.print("\nremoved by deduplication; what was kept for it stands in the shards, and no rule hits it:")
    for twin in alike[:_SHOWN]:
        out.print(f"  {plain(twin.url)}\n    {twin.verdict} of {twin.kept} {plain(twin.kept_url)} in {twin.shard}")
    if len(alike) > _SHOWN:
        out.print(f"  and {len(alike) - _SHOWN:,} more (--json has all)")


def _show_files(shards: dict[str, dict[str, Any]]) -> None:
    before = {name: sha256 for shard in shards.values() for name, sha256 in shard["before"].items()}
    after = {name: sha256 for shard in shards.values() for name, sha256 in shard["after"].items()}
    if before:
        out.print("\nchanged files, sha256 before and now; whoever has the old ones must fetch these again:")
    for name, sha256 in before.items():
        out.print(f"  {name}\n    {sha256}\n    {after.get(name, 'gone: nothing is left in it')}")


def _say_rules(asked: Rules, rules: Rules, nothing: list[str]) -> None:
    known = [rule for rule in asked.names() if rule not in set(rules.names())]
    for some, what in ((known, "is taken down already"), (nothing, "hits nothing in the shards of this run")):
        for rule in some[:_SHOWN]:
            say(f"{plain(rule)}: {what}")
        if len(some) > _SHOWN:
            say(f"and {len(some) - _SHOWN:,} more: {what}")
