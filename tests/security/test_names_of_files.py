"""What is called by others comes to be the name of a file: archives, outputs of sidecars, whatever a store is asked for."""

import hashlib
import os
import re
import uuid
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.sources.names import names, unit_names
from seiryu.pipelines.unit import Sidecar

OUTSIDE = (
    "../../victim",
    "../victim",
    "documents/../../victim",
    "/etc/passwd",
    "",
    "documents/",
    "documents//x",
    "./victim",
    "documents/.",
    "documents/..",
    "documents/a\0b",
)
ITS_OWN = ("run.json", "takedown.json", "units/extract/x.json", "tmp/x")

pieces = st.sampled_from(
    [
        "..",
        ".",
        "~",
        "a",
        "A",
        "a.json",
        "%2e%2e%2f",
        "a" * 300,
        "あ" * 90,
        "‥",
        "a／b",
        "．．",
        "a\nb",
        "a\0b",
        "a.failed",
        "a ",
        "-",
    ]
)
endings = st.sampled_from(["", ".warc", ".warc.gz", ".WARC.GZ", ".warc.zst", ".json"])
roots = st.sampled_from(["", "/", "../", "~/", "http://h/", "s3://b/", "https://h/a?b=/"])
paths = st.builds(
    lambda root, parts, ending: f"{root}{'/'.join(parts)}{ending}", roots, st.lists(pieces, min_size=1, max_size=4), endings
)


def eight(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


@given(st.lists(paths, min_size=1, max_size=6, unique=True))
@example(["/x/a.warc", "/y/a.warc", f"/z/a-{eight('x/a.warc')}.warc"])
@example(["http://h/x/../a.warc", "http://h/a.warc"])
@example([".warc.gz", "..warc.gz", "...warc.gz"])
@example(["x/A.warc", "x/a.warc", "x/a.WARC", "x/a.warc.gz", "x/a.json"])
def test_whatever_archives_are_called_their_units_are_one_safe_part_of_a_path_each(paths: list[str]) -> None:
    try:
        made = unit_names(names(paths))
    except InputError as error:
        assert "\n" not in str(error)  # it is refused, and in words
        return
    assert len(made) == len(paths)
    assert [name for name, times in Counter(made).items() if times > 1] == []
    for name in made:
        assert name not in ("", ".", "..")
        assert not re.search(r"[/\0\n]", name)
        assert len(f"{name}.behind.parquet".encode()) <= 255


def test_names_that_are_no_text_are_refused_in_words() -> None:
    with pytest.raises(InputError, match="UTF-8"):
        names([os.fsdecode(b"x/a\xff.warc.gz"), os.fsdecode(b"y/a\xff.warc.gz")])


@pytest.mark.parametrize("root", ["disk", "memory"])
@pytest.mark.parametrize("name", [*OUTSIDE, "../" * 20 + "etc/passwd"])
def test_a_store_refuses_names_that_lead_out_of_it(name: str, root: str, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("v")
    store = Store(str(tmp_path / "run") if root == "disk" else f"memory://{uuid.uuid4().hex}/run")
    store.write("documents/a", b"a")
    for use in (
        store.read, store.delete, store.exists, store.open, store.sha256, store.names, store.below, store.read_json,
        lambda each: store.read_all(["documents/a", each]), lambda each: store.write(each, b"!"),
        lambda each: store.write_json(each, {}), lambda each: store.copy_to(each, str(tmp_path / "copy")),
    ):  # fmt: skip
        with pytest.raises((ValueError, InputError), match="is no name of a file below"):
            use(name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "victim"][root == "memory" :]
    assert (tmp_path / "victim").read_text() == "v"


@given(
    st.sampled_from([*OUTSIDE, *ITS_OWN])
    | st.lists(st.sampled_from(["..", "a", ".", "", "units", "a\0"]), max_size=4).map("/".join)
)
def test_a_sidecar_that_names_a_file_that_no_unit_makes_counts_as_damaged(name: str) -> None:
    text = {
        "stage": "s", "unit": "u", "made_of": {"version": 1, "settings": {}, "params": {}, "inputs": {}}, "seiryu": "",
        "finished": "2026-03-01T12:00:00Z",
        "outputs": [{"name": name, "size": 1, "sha256": ""}], "seconds": 1.0,
        "counts": {"records": 0, "kept": 0, "rejected": {}, "failed": {}, "letters": {}, "extra": {}},
    }  # fmt: skip
    parts = name.split("/")
    if (
        name not in OUTSIDE
        and "\0" not in name
        and len(parts) > 1
        and parts[0] not in ("units", "tmp")
        and not {"", ".", ".."} & set(parts)
    ):
        assert Sidecar.from_json(text).outputs[0].name == name
    else:
        with pytest.raises(InputError):
            Sidecar.from_json(text)


def test_a_folder_that_is_a_link_is_followed_as_whoever_made_it_meant(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run/documents").symlink_to(tmp_path / "elsewhere")
    store = Store(str(tmp_path / "run"))
    store.write("documents/a", b"a")
    assert (tmp_path / "elsewhere/a").read_bytes() == b"a"
    store.delete("documents/a")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_the_place_of_the_temporary_folder_gives_only_what_writers_left_to_be_swept(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/victim").write_text("v")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/tmp").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / uuid.uuid4().hex).write_text("what a dead writer left")
    assert Store(str(tmp_path / "run")).sweep() == 1
    assert (tmp_path / "elsewhere/victim").read_text() == "v"
