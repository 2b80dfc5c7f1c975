"""Small fastText models of every make, trained on lines that are told apart by their words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fasttext
import pytest
from labelled_lines import lines

Make = Callable[..., str]


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Train a model; `quantize` are the options of its compression, the others fastText's own."""
    made: dict[str, str] = {}

    def make(labels: tuple[str, ...] = ("good", "other"), quantize: dict[str, Any] | None = None, **options: Any) -> str:
        key = repr((labels, quantize, sorted(options.items())))
        if key not in made:
            folder = tmp_path_factory.mktemp("model")
            (folder / "train").write_text(
                "".join(f"__label__{label} {text}\n" for label, text in lines(labels)), encoding="utf-8"
            )
            given = {
                "dim": 5,
                "epoch": 15,
                "lr": 0.5,
                "minCount": 1,
                "minn": 1,
                "maxn": 3,
                "bucket": 300,
                "thread": 1,
                "verbose": 0,
            }
            model = fasttext.train_supervised(str(folder / "train"), **(given | options))
            if quantize is not None:
                model.quantize(verbose=0, **quantize)
            model.save_model(str(folder / "model"))
            made[key] = str(folder / "model")
        return made[key]

    return make


@pytest.fixture
def word_vectors(tmp_path: Path) -> str:
    """A model that is no classifier."""
    (tmp_path / "text").write_text("水 川 山\n" * 20, encoding="utf-8")
    fasttext.train_unsupervised(str(tmp_path / "text"), dim=4, minCount=1, bucket=100, thread=1, verbose=0).save_model(
        str(tmp_path / "vectors.bin")
    )
    return str(tmp_path / "vectors.bin")
