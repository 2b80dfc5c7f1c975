"""Floors under the rules: precision and recall of each against 300 documents that were read and labelled.

The figures are benchmarks/quality.py's; how floors move is said in tests/floors.py. A rule that rejects fewer than LEAST documents has a
floor for its recall only: one document more or less would move its precision by a tenth.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT))  # benchmarks/ stands beside tests/, and `pytest` alone does not look there

from floors import LOWER, UPDATE, broken, moved, other_data, sha256s  # noqa: E402

from benchmarks.quality import ANY, LABELS, documents, worths  # noqa: E402
from seiryu.filters.rules.presets import preset_names  # noqa: E402

FLOORS = ROOT / "tests/data/quality_floors.json"
LEAST = 10


def figures():
    found = {}
    for preset in preset_names():
        for rule, worth in worths(preset).items():
            found[f"{preset} {rule}"] = {"recall": worth.recall} | (
                {"precision": worth.precision} if worth.rejected >= LEAST else {}
            )
    return found


def test_no_rule_is_worth_less_than_it_was():
    known = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.exists() else {"data": {}, "floors": {}}
    found = sha256s(LABELS, *sorted(LABELS.parent.glob("*.warc.gz")))
    if UPDATE:
        floors = moved(known["floors"], figures(), LOWER)
        FLOORS.write_text(json.dumps({"data": found, "floors": floors}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return
    assert not other_data(known["data"], found)
    assert not broken(known["floors"], figures())


def test_every_label_is_one_of_three_with_a_reason_and_its_document_is_in_the_samples():
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len({row["doc_id"] for row in rows}) == 300
    assert all(len(row["reason"].split()) >= 5 for row in rows)
    counts = Counter(row["label"] for row in rows)
    assert set(counts) == {"good", "poor", "harmful"}
    assert min(counts["good"], counts["poor"]) > 100
    assert all(document.text for document in documents())


@pytest.mark.parametrize("preset", preset_names())
def test_a_preset_as_a_whole_finds_more_of_what_is_not_good_than_any_of_its_rules(preset):
    found = worths(preset)
    assert found[ANY].recall == max(worth.recall for worth in found.values()) > 0.3
