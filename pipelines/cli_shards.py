"""The commands for what a run has written: where a token comes from, mixing, taking down, publishing."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="show tracebacks")]
RunPath = Annotated[str, typer.Argument(metavar="RUN", help="run directory")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to a command line."""
    for command in (trace, blend, takedown, publish):
        app.command()(command)


def trace(
    shard: Annotated[
        str, typer.Argument(metavar="SHARD", help="a shard's file or prefix, such as RUN/shards/megatron/train-00000-of-00002")
    ],
    sequence: Annotated[int, typer.Argument(metavar="SEQUENCE", min=0, help="number of the sequence in it")],
    run: Annotated[str, typer.Option(metavar="RUN", help="run directory, if the shard was moved out of it")] = "",
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Say which page a sequence of a shard comes from: doc_id, URL, archive, offset, digest, and its text."""
    from seiryu.pipelines.commands.trace import trace_command

    raise typer.Exit(trace_command(shard, sequence, run, as_json=as_json))


def blend(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="run directories")],
    weights: Annotated[str, typer.Option(metavar="tokens|sqrt|FILE", help="how much of each run")] = "tokens",
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Write the arguments by which a trainer mixes the shards of several runs."""
    from seiryu.pipelines.commands.blend import blend_command

    raise typer.Exit(blend_command(runs, weights, as_json=as_json))


def takedown(
    run: RunPath,
    host: Annotated[
        list[str] | None, typer.Option(metavar="HOST", help="all pages of a host and of those below it; may be repeated")
    ] = None,
    url: Annotated[list[str] | None, typer.Option(metavar="URL", help="one page; may be repeated")] = None,
    ids: Annotated[str, typer.Option(metavar="FILE", help="doc_ids, one a line; - reads stdin")] = "",
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Take pages out of the shards: only the shards that hold them are written again."""
    from seiryu.pipelines.commands.takedown import takedown_command

    raise typer.Exit(takedown_command(run, host or [], url or [], ids, as_json=as_json))


def publish(
    run: RunPath,
    out: Annotated[
        str, typer.Option("--out", metavar="DIRECTORY", help="where the dataset is laid out; a URL of an object store too")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="write nothing: the card on stdout, files, gaps and warnings on stderr")
    ] = False,
    name: Annotated[str, typer.Option(metavar="TEXT", help="what the dataset is called")] = "",
    license_: Annotated[
        str,
        typer.Option("--license", metavar="TEXT", help="of the compilation: a name that the hub knows, as odc-by, or any text"),
    ] = "",
    contact: Annotated[str, typer.Option(metavar="TEXT", help="whom to ask for removal: an address or a URL")] = "",
    homepage: Annotated[str, typer.Option(metavar="URL", help="where more is told")] = "",
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Lay out a finished run as a dataset for the Hugging Face hub: card, shards, checksums, lineage. Uploads nothing."""
    from seiryu.pipelines.commands.publish import publish_command
    from seiryu.pipelines.publishing.card import Said

    raise typer.Exit(publish_command(run, out, Said(name, license_, contact, homepage), dry_run=dry_run, as_json=as_json))
