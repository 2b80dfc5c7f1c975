"""One index for all shards of a split, where a format wants it: MosaicML's MDS. One unit is one split."""

from __future__ import annotations

import json
from typing import Any

from seiryu.corpus.formats.mosaic import merged_index
from seiryu.corpus.formats.shard import Place
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages.splits import NAMES
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit


def wanted(config: Config) -> bool:
    return "mds" in config.shards.formats


def units(state: State) -> list[Unit]:
    made = []
    for split in NAMES:
        mine = {name: done for name, done in state.completed("shards").items() if done.made_of["params"]["split"] == split}
        full = [done.made_of["params"] for done in mine.values() if done.outputs]
        if full:
            params = {"split": split, "shards": full[0]["shards"], "held": [each["index"] for each in full]}
            made.append(Unit("indexes", f"mds-{split}", params, {"shards": identity(mine)}))
    return made


def settings(_: Config) -> dict[str, Any]:
    return {}


def work(unit: Unit, _: Config, store: Store) -> Result:
    split, of = unit.params["split"], unit.params["shards"]
    index = merged_index(store, [Place(split, number, of) for number in unit.params["held"]])
    target = f"shards/mds/{split}/index.json"
    with store.writing(target) as out:
        out.write(json.dumps(index, sort_keys=True).encode())
    shards = len(unit.params["held"])
    return Result(Counts(records=shards, kept=shards), [out.written(target)])


STAGE = Stage("indexes", 1, "shards", settings, units, work, on_documents=False, wanted=wanted)
