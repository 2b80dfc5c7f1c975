"""What is good: rules over signals, as data.

A preset is a YAML file with one line a rule; a run names a preset and what it changes. All rules judge every
document, without a short circuit, so that thresholds can be moved and presets compared over the stored
signals alone. The verdict is one 64-bit mask a document: bit i is set when rule i rejects it. A preset thus
has at most 64 rules.
"""

import difflib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from importlib import resources
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from seiryu.filters.signals import NAMES

MOST_RULES = 64


class RuleError(ValueError):
    """A preset, a change or a table of signals that is wrong; one line: where, which rule, what was meant."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A document is rejected when its `signal` is < low, > high, or >= below."""

    name: str
    signal: str
    low: float = -inf
    high: float = inf
    below: float = inf
    why: str = ""
    source: str = ""


_LIMITS = ("low", "high", "below")
_FIELDS = {field.name: field.default for field in fields(Rule)}


def load_preset(preset: str | Path, signals: Collection[str] = NAMES) -> tuple[Rule, ...]:
    """The rules of a packaged preset by its name, or of a file: what has a / or ends in .yaml is a path.

    Raises RuleError, whose message begins with the file.
    """
    where = str(preset)
    try:
        text = _path(where).read_bytes().decode()
        data = yaml.load(text, _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RuleError) as error:
        raise RuleError(f"{where}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict) or not isinstance(data.get("rules"), list):
        raise RuleError(f"{where}: a preset is a mapping with a list `rules`, not {_kind(data)}")
    for key in data:
        if key not in ("rules", "about"):
            raise RuleError(f"{where}: unknown key {key!r}{_nearest(key, ('rules', 'about'))}")
    rules = [_rule(entry, f"{where}: rule {i + 1}", signals) for i, entry in enumerate(data["rules"])]
    return _checked(rules, where)


def change(
    rules: Iterable[Rule],
    changes: Mapping[str, Mapping[str, Any] | None],
    where: str = "rules",
    signals: Collection[str] = NAMES,
) -> tuple[Rule, ...]:
    """The rules with other limits: `{"few_hiragana": {"low": 0.1}, "ng_words": None}`; None drops the rule.

    A name that no rule has is a new rule if it comes with a signal, and else an error. `where` opens the
    messages.
    """
    after = {rule.name: rule for rule in rules}
    for name, patch in changes.items():
        at = f"{where}: rule {name!r}"
        if patch is not None and not isinstance(patch, Mapping):
            raise RuleError(f"{at}: must be a mapping such as {{low: 0.1}}, or null to drop the rule, not {_kind(patch)}")
        if name not in after and (patch is None or "signal" not in patch):
            raise RuleError(f"{at}: there is no such rule to change{_nearest(name, after)}")
        if patch is None:
            del after[name]
            continue
        old = {key: getattr(after[name], key) for key in _FIELDS} if name in after else {}
        after[name] = _rule({**old, "name": name, **patch}, at, signals)
    return _checked(list(after.values()), where)


def judge(rules: Sequence[Rule], columns: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.uint64]:
    """One mask a document: bit i is set when rule i rejects it. 0: the document passes.

    Raises RuleError for a signal that is not among the columns, for columns of unequal length, and for a NaN,
    which would pass every comparison.
    """
    _checked(rules, "judge")
    mask: npt.NDArray[np.uint64] | None = None
    for i, rule in enumerate(rules):
        if rule.signal not in columns:
            raise RuleError(f"rule {rule.name!r}: signal {rule.signal!r} was not measured{_nearest(rule.signal, columns)}")
        values = np.asarray(columns[rule.signal])
        if mask is None:
            mask = np.zeros(len(values), np.uint64)
        if values.shape != mask.shape:
            raise RuleError(f"rule {rule.name!r}: {len(values)} values of {rule.signal!r} for {len(mask)} documents")
        if np.isnan(values).any():
            first = int(np.isnan(values).argmax())
            raise RuleError(f"rule {rule.name!r}: {rule.signal!r} of document {first} is NaN, which no limit can judge")
        rejected = (values < rule.low) | (values > rule.high)
        if rule.below < inf:
            rejected |= values >= rule.below
        mask |= rejected.astype(np.uint64) << np.uint64(i)
    assert mask is not None
    return mask


def first_reason(rules: Sequence[Rule], mask: npt.NDArray[np.uint64]) -> npt.NDArray[np.int8]:
    """Index of the first rule that rejects each document, -1 where none does."""
    mask = np.asarray(mask, np.uint64)
    if len(rules) < MOST_RULES and (mask >> np.uint64(len(rules))).any():
        raise RuleError(f"a mask has bits beyond the {len(rules)} rules: it was made with other rules")
    lowest = mask & (~mask + np.uint64(1))
    return (np.frexp(lowest.astype(np.float64))[1] - 1).astype(np.int8)  # powers of two are exact in float64


def _path(preset: str) -> Any:
    if "/" in preset or preset.endswith(".yaml"):
        return Path(preset)
    folder = resources.files("seiryu.configs") / "presets"
    names = sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    if preset not in names:
        raise RuleError(f"no such preset{_nearest(preset, names)}; there are {', '.join(names)}, or give a path")
    return folder / f"{preset}.yaml"


def _rule(entry: Any, where: str, signals: Collection[str]) -> Rule:
    if not isinstance(entry, Mapping):
        raise RuleError(f"{where}: must be a mapping with name, signal and a limit, not {_kind(entry)}")
    if isinstance(entry.get("name"), str):
        where = f"{where.rpartition(': rule ')[0]}: rule {entry['name']!r}"
    for key, value in entry.items():
        if key not in _FIELDS:
            raise RuleError(f"{where}: unknown key {key!r}{_nearest(key, _FIELDS)}")
        if key in _LIMITS:
            if not isinstance(value, int | float) or isinstance(value, bool) or math.isnan(value):
                raise RuleError(f"{where}: {key} must be a number, not {_kind(value)}")
        elif not isinstance(value, str):
            raise RuleError(f"{where}: {key} must be text, not {_kind(value)}")
    for key, default in _FIELDS.items():
        if default is MISSING and not entry.get(key):
            raise RuleError(f"{where}: {key} is missing")
    rule = Rule(**entry)
    if rule.signal not in signals:
        raise RuleError(f"{where}: unknown signal {rule.signal!r}{_nearest(rule.signal, signals)}")
    if (rule.low, rule.high, rule.below) == (-inf, inf, inf):
        raise RuleError(f"{where}: rejects nothing; give it low, high or below")
    if rule.low > rule.high or rule.low >= rule.below:
        upper = f"high {rule.high:g}" if rule.low > rule.high else f"below {rule.below:g}"
        raise RuleError(f"{where}: low {rule.low:g} against {upper} would reject every document")
    return rule


def _checked(rules: Sequence[Rule], where: str) -> tuple[Rule, ...]:
    if not rules:
        raise RuleError(f"{where}: no rules; a run that judges nothing must leave the step out")
    if len(rules) > MOST_RULES:
        raise RuleError(f"{where}: {len(rules)} rules; a mask has room for {MOST_RULES}")
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise RuleError(f"{where}: rule {rule.name!r}: stands there twice; rename one")
        seen.add(rule.name)
    return tuple(rules)


def _nearest(word: Any, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(word), list(words), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key given twice, where PyYAML lets the last one win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise RuleError(f"line {node.start_mark.line + 1}: {key!r} stands there twice")
        return super().construct_mapping(node, deep)
