"""What the quick screen spares and what it loses, over all pages of the samples and the input that could pass the rules.

Lost is a document that trafilatura and the rules keep and the screen rejects. Once by the rules of configs/sample.yaml, once by
`swallow` as it stands. Minutes: every page is extracted twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.inputs import ROOT, SAMPLES, Inputs
from benchmarks.timing import Figure
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.extraction import main_text_of_readable
from seiryu.corpus.extraction.reading import readable_html
from seiryu.filters.finding.japanese_bytes import look_for_kana
from seiryu.filters.finding.language import accepted, language
from seiryu.filters.finding.most_letters import cannot_hold
from seiryu.filters.finding.quick_screen import BELIEVED_FROM, widened
from seiryu.filters.instruments import possible
from seiryu.filters.rules import judge
from seiryu.filters.rules.presets import load_preset
from seiryu.filters.signals import measure
from seiryu.pipelines.config_file import load_config
from seiryu.pipelines.rules_in_force import rules_in_force


def figures(inputs: Inputs) -> Iterator[Figure]:
    sizes, quick, costly, japanese = [], [], [], []
    for folder in dict.fromkeys([SAMPLES, inputs.folder]):
        for body, charset in Inputs(folder).html:
            evidence = look_for_kana(body, charset)
            if not body.strip() or evidence.refused:
                continue
            html = decode(body, charset).text
            if cannot_hold(html, 400, 80):
                continue
            readable = readable_html(html)
            text = main_text_of_readable(readable, "trafilatura")
            sizes.append(len(html))
            costly.append(text)
            quick.append(main_text_of_readable(readable, "resiliparse"))
            japanese.append(accepted(*language(text), evidence.kana_share))
    signals, quick_signals = (measure(pa.array(texts), ("swallow",)) for texts in (costly, quick))
    length: Any = np.array(sizes)
    yield Figure("pages that could pass the rules", len(sizes), "pages")
    sample = rules_in_force(load_config(str(ROOT / "configs" / "sample.yaml")))
    swallow = load_preset("swallow", [signal.name for signal in possible(("ng",))])
    for name, rules in (
        ("configs/sample.yaml", sample),
        ("swallow", swallow),
    ):
        measured = [rule for rule in rules if rule.signal in signals]
        kept = np.array(japanese) & (judge(measured, signals) == 0)
        rejected = (quick_signals["letters"] >= BELIEVED_FROM) & (judge(widened(rules), quick_signals) != 0)
        yield Figure(f"{name}: documents kept", int(kept.sum()), "documents")
        yield Figure(f"{name}: lost by the screen", int((kept & rejected).sum()), "documents")
        yield Figure(f"{name}: pages spared, by letters of HTML", 100 * length[rejected].sum() / length.sum(), "%")
