"""One HTML file of a template, stylesheet, charts and scripts, that needs nothing from outside and lets nothing else run.

The policy in its head permits exactly the scripts that stand in it, by their hashes, and no address at all. Charts are drawn by Vega
with its interpreter of expressions, so nothing is evaluated as code.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup, escape

from seiryu.pipelines.reporting.page.shown import json_block, visible
from seiryu.pipelines.reporting.page.wording import TERMS, TEXTS
from seiryu.pipelines.sizes import human

_LANGUAGES = ("en", "ja")
_once = threading.Lock()


def page(language: str, **shown: Any) -> str:
    """The page. `language`: en or ja, which is shown first; ValueError for another."""
    if language not in _LANGUAGES:
        raise ValueError(f"language {language!r}: en or ja")
    scripts = [Markup(bundle()), Markup(_file("loader.js"))]
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src " + " ".join(_hash(script) for script in scripts)
    style = Markup(_file("page.css"))
    return _template().render(language=language, policy=policy, scripts=scripts, style=style, **shown)


def bundle() -> str:
    """Vega, Vega-Lite and vega-embed as one script that leaves `vegaEmbed` behind; made once a process, in about a second."""
    with _once:
        return _bundle()


@cache
def _bundle() -> str:
    import vl_convert

    # In a function of its own: it declares hundreds of short names, which would be names of the page otherwise.
    return "(()=>{" + vl_convert.javascript_bundle("window.vegaEmbed=vegaEmbed;") + "\n})();"


def say(key: str, **values: Any) -> Markup:
    """A text in both languages; the stylesheet shows one."""
    return _both(*(Markup(text) for text in TEXTS[key]), **values)


def term(name: str) -> Markup:
    """A name that comes from the run, in both languages if there is another for it."""
    return _both(escape(name), escape(TERMS[name])) if name in TERMS else escape(visible(name))


def _both(english: Markup, japanese: Markup, **values: Any) -> Markup:
    texts = [text.format(**{name: _finished(value) for name, value in values.items()}) for text in (english, japanese)]
    return Markup('<span class="t" lang="en">{}</span><span class="t" lang="ja">{}</span>').format(*texts)


@cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("seiryu.pipelines.reporting.page", "")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finished
    )
    environment.filters |= {"thousands": _thousands, "signed": lambda number: f"{number:+,}", "human": human, "json": json_block}
    environment.globals |= {"say": say, "term": term}
    return environment.get_template("page.html.j2")


def _finished(value: Any) -> Any:
    """All that the template writes: numbers with their commas, texts with steering letters written out."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return _thousands(value)
    return visible(value) if isinstance(value, str) else value


def _thousands(number: float) -> str:
    return f"{number:,}"


def _file(name: str) -> str:
    return resources.files("seiryu.pipelines.reporting.page").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"
