"""What a run measures: its word lists, tokenizer and classifiers, loaded once a process, and the table of its signals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.corpus.tokenizers import Tokenizer, TokenizerError, load_tokenizer
from seiryu.filters.classifiers.scoring import Scorer, load_classifier
from seiryu.filters.instruments import MORPHOLOGY, Instruments, possible
from seiryu.filters.morphology import dictionary_version
from seiryu.filters.signals.signal import Signal
from seiryu.filters.words import WordLists
from seiryu.pipelines.config import Config, Signals
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.shard_config import Tokenize
from seiryu.pipelines.unit import Sidecar


@lru_cache(maxsize=4)
def tokenizer(chosen: Tokenize) -> Tokenizer:
    """The tokenizer of a config. ConfigError if there is none, or none that documents could end with."""
    try:
        return load_tokenizer(chosen.tokenizer, None if chosen.eod in (None, "") else str(chosen.eod))
    except TokenizerError as error:
        field = "tokenizer" if chosen.eod is None else "eod"
        raise ConfigError(f"tokenize.{field}: {error}", ("tokenize", field)) from error


def instruments(config: Config, morphology: bool | None = None) -> Instruments:
    """All that a config measures with; morphology only if its rules ask for it, or as it is said here.

    ConfigError naming the field if a list, a model or the tokenizer cannot be used.
    """
    asked = _morphology(config) if morphology is None else morphology
    return _instruments(config.signals.model_dump_json(), config.tokenize, asked)


def to_measure(config: Config) -> tuple[Signal, ...]:
    """What a config measures, in the order of the table."""
    return _chosen(config.signals.word_lists, config.signals.classifiers, _morphology(config))


def measured_by(done: Sidecar) -> tuple[Signal, ...]:
    """What a unit of `annotate` measured, whatever the config asks for by now."""
    return _chosen(done.setting("lists"), done.setting("classifiers"), done.setting("morphology"))


def signals_schema(measured: Sequence[Signal]) -> pa.Schema:
    """The table of these signals: doc_id, then a column for each."""
    doc_id = schema.DOCUMENTS.field("doc_id").with_metadata({"meaning": "as in documents, same order"})
    return pa.schema(
        [doc_id]
        + [
            pa.field(signal.name, pa.from_numpy_dtype(signal.dtype), nullable=False, metadata={"meaning": signal.meaning})
            for signal in measured
        ]
    )


def read_signals(store: Store, measured: Sequence[Signal], unit: str, columns: list[str] | None = None) -> pa.Table:
    """The signals of one documents file, or only some of them. InputError if the table is damaged or of other signals."""
    return schema.read_table(store, f"signals/{unit}.parquet", signals_schema(measured), columns)


def identities(config: Config) -> dict[str, Any]:
    """What decides the values: hashes of word lists, models and vocabulary, and whether morphology is measured, by which dictionary."""
    found = instruments(config)
    classifiers = {
        name: {"sha256": found.classifiers[name].sha256, **chosen.model_dump(mode="json", exclude={"model"})}
        for name, chosen in config.signals.classifiers.items()
    }
    return {
        "lists": found.lists.sha256, "dictionary": dictionary_version(), "morphology": found.morphology, "classifiers": classifiers,
        "tokenizer": found.tokenizer.sha256,
    }  # fmt: skip


def _chosen(lists: Collection[str], classifiers: Collection[str], morphology: bool) -> tuple[Signal, ...]:
    return tuple(signal for signal in possible(lists, classifiers) if morphology or signal not in MORPHOLOGY)


def _morphology(config: Config) -> bool:
    """Whether Sudachi's signals are measured: by wish, or because a rule asks for one."""
    asked = {signal.name for signal in MORPHOLOGY}
    return config.signals.morphology or any(rule.signal in asked for rule in rules_in_force(config))


def _check_names(wanted: Signals) -> None:
    """ConfigError for a list or a classifier whose signals would have the name of another signal."""
    seen = {"doc_id"}
    for signal in possible(wanted.word_lists, wanted.classifiers):
        if signal.name in seen:
            field = "classifiers" if signal.name in wanted.classifiers else "lists"
            raise ConfigError(
                f"signals.{field}: there is a signal {signal.name} already; choose another name", ("signals", field)
            )
        seen.add(signal.name)


@lru_cache(maxsize=2)
def _instruments(section: str, tokenized: Tokenize, morphology: bool) -> Instruments:
    wanted = Signals.model_validate_json(section)
    _check_names(wanted)
    try:
        lists = WordLists(wanted.word_lists)
    except ValueError as error:
        raise ConfigError(f"signals.lists: {error}", ("signals", "lists")) from error
    scorers: dict[str, Scorer] = {}
    for name, chosen in wanted.classifiers.items():
        try:
            scorers[name] = load_classifier(chosen.model, chosen.value, chosen.label, chosen.segmented)
        except ValueError as error:
            raise ConfigError(f"signals.classifiers.{name}: {error}", ("signals", "classifiers", name)) from error
    return Instruments(lists, tokenizer(tokenized), scorers, morphology)
