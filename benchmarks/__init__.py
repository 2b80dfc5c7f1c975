"""What the pieces cost: `python -m benchmarks [SUBJECT ...]`. Uses the rooms as anybody would, and nothing uses it."""
