"""The rules that a config asks for, and those that extraction counts on.

A page left out at extraction is never judged. So what extraction leaves out goes by rules of its own, `extract.counts_on`, and
the rules in force must reject all that those reject: stricter ones need no new extraction, looser ones are refused.
"""

from __future__ import annotations

import math
from functools import lru_cache

from seiryu.filters.finding.quick_screen import screened, widened
from seiryu.filters.rules import Rule, RuleError, change, load_preset
from seiryu.pipelines.config import Config, CountsOn, Rules
from seiryu.pipelines.config_file import ConfigError


def rules_in_force(config: Config) -> tuple[Rule, ...]:
    """The preset with the config's changes.

    ConfigError if there is no such preset, a change does not fit, or extraction counts on stricter rules than these.
    """
    rules = _rules("rules", config.rules.model_dump_json(include={"preset", "change"}))
    _check(rules, config)
    return rules


def least_letters(config: Config) -> tuple[int, int]:
    """(Japanese letters, hiragana) that extraction's rules demand of a text; 0 where they demand nothing."""
    rules = _counted_on(config)
    japanese = max((rule.low for rule in rules if rule.signal == "japanese_letters"), default=0)
    share = max((rule.low for rule in rules if rule.signal == "hiragana_share"), default=0)
    japanese = math.ceil(max(japanese, 0))
    hiragana = math.floor(japanese * max(share, 0))
    while japanese and hiragana / japanese < share:  # as the signal divides
        hiragana += 1
    return japanese, hiragana


def screen(config: Config) -> tuple[Rule, ...]:
    """The rules of the quick screen, with their slack; none if it is off."""
    return widened(_counted_on(config)) if config.extract.quick_screen else ()


def _counted_on(config: Config) -> tuple[Rule, ...]:
    return _rules("extract.counts_on", config.extract.counts_on.model_dump_json())


def _check(rules: tuple[Rule, ...], config: Config) -> None:
    used = ("japanese_letters", "hiragana_share")
    for counted in _counted_on(config):
        if counted.signal not in used and not (config.extract.quick_screen and screened(counted)):
            continue
        low = max((rule.low for rule in rules if rule.signal == counted.signal), default=float("-inf"))
        high = min((rule.high for rule in rules if rule.signal == counted.signal), default=float("inf"))
        if low < counted.low or high > counted.high:
            limit = f"low {counted.low:g}" if low < counted.low else f"high {counted.high:g}"
            raise ConfigError(
                f"extract.counts_on: extraction leaves out pages that fail {counted.name} ({counted.signal}, {limit}), and `rules` is "
                "looser: put the preset and the changes of `rules` there too; archives that were read are then read again"
            )


@lru_cache(maxsize=8)
def _rules(where: str, section: str) -> tuple[Rule, ...]:
    wanted: Rules | CountsOn = CountsOn.model_validate_json(section)
    changes = {name: None if patch is None else patch.model_dump(exclude_none=True) for name, patch in wanted.change.items()}
    try:
        return change(load_preset(wanted.preset), changes, f"{where}.change")
    except RuleError as error:
        raise ConfigError(f"{where}.preset: {error}" if f"{where}.change" not in str(error) else str(error)) from error
