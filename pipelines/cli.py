"""The command line. stdout is for data, stderr for progress; an error is one line, with a traceback only under -v. Wrong usage is
said by typer, below a reminder of the usage.

Exit codes: 0 all well, 1 failed or, for `verify`, problems found, 2 wrong usage or config, 3 finished but more failed than the config
allows, 130 interrupted. A reader of stdout or stderr that goes away early changes none of them and stops nothing; a stdout that
cannot be written, on a full disk, is a failure. Heavy imports stand inside the commands, so that `seiryu --help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Annotated, Any

import typer

from seiryu.corpus.errors import SeiryuError
from seiryu.pipelines import cli_cluster, cli_looking, cli_shards
from seiryu.pipelines.telling.streams import open_streams

app = typer.Typer(
    help="Japanese training text from Common Crawl: archives in, token shards out.", no_args_is_help=True, add_completion=False,
    rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip
config_app = typer.Typer(help="Show or check a config; print the schema of all its fields.", no_args_is_help=True)
app.add_typer(config_app, name="config")
classifier_app = typer.Typer(help="Train a quality classifier, to be used as a signal.", no_args_is_help=True)
app.add_typer(classifier_app, name="classifier")

ConfigPath = Annotated[str, typer.Argument(metavar="CONFIG", help="YAML file, see configs/")]
RunPath = Annotated[str, typer.Argument(metavar="RUN", help="run directory")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="change a field of the config; may be repeated")
]
Documents = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="plan deduplication for so many documents that pass the rules")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="show tracebacks")]


@app.command()
def run(
    config: ConfigPath,
    set_: Set = None,
    from_: Annotated[
        str, typer.Option("--from", metavar="STAGE", help="take what lies before this stage as it is; the archives may be gone")
    ] = "",
    until: Annotated[str, typer.Option(metavar="STAGE", help="stop after this stage")] = "",
    prune: Annotated[
        bool, typer.Option("--prune", help="drop results of archives that the config does not name any more")
    ] = False,
    log: Annotated[
        str, typer.Option(metavar="text|json", help="what goes to stderr: lines to read, or a JSON object each")
    ] = "text",
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Run every stage, or go on where the last run ended."""
    from seiryu.pipelines.commands.run import run_command

    _end(run_command(config, set_ or [], from_, until, log, prune=prune, as_json=as_json), verbose)


@app.command()
def plan(
    config: ConfigPath,
    set_: Set = None,
    documents: Documents = None,
    sample: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="read N whole archives of the crawl first, and measure what the index would miss"),
    ] = 0,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Say what `run` would do, why what is done would be done again, and what fetching and deduplication take."""
    from seiryu.pipelines.commands.plan import plan_command

    _end(plan_command(config, set_ or [], documents, sample, as_json=as_json), verbose)


@app.command()
def verify(
    run: RunPath,
    drop: Annotated[
        bool, typer.Option("--drop", help="take away the units that are damaged; the next run makes them again")
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Check every file of a run against its sidecar, the counts against the law, the shards against their index and provenance."""
    from seiryu.pipelines.commands.run import verify_command

    _end(verify_command(run, drop=drop, as_json=as_json), verbose)


@classifier_app.callback()
def classifier() -> None:
    """Train a quality classifier, to be used as a signal."""


@classifier_app.command("train")
def classifier_train(
    data: Annotated[str, typer.Argument(metavar="DATA", help="labelled texts: .jsonl, .jsonl.gz or .jsonl.zst")],
    out: Annotated[
        str, typer.Option("--out", metavar="MODEL", help="where the model goes; its card lies beside it as MODEL.json")
    ],
    text: Annotated[str, typer.Option(help="field of the text")] = "text",
    label: Annotated[str, typer.Option(help="field of the label")] = "label",
    positive: Annotated[str, typer.Option(help="of two labels the one whose precision and recall are shown")] = "",
    held_out: Annotated[float, typer.Option(min=0, max=0.9, help="share of the texts to measure with, by a hash of each")] = 0.2,
    segmented: Annotated[bool, typer.Option("--segmented", help="put spaces between Sudachi's words first")] = False,
    quantize: Annotated[bool, typer.Option("--quantize", help="a small model (.ftz)")] = False,
    threads: Annotated[int, typer.Option(min=1, help="more than one: another model every time")] = 1,
    seed: Annotated[int, typer.Option(help="of fastText")] = 0,
    dim: Annotated[int | None, typer.Option(min=1, help="of fastText, as all that follow")] = None,
    epoch: Annotated[int | None, typer.Option(min=1)] = None,
    lr: Annotated[float | None, typer.Option(min=0)] = None,
    word_ngrams: Annotated[int | None, typer.Option(min=1)] = None,
    minn: Annotated[int | None, typer.Option(min=0)] = None,
    maxn: Annotated[int | None, typer.Option(min=0)] = None,
    bucket: Annotated[int | None, typer.Option(min=1)] = None,
    min_count: Annotated[int | None, typer.Option(min=1)] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Train a fastText model from labelled texts, and say how good it is on those held out."""
    from seiryu.filters.classifiers.examples import Source
    from seiryu.filters.classifiers.training import Training
    from seiryu.pipelines.commands.classifier import train_command

    training = Training.of(
        segmented=segmented, held_out=held_out, quantize=quantize, positive=positive, threads=threads, seed=seed, dim=dim, epoch=epoch,
        lr=lr, word_ngrams=word_ngrams, minn=minn, maxn=maxn, bucket=bucket, min_count=min_count,
    )  # fmt: skip
    _end(train_command(Source(data, text, label), out, training, as_json=as_json), verbose)


@config_app.command("show")
def config_show(config: ConfigPath, set_: Set = None, verbose: Verbose = False) -> None:
    """Print the whole config, defaults included."""
    from seiryu.pipelines.commands.config import config_show_command

    _end(config_show_command(config, set_ or []), verbose)


@config_app.command("validate")
def config_validate(config: ConfigPath, set_: Set = None, verbose: Verbose = False) -> None:
    """Check a config: fields, preset, word lists, tokenizer, and that its paths name archives."""
    from seiryu.pipelines.commands.config import config_validate_command

    _end(config_validate_command(config, set_ or []), verbose)


@config_app.command("schema")
def config_schema() -> None:
    """Print the JSON schema of the config: every field with its meaning and default."""
    from seiryu.pipelines.config import Config

    print(json.dumps(Config.model_json_schema(), ensure_ascii=False, indent=2))


def _end(code: int, _: bool) -> None:
    raise typer.Exit(code)


cli_cluster.add_to(app)
cli_looking.add_to(app)
cli_shards.add_to(app)


def main() -> None:
    """The entry point: commands, and the one place where an error becomes a line and an exit code."""
    open_streams()
    verbose = "-v" in sys.argv or "--verbose" in sys.argv
    try:
        code = _command()
    except SeiryuError as error:
        code = _failed(error, verbose)
    except KeyboardInterrupt:
        code = 130
    except SystemExit as error:  # how typer ends at a broken pipe, which was none of the streams
        code = _unexpected(error.__context__ or error, verbose)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        code = _unexpected(error, verbose)
    if code == 130:  # Ctrl-C, which typer turns into this code where it sees it first
        kept = "; what is done is kept, the same command goes on" if sys.argv[1:2] == ["run"] else ""
        _tell(f"interrupted{kept}")
    sys.stderr.flush()
    os._exit(code)  # libraries' threads may still be at work, and crash a process that takes itself down in order


def _command() -> int:
    """The exit code of the command, once all that it printed is written."""
    try:
        result: Any = app(standalone_mode=False)
        return result if isinstance(result, int) else 0
    finally:
        sys.stdout.flush()


def _failed(error: SeiryuError, verbose: bool) -> int:
    from seiryu.pipelines.config_file import ConfigError

    _tell(str(error), "seiryu: ", verbose)
    return 2 if isinstance(error, ConfigError) else 1


def _tell(message: str, before: str = "", verbose: bool = False) -> None:
    """How a command ended, in the form in which it told everything else."""
    logs = sys.modules.get("seiryu.pipelines.telling.logs")
    if logs and logs.in_json():
        logs.log("failed", "error", message=message, detail=traceback.format_exc() if verbose else None)
        return
    if verbose and before:
        traceback.print_exc()
    print(f"{before}{message}", file=sys.stderr)


def _unexpected(error: BaseException, verbose: bool) -> int:
    show = getattr(error, "show", None)  # wrong usage, as click says it
    if show:
        show()
        return int(getattr(error, "exit_code", 2))
    _tell(f"{type(error).__name__}: {error} (this is a defect; -v shows where)", "seiryu: ", verbose)
    return 1
