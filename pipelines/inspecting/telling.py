"""What goes wrong while somebody looks: a damaged table, a directory that cannot be written. It is said on the page, in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from markupsafe import escape

from seiryu.corpus.errors import SeiryuError
from seiryu.pipelines.inspecting.pieces import wrong


def told(show: Callable[..., Any]) -> Callable[..., Any]:
    """Of a function that shows something, with marimo as its first argument: what is wrong stands in its place."""

    @wraps(show)
    def shown(mo: Any, *arguments: Any) -> Any:
        try:
            return show(mo, *arguments)
        except SeiryuError as error:
            return mo.Html(str(wrong(str(error))))

    return shown


@contextmanager
def telling(mo: Any) -> Iterator[None]:
    """For what a button does."""
    try:
        yield
    except SeiryuError as error:
        mo.status.toast("Not done", str(escape(str(error))), kind="danger")
