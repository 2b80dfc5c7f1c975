"""What `seiryu publish` lays out: the run's bytes, checksums that coreutils read, numbers that pyarrow counts too."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from commandline import hashes, seiryu
from huggingface_hub import DatasetCard

from seiryu.pipelines.commands.checks import finished
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.publishing.card import Said
from seiryu.pipelines.publishing.publication import publication, publish

SAID = ("--name", "Kiyoi", "--license", "odc-by", "--contact", "you@example.org", "--homepage", "https://example.org/kiyoi")


@pytest.fixture(scope="module")
def dataset(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication of the small run. Tests only read it."""
    target = tmp_path_factory.mktemp("published") / "dataset"
    ended = seiryu("publish", small_run / "run", "--out", target, *SAID)
    assert ended.code == 0, ended.err
    return target


def checked_by_coreutils(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, capture_output=True, text=True
    )


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_all_files_but_the_list_itself_are_in_the_checksums_and_right(dataset: Path) -> None:
    done = checked_by_coreutils(dataset)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = [line.split("  ", 1)[1] for line in (dataset / "SHA256SUMS").read_text().splitlines()]
    assert listed == sorted(listed)
    assert set(listed) == names(dataset) - {"SHA256SUMS"}


def test_every_shard_of_every_format_is_there_byte_for_byte(dataset: Path, small_run: Path) -> None:
    places = {"parquet": "data", "parquet_tokens": "tokens-parquet"}
    of_run = {}
    for name, digest in hashes(small_run / "run", "shards", "provenance").items():
        parts = name.split("/")
        of_run["/".join(parts if parts[0] == "provenance" else [places.get(parts[1], parts[1]), *parts[2:]])] = digest
    made = {"README.md", "SHA256SUMS", "lineage/events.jsonl", "lineage/SeiryuCountsRunFacet.json"}
    published = {name: hashlib.sha256((dataset / name).read_bytes()).hexdigest() for name in names(dataset) - made}
    assert published == of_run
    assert len(of_run) == 35
    assert (dataset / "megatron/train-00000-of-00002.bin").samefile(small_run / "run/shards/megatron/train-00000-of-00002.bin")


def test_a_dry_run_writes_nothing_and_prints_the_card_that_is_written(dataset: Path, small_run: Path, tmp_path: Path) -> None:
    ended = seiryu("publish", small_run / "run", "--dry-run", "--out", tmp_path / "new", *SAID)
    assert ended.code == 0, ended.err
    assert ended.out == (dataset / "README.md").read_text()
    assert all(name in ended.err for name in names(dataset))
    assert list(tmp_path.iterdir()) == []


def test_what_the_publisher_has_not_said_is_told_and_stands_in_the_card(small_run: Path) -> None:
    ended = seiryu("publish", small_run / "run", "--dry-run", "--json")
    said = json.loads(ended.out)
    assert [option for option in ("--name", "--license", "--contact", "--homepage") if any(option in what for what in said["missing"])] == [
        "--name", "--license", "--contact", "--homepage"
    ]  # fmt: skip
    assert said["front_matter"]["license"] == "unknown"
    assert "**No contact has been named.**" in said["card"]
    assert any("opt-outs" in warning for warning in said["warnings"])


def test_the_card_is_what_the_hub_reads(dataset: Path) -> None:
    data = DatasetCard.load(dataset / "README.md").data.to_dict()
    assert (data["license"], data["language"], data["pretty_name"]) == ("odc-by", ["ja"], "Kiyoi")
    assert data["size_categories"] == ["n<1K"]
    assert [config["config_name"] for config in data["configs"]] == ["default", "tokens", "provenance"]
    assert [config.get("default", False) for config in data["configs"]] == [True, False, False]
    matched = {
        str(path.relative_to(dataset))
        for config in data["configs"]
        for split in config["data_files"]
        for path in dataset.glob(split["path"])
    }
    assert matched == {name for name in names(dataset) if name.endswith(".parquet")}


def test_the_numbers_of_the_splits_are_those_that_pyarrow_counts(dataset: Path) -> None:
    card = (dataset / "README.md").read_text()
    for split in ("train", "validation"):
        files = sorted((dataset / "data").glob(f"{split}-*.parquet"))
        tables = [pq.read_table(file) for file in files]
        rows = sum(len(table) for table in tables)
        letters = sum(len(text.replace("\n", "")) for table in tables for text in table["text"].to_pylist())
        tokens = sum(pc.sum(table["tokens"]).as_py() for table in tables)
        assert f"| {split} | {rows:,} | {rows:,} | {letters:,} | {tokens:,} | {len(files)} |" in card


def test_publishing_again_changes_nothing(small_run: Path, dataset: Path, tmp_path: Path) -> None:
    target = shutil.copytree(dataset, tmp_path / "dataset", copy_function=shutil.copy2)
    before = {name: (target / name).stat().st_mtime_ns for name in names(target)}
    (target / ".cache").mkdir()  # of the hub's client
    (target / ".cache/upload").write_text("x")
    ended = seiryu("publish", small_run / "run", "--out", target, *SAID, "--json")
    found = json.loads(ended.out)
    assert (found["written"], found["removed"]) == ([], [])
    assert {name: (target / name).stat().st_mtime_ns for name in names(target) - {".cache/upload"}} == before


def test_only_what_differs_is_written_and_what_is_stale_goes(small_run: Path, dataset: Path, tmp_path: Path) -> None:
    target = shutil.copytree(dataset, tmp_path / "dataset")
    (target / "data/train-00000-of-00002.parquet").write_bytes(b"damaged")
    (target / "megatron/old").mkdir()
    (target / "megatron/old/train.bin").write_bytes(b"of an earlier publication")
    with (target / "SHA256SUMS").open("a") as sums:
        sums.write(f"{hashlib.sha256(b'of an earlier publication').hexdigest()}  megatron/old/train.bin\n")
    ended = seiryu("publish", small_run / "run", "--out", target, *SAID, "--json")
    found = json.loads(ended.out)
    assert (found["written"], found["removed"]) == (
        ["data/train-00000-of-00002.parquet", "SHA256SUMS"], ["megatron/old/train.bin"]
    )  # fmt: skip
    assert names(target) == names(dataset)
    assert not (target / "megatron/old").exists()
    assert checked_by_coreutils(target).returncode == 0


def test_a_publication_that_was_interrupted_is_finished_by_the_same_command(
    small_run: Path, dataset: Path, tmp_path: Path
) -> None:
    target = shutil.copytree(dataset, tmp_path / "dataset")
    for name in ("SHA256SUMS", "README.md", "megatron/train-00000-of-00002.idx"):
        (target / name).unlink()
    (target / ".seiryu-publishing").mkdir()
    assert seiryu("publish", small_run / "run", "--out", target, *SAID).code == 0
    assert names(target) == names(dataset)
    assert checked_by_coreutils(target).returncode == 0


@pytest.mark.parametrize(
    ("prepare", "what"),
    [
        (lambda target: (target / "photo.jpg").write_bytes(b"mine"), "holds no publication"),
        (lambda target: (target.rmdir(), target.write_bytes(b"mine")), "is a file"),
    ],
)
def test_a_place_that_holds_something_else_is_refused_and_left_as_it_is(
    small_run: Path, tmp_path: Path, prepare, what: str
) -> None:
    target = tmp_path / "dataset"
    target.mkdir()
    prepare(target)
    before = hashes(tmp_path, ".")
    for dry in ((), ("--dry-run",)):
        ended = seiryu("publish", small_run / "run", "--out", target, *dry)
        assert (ended.code, what in ended.err) == (2, True), ended.err
    assert hashes(tmp_path, ".") == before


def test_a_strange_file_and_another_runs_publication_are_refused(small_run: Path, dataset: Path, tmp_path: Path) -> None:
    target = shutil.copytree(dataset, tmp_path / "dataset")
    (target / "notes.txt").write_text("mine")
    ended = seiryu("publish", small_run / "run", "--out", target)
    assert (ended.code, "'notes.txt' is not of the publication" in ended.err) == (2, True)
    (target / "notes.txt").unlink()
    events = (target / "lineage/events.jsonl").read_text()
    run_id = json.loads(events.splitlines()[0])["run"]["runId"]
    (target / "lineage/events.jsonl").write_text(events.replace(run_id, "00000000-0000-5000-8000-000000000000"))
    ended = seiryu("publish", small_run / "run", "--out", target)
    assert (ended.code, "another run" in ended.err) == (2, True)


@pytest.mark.parametrize("where", ["run", "run/dataset", "."])
def test_the_run_and_the_dataset_lie_apart(run_copy: Path, where: str) -> None:
    for path in (run_copy / "config.yaml", *([run_copy / "run/report/index.html"] if where == "run" else [])):
        path.unlink()
    before = names(run_copy)
    assert seiryu("publish", run_copy / "run", "--out", run_copy / where).code == 2
    assert names(run_copy) == before


def test_a_damaged_shard_is_never_published(run_copy: Path, tmp_path: Path) -> None:
    shard = run_copy / "run/shards/megatron/train-00001-of-00002.bin"
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(data)
    ended = seiryu("publish", run_copy / "run", "--out", tmp_path / "dataset")
    assert (ended.code, str(shard) in ended.err, "sha256" in ended.err) == (1, True, True)
    assert not (tmp_path / "dataset").exists()
    shard.unlink()
    ended = seiryu("publish", run_copy / "run", "--out", tmp_path / "dataset")
    assert (ended.code, "is missing" in ended.err) == (1, True)
    assert not (tmp_path / "dataset").exists()


def test_out_is_needed_but_for_a_dry_run(small_run: Path, tmp_path: Path) -> None:
    assert seiryu("publish", small_run / "run").code == 2
    assert seiryu("publish", tmp_path).code == 2


def test_an_object_store_gets_the_same_files(small_run: Path, dataset: Path) -> None:
    import fsspec

    state = finished(str(small_run / "run"))
    made = publication(state, Said("Kiyoi", "odc-by", "you@example.org", "https://example.org/kiyoi"))
    assert publish(state, made, "memory://published/dataset").written[-1] == "SHA256SUMS"
    memory = fsspec.filesystem("memory")
    held = {path.removeprefix("/published/dataset/"): memory.cat_file(path) for path in memory.find("/published/dataset")}
    assert held == {name: (dataset / name).read_bytes() for name in names(dataset)}
    memory.rm_file("/published/dataset/jsonl/train-00000-of-00002.jsonl.zst")
    assert publish(state, made, "memory://published/dataset").written == ["jsonl/train-00000-of-00002.jsonl.zst"]
    assert memory.cat_file("/published/dataset/SHA256SUMS") == (dataset / "SHA256SUMS").read_bytes()
    memory.pipe("/published/dataset/photo.jpg", b"mine")
    with pytest.raises(ConfigError, match=r"photo\.jpg"):
        publish(state, made, "memory://published/dataset")
