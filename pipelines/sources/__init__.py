"""Where archives come from: what a config's `source` names, whom it asks, and what each archive is called in a run."""
