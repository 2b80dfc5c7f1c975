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
        str,
        typer.Argument(
            metavar="SHARD",
            help="a shard's file, folder or prefix in any format, such as RUN/shards/megatron/train-00000-of-00002",
        ),
    ],
    sequence: Annotated[
        int | None, typer.Argument(metavar="[SEQUENCE]", min=0, help="number of the sequence in it, from 0")
    ] = None,
    token: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="the sequence that holds this token of the shard, from 0")
    ] = None,
    run: Annotated[str, typer.Option(metavar="RUN", help="run directory, if the shard was moved out of it")] = "",
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Say which page a sequence of a shard comes from: doc_id, URL, archive, offset, digest, and its text."""
    from seiryu.pipelines.commands.trace import trace_command

    raise typer.Exit(trace_command(shard, sequence, token, run, as_json=as_json))


def blend(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="run directories")],
    weights: Annotated[
        str, typer.Option(metavar="tokens|sqrt|FILE", help="how much of each run; a file (JSON, YAML) maps runs to weights")
    ] = "tokens",
    mount: Annotated[
        list[str] | None,
        typer.Option(metavar="FROM=TO", help="the training machine knows what lies below FROM as TO; may be repeated"),
    ] = None,
    train_tokens: Annotated[str, typer.Option(metavar="N", help="say how many epochs that is of each run, such as 100G")] = "",
    validation_apart: Annotated[
        bool, typer.Option("--validation-apart", help="a validation set for each shard, for --multiple-validation-sets")
    ] = False,
    show: Annotated[str, typer.Option(metavar="per-split|data-args|sequences", help="what is printed")] = "per-split",
    out: Annotated[str, typer.Option(metavar="DIRECTORY", help="write all three files there, and print none")] = "",
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Write the arguments by which Megatron-LM mixes the shards of several runs."""
    from seiryu.pipelines.commands.blend import Wanted, blend_command

    wanted = Wanted(weights, mount or (), train_tokens, validation_apart, show, out)
    raise typer.Exit(blend_command(runs, wanted, as_json=as_json))


def takedown(
    run: RunPath,
    host: Annotated[
        list[str] | None, typer.Option(metavar="HOST", help="all pages of a host and of those below it; may be repeated")
    ] = None,
    url: Annotated[list[str] | None, typer.Option(metavar="URL", help="one page; may be repeated")] = None,
    ids: Annotated[str, typer.Option(metavar="FILE", help="doc_ids, one a line; - reads stdin")] = "",
    why: Annotated[str, typer.Option(metavar="TEXT", help="kept with the request in takedown.json, and shown nowhere")] = "",
    in_advance: Annotated[
        bool, typer.Option("--in-advance", help="go on if nothing is hit yet: pages of later archives are left out")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be taken out of which shards")] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Take pages out of the shards, now and in later runs; only shards that hold them are written again."""
    from seiryu.pipelines.commands.takedown import takedown_command

    code = takedown_command(run, host or [], url or [], ids, why, in_advance=in_advance, dry_run=dry_run, as_json=as_json)
    raise typer.Exit(code)


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
