"""The command that lays out a run as a dataset."""

from __future__ import annotations

import json
from dataclasses import asdict

from seiryu.pipelines.commands.checks import finished
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.publishing.card import Said
from seiryu.pipelines.publishing.placing import Changes, Target
from seiryu.pipelines.publishing.publication import Publication, publication, publish
from seiryu.pipelines.sizes import human
from seiryu.pipelines.takedown import check_not_lost
from seiryu.pipelines.telling.screen import out as screen
from seiryu.pipelines.telling.screen import say


def publish_command(run: str, out: str, said: Said, *, dry_run: bool, as_json: bool) -> int:
    """Dry: the card on stdout, all else on stderr, nothing is written."""
    if not out and not dry_run:
        raise ConfigError("--out is missing: the directory that the dataset is laid out in (--dry-run needs none)")
    state = finished(run)
    check_not_lost(state.store)
    made = publication(state, said)
    changes = Changes()
    if dry_run:
        changes.removed = Target(out).check(made.run_id, made.files) if out else []
    else:
        changes = publish(state, made, out)
    for what in made.missing:
        say(f"missing: {what}")
    for what in made.warnings:
        say(f"warning: {what}")
    if as_json:
        print(json.dumps(_plain(made, out, changes, dry_run), ensure_ascii=False, indent=1))
    elif dry_run:
        _tell_files(made, changes)
        print(made.card, end="")
    else:
        size = sum(file.size for file in made.files)
        screen.print(
            f"{out}: {len(made.files):,} files, {human(size)}; {len(changes.written):,} written, {len(changes.same):,} as they were, "
            f"{len(changes.removed):,} removed",
            markup=False,
        )
        say("read README.md before you upload it; docs/publishing.md has a list of what to look at")
    return 0


def _tell_files(made: Publication, changes: Changes) -> None:
    for file in made.files:
        say(f"{human(file.size):>10}  {file.name}")
    for name in changes.removed:
        say(f"{'stale':>10}  {name}")
    say(f"{human(sum(file.size for file in made.files)):>10}  in {len(made.files):,} files; nothing was written")


def _plain(made: Publication, out: str, changes: Changes, dry_run: bool) -> dict[str, object]:
    files = [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in made.files]
    return {
        "out": out, "dry_run": dry_run, "run_id": made.run_id, "files": files, "front_matter": made.front_matter, "card": made.card,
        "facts": made.facts, "missing": list(made.missing), "warnings": list(made.warnings), **asdict(changes),
    }  # fmt: skip
