"""The command that explains one document."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.table import Table
from rich.text import Text

from seiryu.filters.cleaning.difference import difference
from seiryu.pipelines.commands.checks import finished
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.reporting.explanation import Explanation, Judged, explain_document, explain_text
from seiryu.pipelines.telling.screen import out, plain

_SHOWN, _CONTEXT, _LONGEST = 5, 12, 60  # spans of a rule, letters around one, letters of one
_MARKS = {"same": ("", "", ""), "gone": ("[-", "-]", "red"), "new": ("{+", "+}", "green")}


def explain_command(run: str, document: str, text: str, *, as_json: bool) -> int:
    if bool(document) == bool(text):
        raise ConfigError("explain: give either a DOC_ID or --text FILE")
    state = finished(run)
    found = explain_text(state, _read(text)) if text else explain_document(state, document)
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
        return 0
    _show(found)
    return 0


def _read(path: str) -> str:
    if path == "-" and sys.stdin is None:
        raise ConfigError("--text -: stdin is closed; pipe a text into it, or name a file")
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"--text {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"--text {path}: not UTF-8 (byte {error.start})") from error


def _show(found: Explanation) -> None:
    for name, value in found.place.items():
        out.print(f"{name:<15} {plain(str(value))}")
    for stage, said in found.fate:
        out.print(f"{stage:<15} {plain(said)}", style="bold")
    out.print()
    rules = Table(box=None, pad_edge=False)
    for title in ("rule", "signal"):
        rules.add_column(title)
    rules.add_column("value", justify="right")
    for title in ("rejects if", ""):
        rules.add_column(title)
    for judged in found.rules:
        verdict = "rejects" if judged.rejects else ""
        rules.add_row(judged.rule.name, judged.rule.signal, _number(judged.value), judged.rule.limits(), verdict,
                      style="bold" if judged.rejects else "")  # fmt: skip
    out.print(rules)
    for judged in found.rules:
        if judged.rejects:
            show_spans(found.text, judged)
    asked = {judged.rule.signal for judged in found.rules}
    others = Table(box=None, pad_edge=False)
    others.add_column("other signals")
    others.add_column("value", justify="right")
    for name, value in found.signals.items():
        if name not in asked:
            others.add_row(name, _number(value))
    out.print()
    out.print(others)
    if found.cleaned is not None and found.cleaned != found.text:
        out.print("\nwhat cleaning changed", style="bold")
        out.print(_changes(found.text, found.cleaned))


def show_spans(text: str, judged: Judged) -> None:
    """The first places, with a little of what stands around them."""
    out.print(f"\n{judged.rule.name}: {judged.rule.why}", style="bold")
    if not judged.spans:
        out.print("  the text as a whole")
    for begin, end in judged.spans[:_SHOWN]:
        before, after = text[max(0, begin - _CONTEXT) : begin], text[end : end + _CONTEXT]
        piece = text[begin:end] if end - begin <= _LONGEST else f"{text[begin : begin + _LONGEST]} ..."
        line = Text(f"  {begin:>6} ")
        line.append(plain(before), style="dim")
        line.append(f">>{plain(piece)}<<", style="reverse")
        line.append(plain(after), style="dim")
        line.append(f"  ({end - begin:,} letters)", style="dim")
        out.print(line)
    if len(judged.spans) > _SHOWN:
        out.print(f"  and {len(judged.spans) - _SHOWN:,} more")


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.5g}"


def _changes(before: str, after: str) -> Text:
    """The difference of words as git shows it, [-gone-]{+new+}: readable without colours too."""
    shown = Text()
    for kind, piece in difference(before, after):
        if kind == "skipped":
            shown.append(f"... {piece.count(chr(10)):,} lines as they were\n", style="dim")
        else:
            begin, end, style = _MARKS[kind]
            lines = "\n".join(plain(line) for line in piece.split("\n"))
            shown.append(f"{begin}{lines}{end}", style=style)
    return shown
