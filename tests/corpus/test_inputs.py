"""Inputs by path or URL: found, opened, told apart; what cannot be had is told by name."""

import errno
import io
import json
import os
import uuid
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from seiryu.corpus.errors import InputError
from seiryu.corpus.inputs import expand, identity, open_input
from seiryu.corpus.storage import Store


def test_inputs_that_cannot_be_opened_are_told_by_name(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"x")
    for path, said in (("nowhere.warc.gz", "does not exist"), ("", "is a directory"), ("file/x", "does not exist")):
        with pytest.raises(InputError, match=said) as error:
            open_input(str(tmp_path / path))
        assert str(tmp_path / path) in str(error.value)
    for url in ("nosuch://a/b", "memory://nowhere/b"):
        with pytest.raises(InputError, match=url):
            open_input(url)
        with pytest.raises(InputError, match=url):
            identity(url)
    with pytest.raises(InputError, match="cannot be opened"):
        expand("nosuch://a/*")
    with pytest.raises(InputError, match="cannot be opened"):
        Store("nosuch://a")

    def forbidden(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(LocalFileSystem, "open", forbidden)
    with pytest.raises(InputError, match="may not be read: Permission denied"):
        open_input(str(tmp_path / "file"))


def test_an_unreadable_input_is_told_by_name(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "file").chmod(0)
    with pytest.raises(InputError, match="file may not be read"):
        open_input(str(tmp_path / "file"))


@pytest.mark.parametrize("name", ["a.warc.gz", "b [1]*?.warc", "あ#%20 c.warc"])
def test_an_input_is_opened_by_its_very_name_and_can_be_sought_in(tmp_path, name):
    (tmp_path / name).write_bytes(b"0123456789")
    with open_input(str(tmp_path / name)) as file:
        file.seek(5)
        assert file.read() == b"56789"
        assert file.seek(0, io.SEEK_END) == 10
    assert expand(str(tmp_path / name)) == [str(tmp_path / name)]


def test_a_glob_a_folder_and_a_path_name_their_files(tmp_path, monkeypatch):
    names = ["b.warc.gz", "a.warc.gz", "c.txt"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "inner.warc.gz").mkdir()
    (tmp_path / "link.warc.gz").symlink_to(tmp_path / "a.warc.gz")
    (tmp_path / "lost.warc.gz").symlink_to(tmp_path / "nowhere")
    archives = [str(tmp_path / name) for name in ("a.warc.gz", "b.warc.gz", "link.warc.gz", "lost.warc.gz")]
    assert expand(str(tmp_path / "*.warc.gz")) == archives
    assert expand(str(tmp_path)) == sorted([*archives, str(tmp_path / "c.txt")])
    assert expand(str(tmp_path / "c.txt")) == [str(tmp_path / "c.txt")]
    assert expand(str(tmp_path / "nowhere")) == expand(str(tmp_path / "*.nothing")) == []
    monkeypatch.chdir(tmp_path)
    assert expand("*.warc.gz") == ["a.warc.gz", "b.warc.gz", "link.warc.gz", "lost.warc.gz"]
    (tmp_path / "inner.warc.gz" / "d").write_bytes(b"x")
    assert expand(".") == ["a.warc.gz", "b.warc.gz", "c.txt", "inner.warc.gz/d", "link.warc.gz", "lost.warc.gz"]
    with pytest.raises(InputError, match=r"lost\.warc\.gz does not exist"):
        identity("lost.warc.gz")  # what a name leads to may be on a disk that is not there now; it is not passed over


def test_urls_are_expanded_to_urls():
    root = f"memory://{uuid.uuid4().hex}"
    store = Store(root)
    for name in ("b.warc", "a.warc"):
        store.write(name, b"xyz")
    found = expand(f"{root}/*.warc")
    assert [path.rsplit("/", 1)[1] for path in found] == ["a.warc", "b.warc"]
    assert all(path.startswith("memory://") for path in found)
    assert expand(root) == found
    with open_input(found[0]) as file:
        assert file.read() == b"xyz"
    assert identity(found[0])["size"] == 3


def test_an_input_that_changes_changes_its_identity(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    before = identity(str(path))
    assert identity(str(path)) == before == json.loads(json.dumps(before))
    path.write_bytes(b"three")
    assert identity(str(path)) != before
    path.write_bytes(b"one")
    os.utime(path, (1, 1))
    assert identity(str(path)) != before
    with pytest.raises(InputError, match="does not exist"):
        identity(str(Path(tmp_path) / "nowhere"))
