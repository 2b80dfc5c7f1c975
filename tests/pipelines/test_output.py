"""stdout, stderr and stdin as a shell may hand them over: read in part, full, closed, of another encoding; and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commandline import ROOT, Ended, command

# Python's own buffering, which a variable of the environment may have switched off.
BUFFERED = {name: value for name, value in os.environ.items() if name not in ("PYTHONUNBUFFERED", "PYTHONIOENCODING")}
FULL = ">/dev/full"


def from_shell(redirection: str, *words: str | Path, **environment: str) -> Ended:
    """One command as `sh` starts it with a redirection."""
    line = ["sh", "-c", f'exec "$@" {redirection}', "sh", *words]
    done = subprocess.run(line, capture_output=True, text=True, timeout=100, cwd=ROOT, env=BUFFERED | environment)
    return Ended(done.returncode, done.stdout, done.stderr)


def unread(stream: str, *words: str | Path) -> Ended:
    """One command with a stream to a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writer}
    done = subprocess.run(command(*words), text=True, timeout=100, cwd=ROOT, env=BUFFERED, **streams)
    os.close(writer)
    return Ended(done.returncode, done.stdout or "", done.stderr or "")


def program(lines: str) -> list[str]:
    """The command line with one more command, `extra`."""
    return [
        sys.executable,
        "-c",
        f"import os, sys\nfrom seiryu.pipelines import cli\n@cli.app.command()\n{lines}\ncli.main()",
        "extra",
    ]


PRINTING = [["--help"], ["config", "schema"], ["status", "RUN"], ["status", "RUN", "--json"], ["rules", "RUN"], ["verify", "RUN"]]


def of_run(words: list[str], run: Path) -> list[str]:
    return [str(run) if word == "RUN" else word for word in words]


@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_a_full_disk_below_stdout_is_one_line_and_a_failure(words: list[str], small_run: Path) -> None:
    ended = from_shell(FULL, *command(*of_run(words, small_run / "run")))
    assert (ended.code, ended.err) == (1, "seiryu: stdout: No space left on device; what was printed is not whole\n")


@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_a_reader_that_has_gone_changes_nothing(words: list[str], small_run: Path) -> None:
    ended = unread("stdout", *of_run(words, small_run / "run"))
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_problems_of_a_run_are_in_the_exit_code_though_nobody_reads_them(form: list[str], run_copy: Path) -> None:
    (run_copy / "run/shards/notes.txt").touch()
    assert unread("stdout", "verify", run_copy / "run", *form).code == 1


def test_an_error_that_nobody_reads_keeps_its_exit_code(tmp_path: Path) -> None:
    assert unread("stderr", "config", "show", tmp_path / "none.yaml") == Ended(2, "", "")


def test_what_is_not_well_is_said_whatever_becomes_of_the_table(run_copy: Path) -> None:
    given_up = {"stage": "extract", "unit": "odd", "reason": "odd.warc.gz is empty (0 bytes)", "attempts": 1, "detail": ""}
    (run_copy / "run/units/extract/odd.failed").write_text(json.dumps(given_up))
    words = ("run", run_copy / "config.yaml", "--from", "annotate")
    gone, full = unread("stdout", *words), from_shell(FULL, *command(*words))
    assert gone.code == 3, gone.err
    assert full.code == 1, full.err
    assert all("not well: 1 units were set aside, 0 are allowed\n" in ended.err for ended in (gone, full))


def test_a_broken_pipe_that_is_not_a_stream_of_the_command_is_a_line() -> None:
    ended = from_shell("", *program("def extra(): raise BrokenPipeError(32, 'a socket of ours')"))
    assert ended.code == 1
    assert ended.err.startswith("seiryu: BrokenPipeError: ")
    assert ended.err.count("\n") == 1


def test_a_command_works_without_stdout_and_without_stderr(small_run: Path) -> None:
    run, config = small_run / "run", small_run / "config.yaml"
    assert from_shell(">&-", *command("rules", run)) == Ended(0, "", "")
    ended = from_shell("2>&-", *command("config", "validate", config))
    assert ended.code == 0
    assert ended.out.startswith(f"{config}: good; ")
    assert from_shell("2>&-", *command("config", "show", small_run / "none.yaml")) == Ended(2, "", "")
    assert from_shell("<&- >&- 2>&-", *command("status", run)) == Ended(0, "", "")


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    found = tmp_path / "found"
    opened = f"def extra():\n with open({str(found)!r}, 'w') as file: print(file.fileno(), os.get_inheritable(1), file=file)"
    assert from_shell("<&- >&- 2>&-", *program(opened)).code == 0
    number, inherited = found.read_text().split()
    assert int(number) > 2
    assert inherited == "True"


def test_who_calls_from_python_needs_no_streams() -> None:
    words = [
        sys.executable,
        "-c",
        "import sys, seiryu.pipelines.telling.screen as screen; screen.say('x'); screen.out.print('x')",
    ]
    assert from_shell(">&- 2>&-", *words) == Ended(0, "", "")


def test_a_text_from_a_closed_stdin_is_wrong_usage(small_run: Path) -> None:
    ended = from_shell("<&-", *command("explain", small_run / "run", "--text", "-"))
    assert (ended.code, ended.err) == (2, "seiryu: --text -: stdin is closed; pipe a text into it, or name a file\n")


def test_letters_that_the_encoding_of_stdout_lacks_are_escaped_and_json_stays_json(small_run: Path, tmp_path: Path) -> None:
    run, text = small_run / "run", tmp_path / "text.txt"
    text.write_text("これは日本語の文章です。𠮷野家 é 😀 ≥ です。" * 20, encoding="utf-8")
    words, found = command("explain", run, "--text", text, "--json"), {}
    for encoding in ("utf-8", "ascii", "cp932"):
        environment = BUFFERED | {"PYTHONIOENCODING": encoding}
        done = subprocess.run(words, capture_output=True, timeout=100, cwd=ROOT, env=environment)
        assert done.returncode == 0, done.stderr
        found[encoding] = json.loads(done.stdout.decode(encoding))
    assert found["ascii"] == found["cp932"] == found["utf-8"]
    table = from_shell("", *command("rules", run), PYTHONIOENCODING="latin-1")
    assert (table.code, table.err) == (0, "")
    assert r"\u2265" in table.out


@pytest.mark.parametrize(("words", "said"), [
    (["run", "CONFIG"], "interrupted; what is done is kept, the same command goes on\n"),
    (["plan", "CONFIG"], "interrupted\n"),
    (["config", "show", "CONFIG"], "interrupted\n"),
], ids=["run", "plan", "config show"])  # fmt: skip
def test_only_of_a_run_is_said_that_what_is_done_is_kept(words: list[str], said: str, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    os.mkfifo(config)
    words = command(*(config if word == "CONFIG" else word for word in words))
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=BUFFERED) as process:
        writer = opened_for_writing(config, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    os.close(writer)
    assert (process.returncode, err) == (130, said)


def opened_for_writing(pipe: Path, process: subprocess.Popen[str]) -> int:
    """A named pipe, as soon as the process waits for what it holds."""
    while process.poll() is None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"it did not read {pipe}: {process.communicate()}")
