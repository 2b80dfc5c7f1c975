"""Decontamination: test items of benchmarks in training texts.

`items` reads benchmarks, `normal_letters` says which letters are compared, `grams` and `lookup` make them ready,
`finding` looks for them, `sentences` cuts what was found.
"""

from seiryu.dedup.contamination.benchmarks import FOUND, Benchmark, Benchmarks, Rule
from seiryu.dedup.contamination.items import Source
from seiryu.dedup.contamination.sentences import without_spans

__all__ = ["FOUND", "Benchmark", "Benchmarks", "Rule", "Source", "without_spans"]
