"""Web pages of a folder of archives with what their labels say."""

import gzip
import json
from pathlib import Path

from seiryu.corpus.archive.page import payload, read_page
from seiryu.corpus.archive.warc import raw_records

ROOT = Path(__file__).parents[3]
PACK = ROOT.parent / "shared/data/pack"


def labelled_pages(folder):
    """(label, body, charset of the header) of the pages whose language is sure."""
    with gzip.open(folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        labels = {(row["warc"], row["offset"]): row for row in map(json.loads, lines)}
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in raw_records(file, path.name, 1 << 24):
                row = labels.get((path.name, record.offset))
                if row and row["kind"] == "html" and row["status"] == 200 and row["lang_sure"]:
                    page = read_page(record)
                    yield row, payload(page, 1 << 24), page.charset
