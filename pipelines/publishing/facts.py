"""What the card says of a run, as plain values: everything from sidecars, narrow tables and run.json, nothing assumed.

A value that the run does not tell is None, and the card says that it is not known.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import Any

from seiryu.pipelines import takedown
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.publishing.splits import dates, letters_of_splits
from seiryu.pipelines.reporting import contamination, funnel
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.stages.decide import judged_by
from seiryu.pipelines.stages.splits import NAMES
from seiryu.pipelines.state import State

_CRAWL = re.compile(r"CC-MAIN-\d{4}(?:-\d{2,4})?(?!\d)")
_OPT_OUTS = ("noai", "noimageai", "noindex", "tdm_reserved")
_SCREEN = ("few_kana", "not_japanese_page", "cannot_pass", "quick_screen", "no_text", "not_japanese")
_WHEN = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def facts(state: State) -> dict[str, Any]:
    """All of it. InputError for a damaged table."""
    record = state.store.read_json("run.json")
    return {
        "seiryu": record.get("seiryu"), "python": record.get("python"), "libraries": dict(record.get("libraries") or {}),
        "models": {posixpath.basename(str(name)): sha for name, sha in dict(record.get("models") or {}).items()},
        "config_sha256": record.get("config_sha256"), "input_sha256": record.get("input_sha256"),
        "funnel": funnel.as_json(state), "splits": _splits(state), "rules": _rules(state), "source": _source(state),
        "tokenizer": _tokenizer(state), "duplicates": _duplicates(state), "hosts": _hosts(state),
        "personal_data": _personal_data(state), "contamination": _contamination(state), "takedowns": _takedowns(state),
        "opt_outs": _opt_outs(state), "gaps": _gaps(state), "shards": _shards(state),
    }  # fmt: skip


def _splits(state: State) -> list[dict[str, Any]]:
    """Sequences, documents, letters and tokens of each split that has a shard."""
    letters = letters_of_splits(state)
    rows = []
    for split in NAMES:
        mine = [done for done in state.completed("shards").values() if done.made_of["params"]["split"] == split and done.outputs]
        if not mine:
            continue
        sequences = sum(done.counts.kept for done in mine)
        known = letters.get(split, {})
        rows.append(
            {
                "split": split, "shards": len(mine), "sequences": sequences, "documents": known.get("documents"),
                "letters": known.get("letters"), "tokens": sum(done.counts.extra["tokens"] for done in mine),
            }
        )  # fmt: skip
    return rows


def _rules(state: State) -> list[dict[str, Any]]:
    counts, decided = state.counts("decide"), list(state.completed("decide").values())
    rules = judged_by(decided[0], state.config) if decided else rules_in_force(state.config)
    return [
        {
            "name": rule.name, "signal": rule.signal, "limits": rule.limits(), "hit": counts.extra[f"hit.{rule.name}"],
            "only": counts.extra[f"only.{rule.name}"], "first": counts.rejected[rule.name],
        }
        for rule in rules
    ]  # fmt: skip


def _source(state: State) -> dict[str, Any]:
    """Archives by the crawl that their names tell, and the days on which the final documents' pages were fetched."""
    archives = [str(done.made_of["params"].get("warc", name)) for name, done in state.completed("extract").items()]
    crawls: Counter[str] = Counter(found[0] if (found := _CRAWL.search(name)) else "" for name in archives)
    kind = state.config.source.kind
    first, last = dates(state)
    return {
        "kind": kind, "by": getattr(state.config.source, "by", None), "archives": sorted(archives),
        "crawls": [{"crawl": name, "archives": number} for name, number in sorted(crawls.items())],
        "first": first, "last": last, "extractor": state.config.extract.extractor,
        "languages": list(state.config.language.accept), "least_score": state.config.language.min_score,
    }  # fmt: skip


def _tokenizer(state: State) -> dict[str, Any]:
    """Whose ids they are: by what the tokens were made of, whatever lies under that name by now."""
    settings: dict[str, Any] = next((done.made_of["settings"] for done in state.completed("tokenize").values()), {})
    return {
        "name": posixpath.basename(state.config.tokenize.tokenizer), "sha256": settings.get("tokenizer"), "eod": settings.get("eod"),
        "bos": settings.get("bos"),
    }  # fmt: skip


def _duplicates(state: State) -> dict[str, Any]:
    config, counts = state.config.dedup, state.counts("select")
    return {
        "removed": _named(counts.rejected), "kept": counts.kept, "bands": config.banding.bands, "rows": config.banding.rows,
        "shingle": config.shingle, "threshold": config.threshold, "verify": config.verify, "priority": config.priority,
        "earlier_runs": len(config.against),
    }  # fmt: skip


def _hosts(state: State) -> dict[str, Any]:
    hosts, decided = state.counts("hosts"), state.counts("decide")
    return {
        "known": hosts.records, "left_out": hosts.rejected.total(), "named": list(state.config.hosts.block),
        "categories": list(state.config.hosts.categories), "documents": decided.rejected["blocked_host"],
        "addresses": decided.rejected["blocked_url"], "max_share": dict(state.config.hosts.max_share),
    }  # fmt: skip


def _personal_data(state: State) -> dict[str, Any]:
    extra = state.counts("clean").extra
    masked = {name.removeprefix("masked."): number for name, number in sorted(extra.items()) if name.startswith("masked.")}
    return {kind: masked.get(kind, 0) for kind in state.config.clean.personal_data}


def _contamination(state: State) -> dict[str, Any]:
    config = state.config.decontaminate
    found = contamination.as_json(contamination.contamination(state))
    return {"action": config.action, "ngram": config.ngram, "min_share": config.min_share, "benchmarks": found}


def _takedowns(state: State) -> list[dict[str, Any]]:
    """When, and how much. Why and what is not for the public: who asked to be forgotten is not to be named in the card."""
    return [
        {
            "date": str(entry.get("when"))[:10] if _WHEN.fullmatch(str(entry.get("when"))) else None,
            "documents": _number(entry.get("documents")), "sequences": _number(entry.get("sequences")),
        }
        for entry in takedown.entries(state.store)
        if isinstance(entry, dict)
    ]  # fmt: skip


def _opt_outs(state: State) -> dict[str, list[str]]:
    """The signals of opt-outs, and the rules that act on each."""
    rules = _rules(state)
    return {signal: [rule["name"] for rule in rules if rule["signal"] == signal] for signal in _OPT_OUTS}


def _gaps(state: State) -> dict[str, Any]:
    """What did not come, was not read or not looked at."""
    failed = {stage.name: named for stage in CHAIN if (named := _named(state.counts(stage.name).failed))}
    aside = {stage.name: len(units) for stage in CHAIN if (units := state.set_aside(stage.name))}
    extracted = state.counts("extract")
    by_index = getattr(state.config.source, "by", None) == "index"
    return {
        "failed": failed, "set_aside": aside, "lost_bytes": extracted.extra["lost_bytes"],
        "screened": {name: extracted.rejected[name] for name in _SCREEN if extracted.rejected[name]},
        "refused": _refused(state.counts("clean")),
        "truncated": getattr(state.config.source, "index").truncated if by_index else None,  # noqa: B009 - of one kind of source
        "languages_of_index": list(getattr(state.config.source, "index").languages) if by_index else None,  # noqa: B009
        "rejected_by_index": {name: named for name in ("index", "choose", "ranges") if (named := _named(state.counts(name).rejected))},
    }  # fmt: skip


def _refused(counts: Counts) -> int:
    return sum(number for name, number in counts.extra.items() if name.startswith("refused."))


def _shards(state: State) -> dict[str, Any]:
    config = state.config.shards
    return {
        "seed": config.seed, "keep_together": config.keep_together,
        "repeat": None if config.repeat is None else config.repeat.model_dump(mode="json"),
    }  # fmt: skip


def _named(counter: Counter[str]) -> dict[str, int]:
    return {name: number for name, number in sorted(counter.items()) if number}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
