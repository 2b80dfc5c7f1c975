"""Whether what a config names as its source is there, asked before anything is started."""

from __future__ import annotations

from seiryu.pipelines.config import Config
from seiryu.pipelines.source_config import Files
from seiryu.pipelines.sources import commoncrawl, files
from seiryu.pipelines.stages.crawling.index import selection, wanted


def check_source(config: Config) -> str:
    """What there is, in words.

    ConfigError for a path, a crawl or a host that is none; InputError, Unreachable or Forbidden where a list cannot be had.
    """
    if isinstance(config.source, Files):
        return f"{len(files.archives(config.source, config)):,} archives"
    if by_index := wanted(config):
        selection(config)
    found = commoncrawl.listing(config)
    crawls = f"{found.crawls[0]} to {found.crawls[-1]}" if len(found.crawls) > 1 else found.crawls[0]
    what = f"{len(found.index):,} files of the index" if by_index else f"{len(found.archives):,} archives"
    return f"{what} of {crawls}"
