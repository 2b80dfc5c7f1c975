"""From a YAML file and `--set` options to a Config; whatever is wrong becomes one line that says where and what was meant."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from seiryu.corpus.errors import SeiryuError
from seiryu.filters.rules.plain_yaml import YamlError, read_yaml
from seiryu.pipelines.config import Config, RuleChange
from seiryu.pipelines.section import Section
from seiryu.pipelines.source_config import KINDS


class ConfigError(SeiryuError):
    """A config that cannot be used (exit 2). One line: file, line, field, what is wrong, what was meant.

    `field`: the path of what is wrong in the config, where only what it names was looked at; `located` puts file and line before it.
    """

    def __init__(self, message: str, field: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.field = field


def located(error: ConfigError, path: str, changes: Sequence[str]) -> ConfigError:
    """The same error with the config's file and the line of its field; as it was, if the field does not stand in the file."""
    set_here = {tuple(change.partition("=")[0].strip().split(".")) for change in changes}
    if not error.field or any(error.field[: len(keys)] == keys for keys in set_here):
        return error
    line = _line(read_yaml(Path(path).read_text(encoding="utf-8"))[1], error.field)
    return ConfigError(f"{path}:{line}: {error}") if line else error


def load_config(path: str, changes: Sequence[str] = ()) -> Config:
    """The config in a YAML file with `--set a.b=value` changes applied.

    ConfigError for everything that is wrong with it, the paths it names and the preset included.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start})") from error
    try:
        value, node = read_yaml(text)
    except YamlError as error:
        raise ConfigError(error.at(path)) from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: a mapping with run, source, ... is wanted, not {_kind(value)}")
    value = json.loads(_json(value, path))  # what two aliases share is two values from here on
    changed = {_apply(value, change) for change in changes}
    try:
        return Config.model_validate_json(_json(value, path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        location = tuple(part for part in first["loc"] if part != "[key]")
        named = _as_written(location)
        line = None if named in changed else _line(node, named)
        raise ConfigError(f"{path}{f':{line}' if line else ''}: {_explain(location, first)}") from error


def _json(value: Any, path: str) -> str:
    """ConfigError for what JSON cannot hold, such as a date as a key."""
    try:
        return json.dumps(value, default=str)
    except TypeError as error:
        raise ConfigError(f"{path}: {error}") from error


def _apply(value: dict[str, Any], change: str) -> tuple[str, ...]:
    """Put one `a.b=value` into the mapping; the path that was set."""
    name, equals, text = change.partition("=")
    keys = tuple(name.strip().split("."))
    if not equals or not all(keys):
        raise ConfigError(f"--set {change}: a.b=value is wanted")
    try:
        new, _ = read_yaml(text)
    except YamlError as error:
        raise ConfigError(f"--set {change}: {error}") from error
    place = value
    for key in keys[:-1]:
        inner = place.setdefault(key, {})
        if inner is None:
            inner = place[key] = {}
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {change}: {key} is {_kind(inner)}, it has no {keys[-1]}")
        place = inner
    place[keys[-1]] = new
    return keys


def _line(node: Any, location: tuple[int | str, ...]) -> int | None:
    """The line of the deepest part of a field's path that stands in the file."""
    line = None
    for part in location:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((key, inner) for key, inner in reversed(node.value) if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = (node.value[part], node.value[part])
        if not found:
            return line
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def _as_written(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """A field's path without the kind of source, which pydantic puts into it."""
    return (location[0], *location[2:]) if location[:1] == ("source",) and location[1:2] and location[1] in KINDS else location


def _explain(location: tuple[int | str, ...], error: ErrorDetails) -> str:
    name = ".".join(map(str, _as_written(location)))
    if error["type"] == "extra_forbidden":
        known = _fields(location[:-1])
        near = difflib.get_close_matches(str(location[-1]), known, 1, 0.5)
        hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}"
        return f"{name}: unknown key; {hint}"
    if error["type"] == "missing":
        return f"{name}: is missing"
    if error["type"] in ("model_type", "model_attributes_type"):
        return f"{name}: a mapping with {', '.join(_fields(location))} is wanted, not {_kind(error['input'])}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{name}: {json.dumps(error['input'], ensure_ascii=False, default=str)[:60]}: {message[0].lower() + message[1:]}"


def _fields(location: tuple[int | str, ...]) -> list[str]:
    """Names that may stand at a place of the config."""
    model: Any = Config
    for place, part in enumerate(location):
        if place == 1 and location[0] == "source" and part in KINDS:
            model = KINDS[str(part)]
            continue
        field = model.model_fields.get(str(part)) if isinstance(model, type) and issubclass(model, Section) else None
        model = _section(field.annotation) if field else None
    if isinstance(model, type) and issubclass(model, Section):
        return list(model.model_fields)
    return list(RuleChange.model_fields)


def _section(annotation: Any) -> Any:
    """The section in an annotation such as `RepeatedLines | None`."""
    return next((part for part in get_args(annotation) if isinstance(part, type) and issubclass(part, Section)), annotation)


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", type(None): "nothing"}
    return names.get(type(value), f"a {type(value).__name__}")
