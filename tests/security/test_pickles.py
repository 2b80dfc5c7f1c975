"""A pickle in place of any file that a command reads is a damaged file and no program: nothing of it runs, and the command says so.

The pickle makes a folder where it is loaded. Whoever can write into a run directory, or gives a model away, could lay it there.
"""

import os
import pickle
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import Ended, hashes, seiryu, write_config

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.inspecting.labels import read_labels

UNIT = "CC-MAIN-2021-25-00000"
# What Arrow once and Ray's datasets still make an object of by unpickling the type's metadata.
PICKLED_TYPES = ("arrow.py_extension_type", "ray.data.arrow_pickled_object", "ray.data.arrow_tensor")


@dataclass
class Trap:
    """`pickle`: bytes that make the folder `marker` when they are loaded."""

    marker: Path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)

    @property
    def pickle(self) -> bytes:
        return pickle.dumps(self)

    def command(self, *arguments: str | Path) -> Ended:
        """A command that must neither load the pickle nor end in a traceback."""
        ended = seiryu(*arguments)
        assert not self.marker.exists(), f"{arguments} loaded the pickle"
        assert "Traceback" not in ended.out + ended.err
        return ended


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "loaded")


def test_the_pickle_does_what_is_feared_of_it(trap: Trap) -> None:
    pickle.loads(trap.pickle)
    assert trap.marker.is_dir()


def test_a_pickle_in_place_of_the_record_of_a_run_is_named(run_copy: Path, trap: Trap) -> None:
    record = run_copy / "run/run.json"
    record.write_bytes(trap.pickle)
    for name in ("status", "report", "verify", "rules"):
        ended = trap.command(name, run_copy / "run")
        assert ended.code == 1
        assert ended.err.startswith(f"seiryu: {record} is damaged")


def test_sidecars_that_are_pickles_are_named_and_made_again(run_copy: Path, trap: Trap) -> None:
    run = run_copy / "run"
    before = hashes(run, "shards", "verdicts", "groups")
    sidecars = [run / f"units/decide/{UNIT}.json", run / "units/groups/all.json"]
    for file in (*sidecars, run / "run.json", run / "report/facts.parquet"):
        file.write_bytes(trap.pickle)
    ended = trap.command("run", run_copy / "config.yaml")
    assert ended.code == 0, ended.err
    assert {line.partition(" in ")[0] for line in ended.err.splitlines() if " units in " in line} == {
        "decide: 1 units",
        "groups: 1 units",
    }
    assert trap.command("rules", run).code == 0  # makes report/facts.parquet anew
    assert hashes(run, "shards", "verdicts", "groups") == before
    sidecars[0].write_bytes(trap.pickle)
    ended = trap.command("verify", run)
    assert ended.code == 1
    assert f"{sidecars[0]}: is damaged" in ended.out
    assert trap.command("status", run).code == 0
    ended = trap.command("rules", run)
    assert ended.code == 2
    assert "nothing is judged there" in ended.err


@pytest.mark.parametrize(("table", "reader"), [(f"signals/{UNIT}.parquet", "rules"), (f"documents/{UNIT}.parquet", "report")])
def test_a_pickle_in_place_of_a_table_is_named(table: str, reader: str, run_copy: Path, trap: Trap) -> None:
    run = run_copy / "run"
    (run / table).write_bytes(trap.pickle)
    (run / "report/facts.parquet").unlink(missing_ok=True)  # so that the table is read
    assert trap.command("status", run).code == 0  # reads sidecars alone
    ended = trap.command(reader, run)
    assert ended.code == 1
    assert ended.err.startswith(f"seiryu: {run / table} is damaged and cannot be read")
    ended = trap.command("verify", run)
    assert ended.code == 1
    assert f"{run / table}: its sha256 is not the recorded one" in ended.out


def test_a_pickle_in_place_of_tokens_is_set_aside(run_copy: Path, trap: Trap) -> None:
    ids = run_copy / f"run/tokens/{UNIT}.ids"
    ids.write_bytes(trap.pickle)
    ended = trap.command("verify", run_copy / "run")
    assert ended.code == 1
    assert f"{ids}: its sha256 is not the recorded one" in ended.out
    shutil.rmtree(run_copy / "run/units/shards")
    ended = trap.command("run", run_copy / "config.yaml")
    assert ended.code == 1
    assert f"{ids} is shorter than its table says" in ended.err


def test_pickled_types_in_a_tables_schema_stay_bytes(run_copy: Path, trap: Trap) -> None:
    """The table is read whole by a worker and by the driver, its columns being what they say they are otherwise."""
    run = run_copy / "run"
    file = run / f"documents/{UNIT}.parquet"
    table = pq.read_table(file)
    fields = list(table.schema)
    for place, name in enumerate(PICKLED_TYPES):
        said = {b"ARROW:extension:name": name.encode(), b"ARROW:extension:metadata": trap.pickle}
        fields[place] = fields[place].with_metadata((fields[place].metadata or {}) | said)
    pq.write_table(table.cast(pa.schema(fields, table.schema.metadata)), file)
    raw = file.read_bytes()
    assert pq.read_schema(file).field(0).metadata[b"ARROW:extension:metadata"] == trap.pickle
    assert b"ARROW:schema" in raw
    before = hashes(run, "signals")
    shutil.rmtree(run / "units/annotate")
    (run / "report/facts.parquet").unlink(missing_ok=True)
    ended = trap.command("run", run_copy / "config.yaml")
    assert ended.code == 0, ended.err
    assert "annotate: 1 units" in ended.err
    assert hashes(run, "signals") == before
    assert trap.command("rules", run).code == 0
    ended = trap.command("verify", run)
    assert ended.code == 1
    assert f"{file}: its sha256 is not the recorded one" in ended.out


@pytest.mark.parametrize("field", ["signals", "tokenize"])
def test_a_model_that_is_a_pickle_is_refused_before_anything_starts(
    field: str, run_copy: Path, small_archives: Path, trap: Trap
) -> None:
    model = run_copy / "model.bin"
    model.write_bytes(trap.pickle)
    uses = {"signals": {"classifiers": {"edu": {"model": str(model), "label": "wiki"}}}, "tokenize": {"tokenizer": str(model)}}
    ended = trap.command("run", write_config(run_copy, small_archives, **{field: uses[field]}))
    assert ended.code == 2
    assert str(model) in ended.err


def test_judgements_that_are_a_pickle_are_refused_by_name(trap: Trap, tmp_path: Path) -> None:
    """Only the page of `seiryu inspect` reads them."""
    judged = tmp_path / "labels/judged.jsonl"
    judged.parent.mkdir()
    judged.write_bytes(trap.pickle)
    with pytest.raises(InputError, match=f"{re.escape(str(judged))}, line 1: no judgement"):
        read_labels(Store(str(tmp_path)))
    assert not trap.marker.exists()
