"""The live page of a run: limits moved together, documents looked at and judged. Needs the extra `inspect`."""
