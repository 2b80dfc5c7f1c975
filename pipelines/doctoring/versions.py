"""Whether a node has the driver's Ray, Python, seiryu and libraries: another release may make other bytes, or none."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from seiryu.pipelines.doctoring.finding import Finding
from seiryu.pipelines.record import LIBRARIES
from seiryu.pipelines.version import VERSION

_ROOMS = ("corpus", "filters", "dedup", "pipelines")
_CODE = "seiryu's code"


def versions() -> dict[str, str]:
    """Versions by name, of this process."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"Python": python, "seiryu": VERSION, _CODE: _code()} | {name: _version(name) for name in LIBRARIES}


def compared(here: dict[str, str], driver: dict[str, str]) -> list[Finding]:
    """What a node has otherwise than the driver."""
    other = {name: (here.get(name, "unknown"), wanted) for name, wanted in driver.items() if here.get(name, "unknown") != wanted}
    if not other:
        return [Finding("versions", "ok", "as on the driver")]
    code = other.pop(_CODE, None)
    if code and not other:
        same = f"seiryu {driver['seiryu']} as on the driver, but other code (sha256 {code[0][:8]}, there {code[1][:8]})"
        return [Finding("versions", "fail", f"{same}: install the driver's on this node")]
    told = ", ".join(f"{name} {has} (driver: {wanted})" for name, (has, wanted) in other.items())
    return [Finding("versions", "fail", f"{told}: install the driver's on this node; other ones may make other bytes")]


def of_driver(driver: dict[str, str]) -> Finding:
    """What all nodes are compared with."""
    lacking = sorted(name for name, found in driver.items() if found == "not installed")
    if lacking:
        return Finding("versions", "fail", f"not installed: {', '.join(lacking)}; install them: pip install {' '.join(lacking)}")
    return Finding("versions", "ok", f"seiryu {driver['seiryu']}, Python {driver['Python']}, Ray {driver['ray']}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


@cache
def _code() -> str:
    """sha256 of all modules: a checkout that was changed still has its old version."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        spec = find_spec(f"seiryu.{room}")
        assert spec is not None
        assert spec.submodule_search_locations
        folder = Path(next(iter(spec.submodule_search_locations)))
        for file in sorted(folder.rglob("*.py")):
            digest.update(f"{room}/{file.relative_to(folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
