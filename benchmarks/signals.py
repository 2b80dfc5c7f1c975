"""Measuring texts: each family of signals on one thread, `swallow` against the plain-Python twin that its tests hold it to.

Memory: the kernel's working room for one long text, by the kernel's own record of the peak (VmHWM) of a process of its own.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from benchmarks.inputs import ROOT, Inputs
from benchmarks.timing import Figure, alternate, rate
from seiryu.corpus.tokenizers import load_tokenizer
from seiryu.filters.cleaning.personal_data import measure_personal_data
from seiryu.filters.instruments import Instruments
from seiryu.filters.letters import codepoints
from seiryu.filters.signals import FAMILIES, measure
from seiryu.filters.words import WordLists

LONG = 20_000_000  # letters of the text that memory is measured on
_PEAK = """
import sys, numpy as np
from seiryu.filters.letters import CLASSES
from seiryu.filters.signals.swallow import measure_swallow
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
text = np.fromfile(sys.argv[1], np.uint32)
offsets = np.array([0, len(text)])
measure_swallow(text[:1000], np.array([0, 1000]))
before = peak()
measure_swallow(text, offsets)
print((peak() - before) / len(text))
"""


def figures(inputs: Inputs) -> Iterator[Figure]:
    twin = runpy.run_path(str(ROOT / "tests" / "filters" / "signals" / "twins.py"))["twin"]
    texts = inputs.texts(2000, 100)
    few, many = pa.array(texts), pa.array(texts * 10)
    rounds = alternate({"few": lambda: measure(few, ("swallow",)), "Counter": lambda: [twin(text) for text in texts]})
    yield rounds.figure(f"swallow, {len(few):,} of 2,000 letters", "few", "texts/s", rate(len(few)), "Counter")
    rounds = alternate({name: lambda name=name: measure(many, (name,)) for name in FAMILIES})
    for name in FAMILIES:
        yield rounds.figure(f"{name}, {len(many):,} of 2,000 letters", name, "texts/s", rate(len(many)))
    made = Instruments(
        WordLists({"ng": ("hojichar:adult_keywords_ja",), "dating": ("seiryu:dating_sites",)}), load_tokenizer("llama3")
    )
    words = Instruments(made.lists, made.tokenizer, morphology=True)
    score = np.ones(len(few))
    array = pa.array(texts * 10)
    rounds = alternate(
        {
            "all": lambda: made.measure(few, score), "with words": lambda: words.measure(few, score),
            "personal data": lambda: measure_personal_data(few), "tokens": lambda: made.tokenizer.encode_batch(texts),
            "codepoints": lambda: codepoints(array), "str.encode": lambda: [text.encode("utf-32-le") for text in array.to_pylist()],
        }
    )  # fmt: skip
    yield rounds.figure("all that is always measured", "all", "texts/s", rate(len(few)))
    yield rounds.figure("and morphology", "with words", "texts/s", rate(len(few)))
    yield rounds.figure("personal data alone", "personal data", "texts/s", rate(len(few)))
    yield rounds.figure("tokens alone", "tokens", "texts/s", rate(len(few)))
    size = sum(len(text.encode()) for text in texts) / 1e6
    yield rounds.figure("codepoints, MB of UTF-8", "codepoints", "MB/s", rate(size * 10), "str.encode")
    yield Figure("swallow, peak memory a letter of one long text", memory(texts), "bytes")


def memory(texts: list[str]) -> float:
    """Bytes a letter that measuring one text of LONG letters takes beside the text."""
    import tempfile

    points = codepoints(pa.array(["".join(texts)], pa.large_string()))[0]
    with tempfile.NamedTemporaryFile() as file:
        np.resize(points, LONG).tofile(file.name)
        done = subprocess.run([sys.executable, "-c", _PEAK, file.name], capture_output=True, text=True, check=True)
    return float(done.stdout)
