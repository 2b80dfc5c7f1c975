"""`seiryu doctor` finds what would go wrong on a cluster, on the node where it would: nodes are started with a fault each, or several."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import servers
from commandline import SAMPLES, Ended, command, seiryu, write_config
from faults import always, refuse
from nodes_of_ray import QUIET, Nodes, nodes, processes, virtual_environment
from proxy import FaultProxy

from seiryu.pipelines.config_file import load_config
from seiryu.pipelines.doctoring.examine import examine
from seiryu.pipelines.doctoring.finding import Finding
from seiryu.pipelines.doctoring.source import source

ARCHIVE = "CC-MAIN-2024-33-diagnostics-00000.warc.gz"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
AHEAD = 600
FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
MOUNTS = subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@dataclass
class Doctor:
    """What the command said; `of` a check and a node, `(state, text)` each."""

    ended: Ended

    @property
    def said(self) -> dict:
        return json.loads(self.ended.out)

    def of(self, check: str, node: str = "") -> list[tuple[str, str]]:
        rows = [row for row in self.said["checks"] if row["check"] == check and row["node"].startswith(node)]
        return [(row["state"], row["text"]) for row in rows]

    def one(self, check: str, node: str) -> tuple[str, str]:
        (found,) = self.of(check, node)
        return found


@dataclass
class Ill:
    """A cluster of three: `head` is well, `bare` has no seiryu, `ill` has everything else."""

    nodes: Nodes
    folder: Path
    bucket: str

    def config(self, **changes: object) -> Path:
        lists = {"own": [str(self.folder / "words/own.txt")]}
        tokenizer = {"tokenizer": str(self.folder / "models/tokenizer.model"), "unit_letters": 60_000}
        engine = {"address": self.nodes.address, "memory": "2GB"}
        return write_config(
            self.folder, self.folder / "archives", signals={"lists": lists}, tokenize=tokenizer, engine=engine, **changes
        )


def doctor(*arguments: str | Path, environment: dict[str, str] | None = None) -> Doctor:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**QUIET, **KEYS, **(environment or {})}.items():
            patch.setenv(name, value)
        return Doctor(seiryu("doctor", *arguments, "--json"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.s3(tmp_path_factory.mktemp("empty"), "runs") as server:
        yield server.url.rstrip("/")


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory, store: str) -> Iterator[Ill]:
    if not MOUNTS or not FAKETIME:
        pytest.skip("needs mounts of its own (unshare --mount, as root) and libfaketime (apt install faketime)")
    folder = tmp_path_factory.mktemp("ill")
    from llama_models.llama3 import tokenizer as its_module

    for name in ("run", "archives", "models", "words", "elsewhere", "small"):
        (folder / name).mkdir()
    shutil.copy(SAMPLES / ARCHIVE, folder / "archives")
    shutil.copy(Path(its_module.__file__).with_name("tokenizer.model"), folder / "models")
    (folder / "words/own.txt").write_text("清流\n")
    (folder / "elsewhere/own.txt").write_text("濁流\n")
    other = virtual_environment(folder / "other", "idna-")
    metadata = folder / "other/lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages/idna-2.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: idna\nVersion: 2.0\n")
    bare = virtual_environment(folder / "bare", "seiryu")
    mounts = [
        f"mount -t tmpfs -o size=64m tmpfs {folder}/small",
        f"mount -t tmpfs tmpfs {folder}/run",
        f"mount -t tmpfs tmpfs {folder}/models",
        f"mount -t tmpfs tmpfs {folder}/archives",
        f"mount --bind {folder}/elsewhere/own.txt {folder}/words/own.txt",
    ]
    there = {"AWS_ENDPOINT_URL": store, "AWS_EC2_METADATA_DISABLED": "true"}
    # libfaketime would have Python sleep until a time that has passed unless it fakes the monotonic clock as well.
    clock = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"+{AHEAD}s"}
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    with nodes(folder) as cluster:
        cluster.start("head", "--num-cpus=1", environment=there | KEYS)
        cluster.start("bare", "--num-cpus=1", python=str(bare))
        environment = there | nothing | clock | {"TMPDIR": f"{folder}/small"}
        cluster.start("ill", "--num-cpus=3", "--memory=3000000000", python=str(other), environment=environment, mounts=mounts)
        yield Ill(cluster, folder, store)


@pytest.fixture(scope="module")
def examined(ill: Ill) -> Doctor:
    return doctor(ill.config())


def test_a_machine_that_is_well_is_said_to_be_and_nothing_stays_behind(tmp_path: Path) -> None:
    (tmp_path / "archives").mkdir()
    shutil.copy(SAMPLES / ARCHIVE, tmp_path / "archives")
    config = write_config(tmp_path, tmp_path / "archives", engine={"workers": 1, "memory": "500MB"})
    before = sorted(tmp_path.rglob("*"))
    ended = seiryu("doctor", config, "--set", f"run={tmp_path}/a/run")
    assert ended.code == 0, ended.out + ended.err
    assert "a run can be made" in ended.out
    assert "seiryu 0.1.0" in ended.out
    assert sorted(tmp_path.rglob("*")) == before


def test_every_node_is_looked_at_and_one_that_is_well_is_said_to_be(examined: Doctor) -> None:
    assert examined.ended.code == 1
    assert examined.said["nodes"] == 3
    for check in ("versions", "memory", "clock", "storage", "source", "disk", "limits", "files"):
        assert {state for state, _ in examined.of(check, "head")} <= {"ok", "warn"}, check
        assert examined.of(check, "head"), check


def test_a_node_without_the_package_is_named(examined: Doctor) -> None:
    state, text = examined.one("node", "bare")
    assert state == "fail"
    assert text.startswith("seiryu is not installed on this node")
    assert not examined.of("storage", "bare")


def test_other_versions_of_what_decides_bytes_are_named(examined: Doctor) -> None:
    state, text = examined.one("versions", "ill")
    assert state == "fail"
    assert text.startswith("idna 2.0 (driver: 3.")
    assert "numpy" not in text


def test_a_run_directory_that_is_not_shared_is_found_though_all_can_write_it(examined: Doctor, ill: Ill) -> None:
    ok, fail = sorted(examined.of("storage", "ill"), reverse=True)
    assert ok[0] == "ok"
    assert fail[0] == "fail"
    assert "reads nothing of what the driver wrote" in fail[1]
    assert "shared file system" in fail[1]
    assert examined.of("storage", "head") == [("ok", f"{ill.folder}/run can be written, read and listed")]
    assert list((ill.folder / "run").iterdir()) == []


def test_what_a_node_has_not_or_has_otherwise_is_said_with_its_path(examined: Doctor, ill: Ill) -> None:
    found = dict(text.split(": ", 1) for state, text in examined.of("files", "ill") if state == "fail")
    assert set(found) == {"tokenize.tokenizer", "signals.lists.own"}
    assert f"no tokenizer file {ill.folder}/models/tokenizer.model" in found["tokenize.tokenizer"]
    assert "another content here" in found["signals.lists.own"]
    state, text = examined.one("source", "ill")
    assert state == "fail"
    assert f"{ill.folder}/archives/{ARCHIVE} does not exist" in text


def test_a_full_disk_and_too_little_memory_are_found_on_their_node(examined: Doctor, ill: Ill) -> None:
    disk = [text for state, text in examined.of("disk", "ill") if state == "fail"]
    assert len(disk) == 1
    assert f"free in {ill.folder}/small, the temporary folder" in disk[0]
    state, text = examined.one("memory", "ill")
    assert state == "warn"
    assert text.startswith("1 of 3 CPUs can have a unit of 2.0 GB")


def test_a_clock_that_is_ahead_only_misleads_unless_requests_are_signed(examined: Doctor) -> None:
    state, text = examined.one("clock", "ill")
    assert state == "warn"
    assert AHEAD - 5 < float(text.partition(" s ahead of")[0]) < AHEAD + 5
    assert "the result does not depend on clocks" in text
    assert examined.one("clock", "head")[0] == "ok"


def test_with_an_object_store_a_clock_may_fail_and_so_do_credentials_of_one_node(ill: Ill) -> None:
    there = doctor(ill.config(), "--set", "run=s3://runs/one", environment={"AWS_ENDPOINT_URL": ill.bucket})
    assert (
        there.one("storage", "driver") == there.one("storage", "head") == ("ok", "s3://runs/one can be written, read and listed")
    )
    state, text = there.one("storage", "ill")
    assert state == "fail"
    assert "AWS_ACCESS_KEY_ID" in text
    state, text = there.one("clock", "ill")
    assert state == "fail"
    assert "S3 will refuse" in text
    client = boto3.client(
        "s3", endpoint_url=ill.bucket, aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    assert client.list_objects_v2(Bucket="runs")["KeyCount"] == 0


def test_a_node_that_hangs_is_a_finding_and_keeps_nobody(ill: Ill, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    config = load_config(str(ill.config(fetch={})))
    raylets = [pid for pid in processes(ill.nodes.nodes["bare"].process.pid) if _name(pid) == "raylet"]
    assert len(raylets) == 1
    os.kill(raylets[0], signal.SIGSTOP)
    try:
        found = examine(config, answers=10)
    finally:
        os.kill(raylets[0], signal.SIGCONT)
    (hangs,) = [finding.text for finding in found.findings if finding.check == "node" and finding.node.startswith("bare")]
    assert "does not answer within 10 s" in hangs
    assert any(finding.node.startswith("head") and finding.check == "files" for finding in found.findings)


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


@pytest.fixture
def short() -> Iterator[Path]:
    """A temporary folder whose path is short enough for the sockets that Ray puts there."""
    with tempfile.TemporaryDirectory(prefix="d-", dir="/tmp") as name:
        yield Path(name)


@pytest.mark.skipif(not MOUNTS, reason="needs mounts of its own: unshare --mount, as root")
def test_a_disk_that_takes_nothing_and_one_that_is_nearly_full(tmp_path: Path, short: Path) -> None:
    for name in ("run", "archives"):
        (tmp_path / name).mkdir()
    shutil.copy(SAMPLES / ARCHIVE, tmp_path / "archives")
    config = write_config(tmp_path, tmp_path / "archives", engine={"workers": 1, "memory": "900GB"})
    mounts = f"mount -t tmpfs -o ro,size=20g tmpfs {tmp_path}/run; mount -t tmpfs -o size=3g tmpfs {short}"
    asked = ["unshare", "--mount", "sh", "-ec", f'{mounts}; export TMPDIR={short}; exec "$@"', "sh"]
    done = subprocess.run([*asked, *command("doctor", config, "--json")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    found = Doctor(Ended(done.returncode, done.stdout, done.stderr))
    state, text = found.one("storage", "driver")
    assert state == "fail"
    assert "Read-only file system" in text
    state, text = found.one("disk", "driver")
    assert state == "warn"
    assert f"{short}, the temporary folder" in text
    state, text = found.one("cluster", "driver")
    assert state == "fail"
    assert "engine.memory: a unit asks for 900.0 GB" in text
    assert found.said["nodes"] == 0


def test_a_server_is_asked_once_and_told_who_asks(small_archives: Path, tmp_path: Path) -> None:
    name = sorted(small_archives.iterdir())[0].name
    with servers.nginx(small_archives) as server:
        url = f"{server.url}{name}"
        asked = {"source": {"kind": "files", "paths": [url]}, "fetch": {"contact": "a@example.com"}}
        config = write_config(tmp_path, small_archives, engine={"address": "127.0.0.1:1"}, **asked)
        size = (small_archives / name).stat().st_size
        assert source(load_config(str(config))) == ([Finding("source", "ok", f"{url} is there ({size:,} bytes)")], "")
        assert [(row.method, row.path) for row in server.log()] == [("HEAD", f"/{name}")]
        assert "a@example.com" in server.log()[0].user_agent
        gone = doctor(config, "--set", f"source.paths=[{server.url}none.warc.gz]")
    assert gone.one("source", "driver")[0] == "fail"
    assert "none.warc.gz" in gone.one("source", "driver")[1]
    assert gone.one("cluster", "driver")[0] == "fail"  # nobody listens there; the rest is looked at all the same
    assert gone.one("storage", "driver")[0] == "ok"


def test_credentials_that_are_missing_or_refused_are_said_in_words(store: str, tmp_path: Path) -> None:
    asked = {"source": {"kind": "files", "paths": ["s3://runs/a.warc.gz"]}, "engine": {"address": "127.0.0.1:1"}}
    nothing = dict.fromkeys(KEYS, "") | {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    with FaultProxy(store) as proxy:
        proxy.misbehave(always(refuse(403)))
        fetch = {"contact": "a@example.com", "signed": True, "endpoint": proxy.url.rstrip("/")}
        config = write_config(tmp_path, tmp_path, **asked, fetch=fetch)
        refused = doctor(config).one("source", "driver")
        missing = doctor(config, environment=nothing).one("source", "driver")
        assert len(proxy.log()) == 1  # who has no credentials asks nobody
    for (state, text), words in ((refused, "403 Forbidden"), (missing, "Unable to locate credentials")):
        assert state == "fail"
        assert words in text
        assert "AWS_ACCESS_KEY_ID" in text
