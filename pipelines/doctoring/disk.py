"""Room on the disks of a machine that a run writes to, and how many files and how much shared memory it may have."""

from __future__ import annotations

import json
import resource
import shutil
import tempfile
from pathlib import Path

from seiryu.pipelines.config import Config
from seiryu.pipelines.doctoring.finding import Finding
from seiryu.pipelines.doctoring.storage import local_folder
from seiryu.pipelines.sizes import human

# Results are written to the temporary folder before they are uploaded, by each worker one. Before shards, the largest are the documents
# of an archive of Common Crawl, 20-60 MB, but selection and merging hold pieces of several hundred: 1 GB may not take one of them.
LEAST = 1_000_000_000
ENOUGH = 10_000_000_000
# Ray keeps away from a disk that is fuller than this (local_fs_capacity_threshold): nothing is spilled, tasks fail.
_RAY_STOPS = 0.95
_FILES = 4096  # open at once; below, Ray says itself that connections may fail
_SHM = Path("/dev/shm")


def shard_bytes(config: Config) -> int:
    """What a unit of `shards` may write: ids of 4 bytes in every format, or texts, which take less when they are compressed."""
    return 4 * config.shards.tokens * len(config.shards.formats)


def room(run: str, shards: int) -> list[Finding]:
    """Of the temporary folder, a run directory on a disk, and the folder to which Ray spills objects.

    `shards`: bytes of the shards that are made here at once. On their way to an object store they are whole in the temporary folder.
    """
    temporary = tempfile.gettempdir()
    places = {temporary: "the temporary folder (TMPDIR)"}
    if folder := local_folder(run):
        places[str(_there(folder))] = "the run directory"
    if spilling := _spilling():
        places.setdefault(str(_there(Path(spilling))), "the folder to which Ray spills objects")
    found, well = [], []
    for path, what in places.items():
        disk = shutil.disk_usage(path)
        if not disk.total:  # not told, as of some network file systems
            continue
        free = f"{human(disk.free)} free in {path}, {what}"
        if disk.free < ENOUGH:
            wanted = f"{free}; make room, or name another place"
            found.append(
                Finding("disk", "fail", f"{wanted}: a unit may need {human(LEAST)}")
                if disk.free < LEAST
                else Finding("disk", "warn", f"{wanted}: {human(ENOUGH)} are enough for a while")
            )
        elif path == temporary and not local_folder(run) and disk.free < shards:
            much = f"shards that are made at once may take {human(shards)} before they are uploaded"
            found.append(Finding("disk", "warn", f"{free}: {much}; lower shards.tokens, make room, or name another place"))
        elif path == spilling and disk.used > _RAY_STOPS * disk.total:
            found.append(Finding("disk", "warn", f"{free}, which is over {_RAY_STOPS:.0%} full: Ray spills nothing there"))
        else:
            well.append(free)
    return found or [Finding("disk", "ok", "; ".join(well))]


def limits(object_store: int) -> list[Finding]:
    """Open files; /dev/shm against `object_store`, the bytes that Ray's object store has on this node."""
    found = []
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= files < _FILES:  # negative: no limit
        found.append(Finding("limits", "warn", f"{files:,} open files a process are few: start Ray after `ulimit -n 65536`"))
    shm = shutil.disk_usage(_SHM).total if _SHM.exists() else 0
    if shm < object_store:
        why = f"/dev/shm has {human(shm)}, Ray's object store {human(object_store)}: Ray may die of it, or go to a disk"
        found.append(Finding("limits", "warn", f"{why}; enlarge it (docker run --shm-size, an emptyDir of medium Memory)"))
    told = "without limit" if files < 0 else f"{files:,}"
    return found or [Finding("limits", "ok", f"open files {told}, /dev/shm {human(shm)}")]


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def _spilling() -> str:
    """The folder of this process's Ray; empty where Ray is not connected, or spills to elsewhere."""
    from ray._private import worker

    node = getattr(worker, "_global_node", None)
    try:
        params = json.loads(getattr(node, "_object_spilling_config", None) or "{}").get("params", {})
        path = params.get("directory_path", "")
    except (ValueError, AttributeError):
        return ""
    path = path[0] if isinstance(path, list) and path else path
    return path if isinstance(path, str) and Path(path).is_absolute() else ""
