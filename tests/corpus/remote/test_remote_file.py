"""Archives read from a server that fails in every way: the records are those that lie on the disk, and so is the damage."""

import gc
import io
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faulty_server import answer, changed, corrupted, cut, good, whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seiryu.corpus.archive.warc import Damaged, raw_records
from seiryu.corpus.errors import InputError
from seiryu.corpus.remote.errors import Forbidden, Unreachable
from seiryu.corpus.remote.remote_file import KEPT

SAMPLES = sorted((Path(__file__).parents[3] / "samples").glob("*.warc.gz"))
LIMIT = 1 << 24
NOISE = random.Random(5).randbytes(12 << 20)


def from_disk(data, name="a.warc.gz"):
    return list(raw_records(io.BytesIO(data), name, LIMIT))


def from_server(remote, url):
    with remote.open(url) as file:
        return list(raw_records(file, "a.warc.gz", LIMIT))


@pytest.fixture(scope="module")
def sample():
    return SAMPLES[0].read_bytes()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_an_archive_is_read_through_one_request_and_its_records_are_those_on_disk(server, remote, budget, path):
    data = path.read_bytes()
    assert from_server(remote, server.put(data)) == from_disk(data)
    assert server.ranges() == ["bytes=0-"]
    assert budget.spent < len(data) + (1 << 20)


def faults(size, draw):
    """A dozen faults, of all kinds that reading gets over."""
    kinds = [
        lambda: cut(draw.randrange(size), "reset"),
        lambda: cut(draw.randrange(size)),
        lambda: cut(draw.randrange(size), "stall"),
        lambda: cut(-1, "reset"),
        lambda: whole,
        lambda: changed(Content_Range=lambda first, last, total: f"bytes {first + 3}-{last}/{total}"),
        lambda: answer(503, Retry_After="1"),
        lambda: answer(429),
        lambda: answer(500),
        lambda: corrupted(*(draw.randrange(size) for _ in range(3))),
    ]
    return [draw.choice(kinds)() for _ in range(12)]


@pytest.mark.parametrize("seed", range(8))
def test_faults_of_all_kinds_change_no_record(server, remote, sample, seed):
    draw = random.Random(seed)
    url = server.put(sample)
    # Never more failures one after another than there are attempts.
    server.plan = [fault for one in faults(len(sample), draw) for fault in (one, good if seed % 2 else cut(200_000))]
    assert from_server(remote, url) == from_disk(sample)
    assert len(server.asked) > 1


def test_resets_at_random_places_cost_a_request_each_and_no_byte_twice(server, remote, sample):
    places = sorted(random.Random(1).sample(range(len(sample)), 40))
    steps = [later - earlier for earlier, later in zip([0, *places], places, strict=False)]
    url = server.put(sample)
    server.plan = [cut(step, "reset") for step in steps]
    assert from_server(remote, url) == from_disk(sample)
    assert server.ranges() == [f"bytes={place}-" for place in [0, *places]]


def test_an_object_that_changes_while_it_is_read_is_never_mixed(server, remote, sample):
    url = server.put(sample)
    other = sample[:-100] + bytes(100)
    server.plan = [cut(300_000), lambda handler, _: good(handler, other)]
    with pytest.raises(Unreachable, match=rf"^{url} changed while it was read: its ETag was .*, and is "):
        from_server(remote, url)


def test_a_byte_that_came_wrong_costs_one_request_from_its_member_on(server, remote, sample):
    url, place = server.put(sample), len(sample) // 2
    server.plan = [corrupted(place)]
    items = from_server(remote, url)
    assert items == from_disk(sample)
    member = max(item.offset for item in items if item.offset <= place)
    assert server.ranges() == ["bytes=0-", f"bytes={member}-"]


def test_damage_on_the_server_is_what_it_is_on_a_disk_and_costs_two_requests_a_place(server, remote, sample):
    broken = bytearray(sample)
    members = [item.offset for item in from_disk(sample)]
    for member in (members[3], members[50], members[-1]):
        broken[member + 30] ^= 0x55
    items = from_server(remote, server.put(bytes(broken)))
    assert items == from_disk(bytes(broken))
    assert sum(isinstance(item, Damaged) for item in items) == 3
    assert len(server.asked) == 1 + 2 * 3


def test_an_archive_with_damage_everywhere_does_not_cost_requests_without_end(server, unhurried, sample):
    broken = bytearray(sample)
    members = [item.offset for item in from_disk(sample)]
    for member in members[::3]:
        broken[member + 30] ^= 0x55
    items = from_server(unhurried, server.put(bytes(broken)))
    assert items == from_disk(bytes(broken))
    assert sum(isinstance(item, Damaged) for item in items) > 100
    assert len(server.asked) <= 1 + 2 * 32


def test_another_size_between_requests_is_not_believed(server, remote):
    url = server.put(NOISE[:9000])
    untagged = changed(ETag=None, Last_Modified=None)
    server.plan = [cut(1000), lambda handler, _: untagged(handler, NOISE[:9001]), good]
    with remote.open(url) as file:
        assert file.read() == NOISE[:9000]
    assert len(server.asked) == 3


def test_a_refusal_in_the_middle_ends_the_reading(server, remote, sample):
    url = server.put(sample)
    server.plan = [cut(300_000), answer(403)]
    with pytest.raises(Forbidden, match="answered 403"):
        from_server(remote, url)


def test_a_file_reads_and_seeks_like_one_on_disk(server, remote):
    data, url = NOISE[: 6 << 20], server.put(NOISE[: 6 << 20])

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.integers(0, len(data) + 9), st.integers(-1, 300_000)), max_size=8))
    def check(steps):
        with remote.open(url) as file:
            mirror = io.BytesIO(data)
            for place, size in steps:
                assert file.seek(place) == mirror.seek(place)
                assert file.read(size) == mirror.read(size)
                assert file.tell() == mirror.tell()
            assert file.seek(-5, io.SEEK_END) == len(data) - 5
            assert file.read() == data[-5:]
            assert file.read(1) == b""

    check()


def test_small_steps_back_and_ahead_ask_nobody(server, remote):
    url = server.put(NOISE)
    with remote.open(url) as file:
        for place in (0, 3 << 20, (3 << 20) - 70_000, 5 << 20, 4 << 20, (6 << 20) - 1, 3 << 20, 1 << 20):
            while file.tell() < place:
                file.read(50_000)
            file.seek(place)
            if place != 1 << 20:
                assert file.read(1000) == NOISE[place : place + 1000]
        file.seek(6 << 20)
        file.read(1)
        assert server.ranges() == ["bytes=0-"]
        file.seek(100)
        assert file.read(9) == NOISE[100:109]
        assert server.ranges() == ["bytes=0-", "bytes=100-"]
        assert sum(map(len, file._blocks)) <= KEPT + (1 << 20)


def test_a_step_ahead_is_read_over_if_it_is_small_and_jumped_if_it_is_not(server, remote, budget):
    url = server.put(NOISE)
    with remote.open(url) as file:
        file.seek(900_000)
        assert file.read(100) == NOISE[900_000:900_100]
        assert server.ranges() == ["bytes=0-"]
        file.seek(10 << 20)
        assert file.read(100) == NOISE[10 << 20 :][:100]
        assert server.ranges() == ["bytes=0-", f"bytes={10 << 20}-"]
    assert budget.spent <= 5 << 20


def test_the_end_is_known_without_asking(server, remote):
    url = server.put(NOISE)
    with remote.open(url) as file:
        assert file.seek(0, io.SEEK_END) == len(NOISE)
        assert file.read(5) == b""
    assert len(server.asked) == 1


def test_an_empty_object_is_an_empty_file(server, remote):
    url = server.put(b"")
    assert remote.open(url).read() == b""
    with pytest.raises(InputError, match="is empty"):
        from_server(remote, url)


def test_closing_or_forgetting_a_file_gives_its_connection_back(server, remote, budget):
    url = server.put(NOISE)
    file = remote.open(url)
    assert budget.open
    file.close()
    assert not budget.open
    assert file.closed
    file = remote.open(url)
    del file
    gc.collect()
    assert not budget.open


def test_a_server_without_ranges_will_do_as_long_as_it_does_not_fail(server, remote, sample):
    server.always = whole
    url = server.put(sample)
    assert from_server(remote, url) == from_disk(sample)


@pytest.fixture(scope="module")
def table():
    draw = random.Random(6)
    columns = {f"c{number}": [draw.randbytes(20).hex() for _ in range(20_000)] for number in range(8)}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, row_group_size=5_000, compression="none", use_dictionary=False)
    return sink.getvalue()


def test_parquet_is_asked_in_one_request_for_the_end_and_one_a_stretch(server, remote, table):
    url = server.put(table)
    assert len(table) > 6_000_000
    with remote.open_parts(url) as file:
        parquet = pq.ParquetFile(file, pre_buffer=True)
        assert parquet.num_row_groups == 4
        assert len(server.asked) == 1
        got = parquet.read_row_group(2, columns=["c1", "c2", "c3"])
        assert len(server.asked) == 2  # neighbours in one
        far = parquet.read_row_group(0, columns=["c0", "c7"])
        assert len(server.asked) == 4
    mirror = pq.ParquetFile(io.BytesIO(table))
    assert got.equals(mirror.read_row_group(2, columns=["c1", "c2", "c3"]))
    assert far.equals(mirror.read_row_group(0, columns=["c0", "c7"]))
    sizes = [int(last) - int(first) + 1 for first, last in (asked.range[6:].split("-") for asked in server.asked[1:])]
    group = parquet.metadata.row_group(2)
    assert sizes[0] == sum(group.column(number).total_compressed_size for number in (1, 2, 3))


def test_parts_survive_faults_as_all_reading_does(server, remote, table):
    url = server.put(table)
    server.plan = [whole, cut(1000), answer(503), cut(100_000, "reset"), cut(5000, "stall"), changed(Content_Range="x")]
    with remote.open_parts(url) as file:
        assert pq.ParquetFile(file, pre_buffer=True).read().equals(pq.read_table(io.BytesIO(table)))


def test_small_parts_are_widened_and_served_again_from_that(server, remote):
    url = server.put(NOISE)
    with remote.open_parts(url) as file:
        for place in (1000, 1100, 60_000, 1000, len(NOISE) - 100):
            file.seek(place)
            assert file.read(100) == NOISE[place : place + 100]
        file.seek(-100, io.SEEK_END)
        assert file.read() == NOISE[-100:]
        file.seek(5)
        assert file.read(1 << 20) == NOISE[5 : 5 + (1 << 20)]
    assert server.ranges() == ["bytes=-65536", "bytes=1000-66535", f"bytes=5-{4 + (1 << 20)}"]


@pytest.mark.parametrize("data", [b"", b"x", NOISE[:65_536], NOISE[:65_537]])
def test_parts_of_a_small_object_are_right_too(server, remote, data):
    with remote.open_parts(server.put(data)) as file:
        assert file.read() == data
        assert file.seek(0, io.SEEK_END) == len(data)
        assert file.read() == b""
