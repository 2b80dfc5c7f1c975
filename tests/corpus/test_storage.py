import errno
import hashlib
import io
import json
import os
import subprocess
import tempfile
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError, NodeFull, NotWritable, StorageFull
from seiryu.corpus.remote.errors import Unreachable
from seiryu.corpus.storage import Store


@pytest.fixture(params=["disk", "memory"])
def store(request, tmp_path):
    return Store(str(tmp_path / "run") if request.param == "disk" else f"memory://{uuid.uuid4().hex}/run")


def left_behind(store):
    return store.names("tmp") if store.local else []


def test_what_is_written_is_read_again_with_its_size_and_hash(store):
    data = os.urandom(3_000_000)
    written = store.write("a/b.bin", data)
    assert (written.name, written.size, written.sha256) == ("a/b.bin", len(data), hashlib.sha256(data).hexdigest())
    assert store.read("a/b.bin") == data
    assert store.sha256("a/b.bin") == written.sha256
    assert store.exists("a/b.bin")
    assert not left_behind(store)
    store.write("a/b.bin", b"")
    assert store.read("a/b.bin") == b""


def test_arrow_writes_through_a_hashing_file(store):
    table = pa.table({"a": range(1000)})
    with store.writing("t.parquet") as out:
        pq.write_table(table, out)
    assert out.written("t.parquet").sha256 == hashlib.sha256(store.read("t.parquet")).hexdigest()
    with store.open("t.parquet") as file:
        assert pq.read_table(file).equals(table)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError, GeneratorExit])
def test_a_writer_that_fails_leaves_nothing(store, error):
    with pytest.raises(error), store.writing("a/b.bin") as out:
        out.write(b"half")
        raise error
    assert not store.exists("a/b.bin")
    assert store.names("a") == []
    assert not left_behind(store)


def test_a_writer_that_fails_leaves_what_was_there_before(store):
    store.write("a.bin", b"old")
    with pytest.raises(ValueError, match="half way"), store.writing("a.bin") as out:
        out.write(b"new")
        raise ValueError("half way")
    assert store.read("a.bin") == b"old"


def test_nobody_sees_a_file_before_it_is_whole(store):
    with store.writing("a/b.bin") as out:
        out.write(b"x" * 10_000_000)
        out.flush()
        assert not store.exists("a/b.bin")
        assert store.names("a") == []
    assert store.exists("a/b.bin")


def test_of_two_writers_of_one_name_the_later_stays_whole(store):
    with store.writing("a.bin") as one, store.writing("a.bin") as two:
        one.write(b"one" * 1000)
        two.write(b"two")
    assert store.read("a.bin") in (b"one" * 1000, b"two")
    assert not left_behind(store)


@pytest.mark.parametrize(
    ("number", "kind", "advice"),
    [
        (errno.ENOSPC, StorageFull, "free some room and run again"),
        (errno.EDQUOT, StorageFull, "free some room and run again"),
        (errno.EROFS, NotWritable, "name a directory that takes files"),
        (errno.EACCES, NotWritable, "name a directory that takes files"),
    ],
)
def test_a_disk_that_takes_no_more_or_nothing_is_told_with_the_name_of_the_file(tmp_path, number, kind, advice):
    store = Store(str(tmp_path))
    with pytest.raises(kind, match=rf"a/b\.bin: .*{advice}"), store.writing("a/b.bin"):
        raise OSError(number, os.strerror(number))
    assert not store.exists("a/b.bin")


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENOMEM])
def test_what_a_disk_says_in_passing_is_not_for_ever(tmp_path, monkeypatch, number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OSError, match=os.strerror(number)):  # the engine tries again what is no SeiryuError
        Store(str(tmp_path)).write("a/b", b"x")


def test_a_table_on_a_disk_that_fails_is_not_called_damaged(tmp_path, monkeypatch):
    class Fails(io.BytesIO):
        def read(self, *_):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    store = Store(str(tmp_path))
    monkeypatch.setattr(store, "open", lambda _: Fails(b"PAR1" * 100))
    with pytest.raises(Unreachable, match=r"a\.parquet cannot be read now .*Input/output error"):
        schema.read_table(store, "a.parquet", schema.CORPUS)
    monkeypatch.setattr(store, "open", lambda _: io.BytesIO(b"PAR1" * 100))
    with pytest.raises(InputError, match="is damaged and cannot be read"):
        schema.read_table(store, "a.parquet", schema.CORPUS)


def test_an_upload_whose_end_was_told_and_not_heard_is_made_once_more(monkeypatch):
    store, tries = Store("memory://uploads"), []

    def put_file(source, target):
        tries.append(target)
        if len(tries) == 1:
            raise FileNotFoundError("The specified upload does not exist")
        store._fs.pipe_file(target, Path(source).read_bytes())

    monkeypatch.setattr(store._fs._fs, "put_file", put_file)
    store.write("a", b"x")
    assert (len(tries), store.read("a")) == (2, b"x")


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"needs a small file system, and mount says: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_up_while_writing(small_disk):
    store = Store(str(small_disk))
    store.write("kept", b"x" * 1000)
    with pytest.raises(StorageFull):
        store.write("big", os.urandom(1_000_000))
    table = pa.table({"a": [os.urandom(1000) for _ in range(1000)]})
    with pytest.raises(StorageFull), store.writing("big.parquet") as out:
        pq.write_table(table, out)
    assert (store.names("tmp"), store.exists("big"), store.read("kept")) == ([], False, b"x" * 1000)
    store.write("small", b"x" * 1000)


def test_a_machine_without_room_for_what_goes_to_an_object_store_names_its_own_folder(small_disk, monkeypatch):
    store = Store("memory://full-machine")
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    with pytest.raises(NodeFull, match=rf"no room in {small_disk} on .* for what goes to memory://full-machine/big.*TMPDIR"):
        store.write("big", os.urandom(1_000_000))
    assert not store.exists("big")
    store.write("small", b"x" * 1000)


def test_names_are_those_of_files_in_one_folder_in_order(store):
    for name in ("f/b.json", "f/a.json", "f/c.txt", "f/あ い#1?.json", "f/inner/d.json"):
        store.write(name, b"{}")
    assert store.names("f", ".json") == ["a.json", "b.json", "あ い#1?.json"]
    assert store.names("f") == ["a.json", "b.json", "c.txt", "あ い#1?.json"]
    assert store.names("f/inner") == ["d.json"]
    assert store.names("nowhere") == []
    assert store.names("f/a.json/x") == []
    assert store.read("f/あ い#1?.json") == b"{}"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "", ".", "a//b", "a/", "a\0b"])
def test_a_name_that_leads_out_of_the_root_is_refused(store, name):
    with pytest.raises(ValueError, match="no name of a file"):
        store.write(name, b"")
    with pytest.raises(ValueError, match="no name of a file"):
        store.exists(name)


def test_json_comes_back_and_damaged_json_is_told_by_name(store):
    store.write_json("a.json", {"b": [1, "あ"], "a": None})
    assert store.read_json("a.json") == {"b": [1, "あ"], "a": None}
    assert store.read("a.json") == json.dumps({"a": None, "b": [1, "あ"]}, ensure_ascii=False, indent=1).encode() + b"\n"
    for broken in (b'{"a": ', b"\xff\xfe", b""):
        store.write("b.json", broken)
        with pytest.raises(InputError, match=r"b\.json is damaged"):
            store.read_json("b.json")


def test_deleting_is_the_same_twice(store):
    store.write("a", b"x")
    store.delete("a")
    store.delete("a")
    assert not store.exists("a")
    with pytest.raises(FileNotFoundError):
        store.open("a")


def test_a_sweep_removes_what_dead_writers_left(tmp_path):
    store = Store(str(tmp_path))
    store.write("kept", b"x")
    (tmp_path / "tmp" / uuid.uuid4().hex).write_bytes(b"half")
    (tmp_path / "tmp" / "somebody's").write_bytes(b"no writer of ours calls a file so")
    assert store.sweep() == 1
    assert store.sweep() == 0
    assert store.read("kept") == b"x"
    assert store.names("tmp") == ["somebody's"]
