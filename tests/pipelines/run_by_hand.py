"""A run directory in which a run is at extract, with units that were finished at any times that a test likes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from commandline import write_config

from seiryu.corpus.storage import Store, Written
from seiryu.pipelines.config_file import load_config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.engine.lease import lease
from seiryu.pipelines.state import State
from seiryu.pipelines.telling.pace import Course, Pace, course
from seiryu.pipelines.unit import Sidecar

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
RECORDS = 40  # of each unit


def stamp(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


class Run:
    """A run directory in which a run is at extract; its units are put there by hand. Times are seconds before NOW."""

    def __init__(self, folder: Path, **told: object) -> None:
        config = load_config(str(write_config(folder, folder)), [])
        self.path, self.store = Path(config.run), Store(config.run)
        self.store.write_json("run.json", {"config": config.model_dump(mode="json"), "wall_seconds": None} | told)
        self.number = 0

    def finished(self, *ago: float, seconds: float = 1.0) -> None:
        for each in ago:
            self.number += 1
            name = f"unit-{self.number:04d}"
            made = {"version": 1, "settings": {}, "params": {"warc": name}, "inputs": {}}
            outputs = tuple(Written(f"{folder}/{name}.parquet", 1, "0" * 64) for folder in ("documents", "ledger"))
            sidecar = Sidecar(
                "extract", name, made, outputs, Counts(RECORDS, RECORDS), seconds, finished=stamp(NOW - timedelta(seconds=each))
            )
            self.store.write_json(f"units/extract/{name}.json", sidecar.to_json())

    def set_aside(self, unit: str) -> None:
        self.store.write_json(f"units/extract/{unit}.failed", {"reason": "it is empty", "attempts": 1})

    def course(self) -> Course:
        state = State.of_run(str(self.path))
        return course(state, {"extract": len(state.set_aside("extract"))}, NOW)

    def extract(self, held: bool = True) -> Pace:
        """How extract stands, while a run holds the directory or not."""
        if held:
            with lease(self.store, print):
                return self.course().stages[0]
        return self.course().stages[0]
