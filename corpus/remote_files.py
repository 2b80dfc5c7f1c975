"""File systems behind a network, through fsspec, made patient: what a network or a busy server does for a while is waited out.

Anything but a plain answer (there, not there, not allowed) is asked again for PATIENCE seconds; libraries ask some times themselves
before they say anything. Listings are never answered from memory, so nothing that another process wrote is overlooked.
"""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from seiryu.corpus.errors import InputError, NotWritable, SeiryuError
from seiryu.corpus.remote.errors import Forbidden, Unreachable

PATIENCE = 300.0
_PAUSES = (1.0, 30.0)  # seconds before the second try, and at most
_FINAL = {errno.EMSGSIZE, errno.ENAMETOOLONG, errno.ENOSYS}  # what a server will not take, however often it is asked
_MAYBE = 30.0  # seconds for a bad request: it may be one that was damaged on the way, or a token that is being renewed
_WRITING = ("put_file", "rm_file", "call_s3")
# s3fs: an upload holds one part of 50 MB, a small file is had by one request, and one that is read in pieces comes in blocks of 8 MiB.
_OPTIONS = {"s3": {"max_concurrency": 1, "default_block_size": 8 << 20}}


def _options(url: str) -> dict[str, Any]:
    """What a file system is opened with; of a local one nothing."""
    scheme, colon, _ = url.partition("://")
    if not colon or scheme in ("file", "local"):
        return {}
    return {"use_listings_cache": False} | _OPTIONS.get(scheme.replace("s3a", "s3"), {})


def filesystem(url: str, patience: float = PATIENCE) -> tuple[Any, str]:
    """The file system of a path or URL and the path in it. InputError when there is none."""
    try:
        fs, path = fsspec.core.url_to_fs(url, **_options(url))
    except (ValueError, ImportError) as error:  # an unknown protocol, or one whose package is not installed
        raise InputError(f"{url} cannot be opened: {error}") from error
    return fs if isinstance(fs, LocalFileSystem) else Patient(fs, patience), path


class Patient:
    """A file system whose operations are asked again until they are answered.

    FileNotFoundError and its like as from any file system; Forbidden or NotWritable if access is refused, which says nothing of what
    is asked for; InputError for what no server takes; Unreachable after all.
    """

    def __init__(self, fs: Any, patience: float = PATIENCE) -> None:
        self._fs, self._patience = fs, patience

    def open(self, path: str, mode: str = "rb") -> Any:
        """A file to read, whose pieces are asked for as patiently as all else."""
        file = self._patient("open", self._fs.open)(path, mode)
        if cache := getattr(file, "cache", None):  # of a file that is had piece by piece (fsspec.spec.AbstractBufferedFile)
            cache.fetcher = self._patient("open", cache.fetcher, path)
        return file

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._fs, name)
        return self._patient(name, asked) if callable(asked) else asked

    def _patient(self, name: str, asked: Callable[..., Any], path: str = "") -> Callable[..., Any]:
        """`path`: what a call is about, if its arguments do not say so."""

        def ask(*arguments: Any, **named: Any) -> Any:
            begin, pause = time.monotonic(), _PAUSES[0]
            while True:
                try:
                    return asked(*arguments, **named)
                except (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError):
                    raise
                except (ValueError, TypeError, AttributeError, NotImplementedError):
                    raise
                except Exception as error:
                    where = f"{self._fs.unstrip_protocol(path or _path(arguments))}"
                    if refused := _refused(error):
                        raise (NotWritable if name in _WRITING else Forbidden)(f"{where}: {refused}") from error
                    if isinstance(error, OSError) and error.errno in _FINAL:
                        raise InputError(f"{where}: {error}") from error
                    bad_request = isinstance(error, OSError) and error.errno == errno.EINVAL
                    patience = min(self._patience, _MAYBE) if bad_request else self._patience
                    if time.monotonic() + pause > begin + patience:
                        raise Unreachable(
                            f"{where}: no answer within {patience:.0f} s: {error or type(error).__name__}"
                        ) from error
                    time.sleep(pause * (0.5 + random.random()))
                    pause = min(2 * pause, _PAUSES[1])

        return ask


def _path(arguments: tuple[Any, ...]) -> str:
    """Which path a call was about: its last argument that is text, as put_file has the target there."""
    first = [argument for argument in arguments if isinstance(argument, str)]
    return first[-1] if first else next((argument[0] for argument in arguments if argument and isinstance(argument, list)), "")


def _refused(error: Exception) -> str:
    """Who is not allowed to ask, in words; empty if it is something else."""
    if "Credentials" in type(error).__name__:  # botocore's, which is not imported for this
        return f"{error}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or give the machine a role"
    if isinstance(error, PermissionError):
        return f"access is refused ({error.strerror or error}); check the credentials and what they may do there"
    return ""


def end_uploads(fs: Any, below: str) -> int:
    """End the multipart uploads of objects below a path that nobody goes on with, which cost money and are never seen; their number.

    0 where the file system has no such thing.
    """
    if not hasattr(fs, "call_s3"):
        return 0
    bucket, _, prefix = below.partition("/")
    ended, more = 0, {"Bucket": bucket, "Prefix": f"{prefix.rstrip('/')}/"}
    while True:
        try:
            answer = fs.call_s3("list_multipart_uploads", **more)
            for upload in answer.get("Uploads", ()):
                with suppress(FileNotFoundError):  # it came to its end meanwhile
                    fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
                    ended += 1
        except (SeiryuError, NotImplementedError):  # not every store, nor every policy, knows of it; a rule of the bucket may
            return ended
        if not answer.get("IsTruncated"):
            return ended
        more |= {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}
