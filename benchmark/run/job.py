"""One cell as it travels to another process or machine.

    job = make_job(world, cell, folder, threads=1, seconds=600)
    run_stage(job.work(), "fit")             # there

A worker rebuilds the world from names and configuration; it gets no data.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import config as configuration
from benchmark import registry
from benchmark.run.cell import CellRun, no_bar
from benchmark.run.plan import Cell
from benchmark.run.world import World


@dataclass(frozen=True)
class Job:
    """Everything is picklable. `seconds` is how long the training may take from its start, `ends` the time.time() after
    which it may not go on at all; None where there is no budget. The rest as in `CellRun`.
    """

    cell: Cell
    run: Path
    task: str
    config: dict[str, Any]
    data: str | None
    threads: int
    seconds: float | None = None
    ends: float | None = None
    lender: Cell | None = None
    fork: Path | None = None
    show: bool = False
    code: str = ""  # `code_version` of the method where the run was planned; "" for a process of the same machine

    def work(self, run: Path | None = None) -> CellRun:
        """The cell at work, its training from now on; in the folder `run` where that is not the run's own."""
        world = World(registry.get("tasks", self.task)(), configuration.from_dict(self.config), self.data)
        return CellRun(self.cell, run or self.run, world, no_bar, self._deadline(), self.show, self.lender, self.fork)

    def _deadline(self) -> float | None:
        """As time.monotonic() of this machine, for a training that starts now."""
        if self.seconds is None or self.ends is None:
            return None
        return time.monotonic() + min(self.seconds, max(0.0, self.ends - time.time()))


def make_job(world: World, cell: Cell, run: Path, threads: int, seconds: float | None = None, **more: Any) -> Job:
    """The job of one cell that has `seconds` from now on; `more` are further fields of a `Job`."""
    ends = None if seconds is None else time.time() + seconds
    return Job(cell, run, world.task.name, world.config.to_dict(), world.data, threads, seconds, ends, **more)
