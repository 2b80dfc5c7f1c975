"""Where and when: what a figure is worth nothing without."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib.metadata import version

from benchmarks.inputs import ROOT, Inputs
from seiryu.pipelines.profiling.machine import cpu

LIBRARIES = ("numpy", "numba", "pyarrow", "isal", "fastwarc", "warcio", "trafilatura", "charset-normalizer", "datasketch", "tiktoken",
             "ray")  # fmt: skip


def header(inputs: Inputs) -> dict[str, str]:
    """Machine, date, versions, commit and input, in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    size = sum(path.stat().st_size for path in inputs.archives) / 1e6
    return {
        "machine": f"{cpu()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GB, load {load:.1f} at the start",
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "versions": f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "commit": commit(),
        "input": f"{os.path.relpath(inputs.folder, ROOT)}: {len(inputs.archives)} archives, {size:.1f} MB",
    }


def commit() -> str:
    """The commit, and whether files differ from it; unknown outside a checkout."""
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
