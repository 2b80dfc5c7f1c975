"""Stands in for Slurm: the nodes of one job, and the commands that its script asks.

A node is a machine with a network, processes and mounts of its own; files are shared, as they are by the nodes of such a cluster. What
one node wants of the others lies in a folder that all see: `step.json` is the command that `srun` starts on every node, `exit.NODE`
how it ended there. As in Slurm, a signal reaches the process that a step started and none of its children, and a step whose command
fails somewhere is killed everywhere, if it was asked to be.

    python slurm.py scontrol|srun|node ARGUMENTS

The environment says `JOB_FOLDER`; `JOB_NODES`, the names; `JOB_NODE`, which of them this is.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

FOLDER, NODES, NODE = Path(os.environ["JOB_FOLDER"]), os.environ["JOB_NODES"].split(), os.environ["JOB_NODE"]


def scontrol(arguments: list[str]) -> int:
    if arguments[:2] == ["show", "hostnames"]:
        print(*NODES, sep="\n")
        return 0
    with (FOLDER / "scontrol.log").open("a") as log:
        print(*arguments, file=log)
    return 0


def srun(arguments: list[str]) -> int:
    """The highest exit code of the command on all nodes."""
    command = arguments[next(n for n, argument in enumerate(arguments) if not argument.startswith("--")) :]
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _to_the_step)
    wanted = {"command": command, "environment": dict(os.environ), "strict": "--kill-on-bad-exit=1" in arguments}
    _write("step.json", json.dumps(wanted))
    step()
    while not all((FOLDER / f"exit.{name}").exists() for name in NODES):
        time.sleep(0.05)
    return max(int((FOLDER / f"exit.{name}").read_text()) for name in NODES)


def step() -> None:
    """The command on this node, until it ends, or failed on another."""
    wanted = json.loads((FOLDER / "step.json").read_text())
    here = {name: value for name, value in os.environ.items() if name.startswith(("JOB_", "RAY_"))}
    with (FOLDER / f"{NODE}.log").open("ab") as log:
        process = subprocess.Popen(wanted["command"], env=wanted["environment"] | here, stdout=log, stderr=log)
        while process.poll() is None:
            _pass_on("step", process)
            if wanted["strict"] and any(path.read_text() != "0" for path in FOLDER.glob("exit.*")):
                process.kill()
    _write(f"exit.{NODE}", str(_code(process)))


def node(arguments: list[str]) -> int:
    """What goes on at a node: the script of the job, which is an argument, at the first one; its part of the step elsewhere."""
    if arguments:
        process = subprocess.Popen(["bash", *arguments])
        while process.poll() is None:
            _pass_on("batch", process)
        return _code(process)
    while not (FOLDER / "step.json").exists():
        time.sleep(0.05)
    step()
    return 0


def _pass_on(to: str, process: subprocess.Popen[bytes]) -> None:
    """A signal that was asked for, once."""
    for path in FOLDER.glob(f"{to}.signal.*"):
        if not (seen := path.with_name(f".{NODE}.{path.name}")).exists():
            seen.touch()
            process.send_signal(int(path.name.rpartition(".")[2]))
    time.sleep(0.05)


def _to_the_step(number: int, _: FrameType | None) -> None:
    _write(f"step.signal.{number}", "")


def _code(process: subprocess.Popen[bytes]) -> int:
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _write(name: str, text: str) -> None:
    """Whole from the moment that it is there."""
    hidden = FOLDER / f".{NODE}.{name}"
    hidden.write_text(text)
    hidden.rename(FOLDER / name)


if __name__ == "__main__":
    sys.exit({"scontrol": scontrol, "srun": srun, "node": node}[sys.argv[1]](sys.argv[2:]))
