"""The rules that a config asks for, and those that extraction counts on.

A page left out at extraction is never judged. So what extraction leaves out goes by rules of its own, `extract.counts_on`, and
the rules in force must reject all that those reject: stricter ones need no new extraction, looser ones are refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from seiryu.filters.finding.quick_screen import screened, widened
from seiryu.filters.instruments import possible
from seiryu.filters.rules import Rule, RuleError
from seiryu.filters.rules.presets import change, load_preset
from seiryu.pipelines.config import Config, CountsOn, Rules
from seiryu.pipelines.config_file import ConfigError

# What bounds the Japanese letters of a text from below: the signals of two presets; v1 counts no letter that the other does not.
_JAPANESE, _HIRAGANA = ("japanese_letters", "v1_japanese_letters"), ("hiragana_share", "v1_hiragana_share")

_MORE_THAN_ALL = 2  # a share that no text has: what a share above 1 demands, however large


def rules_in_force(config: Config) -> tuple[Rule, ...]:
    """The preset with the config's changes.

    ConfigError if there is no such preset, a change does not fit, or extraction counts on stricter rules than these.
    """
    rules = _rules("rules", config.rules.model_dump_json(), _signals(config))
    check_against_extraction(rules, config)
    return rules


def least_letters(config: Config) -> tuple[int, int]:
    """(Japanese letters, hiragana) that extraction's rules demand of a text; 0 where they demand nothing."""
    return _demand(_counted_on(config))


def screen(config: Config) -> tuple[Rule, ...]:
    """The rules of the quick screen, with their slack; none if it is off."""
    return widened(_counted_on(config)) if config.extract.quick_screen else ()


def check_against_extraction(rules: Sequence[Rule], config: Config) -> None:
    """ConfigError for rules that would keep a document that extraction, by `extract.counts_on`, has left out."""
    counted = _counted_on(config)
    looser = "; put the preset and the changes of `rules` there too; archives that were read are then read again"
    for what, asked, given in zip(("Japanese letters", "hiragana"), _demand(counted), _demand(rules), strict=True):
        if given < asked:
            raise ConfigError(
                f"extract.counts_on: extraction leaves out pages that cannot have {asked} {what} in their text, and `rules` "
                f"demands {given or 'none'}{looser}"
            )
    for rule in counted if config.extract.quick_screen else ():
        if not screened(rule):
            continue
        low = max((other.low for other in rules if other.signal == rule.signal), default=-math.inf)
        high = min((other.high for other in rules if other.signal == rule.signal), default=math.inf)
        if low < rule.low or high > rule.high:
            raise ConfigError(
                f"extract.counts_on: the quick screen leaves out pages that fail {rule.name} ({rule.signal} {rule.limits()}) by far, "
                f"and `rules` is looser{looser}"
            )


def _demand(rules: Sequence[Rule]) -> tuple[int, int]:
    """(Japanese letters, hiragana) that a text must have to pass."""
    least = max((rule.low for rule in rules if rule.signal in _JAPANESE), default=0)
    share = max((rule.low for rule in rules if rule.signal in _HIRAGANA), default=0)
    japanese, share = math.ceil(max(least, 0)), min(share, _MORE_THAN_ALL)
    hiragana = math.floor(japanese * max(share, 0))
    while japanese and hiragana / japanese < share:  # as the signal divides
        hiragana += 1
    return japanese, hiragana


def _counted_on(config: Config) -> tuple[Rule, ...]:
    # Nothing is measured by these, so they may ask for the default word lists whether the run has them or not.
    every_list = {**type(config.signals).model_fields["lists"].default, **config.signals.word_lists}
    signals = tuple(signal.name for signal in possible(every_list, config.signals.classifiers))
    return _rules("extract.counts_on", config.extract.counts_on.model_dump_json(), signals)


def _signals(config: Config) -> tuple[str, ...]:
    """The signals that a rule may ask for."""
    return tuple(signal.name for signal in possible(config.signals.word_lists, config.signals.classifiers))


@lru_cache(maxsize=8)
def _rules(where: str, section: str, signals: tuple[str, ...]) -> tuple[Rule, ...]:
    wanted: Rules | CountsOn = CountsOn.model_validate_json(section)
    changes = {name: None if patch is None else patch.model_dump(exclude_none=True) for name, patch in wanted.change.items()}
    try:
        rules = load_preset(wanted.preset, signals, [name for name, patch in changes.items() if patch is None])
    except RuleError as error:
        raise ConfigError(f"{where}.preset: {error}", (*where.split("."), "preset")) from error
    try:
        return change(rules, changes, f"{where}.change", signals)
    except RuleError as error:
        raise ConfigError(str(error), (*where.split("."), "change", error.rule)) from error
