"""The commands that look at a run: where it stands, its report, its documents in a browser, other limits, samples, one document."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="show tracebacks")]
RunPath = Annotated[str, typer.Argument(metavar="RUN", help="run directory")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to a command line."""
    for command in (status, report, inspect, rules, sample, explain):
        app.command()(command)


def status(run: RunPath, as_json: AsJson = False, verbose: Verbose = False) -> None:  # noqa: ARG001 - read by main
    """Say what a run directory holds: stages, the funnel, what was set aside; how fast it goes and how long it will take."""
    from seiryu.pipelines.commands.status import status_command

    raise typer.Exit(status_command(run, as_json=as_json))


def report(
    run: RunPath,
    against: Annotated[str, typer.Option(metavar="RUN", help="another run, to stand beside this one")] = "",
    language: Annotated[str, typer.Option(metavar="en|ja", help="which the page shows first; it holds both")] = "en",
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Write the report of a run, one file that opens without network: report/index.html."""
    from seiryu.pipelines.commands.run import report_command

    raise typer.Exit(report_command(run, against, language))


def inspect(
    run: RunPath,
    host: Annotated[
        str, typer.Option(metavar="NAME", help="listen here; anything but loopback is reached by others")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0 takes a free one")] = 0,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Open a run in the browser: move limits, look at documents, judge them. Needs seiryu[inspect]."""
    from seiryu.pipelines.commands.inspect import inspect_command

    raise typer.Exit(inspect_command(run, host, port))


def rules(
    run: RunPath,
    preset: Annotated[str, typer.Option(metavar="PRESET", help="judge by this preset instead of the run's own rules")] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="RULE.LOW=VALUE", help="move a limit, or RULE=null to drop a rule; may be repeated"),
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Recount a finished run by other rules: what they keep, lose and gain, and what each rule alone rejects. Changes no decision."""
    from seiryu.pipelines.commands.rules import rules_command

    raise typer.Exit(rules_command(run, preset, set_ or [], as_json=as_json))


def sample(
    run: RunPath,
    rule: Annotated[
        str, typer.Option(metavar="RULE", help="documents that it rejects; without it those that pass all rules")
    ] = "",
    number: Annotated[int, typer.Option("-n", metavar="N", min=1, max=10_000, help="how many")] = 5,
    seed: Annotated[int, typer.Option(metavar="N", help="another number draws others")] = 0,
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Show documents that a rule rejects, drawn evenly, with what it found in them."""
    from seiryu.pipelines.commands.sample import sample_command

    raise typer.Exit(sample_command(run, rule, number, seed, as_json=as_json))


def explain(
    run: RunPath,
    document: Annotated[str, typer.Argument(metavar="[DOC_ID]", help="a doc_id, or its beginning")] = "",
    text: Annotated[str, typer.Option(metavar="FILE", help="explain this text instead; - reads it from stdin")] = "",
    as_json: AsJson = False,
    verbose: Verbose = False,  # noqa: ARG001 - read by main
) -> None:
    """Say why a document was kept or not: every signal, every limit, and where in the text; what cleaning changed."""
    from seiryu.pipelines.commands.explain import explain_command

    raise typer.Exit(explain_command(run, document, text, as_json=as_json))
