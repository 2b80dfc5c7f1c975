"""What a config names beside its archives, loaded as a worker does: tokenizer, models, word lists, rules, block lists, benchmarks.

The classic: a path that is there on the driver and not on a node, or holds another file there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from seiryu.corpus.errors import SeiryuError
from seiryu.corpus.remote.remote import is_remote
from seiryu.corpus.storage import Store
from seiryu.dedup.contamination.items import Source, read_items
from seiryu.filters.classifiers.scoring import load_classifier
from seiryu.filters.finding.language import MODEL, language, model_sha256
from seiryu.filters.words import WordLists
from seiryu.pipelines.config import Benchmark, Classifier, Config
from seiryu.pipelines.doctoring.finding import Finding
from seiryu.pipelines.measured import tokenizer
from seiryu.pipelines.rules_in_force import least_letters, rules_in_force, screen
from seiryu.pipelines.stages.addresses import block_lists
from seiryu.pipelines.unit import digest

_TEXT = "清流は山から海へと流れる。"
Named = dict[str, tuple[str, str]]  # field of the config -> (sha256, why it cannot be used), one of them empty


def named(config: Config) -> Named:
    """What this process finds under each name."""
    found = {}
    for name, load in _loaders(config):
        try:
            found[name] = (load(), "")
        except (SeiryuError, OSError, ValueError, ImportError) as error:
            found[name] = ("", str(error))
        except Exception as error:  # noqa: BLE001 - a library's own, of a damaged model say
            found[name] = ("", f"{type(error).__name__}: {error}")
    return found


def compared(here: Named, driver: Named) -> list[Finding]:
    """What a node finds otherwise than the driver."""
    wrong = []
    for name, (sha256, _) in driver.items():
        mine, why = here.get(name, ("", "not looked at"))
        if why:
            text = f"{why.removeprefix(f'{name}: ')}; put the driver's at this path, or name one that all nodes see (from / on)"
            wrong.append(Finding("files", "fail", f"{name}: {text}"))
        elif sha256 and mine != sha256:
            text = f"another content here (sha256 {mine[:12]}) than on the driver ({sha256[:12]}); copy the driver's"
            wrong.append(Finding("files", "fail", f"{name}: {text}"))
    return wrong or [Finding("files", "ok", f"{', '.join(driver)}: as on the driver")]


def of_driver(driver: Named) -> list[Finding]:
    """What the driver itself finds."""
    wrong = [
        Finding("files", "fail", why if why.startswith(name) else f"{name}: {why}") for name, (_, why) in driver.items() if why
    ]
    return wrong or [Finding("files", "ok", f"loaded: {', '.join(driver)}")]


def _loaders(config: Config) -> Iterator[tuple[str, Callable[[], str]]]:
    """What there is to load, each with what loads it and says its sha256."""
    yield MODEL, _language_model
    yield "tokenize.tokenizer", lambda: tokenizer(config.tokenize).sha256
    for name, sources in config.signals.word_lists.items():
        yield f"signals.lists.{name}", partial(_word_list, name, sources)
    for name, chosen in config.signals.classifiers.items():
        yield f"signals.classifiers.{name}", partial(_classifier, chosen)
    yield "rules", lambda: digest([str(rules_in_force(config)), least_letters(config), str(screen(config))])
    if config.hosts.ut1:
        yield "hosts.ut1", partial(_block_lists, config.hosts.ut1, config.hosts.categories)
    for name, benchmark in config.decontaminate.benchmarks.items():
        yield f"decontaminate.benchmarks.{name}", partial(_benchmark, benchmark)
    for number, run in enumerate(config.dedup.against):
        yield f"dedup.against[{number}]", partial(_earlier, run)
    if config.source.kind == "commoncrawl" and (hosts := config.source.index.host_list) and not is_remote(hosts):
        yield "source.index.host_list", lambda: digest(Path(hosts).read_text(encoding="utf-8"))


def _language_model() -> str:
    language(_TEXT)
    return model_sha256()


def _classifier(chosen: Classifier) -> str:
    scorer = load_classifier(chosen.model, chosen.value, chosen.label, chosen.segmented)
    scorer.scores([_TEXT])
    return scorer.sha256


def _word_list(name: str, sources: tuple[str, ...]) -> str:
    return WordLists({name: sources}).sha256[name]


def _block_lists(directory: str, categories: tuple[str, ...]) -> str:
    lists = block_lists(directory, categories)
    return digest([lists.domains.sha256, lists.urls.sha256])


def _benchmark(chosen: Benchmark) -> str:
    return read_items(Source(chosen.path, chosen.fields)).sha256


def _earlier(run: str) -> str:
    return Store(run).sha256("run.json")
