"""Rules out of YAML: packaged presets, own files, and changes to them. Whatever is wrong is one line with file, line and rule."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from importlib import resources
from math import inf
from pathlib import Path
from typing import Any

import yaml

from seiryu.filters.rules import Rule, RuleError, check, nearest, plain
from seiryu.filters.rules.plain_yaml import YamlError, read_yaml

_NAME = re.compile("[a-z][a-z0-9_]*")
_TAKEN = ("kept", "cut", "blocked_url", "blocked_host")  # what documents are counted under beside the rules
_LIMITS = ("low", "high", "below")
_FIELDS = {field.name: field.default for field in fields(Rule)}
_MOST = 1e15  # what a limit may be: whole numbers up to here, and what is reckoned with them, are exact


def preset_names() -> list[str]:
    """The packaged presets."""
    folder = resources.files("seiryu.configs") / "presets"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load_preset(preset: str | Path, signals: Collection[str], dropped: Collection[str] = ()) -> tuple[Rule, ...]:
    """The rules of a packaged preset by its name, or of a file: what has a / or ends in .yaml is a path.

    `signals`: the names that a rule may ask for; one of `dropped` may ask for any, because a change takes it out. Raises RuleError,
    whose message begins with the file and, where one is to blame, the line.
    """
    where = str(preset)
    try:
        data, node = read_yaml(_path(where).read_bytes().decode())
    except YamlError as error:
        raise RuleError(error.at(where)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"{where}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict) or not isinstance(data.get("rules"), list):
        raise RuleError(f"{where}: a preset is a mapping with a list `rules`, not {_kind(data)}")
    for key in data:
        if key not in ("rules", "about"):
            raise RuleError(f"{where}: unknown key {key!r}{nearest(key, ('rules', 'about'))}")
    lines = _lines(node)
    rules = [
        _rule(entry, f"{where}:{line}: rule {i + 1}", signals if _name(entry) not in dropped else (*signals, entry.get("signal")))
        for i, (entry, line) in enumerate(zip(data["rules"], lines, strict=True))
    ]
    _each_once(rules, lines, where)
    return check(rules, where)


def change(
    rules: Iterable[Rule],
    changes: Mapping[str, Mapping[str, Any] | None],
    where: str,
    signals: Collection[str],
) -> tuple[Rule, ...]:
    """The rules with other limits: `{"few_hiragana": {"low": 0.1}, "ng_words": None}`; None drops the rule.

    A name that no rule has is a new rule if it comes with a signal, and else an error. `where` opens the
    messages.
    """
    after = {rule.name: rule for rule in rules}
    for name, patch in changes.items():
        try:
            _change(after, name, patch, f"{where}: rule {name!r}", signals)
        except RuleError as error:
            error.rule = name
            raise
    return check(list(after.values()), where)


def _change(after: dict[str, Rule], name: str, patch: Any, where: str, signals: Collection[str]) -> None:
    if patch is not None and not isinstance(patch, Mapping):
        raise RuleError(f"{where}: must be a mapping such as {{low: 0.1}}, or null to drop the rule, not {_kind(patch)}")
    if name not in after and (patch is None or "signal" not in patch):
        raise RuleError(f"{where}: there is no such rule to change{nearest(name, after)}")
    if patch is None:
        del after[name]
        return
    old = {key: getattr(after[name], key) for key in _FIELDS} if name in after else {}
    after[name] = _rule({**old, "name": name, **patch}, where, signals)


def _lines(node: yaml.Node | None) -> list[int]:
    """The line of each entry below `rules`."""
    for key, value in reversed(node.value) if isinstance(node, yaml.MappingNode) else ():
        if key.value == "rules" and isinstance(value, yaml.SequenceNode):
            return [entry.start_mark.line + 1 for entry in value.value]
    return []


def _each_once(rules: Sequence[Rule], lines: Sequence[int], where: str) -> None:
    first: dict[str, int] = {}
    for rule, line in zip(rules, lines, strict=True):
        if rule.name in first:
            raise RuleError(
                f"{where}:{line}: rule {rule.name!r}: stands there twice, first in line {first[rule.name]}; rename one"
            )
        first[rule.name] = line


def _path(preset: str) -> Any:
    if "/" in preset or preset.endswith(".yaml"):
        return Path(preset)
    names = preset_names()
    if preset not in names:
        raise RuleError(f"{preset}: no such preset{nearest(preset, names)}; there are {', '.join(names)}, or give a path")
    return resources.files("seiryu.configs") / "presets" / f"{preset}.yaml"


def _rule(entry: Any, where: str, signals: Collection[str]) -> Rule:
    if not isinstance(entry, Mapping):
        raise RuleError(f"{where}: must be a mapping with name, signal and a limit, not {_kind(entry)}")
    if isinstance(entry.get("name"), str):
        where = f"{where.rpartition(': rule ')[0]}: rule {entry['name']!r}"
    for key, value in entry.items():
        if key not in _FIELDS:
            raise RuleError(f"{where}: unknown key {key!r}{nearest(key, _FIELDS)}")
        if key in _LIMITS:
            _check_limit(key, value, where)
        elif not isinstance(value, str):
            raise RuleError(f"{where}: {key} must be text, not {_kind(value)}")
    for key, default in _FIELDS.items():
        if default is MISSING and not entry.get(key):
            raise RuleError(f"{where}: {key} is missing")
    if not _NAME.fullmatch(entry["name"]) or entry["name"] in _TAKEN:
        raise RuleError(f"{where}: a name is of a-z, 0-9 and _, and none of {', '.join(_TAKEN)}; choose another")
    rule = Rule(**{**entry, **{key: float(entry[key]) for key in _LIMITS if key in entry}})
    if rule.signal not in signals:
        name, _, kind = rule.signal.rpartition("_")
        of_list = f"; a word list {name} in signals.lists would give it" if kind in ("letters", "share", "distinct") else ""
        raise RuleError(f"{where}: unknown signal {rule.signal!r}{nearest(rule.signal, signals)}{of_list}")
    if (rule.low, rule.high, rule.below) == (-inf, inf, inf):
        raise RuleError(f"{where}: rejects nothing; give it low, high or below")
    if rule.low > rule.high or rule.low >= rule.below:
        upper = f"high {plain(rule.high)}" if rule.low > rule.high else f"below {plain(rule.below)}"
        raise RuleError(f"{where}: low {plain(rule.low)} against {upper} would reject every document")
    return rule


def _check_limit(key: str, value: Any, where: str) -> None:
    """RuleError for what is no limit. An infinite one that means none, such as high: .inf, may stand there."""
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
        raise RuleError(f"{where}: {key} must be a number, not {_kind(value)}")
    if value == _FIELDS[key] or abs(value) <= _MOST:
        return
    if abs(value) == inf:
        raise RuleError(f"{where}: {key} must be finite")
    raise RuleError(f"{where}: {key} must lie between {-_MOST:g} and {_MOST:g}")


def _name(entry: Any) -> Any:
    return entry.get("name") if isinstance(entry, Mapping) else None


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"
