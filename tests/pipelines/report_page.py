"""A report as a test reads it: its elements, its text in one language, its charts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lxml import html


class Report:
    """The page of a run."""

    def __init__(self, run: Path, language: str = "en") -> None:
        self.source = (run / "report/index.html").read_text(encoding="utf-8")
        self.tree = html.document_fromstring(self.source)
        self.whole = html.document_fromstring(self.source)
        for span in self.tree.xpath("//span[@class='t']"):
            if span.get("lang") != language:
                span.drop_tree()

    def rows(self, section: str, number: int = 0) -> list[list[str]]:
        """The cells of a section's n-th table, numbers without commas and minus signs."""
        tables = self.tree.xpath(f"//section[@id='{section}']//table")
        return [[_plain(cell) for cell in row.xpath("./td")] for row in tables[number].xpath("./tbody/tr")]

    def text(self, section: str) -> str:
        """What a section says."""
        return " ".join(" ".join(self.tree.xpath(f"//section[@id='{section}']//text()[not(ancestor::script)]")).split())

    def specs(self, path: str) -> list[dict[str, Any]]:
        """The charts below the elements that a path leads to."""
        return [json.loads(each.text) for each in self.tree.xpath(f"{path}//script[@type='application/json']")]


def _plain(cell: Any) -> str:
    return " ".join(cell.text_content().split()).replace("− ", "").replace(",", "")
