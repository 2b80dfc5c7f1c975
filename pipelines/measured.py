"""What a run measures: its word lists, tokenizer and classifiers, loaded once a process, and the table of its signals."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pyarrow as pa

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.corpus.tokenizer import Tokenizer, load_tokenizer
from seiryu.filters.classifiers.scoring import Scorer, load_classifier
from seiryu.filters.instruments import MORPHOLOGY, Instruments, possible
from seiryu.filters.morphology import dictionary_version
from seiryu.filters.words import WordLists
from seiryu.pipelines.config import Config, Signals
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.rules_in_force import rules_in_force


@lru_cache(maxsize=4)
def tokenizer(name: str) -> Tokenizer:
    """The tokenizer of a config. TokenizerError if there is none."""
    return load_tokenizer(name)


def instruments(config: Config) -> Instruments:
    """All that a config measures with. ConfigError naming the field if a list, a model or the tokenizer cannot be used."""
    return _instruments(config.signals.model_dump_json(), config.tokenize.tokenizer, _morphology(config))


def signals_schema(config: Config) -> pa.Schema:
    """The table of signals: doc_id, then a column for every signal that the config measures."""
    names = possible(config.signals.word_lists, config.signals.classifiers)
    wanted = names if _morphology(config) else [signal for signal in names if signal not in MORPHOLOGY]
    doc_id = schema.DOCUMENTS.field("doc_id").with_metadata({"meaning": "as in documents, same order"})
    return pa.schema(
        [doc_id]
        + [
            pa.field(signal.name, pa.from_numpy_dtype(signal.dtype), nullable=False, metadata={"meaning": signal.meaning})
            for signal in wanted
        ]
    )


def read_signals(store: Store, config: Config, unit: str, columns: list[str] | None = None) -> pa.Table:
    """The signals of one documents file, or only some of them. InputError if the table is damaged or of another schema."""
    path = f"signals/{unit}.parquet"
    with store.open(path) as file:
        return schema.read_table(file, store.path(path), signals_schema(config), columns)


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
def _instruments(section: str, tokenizer_name: str, morphology: bool) -> Instruments:
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
    try:
        vocabulary = tokenizer(tokenizer_name)
    except InputError as error:
        raise ConfigError(f"tokenize.tokenizer: {error}", ("tokenize", "tokenizer")) from error
    return Instruments(lists, vocabulary, scorers, morphology)
