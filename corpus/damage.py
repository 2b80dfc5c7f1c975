"""What it means that a table cannot be read: it is damaged, or it lies on a disk that does not answer now."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from seiryu.corpus.errors import InputError
from seiryu.corpus.remote.errors import Unreachable

# What a disk, a file system behind a network, or a process without room says, and no reader of a file that is wrong inside.
_OF_THE_DISK = {
    errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.ECONNRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN,
    errno.ENETUNREACH, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EREMOTEIO,
}  # fmt: skip


def of_the_disk(error: BaseException) -> bool:
    """Whether an error tells of where a file lies and not of what it holds, so that another try may go well."""
    return isinstance(error, OSError) and error.errno in _OF_THE_DISK


@contextmanager
def reading(path: str, damaged: str = "is damaged and cannot be read", advice: str = "delete it and run again") -> Iterator[None]:
    """For as long as a table is read: InputError if it is damaged, Unreachable if its disk fails; both name the file."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        why = " ".join(str(error).split())
        if of_the_disk(error):
            raise Unreachable(f"{path} cannot be read now ({why})") from error
        raise InputError(f"{path} {damaged} ({why}); {advice}") from error
