"""The rules that a config asks for."""

from __future__ import annotations

from functools import lru_cache

from seiryu.filters.rules import Rule, RuleError, change, load_preset
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError


def rules_in_force(config: Config) -> tuple[Rule, ...]:
    """The preset with the config's changes. ConfigError if there is no such preset, or a change does not fit."""
    return _rules(config.rules.model_dump_json())


@lru_cache(maxsize=4)
def _rules(section: str) -> tuple[Rule, ...]:
    from seiryu.pipelines.config import Rules

    rules = Rules.model_validate_json(section)
    changes = {name: None if patch is None else patch.model_dump(exclude_none=True) for name, patch in rules.change.items()}
    try:
        return change(load_preset(rules.preset), changes, "rules.change")
    except RuleError as error:
        raise ConfigError(f"rules.preset: {error}" if "rules.change" not in str(error) else str(error)) from error
