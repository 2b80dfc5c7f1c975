"""Whether the archives can be had: the driver asks for the first, and nodes look at it if it lies on a disk.

Servers are asked by the driver alone, once, for no more than the head of an answer, and only where `fetch.contact` tells them who asks.
It takes a request more where a list or a listing has to be read to know what the first archive is.
"""

from __future__ import annotations

from seiryu.corpus.crawl.collections import chosen_crawls, known_crawls
from seiryu.corpus.errors import SeiryuError
from seiryu.corpus.remote.remote import is_remote
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.doctoring.finding import Finding
from seiryu.pipelines.source_config import CommonCrawl
from seiryu.pipelines.sources import commoncrawl, files
from seiryu.pipelines.sources.asking import asks_servers, identity, open_archive, read_small
from seiryu.pipelines.stages.crawling import index

# A run waits for an hour for a server that is busy; whoever asks whether it is there wants to know now.
_BRIEF = {"timeout": 10.0, "attempts": 2, "patience": 30.0}


def source(config: Config) -> tuple[list[Finding], str]:
    """What the driver finds, and the path of the first archive if it lies on a disk. ConfigError if the config names none."""
    brief = config.model_copy(update={"fetch": config.fetch.model_copy(update=_BRIEF)})
    try:
        first = _first(brief)
        if not is_remote(first):
            return reads(first, brief), first
        size = identity(first, brief).get("size", 0)
    except ConfigError:
        raise
    except (SeiryuError, OSError) as error:
        return [Finding("source", "fail", f"{error}{_credentials(config)}")], ""
    return [Finding("source", "ok", f"{first} is there ({size:,} bytes)")], ""


def reads(first: str, config: Config) -> list[Finding]:
    """Whether the first archive can be read here, for one that lies on a disk."""
    try:
        with open_archive(first, config) as file:
            if not file.read(1):
                return [Finding("source", "fail", f"{first} is empty")]
    except (SeiryuError, OSError) as error:
        everywhere = "archives must lie at the same path on every node"
        relative = "" if first.startswith("/") or "://" in first else f"; {first} is relative, write it from / on"
        return [Finding("source", "fail", f"{error}; {everywhere}{relative}")]
    return [Finding("source", "ok", f"{first} can be read")]


def held_up(config: Config, cpus: int) -> list[Finding]:
    """Whether a cluster of so many CPUs waits for connections: a worker holds one while it reads an archive from end to end."""
    if index.wanted(config) or not asks_servers(config) or cpus <= config.fetch.connections:
        return []
    few = f"no more than fetch.connections ({config.fetch.connections:,}) archives are read at once, and the cluster has {cpus:,} CPUs"
    return [Finding("source", "warn", f"{few}: raise it, or take fewer nodes while archives are extracted")]


def signs(config: Config) -> bool:
    """Whether requests are signed: those for the run directory or for archives."""
    return config.run.startswith(("s3://", "s3a://")) or config.fetch.signed


def _first(config: Config) -> str:
    """The first archive of a config or, of a crawl, the list of its archives."""
    if not isinstance(config.source, CommonCrawl):
        return files.archives(config.source, config)[0]
    if not is_remote(config.source.base):
        found = commoncrawl.listing(config)
        return commoncrawl.url(config, (found.archives or found.index)[0][1])
    crawl = config.source.crawls[0].partition("..")[0].strip()
    if not crawl or crawl == "latest":
        where = config.source.collections
        crawl = chosen_crawls(config.source.crawls, known_crawls(read_small(where, config), where))[0]
    what = "warc" if config.source.by == "archives" else "cc-index-table"
    return commoncrawl.url(config, f"crawl-data/{crawl}/{what}.paths.gz")


def _credentials(config: Config) -> str:
    """What to do about it where S3 is asked with credentials."""
    if not config.fetch.signed:
        return ""
    return "; requests are signed (fetch.signed): AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role must allow it"
