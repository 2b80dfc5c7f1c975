"""Functions that hang, crash and eat memory in a real child process: each costs its own page, and nobody else's."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bad_pages
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seiryu.corpus.errors import SeiryuError
from seiryu.corpus.extraction import main_text
from seiryu.pipelines.isolation.isolated import Isolated, Limits, Lost, close_kept, kept

FOLDER = str(Path(__file__).parent)
# A child of `factory` weighs some 20 MB, one with trafilatura 70.
LIMITS = Limits(seconds=0.4, wall=2.0, memory=150 << 20)
PATIENT = Limits(seconds=120, memory=2 << 30)


@pytest.fixture(autouse=True)
def children_find_the_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", FOLDER)


@pytest.fixture(scope="module")
def factory() -> Iterator[Isolated]:
    with Isolated("bad_pages:factory", b"!", LIMITS) as isolated:
        yield isolated


def answers(isolated: Isolated, names: list[str]) -> list[bytes | Lost | None]:
    """Answers to requests whose keys are their numbers, which must come back in order."""
    found = list(isolated.answers(enumerate(name.encode() for name in names)))
    assert [key for key, _ in found] == list(range(len(names)))
    return [answer for _, answer in found]


def told(answer: bytes | Lost | None) -> str:
    return answer.reason if isinstance(answer, Lost) else (answer or b"").decode()


@pytest.mark.parametrize("misdeed", bad_pages.MISDEEDS)
def test_what_goes_wrong_is_named_and_costs_only_itself(factory: Isolated, misdeed: str) -> None:
    names = ["before", "before", misdeed, "after", "after"]
    assert [told(answer) for answer in answers(factory, names)] == ["before!"] * 2 + [bad_pages.REASONS[misdeed]] + ["after!"] * 2


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(window=st.integers(1, 20), seed=st.integers(0, 10_000), bad=st.integers(1, 8))
def test_any_order_of_good_and_bad_pages_loses_the_bad_ones(window: int, seed: int, bad: int) -> None:
    chance = random.Random(seed)
    quick = [name for name in bad_pages.MISDEEDS if name != "hang"]
    names = [chance.choice(quick) for _ in range(bad)] + [f"good {number}" for number in range(60)]
    chance.shuffle(names)
    with Isolated("bad_pages:factory", b"!", LIMITS, window) as isolated:
        assert [told(answer) for answer in answers(isolated, names)] == [
            bad_pages.REASONS.get(name, f"{name}!") for name in names
        ]


def test_a_lost_page_says_the_same_in_every_run_and_its_trace_says_more(factory: Isolated) -> None:
    names = ["follow_a_wild_pointer", "burn_in_c", "eat_in_c", "raise_something"]
    first, second = (answers(factory, names) for _ in range(2))
    details = [(lost.reason, lost.detail) for lost in first if isinstance(lost, Lost)]
    assert details == [(lost.reason, lost.detail) for lost in second if isinstance(lost, Lost)]
    assert [detail for _, detail in details] == [
        "SIGSEGV", "more than 0.4 s of CPU time", "more than 157 MB",
        "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"]  # fmt: skip
    assert isinstance(first[0], Lost)
    assert "follow_a_wild_pointer" in first[0].trace


def test_what_needs_no_child_keeps_its_place(factory: Isolated) -> None:
    requests = [(number, None if number % 3 else b"page") for number in range(3000)]
    expected = [(number, None if number % 3 else b"page!") for number in range(3000)]
    assert list(factory.answers(requests)) == expected


def test_where_nothing_needs_a_child_none_is_started() -> None:
    with Isolated("no.such.module:anything") as isolated:
        assert list(isolated.answers([(1, None), (2, None)])) == [(1, None), (2, None)]
        assert isolated.started == 0


def test_requests_are_taken_only_a_little_ahead(factory: Isolated) -> None:
    taken: list[int] = []
    source = ((number, taken.append(number) or b"page") for number in range(1000))
    assert max(len(taken) - done for done, _ in enumerate(factory.answers(source))) <= 17


@pytest.mark.parametrize("window", [1, 3, 50])
def test_twenty_megabytes_each_way_do_not_block(window: int) -> None:
    bodies = [bytes([number]) * (20 << 20 if number % 2 else 100) for number in range(8)]
    with Isolated("bad_pages:echo", b"!", PATIENT, window) as isolated:
        assert [answer == body + b"!" for body, (_, answer) in zip(bodies, isolated.answers(enumerate(bodies)), strict=True)] == [
            True
        ] * 8
        assert isolated.started == 1


def test_a_page_that_hangs_before_twenty_unsent_megabytes_is_found(factory: Isolated) -> None:
    assert [told(answer)[:7] for answer in answers(factory, ["hang", "x" * (20 << 20)])] == ["timeout", "xxxxxxx"]


def test_a_child_killed_from_outside_costs_no_page() -> None:
    with Isolated("bad_pages:echo", b"", PATIENT) as isolated:

        def requests() -> Iterator[tuple[int, bytes]]:
            for number in range(2000):
                if number % 400 == 200 and isolated.pid:
                    os.kill(isolated.pid, (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)[number // 400 % 3])
                yield number, b"%d" % number

        assert [answer for _, answer in isolated.answers(requests())] == [b"%d" % number for number in range(2000)]
        assert isolated.started == 6


def test_a_child_killed_while_it_is_idle_costs_no_page() -> None:
    with Isolated("bad_pages:factory", b"!", LIMITS) as isolated:
        answers(isolated, ["one"])
        assert isolated.pid
        os.kill(isolated.pid, signal.SIGKILL)
        assert answers(isolated, ["two", "follow_a_wild_pointer"])[0] == b"two!"


def test_ctrl_c_does_not_reach_the_child() -> None:
    with Isolated("bad_pages:pid") as isolated:
        ((_, first),) = isolated.answers([(0, b"")])
        assert isolated.pid
        assert os.getpgid(isolated.pid) != os.getpgid(0)
        os.kill(isolated.pid, signal.SIGINT)
        assert list(isolated.answers([(0, b"")])) == [(0, first)]


def test_a_child_that_leaks_is_replaced_and_no_page_is_blamed() -> None:
    with Isolated("bad_pages:leaking", limits=LIMITS) as isolated:
        assert [told(answer) for answer in answers(isolated, [str(number) for number in range(60)])] == [
            str(n) for n in range(60)
        ]
        assert 3 < isolated.started < 60


def test_a_child_is_replaced_after_its_number_of_pages_and_the_answers_are_the_same() -> None:
    with Isolated("bad_pages:echo", limits=Limits(pages=7)) as isolated:
        assert [told(answer) for answer in answers(isolated, [str(number) for number in range(30)])] == [
            str(n) for n in range(30)
        ]
        assert isolated.started == 5


def test_what_a_library_prints_disturbs_nothing() -> None:
    with Isolated("bad_pages:noisy", limits=PATIENT) as isolated:
        assert answers(isolated, ["a", "b", "c"]) == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("no_such_module:page", "No module named 'no_such_module'"),
        ("bad_pages:missing", "missing"),
        ("bad_pages:greedy", "limit of 150 MB"),
    ],
)
def test_a_child_that_cannot_start_is_an_error_and_no_lost_page(function: str, said: str) -> None:
    with Isolated(function, limits=LIMITS) as isolated, pytest.raises(SeiryuError, match=said):
        list(isolated.answers([(1, b"page")]))


def test_a_caller_that_stops_early_leaves_nothing_behind(factory: Isolated) -> None:
    for _, answer in factory.answers((number, b"early") for number in range(100)):
        assert answer == b"early!"
        break
    assert answers(factory, ["late"]) == [b"late!"]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_child_outlives_a_parent_that_is_killed() -> None:
    program = (
        "from seiryu.pipelines.isolation.isolated import Isolated, Limits\n"
        "isolated = Isolated('bad_pages:factory', b'', Limits(seconds=1000))\n"
        "list(isolated.answers([(0, b'fine')])); print(isolated.pid, flush=True)\n"
        "list(isolated.answers([(0, b'burn_in_c')]))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    for _ in range(200):
        with contextlib.suppress(FileNotFoundError):
            if ") Z" not in Path(f"/proc/{child}/stat").read_text():
                time.sleep(0.05)
                continue
        return
    pytest.fail("the child lives on")


def test_closing_leaves_no_child_and_no_open_file() -> None:
    before, files = children(os.getpid()), open_files()
    with Isolated("bad_pages:factory", b"!", LIMITS) as isolated:
        answers(isolated, ["a", "follow_a_wild_pointer", "raise_something", "eat_in_c"])
    assert children(os.getpid()) == before
    assert open_files() == files


def test_one_child_is_kept_from_unit_to_unit() -> None:
    first = kept("bad_pages:pid", limits=LIMITS)
    (one,) = answers(first, ["x"])
    assert kept("bad_pages:pid", limits=LIMITS) is first
    assert answers(first, ["x"]) == [one]
    other = kept("bad_pages:echo", limits=LIMITS)
    assert other is not first
    assert first.pid is None
    close_kept()


def test_pages_that_keep_the_parser_busy_for_minutes_cost_only_themselves() -> None:
    """Real HTML, real extraction. A better extractor may get through some of them in time, and then has their text."""
    good = [bad_pages.good_page(number) for number in range(2)]
    with Isolated("bad_pages:parser", limits=Limits(seconds=1.5)) as isolated:
        requests = [(name, body) for name, slow in bad_pages.SLOW.items() for body in (good[0], slow(), good[1])]
        found = list(isolated.answers(requests))
    assert [name for name, _ in found] == [name for name, _ in requests]
    assert [answer for _, answer in found[::3]] == [main_text(good[0].decode()).encode()] * len(bad_pages.SLOW)
    assert [answer for _, answer in found[2::3]] == [main_text(good[1].decode()).encode()] * len(bad_pages.SLOW)
    slow = {told(answer) for _, answer in found[1::3] if isinstance(answer, Lost)}
    assert slow == {"timeout"}


def test_a_page_that_makes_the_parser_eat_memory_costs_only_itself() -> None:
    with Isolated("bad_pages:parser", limits=Limits(memory=250 << 20)) as isolated:
        pages = [bad_pages.good_page(1), bad_pages.links(), bad_pages.good_page(2)]
        found = [told(answer) for _, answer in isolated.answers(enumerate(pages))]
    assert found == [main_text(pages[0].decode()), "memory", main_text(pages[2].decode())]


def test_a_page_is_not_blamed_for_a_parent_that_listens_late() -> None:
    def requests() -> Iterator[tuple[str, bytes]]:
        yield "small", b"x"
        time.sleep(0.5)  # the child is up
        yield "large", b"x" * (8 << 20)  # its answer fills the socket, and waits there
        time.sleep(3)
        yield "after", b"y"

    with Isolated("bad_pages:echo", b"!", Limits(seconds=0.1, wall=1.0)) as isolated:
        sizes = [
            (key, len(answer)) if isinstance(answer, bytes) else (key, answer) for key, answer in isolated.answers(requests())
        ]
    assert sizes == [("small", 2), ("large", (8 << 20) + 1), ("after", 2)]
