"""What is asked of a run: one table with a row for each judged document, and the questions to it in SQL. Narrow tables only."""

from seiryu.pipelines.facts.table import Facts, facts_of

__all__ = ["Facts", "facts_of"]
