"""The dataset card: YAML front matter for the hub, and a page of the run's true numbers for people.

Every string that the template prints is escaped unless it was made here, so a name of an archive becomes no heading, link or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
import yaml

from seiryu.corpus.tokenizers.llama import LLAMA3, LLAMA4
from seiryu.pipelines.publishing import escaping, layout
from seiryu.pipelines.publishing.layout import File
from seiryu.pipelines.sizes import human

# Licences that the hub knows by these names; any other is `other`, with its name beside it.
_KNOWN = ("apache-2.0", "mit", "cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0",
          "odc-by", "odbl", "pddl", "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "other", "unknown")  # fmt: skip
_TOKENIZERS = {
    LLAMA3.sha256: ("Llama 3", "https://www.llama.com/llama3/license/"),
    LLAMA4.sha256: ("Llama 4", "https://www.llama.com/llama4/license/"),
}
_SIZES = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
_MOST_PER_FOLDER, _MOST_FILES = 10_000, 100_000  # what the hub recommends


@dataclass(frozen=True, slots=True)
class Said:
    """What only the publisher knows. Empty: not said."""

    name: str = ""
    license: str = ""
    contact: str = ""
    homepage: str = ""


def front_matter(said: Said, facts: dict[str, Any], files: Sequence[File]) -> dict[str, Any]:
    """What the hub reads: licence, language, size by the sequences of all splits, configs."""
    license_id = said.license.strip().lower()
    made: dict[str, Any] = {"pretty_name": escaping.one_line(said.name), "language": ["ja"]}
    if not said.license:
        made["license"] = "unknown"
    elif license_id in _KNOWN:
        made["license"] = license_id
    else:
        made |= {"license": "other", "license_name": _slug(said.license)}
    made |= {
        "task_categories": ["text-generation"],
        "size_categories": [size_category(sum(row["sequences"] for row in facts["splits"]))],
        "tags": ["common-crawl", "pre-training", "japanese"],
    }
    if configs := layout.configs(files):
        made["configs"] = configs
    return made


def size_category(rows: int) -> str:
    """The hub's class of a number of rows."""
    limits = [10**power for power in range(3, 13)]
    place = sum(rows >= limit for limit in limits)
    if place == 0:
        return f"n<{_SIZES[0]}"
    return f"n>{_SIZES[-1]}" if place == len(limits) else f"{_SIZES[place - 1]}<n<{_SIZES[place]}"


def _slug(text: str) -> str:
    """A licence's name in the letters that the hub takes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "other"


def card(said: Said, facts: dict[str, Any], files: Sequence[File]) -> str:
    """The whole of README.md."""
    front = yaml.safe_dump(front_matter(said, facts, files), allow_unicode=True, sort_keys=False, width=1000)
    held = layout.formats(files)
    rendered = _template().render(
        said=said, facts=facts, formats=held, folders=layout.FOLDERS, configs=layout.configs(files), sizes=_sizes(files),
        tokens=[name for name in held if name in layout.WITH_TOKENS], llama=_TOKENIZERS.get(facts["tokenizer"]["sha256"]),
        prefixes={row["split"]: layout.prefixes(files, row["split"]) for row in facts["splits"]},
    )  # fmt: skip
    return f"---\n{front}---\n\n{rendered}"


def _sizes(files: Sequence[File]) -> dict[str, tuple[int, int]]:
    """folder -> (files, bytes)."""
    found: dict[str, tuple[int, int]] = {}
    for file in files:
        folder = file.name.partition("/")[0]
        number, size = found.get(folder, (0, 0))
        found[folder] = (number + 1, size + file.size)
    return found


def missing(said: Said) -> list[str]:
    """What a publisher ought to say, and by which option."""
    wanted = (
        (said.license, "the licence is not said (--license); the card says that it is unknown"),
        (said.contact, "no contact is said (--contact); nobody can ask for removal"),
        (said.homepage, "no homepage is said (--homepage)"),
    )
    return [what for value, what in wanted if not value]


def warnings(facts: dict[str, Any], files: Sequence[File]) -> list[str]:
    """What a publisher ought to know before the upload."""
    found = []
    gaps, held = facts["gaps"], layout.formats(files)
    if gaps["set_aside"]:
        found.append(f"units were set aside: {', '.join(f'{name} {number:,}' for name, number in gaps['set_aside'].items())}")
    if failed := sum(sum(reasons.values()) for reasons in gaps["failed"].values()):
        found.append(f"{failed:,} records failed; the card counts them by reason")
    if not any(name in ("parquet", "jsonl") for name in held):
        found.append("no format with texts: the hub's viewer has nothing to show of them (shards.formats: parquet)")
    if not any(facts["opt_outs"].values()):
        found.append("no rule acts on opt-outs (noai, noindex, tdm-reservation); docs/rules.md says how")
    if not facts["personal_data"]:
        found.append("no personal data is masked (clean.personal_data is empty)")
    folders = {name.rpartition("/")[0] for name in (file.name for file in files)}
    for folder in sorted(folders):
        number = sum(file.name.rpartition("/")[0] == folder for file in files)
        if number > _MOST_PER_FOLDER:
            found.append(f"{folder}/ has {number:,} files; the hub recommends {_MOST_PER_FOLDER:,} (larger shards.tokens)")
    if len(files) > _MOST_FILES:
        found.append(f"{len(files):,} files; the hub recommends {_MOST_FILES:,} in a repository (larger shards.tokens)")
    return found


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("seiryu.pipelines.publishing", ""), undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, autoescape=False, finalize=_escaped,
    )  # fmt: skip
    environment.filters |= {
        "code": _code,
        "number": _number,
        "human": lambda size: escaping.Safe(human(size)),
        "shown": _shown,
        "raw": escaping.Safe,
    }
    return environment.get_template("card.md.j2")


def _escaped(value: Any) -> Any:
    """How the template prints a value: a plain string as text, whatever stands in it."""
    return escaping.text(value) if isinstance(value, str) and not isinstance(value, escaping.Safe) else value


def _code(value: Any) -> escaping.Safe:
    return escaping.Safe("not known") if value is None else escaping.code(str(value))


def _number(value: int | None) -> escaping.Safe:
    return escaping.Safe("not known" if value is None else f"{value:,}")


def _shown(named: dict[str, int]) -> escaping.Safe:
    """Names with their numbers, in a line."""
    return escaping.Safe(", ".join(f"{escaping.code(name)} {number:,}" for name, number in named.items()) or "none")
