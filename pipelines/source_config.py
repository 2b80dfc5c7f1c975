"""The sections of a config that say where archives come from, how servers are asked for them, and what that costs."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

import idna
from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from seiryu.pipelines.section import Section, Share, takes_files
from seiryu.pipelines.sizes import Size

COMMON_CRAWL = ("https://data.commoncrawl.org", "s3://commoncrawl")
_COLLINFO = "https://index.commoncrawl.org/collinfo.json"


class Files(Section):
    not_named: ClassVar[str] = "source.paths does not name"
    kind: Literal["files"] = Field("files", description="files: archives by path, glob, directory, list or URL")
    paths: tuple[str, ...] = Field(
        description="paths, globs, directories or URLs of .warc, .warc.gz or .warc.zst; s3:// prefixes and web directories that end "
        "in /; lists of them, a line each, that end in .paths, .paths.gz or .txt",
        min_length=1,
    )
    base: str = Field(
        "", description="what the lines of a list stand below, if they are no URLs: a directory or the URL of a mirror"
    )


class ArchiveSample(Section):
    count: int | None = Field(None, description="so many archives of each crawl, chosen by a hash of their paths", ge=1)
    share: float | None = Field(None, description="a share of the archives of each crawl, by the same hash", gt=0, le=1)
    segments: tuple[str, ...] = Field((), description="only archives of these segments, such as 1722640353668.0")

    @property
    def asked(self) -> bool:
        """Whether it leaves anything out."""
        return self.count is not None or self.share is not None or bool(self.segments)


def _language(code: str) -> str:
    if not re.fullmatch(r"[a-z]{3}", code):
        raise ValueError(f"{code[:20]!r} is no code of ISO 639-3, which has three small letters: jpn for Japanese")
    return code


def _tld(written: str) -> str:
    """In the form of the index: jp, or xn--... for one in other letters."""
    try:
        return idna.encode(written.strip(".").lower()).decode()
    except idna.IDNAError as error:
        raise ValueError(f"{written[:80]!r} is no top-level domain: {error}") from error


class Index(Section):
    """Which records of the columnar index are wanted; every condition that is given must hold."""

    languages: tuple[Annotated[str, AfterValidator(_language)], ...] = Field(
        ("jpn",), description="ISO 639-3 codes, as CLD2 found them; empty: any"
    )
    language: Literal["primary", "any"] = Field(
        "any", description="primary: the first language of the page; any: one of its up to three"
    )
    tlds: tuple[Annotated[str, AfterValidator(_tld)], ...] = Field((), description="top-level domains, such as jp; empty: any")
    hosts: tuple[str, ...] = Field((), description="hosts with all below them; empty: any")
    host_list: str = Field("", description="a file of more hosts, a line each")
    mime: tuple[str, ...] = Field(("text/html", "application/xhtml+xml"), description="types found in the bytes; empty: any")
    status: tuple[int, ...] = Field((200,), description="HTTP status codes; empty: any")
    truncated: bool = Field(False, description="whether to take pages that the crawler cut off")
    seen_in: tuple[str, ...] = Field(
        (), description="earlier crawls, by id or range: a record whose payload one of them holds, chosen alike, is left out"
    )
    new_only: bool = Field(False, description="leave out records whose payload an earlier one of `crawls` holds")
    max_per_host: int | None = Field(None, description="records of a host and crawl at most, chosen by a hash", ge=1)
    max_gap: Size = Field(32 << 10, description="bytes between two records up to which they are fetched by one request", ge=0)
    max_waste: Share = Field(
        0.2, description="bytes between records that are fetched with them at most, as a share of the records'"
    )


class CommonCrawl(Section):
    not_named: ClassVar[str] = "the config does not choose"
    kind: Literal["commoncrawl"] = Field("commoncrawl", description="commoncrawl: archives of crawls by their ids")
    crawls: tuple[str, ...] = Field(
        description="ids such as CC-MAIN-2024-33, latest, or ranges such as CC-MAIN-2023-06..CC-MAIN-2024-33", min_length=1
    )
    base: str = Field(COMMON_CRAWL[0], description="where crawl-data/ and cc-index/ lie: this, s3://commoncrawl, or a mirror")
    collinfo: str = Field(
        "", description="URL or path of the list of all crawls; empty: Common Crawl's, or a mirror's collinfo.json"
    )
    by: Literal["archives", "index"] = Field(
        "archives", description="archives: read whole ones; index: only the records that `index` chooses"
    )
    sample: ArchiveSample = Field(ArchiveSample(), description="only some of the archives")
    index: Index = Field(Index(), description="for by: index")
    cache: str = Field(
        "", description="for by: archives: a directory that keeps each archive that was fetched; empty: none is stored"
    )

    @field_validator("base")
    @classmethod
    def _no_slash(cls, base: str) -> str:
        scheme, colon, _ = base.partition("://")
        if colon and scheme not in ("http", "https", "s3"):
            raise ValueError(f"{base[:80]!r} is neither a directory nor an http://, https:// or s3:// URL")
        return base.rstrip("/")

    @field_validator("cache")
    @classmethod
    def _takes_files(cls, cache: str) -> str:
        return takes_files(cache)

    @model_validator(mode="after")
    def _cache_holds_archives(self) -> CommonCrawl:
        if self.cache and self.by == "index":
            raise ValueError("cache keeps whole archives, and by: index fetches none")
        return self

    @property
    def collections(self) -> str:
        """Where the list of all crawls lies."""
        return self.collinfo or (_COLLINFO if self.base in COMMON_CRAWL else f"{self.base}/collinfo.json")


KINDS: dict[str, type[Section]] = {"files": Files, "commoncrawl": CommonCrawl}


def _kind(value: Any) -> str:
    return str(value.get("kind", "files") if isinstance(value, dict) else getattr(value, "kind", "files"))


Source = Annotated[
    Annotated[Files, Tag("files")] | Annotated[CommonCrawl, Tag("commoncrawl")],
    Discriminator(_kind, custom_error_type="source_kind", custom_error_message="kind is files or commoncrawl"),
]


class Fetch(Section):
    contact: str = Field(
        "", description="an address or URL of yours, told to every server in User-Agent; needed to fetch anything"
    )
    requests_a_second: float = Field(20, description="of the whole cluster", gt=0, le=10_000)
    connections: int = Field(64, description="open at once, of the whole cluster", ge=1, le=10_000)
    bytes_a_second: Size | None = Field(None, description="of the whole cluster; empty: no limit", ge=1)
    ahead: int = Field(4, description="ranges that one worker fetches at once, for by: index", ge=1, le=64)
    timeout: float = Field(60, description="seconds to connect, and without a byte, then the request is made again", gt=0)
    attempts: int = Field(
        8, description="requests in a row without a byte of progress before a record or an archive is given up", ge=1
    )
    patience: float = Field(3600, description="seconds of nothing but 429 and 503 before it is given up", ge=0)
    signed: bool = Field(False, description="sign requests to s3:// with the credentials of the environment; else anonymous")
    endpoint: str = Field("", description="URL of an object store other than AWS, for s3://")

    @field_validator("contact")
    @classmethod
    def _reachable(cls, contact: str) -> str:
        if contact and not re.fullmatch(r"[!-~]*(?:[^@\s]@[^@\s]|https?://[!-~])[!-~]*", contact):
            raise ValueError("an e-mail address or a URL is wanted, in ASCII and without blanks")
        return contact


class Prices(Section):
    currency: str = Field("USD", description="only shown")
    gigabyte: float = Field(0, description="for 10^9 bytes fetched", ge=0)
    thousand_requests: float = Field(0, description="for a thousand requests", ge=0)
    core_hour: float = Field(0, description="for a core for an hour", ge=0)
