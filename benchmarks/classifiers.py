"""Quality classifiers: scoring raw and segmented texts, against fastText called text by text; checking a model; training one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.inputs import Inputs
from benchmarks.timing import Figure, alternate, rate
from seiryu.filters.classifiers.examples import Source
from seiryu.filters.classifiers.model_file import read_model_file
from seiryu.filters.classifiers.scoring import load_classifier
from seiryu.filters.classifiers.training import Training, train


def figures(inputs: Inputs) -> Iterator[Figure]:
    import fasttext

    texts = inputs.texts(2000, 300)
    letters = sum(map(len, texts)) / 1e6
    with tempfile.TemporaryDirectory() as name:
        data, paths = Path(name) / "data.jsonl", {kind: f"{name}/{kind}.bin" for kind in (False, True)}
        rows = ({"text": text, "label": "long" if "である" in text else "other"} for text in texts)
        data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        for segmented, path in paths.items():
            train(Source(str(data)), path, Training.of(segmented=segmented))
        raw, words = (load_classifier(path, label="long", segmented=segmented) for segmented, path in paths.items())
        model = fasttext.load_model(paths[False])
        rounds = alternate(
            {
                "raw": lambda: raw.scores(texts),
                "predict": lambda: [model.predict(text.replace("\n", " "), k=-1) for text in texts],
                "segmented": lambda: words.scores(texts[:60]),
                "check": lambda: read_model_file(paths[False]),
                "train": lambda: train(Source(str(data)), f"{name}/again.bin", Training.of(held_out=0)),
            },
            rounds=3,
        )
        size = Path(paths[False]).stat().st_size / 1e6
    yield rounds.figure("scores, raw, 32 dimensions", "raw", "M letters/s", rate(letters), "predict")
    yield rounds.figure("scores, segmented", "segmented", "M letters/s", rate(sum(map(len, texts[:60])) / 1e6))
    yield rounds.figure("checking a model, with its sha256", "check", "MB/s", rate(size))
    yield rounds.figure("training, ten times over the texts", "train", "M letters/s", rate(letters))
