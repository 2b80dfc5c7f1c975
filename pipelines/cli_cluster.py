"""The commands for a cluster: whether it is fit for a run, and what a run takes."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="show tracebacks")]
ConfigPath = Annotated[str, typer.Argument(metavar="CONFIG", help="YAML file, see configs/")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="change a field of the config; may be repeated")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to a command line."""
    for command in (doctor, profile):
        app.command()(command)


def doctor(
    config: ConfigPath,
    set_: Set = None,
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Look whether a run can be made, on this machine and every node: versions, storage, source, disks, memory, clocks, models."""
    from seiryu.pipelines.commands.doctor import doctor_command

    raise typer.Exit(doctor_command(config, set_ or [], as_json=as_json))


def profile(
    config: ConfigPath,
    set_: Set = None,
    archives: Annotated[int, typer.Option(metavar="N", min=1, help="of the snapshot whose cost is reckoned")] = 90_000,
    nodes: Annotated[int, typer.Option(metavar="N", min=1, help="of the cluster that it would run on")] = 10,
    cores: Annotated[int | None, typer.Option(metavar="N", min=1, help="of each node; as this machine's if not given")] = None,
    against: Annotated[str, typer.Option(metavar="RUN", help="another run, to stand beside this one")] = "",
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Bring a run up to date, say where its time went, and what a whole snapshot would take by that measure."""
    from seiryu.pipelines.commands.profile import profile_command

    raise typer.Exit(profile_command(config, set_ or [], archives, nodes, cores, against, as_json=as_json))
