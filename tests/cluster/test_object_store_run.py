"""A run directory in an object store: the same bytes as on disk, whatever the store does to listings and connections."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import s3fs
import servers
from commandline import ALONE, SAMPLES, SMALL, Ended, hashes, seiryu, write_config
from faults import Fault, Plan, Request, always, never, only, refuse, reset, seeded
from proxy import FaultProxy

from seiryu.corpus.errors import NotWritable
from seiryu.corpus.remote.errors import Unreachable
from seiryu.corpus.remote_files import Patient
from seiryu.corpus.storage import Store

RESULT = ("shards", "provenance", "corpus", "signals", "verdicts", "dedup", "tokens", "documents", "ledger")
LAG = 10.0
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class Bucket:
    """A bucket of a real server, and everything below it as files."""

    endpoint: str

    @property
    def client(self):
        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
        )

    def environment(self, endpoint: str = "") -> dict[str, str]:
        return KEYS | {"AWS_ENDPOINT_URL": endpoint or self.endpoint}

    def download(self, prefix: str, folder: Path) -> Path:
        """A copy on disk of what lies below a prefix, by names that are asked for one by one."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket="runs", Prefix=f"{prefix}/"):
            for item in page.get("Contents", []):
                target = folder / item["Key"]
                target.parent.mkdir(parents=True, exist_ok=True)
                self.client.download_file("runs", item["Key"], str(target))
        return folder / prefix


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archives")
    for name in SMALL:
        (folder / name).write_bytes((SAMPLES / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def on_disk(archives: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("disk")
    ended = seiryu("run", write_config(folder, archives, engine=ALONE))
    assert ended.code == 0, ended.err
    return hashes(folder / "run", *RESULT)


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    s3fs.S3FileSystem.clear_instance_cache()  # which knows the endpoint of the test before
    (tmp_path / "empty").mkdir()
    with servers.s3(tmp_path / "empty", "runs") as server:
        yield Bucket(server.url.rstrip("/"))


def once(plan: Plan) -> Plan:
    """A plan until it has done something."""
    done: list[Fault] = []

    def asked(request: Request) -> Fault | None:
        fault = None if done else plan(request)
        done.extend([fault] if fault else [])
        return fault

    return asked


def there(config: Path, environment: dict[str, str], command: str = "run", *options: str) -> Ended:
    """A command on a run directory in the store."""
    arguments = (config, "--set", "run=s3://runs/one", *options) if command == "run" else ("s3://runs/one",)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return seiryu(command, *arguments)


def test_a_run_in_a_store_that_lists_late_makes_the_same_bytes(archives: Path, on_disk: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with servers.s3(tmp_path / "empty", "runs", lag=LAG) as server:
        bucket, config = Bucket(server.url.rstrip("/")), write_config(tmp_path, archives, engine=ALONE)
        ended = there(config, bucket.environment())
        assert ended.code == 0, ended.err
        assert "made again" not in ended.err  # what was made just now is known, listed or not
        listed = {row.path.partition("prefix=")[2] for row in server.log() if "list-type" in row.path}
        assert any("units" in path for path in listed)
        for low in (500, 400):  # on top of what is listed late, or still listed and gone
            limit = f"rules.change.too_short.low={low}"
            changed = there(config, bucket.environment(), "run", "--until", "decide", "--set", limit)
            assert changed.code == 0, changed.err
            assert "decide: 3 units" in changed.err
        time.sleep(LAG)
        assert hashes(bucket.download("one", tmp_path / "copy"), *RESULT) == on_disk
        assert there(config, bucket.environment()).err == "all is done, nothing to make\n"
        assert there(config, bucket.environment(), "verify").code == 0


def test_a_store_that_cuts_connections_makes_the_same_bytes(
    bucket: Bucket, archives: Path, on_disk: dict[str, str], tmp_path: Path
) -> None:
    config = write_config(tmp_path, archives, engine=ALONE)
    with FaultProxy(bucket.endpoint) as proxy:
        proxy.misbehave(seeded(11, 0.05, [reset(0), reset(2000)]))
        ended = there(config, bucket.environment(proxy.url.rstrip("/")))
        proxy.misbehave(never)
        assert ended.code == 0, ended.err
        assert any(row.fault for row in proxy.log())
    assert hashes(bucket.download("one", tmp_path / "copy"), *RESULT) == on_disk
    for command in ("status", "verify", "report"):
        looked = there(config, bucket.environment(), command)
        assert looked.code == 0, looked.err


def test_an_upload_that_is_cut_off_leaves_nothing_that_is_read(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in bucket.environment().items():
        monkeypatch.setenv(name, value)
    client, store = bucket.client, Store("s3://runs/two")
    store.write("here.txt", b"x")
    begun = client.create_multipart_upload(Bucket="runs", Key="two/documents/a.parquet")
    client.upload_part(
        Bucket="runs", Key="two/documents/a.parquet", PartNumber=1, UploadId=begun["UploadId"], Body=b"half" * 2_000_000
    )
    other = client.create_multipart_upload(Bucket="runs", Key="other/b")
    assert store.names("documents") == []
    assert store.below("documents") == []
    assert not store.exists("documents/a.parquet")
    with pytest.raises(FileNotFoundError):
        store.read("documents/a.parquet")
    assert store.sweep() == 1
    left = client.list_multipart_uploads(Bucket="runs")["Uploads"]
    assert [upload["UploadId"] for upload in left] == [other["UploadId"]]
    assert store.exists("here.txt")


def test_an_upload_whose_connection_breaks_is_all_or_nothing(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 120_000_000  # s3fs sends more than 100 MB in parts
    with FaultProxy(bucket.endpoint) as proxy:
        for name, value in bucket.environment(proxy.url.rstrip("/")).items():
            monkeypatch.setenv(name, value)
        store = Store("s3://runs/three")
        proxy.misbehave(only("partNumber=2", always(refuse(403))))
        with pytest.raises(NotWritable, match="access is refused"), store.writing("documents/a.parquet") as out:
            out.write(bytes(size))
        assert store.names("documents") == []
        assert not bucket.client.list_multipart_uploads(Bucket="runs").get("Uploads")
        proxy.misbehave(once(only("partNumber=2", always(reset()))))
        with store.writing("documents/a.parquet") as out:
            out.write(bytes(size))
        assert any(row.fault for row in proxy.log())
        assert store.sha256("documents/a.parquet") == out.sha256


def test_a_store_that_does_not_answer_is_given_up_after_a_while_and_said_so() -> None:
    class Silent:
        """A file system as fsspec gives it, behind a network that has gone."""

        asked = 0

        def unstrip_protocol(self, path: str) -> str:
            return f"s3://{path}"

        def cat_file(self, path: str) -> bytes:
            self.asked += 1
            raise TimeoutError(f"no route to {path}")

    silent = Silent()
    with pytest.raises(Unreachable, match=r"s3://runs/one/run.json: no answer within 3 s: no route to runs"):
        Patient(silent, patience=3).cat_file("runs/one/run.json")
    assert silent.asked > 1


@pytest.mark.parametrize(
    ("environment", "url", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "s3://runs/a", "credentials"),
        ({}, "s3://no-such-bucket/a", "the specified bucket does not exist"),
    ],
)
def test_a_place_in_a_store_that_takes_no_files_is_said_in_words(
    environment: dict[str, str],
    url: str,
    said: str,
    bucket: Bucket,
    archives: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (bucket.environment() | environment | {"AWS_EC2_METADATA_DISABLED": "true"}).items():
        monkeypatch.setenv(name, value)
    ended = seiryu("run", write_config(tmp_path, archives, engine=ALONE), "--set", f"run={url}")
    assert ended.code == 1
    assert said in ended.err.lower()
    assert url in ended.err
    assert "defect" not in ended.err
