"""Whether the run directory takes files here, and whether it is the same one everywhere.

Driver and nodes each put a small file into its tmp/, read it back, find it listed, and delete another one. Then each node reads the
driver's file and the driver each node's: so a directory that every machine has for itself is found before a run is lost in it.
What was put there is taken away again, folders that were not there before included.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from seiryu.corpus.errors import SeiryuError
from seiryu.corpus.storage import Store
from seiryu.pipelines.doctoring.finding import Finding

_PATIENCE = 5.0  # seconds beyond those that the libraries take by themselves
_SHARED = "all nodes and the driver must have the same run directory: a shared file system, or an object store (run: s3://...)"


@dataclass(slots=True)
class Left:
    """What a probe has put below a run directory, to be taken away: files, and folders that were not there, the deepest first."""

    names: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


def put(run: str, token: str, who: str, left: Left) -> list[Finding]:
    """Try the run directory from here; the file of `who` stays for the others. What is to be taken away is put into `left`."""
    try:
        store = Store(run, _PATIENCE)
        left.folders = _not_there(run)
        _try(store, _name(token, who, "own"), token, left)
        store.delete(_name(token, who, "own"))
        if store.exists(_name(token, who, "own")):
            return [Finding("storage", "fail", f"{run}: what is deleted stays")]
        _try(store, _name(token, who), token, left)
        if _name(token, who).removeprefix("tmp/") not in store.names("tmp"):
            if store.local:
                return [Finding("storage", "fail", f"{run}: what was just written is not listed")]
            late = "listings come late: a run allows for that, but `status` may be behind"
            return [Finding("storage", "warn", f"{run}: {late}")]
    except (SeiryuError, OSError) as error:
        return [Finding("storage", "fail", str(error))]
    return [Finding("storage", "ok", f"{run} can be written, read and listed")]


def _try(store: Store, name: str, content: str, left: Left) -> None:
    """OSError or SeiryuError unless a file can be written and read."""
    store.write(name, content.encode())
    left.names.append(name)
    if (found := store.read(name)) != content.encode():
        raise OSError(f"{store.path(name)}: {len(content)} bytes were written and {len(found)} others read")


def sees(run: str, token: str, who: str) -> bool:
    """Whether what `who` has put there can be read here."""
    try:
        return Store(run, _PATIENCE).read(_name(token, who)) == token.encode()
    except (SeiryuError, OSError):
        return False


def shared(run: str, of_driver: bool, by_driver: bool) -> list[Finding]:
    """What it means that a node reads the driver's file or not, and the driver the node's."""
    if of_driver and by_driver:
        return []
    here = "reads nothing of what the driver wrote" if not of_driver else "wrote what the driver cannot read"
    if "://" in run.removeprefix("file://"):
        why = "; is it the same server (AWS_ENDPOINT_URL), with the same rights?"
    else:
        relative = "" if run.startswith(("/", "file:///", "local:///")) else f"; {run} is relative, write it from / on"
        why = f": {_SHARED}{relative}"
    return [Finding("storage", "fail", f"{run}: this node {here}{why}")]


def take_away(run: str, left: Left) -> list[str]:
    """Delete what a probe has left; names of what could not be deleted."""
    store, stay = Store(run, _PATIENCE), []
    for name in left.names:
        try:
            store.delete(name)
        except (SeiryuError, OSError):
            stay.append(store.path(name))
    for folder in left.folders:
        with suppress(OSError):  # never made, or others have put something there
            Path(folder).rmdir()
    return stay


def all_of(run: str, token: str) -> list[str]:
    """Names of all files of one doctor that lie in a run directory, such as those of a node that has died meanwhile."""
    return [f"tmp/{name}" for name in Store(run, _PATIENCE).names("tmp") if name.startswith(f"doctor-{token}-")]


def local_folder(run: str) -> Path | None:
    """The directory of a run on a disk; None of one in an object store."""
    return Path(re.sub(r"^(file|local)://", "", run)).absolute() if Store(run).local else None


def _not_there(run: str) -> list[str]:
    """The folders that writing below a local run directory would make, the deepest first."""
    folder = local_folder(run)
    if not folder:
        return []
    return [str(each) for each in (folder / "tmp", folder, *folder.parents) if not each.exists()]


def _name(token: str, who: str, kind: str = "shared") -> str:
    return f"tmp/doctor-{token}-{who}-{kind}"
