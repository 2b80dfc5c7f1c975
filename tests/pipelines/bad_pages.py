"""Pages that cost more than they should, and functions that do what a broken library does.

The first half makes web pages as a parser may meet them: each has Japanese text, a few megabytes at most, and shapes that make
trafilatura or libxml2 run for minutes, hold gigabytes or lose text. `SLOW` are those that trafilatura takes far more than linear
time over: more than 20 s for bold letters and unclosed paragraphs, 1.6 for quotes, 3.6 to 7.3 for the others, where a real page
of 1 MB takes 0.3. What stands in `body` is within the article, so that no extractor passes over it.
`factory` and its neighbours are for a child process to import; what they do is real: C code that never comes back, a wild pointer,
memory without end.
"""

import ctypes
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable

SENTENCE = "この文章は、抽出の試験のために書かれた日本語の本文である。"
BEHIND = "深い所や長い所の後に立つ文も、失われてはならない。"


def page(body: str) -> bytes:
    article = "".join(f"<p>第{number}段落。{SENTENCE}</p>" for number in range(30))
    head = '<html lang="ja"><head><meta charset="utf-8"><title>悪い頁</title></head><body>'
    return f"{head}<article>{article}{body}</article></body></html>".encode()


def good_page(number: int) -> bytes:
    return page(f"<p>良い頁の{number}番。{SENTENCE}</p>")


def unclosed_paragraphs(size: int = 100_000) -> bytes:
    return page("<p>段落である。" * size)


def links(size: int = 100_000) -> bytes:
    """A menu of hundred thousand links in one list."""
    return page("<ul>" + "".join(f'<li><a href="/{number}">品物{number}</a></li>' for number in range(size)) + "</ul>")


def nested_lists(size: int = 240, copies: int = 200) -> bytes:
    """Lists in lists, as deep as libxml2 allows, time after time."""
    return page(("<ul><li>項目である。" * (size // 2) + "</li></ul>" * (size // 2)) * copies)


def nested_divisions(size: int = 240, copies: int = 400) -> bytes:
    return page(("<div>区画である。" * size + "</div>" * size) * copies)


def formatting(size: int = 100_000) -> bytes:
    """One paragraph of bold letters."""
    return page("<p>" + "<b>太い</b>字の" * size + "</p>")


def divisions_with_breaks(size: int = 50_000) -> bytes:
    return page("<div>" + "本文の一行である。<br><br>" * size + "</div>")


def quotes(size: int = 100_000) -> bytes:
    return page("<blockquote>引用である。</blockquote>" * size)


def headings(size: int = 50_000) -> bytes:
    return page("<h2>見出し</h2><p>短い。</p>" * size)


def too_deep(size: int = 300) -> bytes:
    """Deeper than libxml2 goes (255 levels): text stands below, and in good order behind."""
    return page("<div>" * size + "深い。" + "</div>" * size + f"<p>後の文。{SENTENCE}</p>")


def nested(size: int) -> bytes:
    """Divisions in divisions; the article stands before them, a sentence behind."""
    return page("<div>" * size + "深い。" + "</div>" * size + f"<p>{BEHIND}</p>")


def long_text(size: int = 11_000_000) -> bytes:
    """One text node, longer than libxml2 takes unless it is asked to."""
    return page(f"<p>{SENTENCE * (size // len(SENTENCE.encode()))}</p><p>{BEHIND}</p>")


def large(size: int = 19_500_000) -> bytes:
    """Just short of the largest page that is read at all."""
    paragraph = "".join(f"<p>第{number}段落。{SENTENCE}</p>" for number in range(1000))
    return page(paragraph * (size // len(paragraph.encode())))


def nulls(size: int = 1_000_000) -> bytes:
    return b"\0" * size


def lone_surrogates() -> bytes:
    """UTF-16 in which every hundredth pair has lost its second half."""
    text = page("").decode()
    halves = "".join(letter + "\ud842" * (place % 100 == 99) for place, letter in enumerate(text))
    return b"\xff\xfe" + halves.encode("utf-16-le", "surrogatepass")


def escaped_twice() -> bytes:
    return page("<p>&amp;lt;p&amp;gt;と書く。&amp;amp;#12354;は「あ」である。&amp;#xD800;&#xD800;</p>" * 200)


def unclosed(sign: str, size: int = 4_000_000) -> bytes:
    """What never ends, time after time: who looks for the end of each takes hours."""
    return page(sign * (size // len(sign)))[: -len("</article></body></html>")].replace(b"-->", b"")


SLOW: dict[str, Callable[[], bytes]] = {
    function.__name__: function
    for function in (unclosed_paragraphs, formatting, divisions_with_breaks, quotes, headings, nested_divisions, nested_lists)
}


def parser(_: bytes) -> Callable[[bytes], bytes]:
    """The main text of a page, by all that the real child imports."""
    from seiryu.corpus.extraction import main_text

    main_text("<html><p>import</p></html>")
    return lambda body: main_text(body.decode()).encode()


def echo(argument: bytes) -> Callable[[bytes], bytes]:
    """The request with the argument behind it."""
    return lambda body: body + argument


def pid(_: bytes) -> Callable[[bytes], bytes]:
    return lambda _: str(os.getpid()).encode()


def leaking(_: bytes) -> Callable[[bytes], bytes]:
    """Keeps ten megabytes of each page, and answers as if it did not."""
    held = []

    def work(body: bytes) -> bytes:
        held.append(b"x" * (10 << 20))
        return body

    return work


def greedy(_: bytes) -> Callable[[bytes], bytes]:
    held = b"x" * (300 << 20)
    return lambda body: body + held[:0]


def noisy(_: bytes) -> Callable[[bytes], bytes]:
    """Prints megabytes from C, on both outputs."""

    def work(body: bytes) -> bytes:
        for _ in range(40):
            os.write(1, b"out" * 20_000)
            os.write(2, b"err" * 20_000)
        return body

    return work


def factory(argument: bytes) -> Callable[[bytes], bytes]:
    """Does what the request names, and answers with it and the argument."""

    def work(body: bytes) -> bytes:
        name, _, _ = body.partition(b" ")
        if act := MISDEEDS.get(name.decode()):
            act()
        return body + argument

    return work


def burn_in_c() -> None:
    """A match that would take centuries, within one call that holds the interpreter's lock."""
    re.match(r"(a+)+$", "a" * 60 + "b")


def burn_in_python() -> None:
    while True:
        pass


def hang() -> None:
    while True:
        time.sleep(60)


def follow_a_wild_pointer() -> None:
    ctypes.string_at(0)


def eat_in_python() -> None:
    held = []
    while True:
        held.append("あ" * 1_000_000)


def eat_in_c() -> None:
    """One block, filled within one call."""
    size = 4 << 30
    block = ctypes.create_string_buffer(size)
    ctypes.memset(block, 1, size)


def eat_and_hide_it() -> None:
    """As a library does that takes whatever goes wrong for a page without text."""
    try:
        eat_in_python()
    except Exception:  # noqa: BLE001 - the mistake under test
        return


def recurse() -> None:
    recurse()


def recurse_in_c() -> None:
    """A pattern nested deeper than the stack: the C library reads it by calling itself."""
    ctypes.CDLL(None).regcomp(ctypes.create_string_buffer(1024), b"(" * 200_000, 1)


def raise_something() -> None:
    json.loads("{")


def leave() -> None:
    os._exit(0)


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def exit_politely() -> None:
    sys.exit("bye")


MISDEEDS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (burn_in_c, burn_in_python, hang, follow_a_wild_pointer, os.abort, eat_in_python, eat_in_c, eat_and_hide_it,
                     recurse, recurse_in_c, raise_something, leave, kill_itself, exit_politely)
}  # fmt: skip
# What each is lost as.
REASONS = {
    "burn_in_c": "timeout", "burn_in_python": "timeout", "hang": "timeout", "follow_a_wild_pointer": "crash", "abort": "crash",
    "eat_in_python": "memory", "eat_in_c": "memory", "eat_and_hide_it": "memory", "recurse": "extraction_error", "recurse_in_c": "crash",
    "raise_something": "extraction_error", "leave": "crash", "kill_itself": "crash", "exit_politely": "extraction_error",
}  # fmt: skip
