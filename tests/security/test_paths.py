"""No path of an archive, address, record or sidecar becomes a file name unchecked.

A run is made of an archive whose records and whose own name are hostile; copies of it are tampered with. Around each lie files that
nothing may read, change or delete.
"""

import hashlib
import io
import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commandline import DEDUP, SAMPLES, hashes, seiryu
from warcio.archiveiterator import ArchiveIterator
from warcio.warcwriter import WARCWriter

SAMPLE = "CC-MAIN-2021-25-00000.warc.gz"
HOSTILE = "%2e%2e%2f~.json\n.warc.gz"  # what an archive is called
RECORD_IDS = (
    "<urn:uuid:../../x>",
    "<urn:uuid:/etc/x>",
    "<urn:uuid:a\r\n ../../x>",
    "<urn:uuid:a\0b>",
    "../../x",
    "<urn:uuid:" + "x" * 5000 + ">",
    "",
)
ADDRESSES = (
    "http://../../x", "http://a.jp/../../../../x", "http://%2e%2e%2f%2e%2e%2fx/", "file:///etc/passwd", "http://a\0b.jp/x", "http://~/x",
    "http://a.jp\\..\\..\\x/", "http://" + "a" * 5000 + ".jp/", "../../x", "http://[../../x]/", "http://．．／．．／x/",
)  # fmt: skip
VICTIMS = ("x", "victim", "x.parquet", "victim.json")
TRACEBACK = re.compile(r"Traceback|this is a defect|\w+Error:")

# --- a run of hostile records


def around(folder: Path) -> dict[str, str]:
    """Everything in a folder but its run: kinds of all paths, hashes of files."""
    found = {}
    for path in folder.rglob("*"):
        place = path.relative_to(folder)
        if place.parts[:3] != ("a", "b", "run"):
            found[str(place)] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


def lay_victims(folder: Path) -> None:
    for place in (folder, folder / "a", folder / "a/b"):
        for name in VICTIMS:
            (place / name).write_text(f"{name} must stay as it is")


def hostile_archive(path: Path) -> None:
    """Real pages under addresses and ids that mean harm."""
    with (SAMPLES / SAMPLE).open("rb") as source, path.open("wb") as out:
        writer, number = WARCWriter(out, gzip=True), 0
        for record in ArchiveIterator(source):
            if record.rec_type != "response":
                continue
            address, record_id = ADDRESSES[number % len(ADDRESSES)], RECORD_IDS[number % len(RECORD_IDS)]
            number += 1
            payload, headers = io.BytesIO(record.content_stream().read()), record.http_headers
            for gone in ("Content-Encoding", "Transfer-Encoding", "Content-Length"):
                headers.remove_header(gone)
            made = writer.create_warc_record(address, "response", payload=payload, http_headers=headers)
            made.rec_headers.replace_header("WARC-Record-ID", record_id)
            made.rec_headers.replace_header("WARC-Target-URI", address)
            writer.write_record(made)


def write_config(folder: Path, **more: object) -> Path:
    config = {
        "run": str(folder / "a/b/run"),
        "source": {"kind": "files", "paths": [str(folder / "archives")]},
        "rules": {"change": {f"duplicate_{n}gram": {"high": 0.5} for n in range(5, 11)}},
        "dedup": {**DEDUP, "same_address": False},
        "clean": {"repeated_lines": {"min_pages": 5, "partitions": 2}},
        "hosts": {"partitions": 2, "max_share": {"ng": 1.0, "dating": 1.0}},
        "shards": {"formats": ["megatron"], "tokens": 40_000},
        "engine": {"workers": 2},
    }
    path = folder / "config.yaml"
    path.write_text(json.dumps(config | more))
    return path


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of hostile records in a/b/run. Tests only read it."""
    folder = tmp_path_factory.mktemp("hostile")
    for name in ("archives", "a/b"):
        (folder / name).mkdir(parents=True)
    hostile_archive(folder / "archives" / HOSTILE)
    lay_victims(folder)
    config = write_config(folder)
    before = around(folder)
    ended = seiryu("run", config)
    assert ended.code == 0, ended.err
    assert around(folder) == before
    return folder


@pytest.fixture
def run_copy(hostile_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(hostile_run, tmp_path, dirs_exist_ok=True)
    write_config(tmp_path)
    return tmp_path


def test_hostile_records_are_kept_and_name_no_file(hostile_run: Path) -> None:
    run = hostile_run / "a/b/run"
    (documents,) = (run / "documents").glob("%2e%2e%2f*.parquet")
    table = pq.read_table(documents)
    assert len(table) > 20
    assert {address for address in table["url"].to_pylist() if address.endswith("/../../x")}
    assert all(re.fullmatch(r"[0-9a-f-]{32,36}", doc_id) for doc_id in table["doc_id"].to_pylist())
    written = [path.relative_to(run) for path in run.rglob("*") if path.is_file()]
    made = {output["name"] for file in (run / "units").glob("*/*.json") for output in json.loads(file.read_text())["outputs"]}
    others = {str(path) for path in written} - made
    assert {other.split("/")[0] for other in others} == {"run.json", "units", "report"}


# --- sidecars that were tampered with


def sidecar_of(run: Path, stage: str) -> Path:
    return sorted(file for file in (run / f"units/{stage}").glob("*.json") if json.loads(file.read_text())["outputs"])[0]


def tamper(sidecar: Path, name: str, sha256: str = "0" * 64) -> None:
    value = json.loads(sidecar.read_text())
    value["outputs"].append({"name": name, "size": 1, "sha256": sha256})
    sidecar.write_text(json.dumps(value))


def tamper_all(folder: Path) -> None:
    """Sidecars of four stages name files outside the run, and one that the run keeps itself."""
    for stage, name in (
        ("boilerplate", "../../victim"), ("splits", str(folder / "a/victim")), ("shards", "../victim.json"), ("tokenize", "run.json"),
    ):  # fmt: skip
        tamper(sidecar_of(folder / "a/b/run", stage), name)


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (["status"], 0, "extract"),
        (["verify"], 1, "problems"),
        (["verify", "--drop"], 1, "problems"),
        (["report"], 0, "report/index.html"),
        (["takedown", "--host", "example.jp"], 1, "bring it up to date"),
    ],
    ids=lambda each: "-".join(each) if isinstance(each, list) else None,
)
def test_sidecars_that_name_files_outside_move_no_command_to_touch_them(
    command: list[str], code: int, says: str, run_copy: Path
) -> None:
    run = run_copy / "a/b/run"
    tamper_all(run_copy)
    before = around(run_copy)
    ended = seiryu(command[0], run, *command[1:])
    assert (ended.code, TRACEBACK.findall(ended.err)) == (code, [])
    assert says in ended.out + ended.err
    assert around(run_copy) == before
    assert (run / "run.json").exists()


def test_a_sidecar_that_names_the_file_of_another_unit_is_named_and_only_these_two_files_go(run_copy: Path) -> None:
    run = run_copy / "a/b/run"
    before, outside = hashes(run, "."), around(run_copy)
    (other,) = (name for name in before if name.startswith("documents/"))
    tamper(sidecar_of(run, "splits"), other)
    ended = seiryu("verify", run, "--drop")
    assert ended.code == 1
    assert f"{run / other}: its sha256 is not the recorded one" in ended.out
    assert "dropped splits all" in ended.out
    gone = {"splits/all.parquet", "units/splits/all.json", other}
    assert hashes(run, ".") == {name: held for name, held in before.items() if name not in gone}
    assert around(run_copy) == outside


def test_a_run_makes_good_what_was_tampered_with_and_writes_through_no_link_to_a_file(run_copy: Path) -> None:
    run = run_copy / "a/b/run"
    before, outside = hashes(run, "choices", "shards"), around(run_copy)
    tamper_all(run_copy)
    (choices,) = (run / "choices").iterdir()
    links = [choices, run / f"units/choices/{choices.stem}.json", run / "report/index.html"]
    for link in links:
        link.unlink()
        link.symlink_to(run_copy / "a/victim")
    # units of lines that are not wanted any more are taken away, one with a sidecar that names a file outside
    ended = seiryu("run", run_copy / "config.yaml", "--set", "clean.repeated_lines.partitions=1")
    assert (ended.code, TRACEBACK.findall(ended.err)) == (0, []), ended.err
    assert around(run_copy) == outside
    assert not any(link.is_symlink() for link in links)
    assert hashes(run, "choices", "shards") == before
