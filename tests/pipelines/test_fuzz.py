"""Real records, broken in every way that benchmarks/mutations.py knows, through the whole of extraction: nothing else is lost with them.

The long form is `python -m benchmarks fuzz`: 100,000 of them.
"""

import sys

import pytest
from commandline import ROOT, SAMPLES

sys.path.append(str(ROOT))  # benchmarks/ stands beside tests/, and `pytest` alone does not look there

from benchmarks import fuzz, mutations

RECORDS, SEED = 240, 20_241


@pytest.fixture(scope="module")
def found() -> fuzz.Found:
    return fuzz.fuzz(RECORDS, SEED, size=RECORDS // 2, every=2, samples=1)


def test_no_broken_record_breaks_the_law_a_neighbour_or_a_second_reading(found: fuzz.Found) -> None:
    assert found.breaches == []
    assert found.records == RECORDS
    assert found.witnesses >= RECORDS // fuzz.EVERY - 2
    assert found.read_twice == 1


def test_broken_records_get_as_far_as_the_extractor_and_not_only_to_the_first_check(found: fuzz.Found) -> None:
    assert found.counts["kept"] > 0.2 * RECORDS
    assert found.counts["failed damaged"] > 0
    assert found.pages > found.counts["kept"]


@pytest.mark.parametrize("name", mutations.MUTATIONS)
def test_each_mutation_changes_records_and_does_the_same_for_the_same_seed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    records = mutations.real_records(SAMPLES, 1)
    untouched = {record.plain() for record in records}
    monkeypatch.setattr(mutations, "MUTATIONS", {name: mutations.MUTATIONS[name]})
    members = [mutations.mutant(records, 1, number)[0] for number in range(30)]
    assert members == [mutations.mutant(records, 1, number)[0] for number in range(30)]
    changed = sum(mutations.inflated(member) not in untouched for member in members)
    assert changed > 5, f"{changed} of 30 records were changed"


def test_a_second_reading_that_differs_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    read = fuzz.Fuzz._read
    monkeypatch.setattr(
        fuzz.Fuzz, "_read", lambda self, data, isolated, made=None: (*read(self, data, isolated, made)[:2], str(isolated))
    )
    assert any("second reading" in breach for breach in fuzz.fuzz(10, SEED, size=10, every=1, samples=1).breaches)
