"""The documents of a run as plain rows, read from its narrow tables file by file: what every count is held against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def documents(run: Path) -> list[dict[str, Any]]:
    """A dict a judged document: its signals, verdict, address, what deduplication said, and whether it is in the corpus."""
    found = []
    for file in sorted((run / "verdicts").glob("*.parquet")):
        page, signals, address = (
            pq.read_table(run / folder / file.name).to_pylist() for folder in ("documents", "signals", "addresses")
        )
        decisions = rows_by_id(run / "dedup" / file.name)
        corpus = rows_by_id(run / "corpus" / file.name)
        for row, verdict in enumerate(pq.read_table(file).to_pylist()):
            name = verdict["doc_id"]
            found.append(
                {
                    **page[row], **signals[row], **verdict, "host": address[row]["host"], "site": address[row]["site"],
                    "unit": file.stem, "row": row, "decision": decisions.get(name, {}), "final": corpus.get(name),
                    "passes": not verdict["reject_mask"] and not verdict["blocked"],
                }
            )  # fmt: skip
    return found


def rows_by_id(file: Path) -> dict[str, dict[str, Any]]:
    return {row["doc_id"]: row for row in pq.read_table(file).to_pylist()} if file.exists() else {}


def sums(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Documents, letters and tokens."""
    return {"documents": len(rows), "letters": sum(row["letters"] for row in rows), "tokens": sum(row["tokens"] for row in rows)}


def prefixed(row: dict[str, Any], prefix: str) -> dict[str, int]:
    """The three amounts of a line of an answer."""
    return {name: row[f"{prefix}{name}"] for name in ("documents", "letters", "tokens")}
