"""Archives kept on disk once they were fetched, for whoever reads them several times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.source_config import CommonCrawl
from seiryu.pipelines.sources.asking import open_archive

_PIECE = 1 << 20


class Kept:
    """A kept archive for reading. Where it is in doubt it is dropped, and the server is asked instead."""

    def __init__(self, store: Store, path: str, url: str, config: Config) -> None:
        self._store, self._path, self._url, self._config = store, path, url, config
        self._file: IO[bytes] = store.open(path)
        self._own = True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()

    def doubt(self, offset: int) -> bool:
        """Whether it is worth while to read on from `offset` once more (see `RemoteFile.doubt`)."""
        if not self._own:
            doubt = getattr(self._file, "doubt", None)  # of a mirror on a disk there is none
            return bool(doubt and doubt(offset))
        self._file.close()
        self._store.delete(self._path)
        self._file, self._own = open_archive(self._url, self._config), False
        self._file.seek(offset)
        return True


@contextmanager
def kept_archive(url: str, path: str, config: Config) -> Iterator[Kept]:
    """An archive in `source.cache`, once it is there: fetched whole, and under its name only when it is."""
    assert isinstance(config.source, CommonCrawl)
    store = Store(config.source.cache)
    if not store.exists(path):
        with open_archive(url, config) as file, store.writing(path) as out:
            while piece := file.read(_PIECE):
                out.write(piece)
    kept = Kept(store, path, url, config)
    try:
        yield kept
    finally:
        kept.close()
