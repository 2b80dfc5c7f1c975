"""`python -m benchmarks [SUBJECT ...] [--json] [--input FOLDER]`: one table from one run; without subjects all but the long ones.

The table goes to stdout, progress to stderr. A ratio above 1 means faster than what stands beside it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.inputs import LARGER, SAMPLES, Inputs
from benchmarks.machine import header
from benchmarks.timing import Figure

SUBJECTS = (
    "scan", "charset", "japanese", "extract", "plain_loop", "quick_screen", "gold", "isolation", "signals", "morphology", "word_lists",
    "classifiers", "hosts", "quality", "personal_data", "cleaning", "contamination", "signatures",
    "near_duplicates", "datatrove_minhash", "select", "planner", "fetching", "tokens", "datatrove_tokens", "shards", "empty_units",
    "efficiency", "cost_model", "look",
)  # fmt: skip
LONG = ("fuzz", "memory", "growth", "many_units")  # minutes each: only when they are named


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What the pieces cost.")
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"{', '.join(SUBJECTS)}; by name only: {', '.join(LONG)}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--input", type=Path, default=LARGER if LARGER.is_dir() else SAMPLES,
                        help="folder of archives with labels.jsonl.gz, as samples/")  # fmt: skip
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.subjects if name not in SUBJECTS + LONG]:
        parser.error(f"there is no {unknown[0]}; known: {', '.join(SUBJECTS + LONG)}")
    inputs = Inputs(chosen.input)
    if not inputs.archives:
        parser.error(f"{chosen.input} holds no *.warc.gz")
    made_with = header(inputs)
    figures = {name: measure(name, inputs) for name in chosen.subjects or SUBJECTS}
    if chosen.json:
        lines = {name: [asdict(figure) for figure in found] for name, found in figures.items()}
        print(json.dumps({**made_with, "figures": lines}, ensure_ascii=False, indent=1))
        return
    print("\n".join(f"{what + ':':<10}{value}" for what, value in made_with.items()))
    print_table([(name, figure) for name, found in figures.items() for figure in found])


def measure(subject: str, inputs: Inputs) -> list[Figure]:
    print(f"{subject} ...", end=" ", file=sys.stderr, flush=True)
    begin = time.monotonic()
    found = list(importlib.import_module(f"benchmarks.{subject}").figures(inputs))
    print(f"{time.monotonic() - begin:.0f} s", file=sys.stderr)
    return found


def print_table(figures: list[tuple[str, Figure]]) -> None:
    rows = [("", "what", "figure", "", "low - high", "against", "its figure", "ratio")]
    for place, (subject, figure) in enumerate(figures):
        first = not place or figures[place - 1][0] != subject
        rows.append((subject if first else "", figure.what, number(figure.value), figure.unit, low_high(figure), figure.against,
                     number(figure.other), number(figure.ratio)))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        numbers = ("figure", "its figure", "ratio")
        cells = (
            f"{cell:{'>' if head in numbers else '<'}{width}}" for cell, head, width in zip(row, rows[0], widths, strict=True)
        )
        print("  ".join(cells).rstrip())


def low_high(figure: Figure) -> str:
    return "" if figure.low is None else f"{number(figure.low)} - {number(figure.high)}"


def number(value: float | None) -> str:
    """Three digits, no exponent."""
    if value is None:
        return ""
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{round(value, digits):,.{max(0, digits)}f}"


if __name__ == "__main__":
    main()
