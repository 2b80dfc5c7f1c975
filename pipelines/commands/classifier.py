"""The command that trains a quality classifier, and the tables of how good it is."""

from __future__ import annotations

import json
from typing import Any

from rich.table import Table

from seiryu.filters.classifiers.examples import Source
from seiryu.filters.classifiers.training import Training, train
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.telling.screen import out, say


def train_command(source: Source, model: str, training: Training, *, as_json: bool) -> int:
    """Train, write model and card, show the card's figures. ConfigError for what cannot be trained on or written."""
    try:
        card = train(source, model, training, tell=say)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        raise ConfigError(f"{model}: cannot be written: {error.strerror or error}") from error
    if as_json:
        print(json.dumps(card, ensure_ascii=False, indent=1))
        return 0
    data, figures = card["data"], card["held_out"]
    out.print(_counts(data))
    if data["duplicates"]:
        out.print(f"{data['duplicates']:,} texts occurred before; exact copies are on the same side")
    for table in _tables(figures) if figures and figures["texts"] else ():
        out.print()
        out.print(table)
    out.print()
    if not figures or not figures["texts"]:
        out.print("no text was held out, so nothing is known of how good it is")
    out.print(f"model  {model}  sha256 {card['model_sha256'][:12]}")
    out.print(f"card   {model}.json")
    return 0


def _counts(data: dict[str, Any]) -> Table:
    table = _table("label", "training", "held out")
    for label, number in data["train"].items():
        table.add_row(label, f"{number:,}", f"{data['held_out'][label]:,}")
    return table


def _tables(figures: dict[str, Any]) -> list[Any]:
    labels = _table("held out", "precision", "recall", "F1", "texts")
    for row in figures["labels"]:
        labels.add_row(row["label"], *map(_share, (row["precision"], row["recall"], row["f1"])), f"{row['support']:,}")
    labels.add_row("all", "", "accuracy", _share(figures["accuracy"]), f"{figures['texts']:,}")
    tables = [labels]
    if "thresholds" in figures:
        limits = _table(f"{figures['positive']} at or above", "share", "precision", "recall")
        for row in figures["thresholds"]:
            limits.add_row(f"{row['threshold']:.1f}", *map(_share, (row["share"], row["precision"], row["recall"])))
        best = figures["top"]
        limits.add_row(f"{best['threshold']:.4f}", *map(_share, (best["share"], best["precision"], best["recall"])), style="bold")
        limits.caption, limits.caption_justify = "last: the best tenth of these texts; a corpus has another mix", "left"
        tables.append(limits)
    tables.append(_calibration(figures["calibration"]))
    if "grades" in figures:
        grades = _table("expected grade", "")
        grades.add_row("mean absolute error", f"{figures['grades']['mean_absolute_error']:.3f}")
        grades.add_row("rank correlation", f"{figures['grades']['rank_correlation']:.3f}")
        tables.append(grades)
    return tables


def _calibration(figures: dict[str, Any]) -> Table:
    table = _table("probability", "texts", "mean", "right")
    for row in figures["bins"]:
        if row["texts"]:
            table.add_row(
                f"{row['low']:.1f} - {row['high']:.1f}", f"{row['texts']:,}", _share(row["probability"]), _share(row["right"])
            )
    table.caption = f"{figures['of']}; expected error {figures['expected_error']:.3f}, Brier score {figures['brier']:.3f}"
    table.caption_justify = "left"
    return table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for place, title in enumerate(titles):
        table.add_column(title, justify="right" if place else "left")
    return table


def _share(value: float) -> str:
    return f"{value:.3f}"
