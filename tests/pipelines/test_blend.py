"""`seiryu blend` on two real runs: the files it writes, and the runs it refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import seiryu

from seiryu.corpus.errors import SeiryuError
from seiryu.pipelines import cli

Blend = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def runs(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two finished runs, a and b, that divide the same documents otherwise. Tests only read it."""
    folder = tmp_path_factory.mktemp("runs")
    for name in "ab":
        shutil.copytree(small_run / "run", folder / name)
    other = ("--set", f"run={folder / 'b'}", "--set", "shards.seed=b")
    ended = seiryu("run", small_run / "config.yaml", *other, "--from", "tokenize")
    assert ended.code == 0, ended.err
    return folder


@pytest.fixture
def blend(capsys: pytest.CaptureFixture[str]) -> Blend:
    """The command in this process: exit code, stdout, stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = cli.app(["blend", *map(str, arguments)], standalone_mode=False)
        except SeiryuError as error:
            code = cli._failed(error, verbose=False)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def tokens(run: Path, split: str) -> dict[str, int]:
    """Tokens of each shard, by the size of its .bin: ids of four bytes."""
    found = sorted((run / "shards/megatron").glob(f"{split}-*.bin"))
    return {str(path.with_suffix("")): path.stat().st_size // 4 for path in found}


def test_train_is_mixed_by_the_sizes_of_the_files(runs: Path, blend: Blend) -> None:
    code, out, err = blend(runs / "a", runs / "b")
    assert code == 0, err
    value = json.loads(out)
    assert list(value) == ["train", "valid", "test"]
    assert value["test"] is None
    for key, split in (("train", "train"), ("valid", "validation")):
        sizes = tokens(runs / "a", split) | tokens(runs / "b", split)
        assert value[key][1::2] == list(sizes)
    sizes = tokens(runs / "a", "train") | tokens(runs / "b", "train")
    assert len(sizes) == 4
    assert [float(weight) for weight in value["train"][::2]] == pytest.approx([n / sum(sizes.values()) for n in sizes.values()])
    assert f"{sum(tokens(runs / 'b', 'train').values()):,}" in err


def test_all_files_are_written_and_nothing_else(runs: Path, blend: Blend, tmp_path: Path) -> None:
    code, out, err = blend(runs / "a", runs / "b", "--weights", "sqrt", "--mount", f"{runs}=/mnt/runs", "--out", tmp_path / "out")
    assert (code, out) == (0, ""), err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"data-args.txt", "data-args-per-split.json", "sequences.json"}
    train = (tmp_path / "out/data-args.txt").read_text().split()
    split = json.loads((tmp_path / "out/data-args-per-split.json").read_text())
    counted = json.loads((tmp_path / "out/sequences.json").read_text())
    assert train == split["train"]
    assert set(split["train"][1::2] + split["valid"][1::2]) == counted.keys()
    assert all(prefix.startswith("/mnt/runs/") for prefix in counted)
    for prefix, numbers in counted.items():
        head = (runs / Path(prefix).relative_to("/mnt/runs")).with_suffix(".idx").read_bytes()[18:34]
        assert numbers == [int.from_bytes(head[:8], "little"), int.from_bytes(head[8:], "little")]


@pytest.mark.parametrize(("show", "name"), [("data-args", "data-args.txt"), ("sequences", "sequences.json")])
def test_each_file_can_be_printed(runs: Path, blend: Blend, tmp_path: Path, show: str, name: str) -> None:
    _, out, _ = blend(runs / "a", "--show", show)
    blend(runs / "a", "--out", tmp_path)
    assert out == (tmp_path / name).read_text()


def test_weights_come_from_a_file(runs: Path, blend: Blend, tmp_path: Path) -> None:
    yaml, plain = tmp_path / "w.yaml", tmp_path / "w.json"
    yaml.write_text(f"a: 3\n{runs}/b: 1\n")
    plain.write_text(json.dumps({"a": 3, "b": 1}))
    _, one, _ = blend(runs / "a", runs / "b", "--weights", yaml)
    _, other, _ = blend(runs / "a", runs / "b", "--weights", plain)
    assert one == other
    assert sum(float(weight) for weight in json.loads(one)["train"][:4:2]) == pytest.approx(0.75)


def test_epochs_are_told_and_too_many_are_warned_of(runs: Path, blend: Blend) -> None:
    size = sum(tokens(runs / "a", "train").values())
    code, out, err = blend(runs / "a", "--train-tokens", 3 * size, "--json")
    assert code == 0
    assert json.loads(out)["runs"][0]["epochs"] == pytest.approx(3)
    assert "warning" not in err
    _, _, err = blend(runs / "a", "--train-tokens", 5 * size)
    assert "5.0 epochs" in err
    assert "5.00" in err


def test_validation_sets_may_stay_apart(runs: Path, blend: Blend) -> None:
    _, out, err = blend(runs / "a", runs / "b", "--validation-apart")
    assert json.loads(out)["valid"] == [*tokens(runs / "a", "validation"), *tokens(runs / "b", "validation")]
    assert "--multiple-validation-sets --full-validation --validation-set-names a b" in err


def test_a_relative_run_becomes_an_absolute_prefix(runs: Path, blend: Blend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs)
    _, relative, _ = blend("a/", "./b")
    _, absolute, _ = blend(runs / "a", runs / "b")
    assert relative == absolute


def test_a_url_stays_a_url(runs: Path, blend: Blend) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.put(str(runs / "a"), "/blend/a", recursive=True)
    try:
        code, out, err = blend("memory://blend/a")
        assert code == 0, err
        assert json.loads(out)["train"][1] == "memory://blend/a/shards/megatron/train-00000-of-00002"
    finally:
        memory.rm("/blend", recursive=True)


def test_the_same_run_twice_is_refused(runs: Path, blend: Blend, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(runs / "a")
    shutil.copytree(runs / "a", tmp_path / "copy")
    for other in (runs / "a", tmp_path / "link", tmp_path / "copy"):
        code, out, err = blend(runs / "a", runs / "b", other)
        assert (code, out) == (2, "")
        assert f"{runs / 'a'} and {other} are the same run" in err


def changed(folder: Path, name: str, **values: object) -> None:
    """Change a JSON file of a run: `a__b` is b in a."""
    path = folder / name
    value = json.loads(path.read_text())
    for key, new in values.items():
        place, *inner = key.split("__")
        if inner:
            value[place][inner[0]] = new
        else:
            value[place] = new
    path.write_text(json.dumps(value))


@pytest.fixture
def damaged(runs: Path, tmp_path: Path) -> Path:
    """A copy of run b that a test may damage."""
    return Path(shutil.copytree(runs / "b", tmp_path / "b"))


def test_runs_with_another_end_of_document_are_refused(runs: Path, blend: Blend, damaged: Path) -> None:
    for path in (damaged / "units/tokenize").glob("*.json"):
        settings = json.loads(path.read_text())["made_of"]["settings"]
        changed(damaged, f"units/tokenize/{path.name}", made_of__settings=settings | {"eod": 128009, "bos": 128000})
    code, out, err = blend(runs / "a", damaged)
    assert (code, out) == (2, "")
    assert f"{runs / 'a'} and {damaged} cannot be mixed" in err
    assert "eod 128001 and 128009; bos none and 128000" in err


def test_a_shard_that_a_takedown_emptied_is_left_out(blend: Blend, damaged: Path) -> None:
    before = tokens(damaged, "train")
    gone = damaged / "units/shards/train-00001-of-00002.json"
    counts = json.loads(gone.read_text())["counts"]
    counts |= {"kept": 0, "rejected": {"taken_down": counts["records"]}, "extra": {}}
    changed(damaged, "units/shards/train-00001-of-00002.json", counts=counts, outputs=[])
    _, out, _ = blend(damaged)
    assert json.loads(out)["train"] == ["1.0", next(iter(before))]


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_run_without_a_split(blend: Blend, damaged: Path, split: str) -> None:
    for path in (damaged / "units/shards").glob(f"{split}-*.json"):
        changed(damaged, f"units/shards/{path.name}", outputs=[])
    code, out, err = blend(damaged)
    if split == "train":
        assert code == 1
        assert "has no train shard" in err
    else:
        assert json.loads(out)["valid"] is None
        assert "needs --eval-iters 0" in err


def unfinished_shard(run: Path) -> None:
    (run / "units/shards/train-00000-of-00002.json").unlink()


def unfinished_stage(run: Path) -> None:
    next(iter(sorted((run / "units/annotate").glob("*.json")))).unlink()


def interrupted(run: Path) -> None:
    changed(run, "run.json", wall_seconds=None)


def asked_to_take_down(run: Path) -> None:
    entry = {"when": "2026-11-26T12:00:00Z", "why": "", "hosts": ["example.jp"], "urls": [], "ids": []}
    (run / "takedown.json").write_text(json.dumps({"version": 1, "entries": [entry]}))


def without_megatron(run: Path) -> None:
    config = json.loads((run / "run.json").read_text())["config"]
    changed(run, "run.json", config__shards=config["shards"] | {"formats": ["jsonl"]})


def without_index(run: Path) -> None:
    (run / "shards/megatron/train-00000-of-00002.idx").unlink()


def with_another_index(run: Path) -> None:
    folder = run / "shards/megatron"
    shutil.copy(folder / "validation-00000-of-00001.idx", folder / "train-00000-of-00002.idx")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (unfinished_shard, "is not finished: of shards not all is made"),
        (unfinished_stage, "is not finished: of annotate not all is made"),
        (interrupted, "a run is under way, or was interrupted"),
        (asked_to_take_down, "is not finished: of takedown not all is made"),
        (without_megatron, "add megatron to shards.formats"),
        (without_index, "train-00000-of-00002.idx is missing"),
        (with_another_index, "train-00000-of-00002.idx is not the index that the run wrote"),
    ],
)
def test_a_run_that_is_not_whole_is_refused(blend: Blend, damaged: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(damaged)
    code, out, err = blend(damaged)
    assert (code, out) == (1, "")
    assert said in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--weights", "root"), "tokens, sqrt or a file is wanted"),
        (("--train-tokens", "many"), "a size such as"),
        (("--train-tokens", "0"), "more than 0"),
        (("--show", "all"), "per-split"),
        (("--mount", "/nowhere=/mnt"), "no shard lies below /nowhere"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_printed(runs: Path, blend: Blend, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = blend(runs / "a", *arguments)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: 1\na: 2\n", "1: 2\n", "a: [\n", ""])
def test_a_file_of_weights_that_is_none_is_told(runs: Path, blend: Blend, tmp_path: Path, text: str) -> None:
    (tmp_path / "w.yaml").write_text(text)
    code, out, err = blend(runs / "a", "--weights", tmp_path / "w.yaml")
    assert (code, out) == (2, "")
    assert "w.yaml" in "".join(err.split())


def test_a_directory_without_a_run_is_told(blend: Blend, tmp_path: Path) -> None:
    code, _, err = blend(tmp_path)
    assert code in (1, 2)
    assert "holds no run" in " ".join(err.split())
