"""The commands that show and check a config."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from seiryu.pipelines.commands.checks import checked
from seiryu.pipelines.config_file import load_config
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.sources.checking import check_source
from seiryu.pipelines.telling.screen import out


def config_show_command(path: str, changes: Sequence[str]) -> int:
    config = load_config(path, changes)
    print(yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True, sort_keys=False), end="")
    return 0


def config_validate_command(path: str, changes: Sequence[str]) -> int:
    config = checked(path, changes)
    out.print(f"{path}: good; {check_source(config)}, {len(rules_in_force(config))} rules", markup=False)
    return 0
