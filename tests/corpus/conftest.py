"""Real archives: the samples of the repository, and a larger pack beside it where there is one."""

import gzip
import json

import pytest
from archive_bytes import PACK, ROOT, SAMPLES


@pytest.fixture(params=SAMPLES, ids=lambda path: path.name)
def archive(request):
    return request.param


@pytest.fixture(scope="session")
def diagnostics():
    """157 small records of every kind: revisits, redirects, robots.txt, images, empty bodies."""
    return next(path for path in SAMPLES if "diagnostics" in path.name).read_bytes()


@pytest.fixture(scope="session")
def labels():
    """What is known of the sample pages, by (archive, offset)."""
    with gzip.open(ROOT / "samples/labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {(row["warc"], row["offset"]): row for row in map(json.loads, lines)}


@pytest.fixture(scope="session")
def pack():
    if not PACK:
        pytest.skip("the larger pack of pages is not beside the repository (../shared/data/pack)")
    return PACK
