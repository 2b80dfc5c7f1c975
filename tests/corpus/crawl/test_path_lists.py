import gzip
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus.crawl import lists
from seiryu.corpus.crawl.lists import Sample, is_path, read_lines, read_paths, sampled
from seiryu.corpus.errors import InputError

CRAWL = "crawl-data/CC-MAIN-2024-33"
PATHS = [
    f"{CRAWL}/segments/172264{segment:07}.{segment % 100}/warc/CC-MAIN-20240802234508-20240803024508-{number:05}.warc.gz"
    for segment in range(5)
    for number in range(40)
]


def gz(data: bytes) -> bytes:
    """The same bytes whenever it is made, for they name tests."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("form", [bytes, gz, lambda data: gz(data[:99]) + gz(data[99:])])
def test_a_list_is_read_gzipped_or_plain_with_any_line_ends(form, end):
    assert read_paths(form((end.join(PATHS) + end).encode()), "warc.paths.gz") == PATHS
    assert read_paths(form(end.join(["", *PATHS, "  ", PATHS[0]]).encode()), "warc.paths.gz") == PATHS
    assert read_paths(b"\xef\xbb\xbf" + PATHS[0].encode(), "a list from Windows") == PATHS[:1]


@pytest.mark.parametrize(
    "path",
    [
        "cc-index/table/cc-main/warc/crawl=CC-MAIN-2024-33/subset=warc/part-00000-4dd72944-e9c0-41a1-9026-dfd2d0615bf2.c000.gz.parquet",
        "crawl-data/CC-MAIN-2024-33/segments/1722640353668.0/",
        "crawl-data/CC-MAIN-2013-20/segments/1368696381249/warc/CC-MAIN-20130516092621-00000-ip-10-60-113-184.ec2.internal.warc.gz",
        "a...b/..c/d..",
    ],
)
def test_paths_as_common_crawl_writes_them_are_paths(path):
    assert read_paths(path.encode(), "x") == [path]


@pytest.mark.parametrize(
    "line",
    ["../secret", "a/../b", "a/..", "..", ".", "./a", "a/./b", "a//b", "/etc/passwd", "//host/a", "https://data.commoncrawl.org/a", "s3://commoncrawl/a",
     "file:a", "C:/a", "a\\b", "a\0b", "a\x1b[31mb", "a b", "a\tb", "a%2e%2e/b", "a?b", "a#b", "日本", "<html>", "*"],
)  # fmt: skip
@pytest.mark.parametrize("form", [bytes, gz])
def test_a_line_that_could_lead_elsewhere_is_refused_with_its_number(line, form):
    with pytest.raises(InputError) as error:
        read_paths(form(f"{PATHS[0]}\n\n{line}\n{PATHS[1]}\n".encode()), "warc.paths.gz")
    assert str(error.value).startswith(f"warc.paths.gz, line 3: {line!r} is no path below a root")
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "lists nothing"),
        (b" \r\n\n", "lists nothing"),
        (gz(b""), "lists nothing"),
        (PATHS[0].encode("utf-16"), "is no text"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is no text"),
        (b"<html><body>404 Not Found</body></html>", "is no path"),
        (gz("\n".join(PATHS).encode())[:400], "is cut off"),
        (gz("\n".join(PATHS).encode())[:-1], "is cut off"),
        (b"\x1f\x8b", "is cut off"),
        (b"\x1f\x8b\x00garbage", "is damaged"),
        (gz(PATHS[0].encode()) + b"garbage", "is damaged"),
    ],
)
def test_what_is_no_whole_list_is_said_in_one_line(data, why):
    with pytest.raises(InputError) as error:
        read_paths(data, "https://a.example/warc.paths.gz")
    assert str(error.value).startswith("https://a.example/warc.paths.gz")
    assert why in str(error.value)
    assert "\n" not in str(error.value)


def test_a_list_of_anything_has_lines_of_any_kind_but_is_as_whole():
    lines = ["https://a.example/b.warc.gz", "../c", "日本 .jp"]
    data = "\r\n".join(["", *lines, " ", lines[0]]).encode()
    assert read_lines(data, "x") == read_lines(gz(data), "x") == lines
    for broken, why in ((b"\n", "lists nothing"), (b"\xff", "is no text"), (gz(data)[:-3], "is cut off")):
        with pytest.raises(InputError, match=f"^x {why}"):
            read_lines(broken, "x")


@given(st.text("a./\\:% ") | st.sampled_from(PATHS))
def test_a_path_is_what_a_list_of_paths_may_hold(text):
    try:
        held = read_paths(text.encode(), "x") == [text]
    except InputError:
        held = False
    assert is_path(text) == held


def test_no_beginning_of_a_gzipped_list_passes_for_the_list():
    data = gz("\n".join(PATHS).encode())
    for end in range(2, len(data), 7):
        with pytest.raises(InputError, match="is cut off"):
            read_paths(data[:end], "x")


def test_a_list_that_inflates_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(lists, "_MOST", 1 << 16)
    assert read_paths(gz(b"a" + b"\n" * 65_535), "x") == ["a"]
    with pytest.raises(InputError, match="more than 65,536 bytes"):
        read_paths(gz(b"a\n" * 40_000), "x")
    with pytest.raises(InputError, match="more than 65,536 bytes"):
        read_paths(gz(b"a\n" * 30_000) * 2, "x")


@given(st.binary() | st.lists(st.text("a./\\:%\0\r\n 日")).map(lambda parts: "\n".join(parts).encode()))
def test_whatever_is_read_stays_below_a_root(data):
    try:
        paths = read_paths(data, "x")
    except InputError:
        return
    assert paths == list(dict.fromkeys(paths))
    for path in paths:
        assert not {"", ".", ".."} & set(path.removesuffix("/").split("/"))
        assert not set(path) & set("\\:%\0\r\n ")


def place(path):
    return int.from_bytes(hashlib.blake2b(path.encode(), digest_size=8).digest(), "big") / 2**64


@given(st.floats(0.02, 1), st.integers(1, 250))
def test_share_and_count_take_the_paths_with_the_lowest_hashes(share, count):
    of_share = [path for path in PATHS if place(path) < share]
    assert sampled(PATHS, Sample(share=share)) == of_share
    lowest = sorted(PATHS, key=place)[:count]
    assert sampled(PATHS, Sample(count)) == [path for path in PATHS if path in lowest]
    assert sampled(PATHS, Sample(count, share)) == [path for path in of_share if path in lowest]


def test_a_sample_is_the_same_everywhere_and_a_larger_one_contains_it():
    """Written down: another machine, or the list in another order, must not draw others."""
    few = sampled(PATHS, Sample(3))
    assert [PATHS.index(path) for path in few] == [21, 29, 125]  # the lowest of `b2sum -l 64`
    assert sorted(sampled(PATHS[::-1], Sample(3))) == sorted(few)
    for count in (4, 50, 200, 1000):
        assert set(few) <= set(sampled(PATHS, Sample(count)))
    assert set(sampled(PATHS, Sample(share=0.1))) < set(sampled(PATHS, Sample(share=0.3)))
    assert sampled(PATHS, Sample(1000)) == sampled(PATHS, Sample(share=1.0)) == sampled(PATHS, Sample()) == PATHS


def test_segments_are_taken_first():
    first, last = PATHS[0].split("/")[3], PATHS[-1].split("/")[3]
    assert sampled(PATHS, Sample(segments=(last,))) == PATHS[-40:]
    assert sampled(PATHS, Sample(segments=(last, first))) == PATHS[:40] + PATHS[-40:]
    assert len(sampled(PATHS, Sample(7, segments=(last,)))) == 7
    assert set(sampled(PATHS, Sample(7, segments=(last,)))) < set(PATHS[-40:])


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        (Sample(segments=("17226400",)), f"no path of the list lies in segment '17226400'; it has 5 segments, {PATHS[0].split('/')[3]} the first"),
        (Sample(segments=(PATHS[0].split("/")[3], "")), "segment ''"),
        (Sample(share=1e-12), "nothing is left of 200 paths with share 1e-12; ask for more"),
        (Sample(share=0.0), "nothing is left"),
        (Sample(share=float("nan")), "nothing is left"),
        (Sample(share=-1.0), "nothing is left"),
        (Sample(count=0), "nothing is left of 200 paths with count 0"),
        (Sample(count=-1), "nothing is left"),
    ],
)  # fmt: skip
def test_a_sample_of_nothing_is_an_error(sample, why):
    with pytest.raises(InputError) as error:
        sampled(PATHS, sample)
    assert why in str(error.value)


def test_a_sample_of_an_empty_list_is_an_error():
    with pytest.raises(InputError, match="nothing is left of 0 paths; ask for more"):
        sampled([], Sample())
    with pytest.raises(InputError, match="it has no segments"):
        sampled(["warc/a.warc.gz"], Sample(segments=("1",)))
