"""`run --from STAGE` takes what lies before as it is, and refuses what this config would not have made."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import Ended, hashes, seiryu, write_config

ONE = "CC-MAIN-2021-25-00000"


def go_on(folder: Path, *changes: str, first: str = "decide") -> Ended:
    arguments = [part for change in changes for part in ("--set", change)]
    return seiryu("run", folder / "config.yaml", "--from", first, *arguments)


def damaged(folder: Path) -> None:
    sidecar = folder / f"run/units/extract/{ONE}.json"
    sidecar.write_text(sidecar.read_text()[:20])


def half_read(folder: Path) -> None:
    (folder / f"run/units/extract/{ONE}.json").unlink()


def not_read(folder: Path) -> None:
    half_read(folder)
    (folder / f"run/documents/{ONE}.parquet").unlink()


def nothing_read(folder: Path) -> None:
    shutil.rmtree(folder / "run/units/extract")


def another_archive(folder: Path) -> None:
    (folder / f"archives/{ONE}.warc.gz").touch()


def nothing(_: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("done", "changes", "first", "message"),
    [
        (damaged, (), "annotate", f"units/extract/{ONE}.json is damaged; run without --from annotate to have it read"),
        (half_read, ("source.paths=[/gone/*.warc]",), "annotate", f"{ONE}.json: its archive is not read to the end"),
        (not_read, (), "decide", f"1 of 3 archives have not been read ({ONE}, ...)"),
        (not_read, ("source.paths=[/gone/*.warc, {archives}]",), "decide", f"1 of 3 archives have not been read ({ONE}, ...)"),
        (nothing_read, (), "decide", "has no finished unit of extract to go on from"),
        (another_archive, (), "decide", "is not what was read (input mtime changed)"),
        (nothing, (f"source.paths=[{{archives}}/{ONE}.warc.gz]",), "decide", "holds 2 archives that source.paths does not name"),
        (nothing, ("extract.min_kana=21",), "decide", "min_kana: 20 -> 21"),
        (
            nothing,
            ("signals.morphology=true",),
            "decide",
            "annotate: 3 of 3 units are not there as they are wanted (morphology: false -> true); --from annotate makes them",
        ),
    ],
)
def test_what_this_config_would_not_have_made_is_refused_and_stays(
    done: Callable[[Path], None], changes: tuple[str, ...], first: str, message: str, run_copy: Path, small_archives: Path
) -> None:
    shutil.copytree(small_archives, run_copy / "archives")
    write_config(run_copy, run_copy / "archives")
    done(run_copy)
    before = hashes(run_copy / "run", "units", "signals", "corpus")
    ended = go_on(run_copy, *(change.replace("{archives}", str(run_copy / "archives")) for change in changes), first=first)
    assert (ended.code, message in ended.err) == (1, True), ended.err
    assert hashes(run_copy / "run", "units", "signals", "corpus") == before


@pytest.mark.parametrize("paths", ["[/gone/*.warc.gz]", "[s3://nowhere/a.warc.gz]"])
def test_archives_that_are_gone_or_out_of_reach_are_not_missed(paths: str, run_copy: Path) -> None:
    ended = go_on(run_copy, f"source.paths={paths}")
    assert ended.code == 0, ended.err
    assert f"extract: not every archive behind {paths[1:-1]} is in sight; going on with the 3 that were read" in ended.err


def test_an_archive_is_known_though_another_of_its_name_is_gone(small_archives: Path, tmp_path: Path) -> None:
    for folder, name in (("a", "CC-MAIN-2021-25-00000"), ("b", "CC-MAIN-2025-05-00000")):
        (tmp_path / folder).mkdir()
        shutil.copy(small_archives / f"{name}.warc.gz", tmp_path / folder / "x.warc.gz")
    source = {"paths": [f"{tmp_path}/a/*", f"{tmp_path}/b/*"]}
    config = write_config(tmp_path, tmp_path, source=source)
    assert seiryu("run", config, "--until", "decide").code == 0
    shutil.rmtree(tmp_path / "b")
    ended = seiryu("run", config, "--from", "decide", "--until", "decide")
    assert (ended.code, "going on with the 2 that were read" in ended.err) == (0, True), ended.err


def test_archives_that_were_set_aside_stay_so_and_count(run_copy: Path) -> None:
    half_read(run_copy)
    aside = {"stage": "extract", "unit": ONE, "reason": "it was bad", "attempts": 1, "detail": ""}
    (run_copy / f"run/units/extract/{ONE}.failed").write_text(json.dumps(aside))
    ended = seiryu("run", run_copy / "config.yaml", "--from", "annotate", "--until", "decide")
    assert (ended.code, "1 units were set aside, 0 are allowed" in ended.err) == (3, True), ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("deside",), "there is no such stage"),
        (("decide", "--until", "annotate"), "decide comes after annotate"),
        (("decide", "--prune"), "nothing of it can be dropped"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], message: str, small_run: Path) -> None:
    ended = seiryu("run", small_run / "config.yaml", "--from", *arguments)
    assert (ended.code, message in ended.err) == (2, True), ended.err
