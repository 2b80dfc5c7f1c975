"""The command that writes how several runs are mixed."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table

from seiryu.corpus.errors import InputError
from seiryu.corpus.formats.megatron import MAGIC
from seiryu.corpus.storage import Store
from seiryu.filters.rules.plain_yaml import YamlError, read_yaml
from seiryu.pipelines import blending
from seiryu.pipelines.blending import Blend, Ids, Run, Shard
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.commands.checks import finished
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.sizes import size
from seiryu.pipelines.stages.splits import TRAIN, VALIDATION
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.takedown import check_not_lost
from seiryu.pipelines.telling.screen import err, say
from seiryu.pipelines.unit import Sidecar

_HEADER = struct.Struct("<9sQBQQ")
_DTYPES = {4: "int32", 8: "uint16"}
FILES = {"data-args": "data-args.txt", "per-split": "data-args-per-split.json", "sequences": "sequences.json"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. `weights`: tokens, sqrt or a file; `show`: which file goes to stdout; `out`: where all go, or empty."""

    weights: str = "tokens"
    mounts: Sequence[str] = ()
    train_tokens: str = ""
    validation_apart: bool = False
    show: str = "per-split"
    out: str = ""


def blend_command(named: Sequence[str], wanted: Wanted, *, as_json: bool) -> int:
    """Nothing is written before everything has been checked."""
    if wanted.show not in FILES:
        raise ConfigError(f"--show {wanted.show}: {', '.join(FILES)} are known")
    train_tokens = _train_tokens(wanted.train_tokens)
    weights, mounts = _weights(wanted.weights), blending.read_mounts(wanted.mounts)
    runs, warnings = read_runs(named)
    blending.check_alike(runs)
    blend = blending.blended(_moved(runs, mounts), weights)
    warnings += _warnings(blend, train_tokens)
    texts = {
        "data-args": blending.data_args(blend),
        "per-split": _json(blending.per_split(blend, validation_apart=wanted.validation_apart)),
        "sequences": _json(blending.sequences(blend)),
    }
    written = _write(wanted.out, texts) if wanted.out else []
    for warning in warnings:
        say(f"warning: {warning}")
    if as_json:
        more = {"warnings": warnings, "written": written, "validation_set_names": blending.validation_names(blend)}
        files = {"data_args": texts["data-args"], "data_args_per_split": json.loads(texts["per-split"])}
        value = {"runs": rows(blend, train_tokens), **files, "sequences": json.loads(texts["sequences"]), **more}
        print(json.dumps(value, ensure_ascii=False, indent=1))
        return 0
    err.print(_table(blend, train_tokens))
    if wanted.validation_apart:
        names = " ".join(blending.validation_names(blend))
        say(f"with --multiple-validation-sets --full-validation --validation-set-names {names}")
    if wanted.out:
        say("\n".join(f"written: {name}" for name in written))
    else:
        print(texts[wanted.show], end="")
    return 0


def read_runs(named: Sequence[str]) -> tuple[list[Run], list[str]]:
    """The runs, and what is to be said of them. ConfigError if one is there twice, InputError if one is not finished."""
    runs: list[Run] = []
    warnings: list[str] = []
    seen: dict[str, str] = {}
    for name in named:
        state = finished(name)
        check_not_lost(state.store)
        _check_finished(name, state)
        for what in (_real(name), identity(state.completed("shards"))):
            if what in seen:
                raise ConfigError(
                    f"{seen[what]} and {name} are the same run: name it once, and give it more weight with --weights FILE"
                )
            seen[what] = name
        runs.append(_read(name, state))
        aside = [f"{stage.name} {unit}" for stage in CHAIN for unit in state.set_aside(stage.name)]
        if aside:
            warnings.append(
                f"{name}: {len(aside):,} units were set aside ({aside[0]}, ...) and are not in its shards; see seiryu status"
            )
    return runs, warnings


def _real(name: str) -> str:
    path = blending.located(name)
    return path if "://" in path else str(Path(path).resolve())


def _check_finished(name: str, state: State) -> None:
    again = "run its config again"
    for stage in CHAIN:
        if not (stage.outside or state.whole(stage.name) or state.set_aside(stage.name)):
            raise InputError(f"{name} is not finished: of {stage.name} not all is made; {again}")
        if stage.name == "shards":  # what comes behind is of other formats
            break
    if not state.completed("shards") or not state.whole("shards"):
        raise InputError(f"{name} is not finished: its shards are not there, or not all of them; {again}")
    if state.store.read_json("run.json").get("wall_seconds", 0) is None:
        raise InputError(f"{name} is not finished: a run is under way, or was interrupted; {again}")
    if "megatron" not in state.config.shards.formats:
        raise InputError(f"{name} has no shards for Megatron-LM: add megatron to shards.formats and {again}")


def _read(name: str, state: State) -> Run:
    path, dtypes, shards = blending.located(name), set(), []
    for done in state.completed("shards").values():
        if done.outputs:  # a takedown may have left nothing in it
            prefix = f"shards/megatron/{done.unit}"
            dtypes.add(_dtype(state.store, prefix, done))
            shards.append(
                Shard(done.made_of["params"]["split"], f"{path}/{prefix}", done.counts.kept, done.counts.extra["tokens"])
            )
    made = state.completed("tokenize").values()
    meanings = {(done.setting("tokenizer"), done.setting("eod"), done.setting("bos")) for done in made}
    if len(meanings) != 1 or len(dtypes) != 1:
        raise InputError(f"{name}: its shards are not all of one tokenizer and one size of ids; run its config again")
    (tokenizer, eod, bos), dtype = meanings.pop(), dtypes.pop()
    run = Run(name, path, Ids(tokenizer, eod, bos, dtype), tuple(shards))
    if not run.tokens():
        raise InputError(f"{name} has no train shard, so it cannot be mixed in")
    return run


def _dtype(store: Store, prefix: str, done: Sidecar) -> str:
    """How ids are stored, as the shard's own index tells. InputError unless it is the index that the run wrote."""
    where = store.path(f"{prefix}.idx")
    try:
        with store.open(f"{prefix}.idx") as file:
            head = file.read(_HEADER.size)
    except FileNotFoundError as error:
        raise InputError(f"{where} is missing; run its config again") from error
    magic, _, code, sequences, _ = _HEADER.unpack(head) if len(head) == _HEADER.size else (b"", 0, 0, 0, 0)
    if magic != MAGIC or code not in _DTYPES or sequences != done.counts.kept:
        raise InputError(f"{where} is not the index that the run wrote; look with seiryu verify {store.root}")
    return _DTYPES[code]


def _moved(runs: Sequence[Run], mounts: dict[str, str]) -> list[Run]:
    prefixes = blending.mounted([shard.prefix for run in runs for shard in run.shards], mounts)
    moved = iter(prefixes)
    return [replace(run, shards=tuple(replace(shard, prefix=next(moved)) for shard in run.shards)) for run in runs]


def _weights(option: str) -> str | dict[str, Any]:
    """tokens, sqrt, or what a file says: run -> weight."""
    if option in ("tokens", "sqrt"):
        return option
    try:
        value, _ = read_yaml(Path(option).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"--weights {option}: tokens, sqrt or a file is wanted, and there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--weights {option}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error
    except YamlError as error:
        raise ConfigError(error.at(option)) from error
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ConfigError(f"{option}: a mapping of runs to weights is wanted, such as runs/a: 0.7")
    return value


def _train_tokens(option: str) -> int:
    """0 if it is not said."""
    try:
        tokens = size(option) if option else 0
    except ValueError as error:
        raise ConfigError(f"--train-tokens {option}: {error}") from error
    if option and not tokens:
        raise ConfigError(f"--train-tokens {option}: more than 0 are wanted")
    return tokens


def _warnings(blend: Blend, train_tokens: int) -> list[str]:
    warnings = []
    for run, epochs in zip(blend.runs, blend.epochs(train_tokens), strict=True):
        if epochs > blending.MOST_EPOCHS:
            warnings.append(
                f"{run.named}: {epochs:.1f} epochs; repeating a text more than {blending.MOST_EPOCHS:.0f} times teaches little"
            )
        if not run.tokens(VALIDATION):
            warnings.append(f"{run.named} has no validation shard (shards.validation)")
    if not any(run.tokens(VALIDATION) for run in blend.runs):
        warnings.append("no run has a validation shard: valid is null, and Megatron-LM needs --eval-iters 0")
    return warnings


def rows(blend: Blend, train_tokens: int) -> list[dict[str, Any]]:
    """Of each run what the table shows; `epochs` is None without a number of tokens."""
    found = []
    for run, share, epochs in zip(blend.runs, blend.shares, blend.epochs(train_tokens), strict=True):
        train = run.of(TRAIN)
        row = {
            "run": run.named, "path": run.path, "shards": len(train), "sequences": sum(shard.sequences for shard in train),
            "tokens": run.tokens(), "validation_tokens": run.tokens(VALIDATION), "weight": share,
            "epochs": epochs if train_tokens else None,
        }  # fmt: skip
        found.append(row | asdict(run.ids))
    return found


def _table(blend: Blend, train_tokens: int) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("run")
    for title in ("shards", "sequences", "tokens", "validation", "weight", *["epochs"] * bool(train_tokens)):
        table.add_column(title, justify="right")
    for row in rows(blend, train_tokens):
        counted = [f"{row[name]:,}" for name in ("shards", "sequences", "tokens", "validation_tokens")]
        epochs = [f"{row['epochs']:.2f}"] if train_tokens else []
        table.add_row(row["run"], *counted, f"{row['weight']:.6f}", *epochs)
    return table


def _write(out: str, texts: dict[str, str]) -> list[str]:
    store = Store(out)
    for name, text in texts.items():
        store.write(FILES[name], text.encode())
    if store.local:
        with suppress(OSError):  # of somebody else's files there
            Path(blending.located(out), "tmp").rmdir()
    return [store.path(FILES[name]) for name in texts]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
