"""How much of each run a trainer draws: weights of runs and of their shards, and the files in which Megatron-LM reads them.

A weight is a share of all samples, and a sample holds the same number of tokens whatever it is drawn from: so weights in proportion to
tokens go through all runs equally often. Megatron reads weights as floats and makes their sum 1; here it is 1 already, and each is
printed in full, so that the same runs give the same files.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.stages.splits import NAMES, TRAIN, VALIDATION

KEYS = dict(zip(NAMES, ("train", "valid", "test"), strict=True))  # what Megatron calls the splits
MOST_EPOCHS = 4.0  # up to so many a repeated token is worth nearly a new one: Muennighoff et al. 2023, arXiv 2305.16264


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard by its split and by the path of its files without .bin and .idx, as the trainer is to open it."""

    split: str
    prefix: str
    sequences: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Ids:
    """What ids mean, and how they are stored: runs that differ in any of it must not be mixed. `bos`: None if documents have none."""

    tokenizer: str  # sha256
    eod: int
    bos: int | None
    dtype: str


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: as it was named, where it lies (an absolute path or a URL), and its shards."""

    named: str
    path: str
    ids: Ids
    shards: tuple[Shard, ...]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def of(self, split: str) -> list[Shard]:
        return [shard for shard in self.shards if shard.split == split]

    def tokens(self, split: str = TRAIN) -> int:
        return sum(shard.tokens for shard in self.of(split))


@dataclass(frozen=True, slots=True)
class Blend:
    """Runs and the share of each in training, in the same order; the shares' sum is 1."""

    runs: tuple[Run, ...]
    shares: tuple[float, ...]

    def weighted(self, split: str) -> list[tuple[float, Shard]]:
        """The shards of a split with their weights, whose sum is 1: within a run by tokens.

        A split for validation or tests is mixed like train, from those runs that have one.
        """
        having = [(Fraction(share), run) for run, share in zip(self.runs, self.shares, strict=True) if run.tokens(split)]
        total = sum((share for share, _ in having), Fraction())
        return [
            (float(share / total * shard.tokens / run.tokens(split)), shard) for share, run in having for shard in run.of(split)
        ]

    def epochs(self, train_tokens: int) -> list[float]:
        """How often training on so many tokens goes through each run."""
        return [share * train_tokens / run.tokens() for run, share in zip(self.runs, self.shares, strict=True)]


def check_alike(runs: Sequence[Run]) -> None:
    """ConfigError, naming both, unless all runs have ids of one meaning and size."""
    first = runs[0]
    for run in runs[1:]:
        if run.ids != first.ids:
            pairs = ((name, getattr(first.ids, name), getattr(run.ids, name)) for name in Ids.__slots__)
            unlike = "; ".join(f"{name} {_short(one)} and {_short(other)}" for name, one, other in pairs if one != other)
            raise ConfigError(
                f"{first.named} and {run.named} cannot be mixed, their ids are not the same ({unlike}); run one of them again with the "
                "other's tokenize section"
            )


def _short(value: object) -> str:
    return "none" if value is None else f"{str(value)[:12]}..." if len(str(value)) > 12 else str(value)


def blended(runs: Sequence[Run], weights: str | Mapping[str, float]) -> Blend:
    """Shares of runs: by `tokens`, by their square root (`sqrt`), or as they are told by run."""
    if isinstance(weights, str):
        told = [float(run.tokens()) if weights == "tokens" else math.sqrt(run.tokens()) for run in runs]
    else:
        told = _named(runs, weights)
    exact = [Fraction(weight) for weight in told]
    total = sum(exact, Fraction())
    return Blend(tuple(runs), tuple(float(weight / total) for weight in exact))


def _named(runs: Sequence[Run], weights: Mapping[str, float]) -> list[float]:
    """The weight of each run. A key is a run as it was named, its path, or the last part of it."""
    found: dict[str, float] = {}
    for key, weight in weights.items():
        meant = [run for run in runs if key in (run.named, run.path) or located(key) == run.path]
        meant = meant or [run for run in runs if run.name == key]
        if len(meant) != 1:
            known = ", ".join(run.named for run in runs)
            why = "is the name of several runs, use their paths" if meant else f"is none of the runs ({known})"
            raise ConfigError(f"weights: {key} {why}")
        if meant[0].path in found:
            raise ConfigError(f"weights: {key}: this run has a weight already")
        if not (isinstance(weight, int | float) and not isinstance(weight, bool) and math.isfinite(weight) and weight > 0):
            raise ConfigError(f"weights: {key}: {weight!r} is no number above 0; leave out a run that is to have no weight")
        found[meant[0].path] = float(weight)
    if missing := [run.named for run in runs if run.path not in found]:
        raise ConfigError(f"weights: {', '.join(missing)}: no weight is given; name every run")
    return [found[run.path] for run in runs]


def located(path: str) -> str:
    """A path as an absolute one, without `..` and a slash at its end; a URL stays one."""
    path = path.removeprefix("file://")
    return path.rstrip("/") if "://" in path else os.path.abspath(path)  # noqa: PTH100 - a link keeps its name


def read_mounts(options: Sequence[str]) -> dict[str, str]:
    """FROM=TO, absolute FROM -> TO. ConfigError for what is none, or a FROM that is given twice."""
    mounts: dict[str, str] = {}
    for option in options:
        begin, equals, to = option.partition("=")
        if not begin or not equals or not to:
            raise ConfigError(f"--mount {option}: FROM=TO is wanted, such as /data/runs=/mnt/runs")
        if located(begin) in mounts:
            raise ConfigError(f"--mount {option}: {begin} is mounted twice")
        mounts[located(begin)] = to if to == "/" else to.rstrip("/")
    return mounts


def mounted(paths: Sequence[str], mounts: Mapping[str, str]) -> list[str]:
    """The paths as the training machine knows them: of the mounts that fit whole parts of a path's beginning, the longest.

    ConfigError for a mount that fits no path, for two paths that become one, and for white space, at which Megatron cuts.
    """
    unused, moved = set(mounts), []
    for path in paths:
        fits = [begin for begin in mounts if path == begin or path.startswith(f"{begin.rstrip('/')}/")]
        unused -= set(fits)
        longest = max(fits, key=len, default=None)
        moved.append(path if longest is None else f"{mounts[longest].rstrip('/')}/{path[len(longest) :].lstrip('/')}")
    for begin in sorted(unused):
        raise ConfigError(f"--mount {begin}={mounts[begin]}: no shard lies below {begin}; the first is {paths[0]}")
    for path in moved:
        if path.split() != [path]:
            raise ConfigError(
                f"{path!r}: Megatron-LM reads white space as the end of a path; give the run another place with --mount"
            )
    if len(set(moved)) < len(moved):
        twice = next(path for path in moved if moved.count(path) > 1)
        raise ConfigError(f"--mount: two shards would be {twice}; give each run a place of its own")
    return moved


def number(weight: float) -> str:
    """A weight with all its digits and without an exponent."""
    return str(np.format_float_positional(weight, trim="0"))


def data_args(blend: Blend) -> str:
    """For --data-args-path: train alone, a line for each shard."""
    return "".join(f"{number(weight)} {shard.prefix}\n" for weight, shard in blend.weighted(TRAIN))


def per_split(blend: Blend, *, validation_apart: bool) -> dict[str, list[str] | None]:
    """For --per-split-data-args-path: train, valid, test; None for a split that no run has.

    Megatron asks for all three keys, and takes a list without an entry for damage. `validation_apart`: without weights, as it wants
    them for --multiple-validation-sets.
    """
    value: dict[str, list[str] | None] = {}
    for split, key in KEYS.items():
        weighted = blend.weighted(split)
        if split == VALIDATION and validation_apart:
            value[key] = [shard.prefix for _, shard in weighted] or None
        else:
            value[key] = [part for weight, shard in weighted for part in (number(weight), shard.prefix)] or None
    return value


def sequences(blend: Blend) -> dict[str, list[int]]:
    """For --per-dataset-sequences-path: prefix -> sequences, and document indices, which are one more than the documents."""
    return {shard.prefix: [shard.sequences, shard.sequences + 1] for run in blend.runs for shard in run.shards}


def validation_names(blend: Blend) -> list[str]:
    """What to call each validation set when they are kept apart, in their order."""
    names = []
    for run in blend.runs:
        shards = run.of(VALIDATION)
        alone = sum(other.name == run.name for other in blend.runs) == 1
        base = run.name if alone else "-".join(run.path.strip("/").split("/")[-2:])
        names += [base if len(shards) == 1 else f"{base}-{place}" for place in range(len(shards))]
    return names
