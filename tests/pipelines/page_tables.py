"""Small tables as extraction and measuring leave them, for the stages that read no text."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.measured import signals_schema, to_measure


@dataclass(frozen=True)
class Page:
    """A page by its address, the letters of its text, and how many words of each word list stand in it."""

    url: str
    letters: int = 1000
    words: dict[str, int] = field(default_factory=dict)


def config_for(run: Path, **hosts: object) -> Config:
    """A config whose section `hosts` says this; lists by the name ng and dating are there."""
    value = {"run": str(run), "source": {"paths": ["nothing.warc.gz"]}, "hosts": hosts}
    return Config.model_validate_json(json.dumps(value))


def write_pages(store: Store, config: Config, unit: str, pages: Sequence[Page]) -> None:
    """`documents/<unit>.parquet` and `signals/<unit>.parquet` for the pages; what a page does not say is 0 or empty."""
    names = [f"{unit}-{number:06d}" for number in range(len(pages))]
    said = {"doc_id": names, "url": [page.url for page in pages], "host": [urlsplit(page.url).hostname or "" for page in pages]}
    write(store, f"documents/{unit}.parquet", schema.DOCUMENTS, said, len(pages))
    measured = {"doc_id": names, "letters": [page.letters for page in pages]}
    for words in config.signals.word_lists:
        measured[f"{words}_distinct"] = [page.words.get(words, 0) for page in pages]
    write(store, f"signals/{unit}.parquet", signals_schema(to_measure(config)), measured, len(pages))


def write(store: Store, name: str, wanted: pa.Schema, said: dict[str, list], rows: int) -> None:
    nothing = {column: "" if pa.types.is_string(wanted.field(column).type) else 0 for column in wanted.names}
    columns = {column: said.get(column, pa.array([nothing[column]] * rows, wanted.field(column).type)) for column in wanted.names}
    with store.writing(name) as out:
        schema.write_table(schema.table(wanted, columns), out)


def many_pages(hosts: Sequence[str], number: int, seed: int) -> list[Page]:
    """Pages of these hosts, the first ones far more often than the last, some with words of the lists ng and dating."""
    draw = np.random.default_rng(seed)
    chosen = np.minimum(draw.geometric(0.25, number) - 1, len(hosts) - 1)
    letters, ng, dating = draw.integers(1, 5000, number), draw.random(number), draw.random(number)
    return [
        Page(
            f"http://{hosts[chosen[i]]}/{i}", int(letters[i]), {"ng": int(ng[i] * chosen[i] > 4), "dating": int(dating[i] < 0.01)}
        )
        for i in range(number)
    ]
