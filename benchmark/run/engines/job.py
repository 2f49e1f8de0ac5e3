"""One cell as it travels to another process or machine, and carrying it out there.

A worker rebuilds the world from names and configuration; it gets no data. What it runs is decided by what it finds in
the run folder, so a job that is sent again goes on where the first one was lost.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import config as configuration
from benchmark import registry
from benchmark.errors import BenchError
from benchmark.run.cell import CellRun, no_bar
from benchmark.run.locks import only_one_at
from benchmark.run.plan import Cell, code_version
from benchmark.run.results import RunView
from benchmark.run.stages import run_cell, todo
from benchmark.run.world import World

if TYPE_CHECKING:
    from benchmark.run.engines import Errand

PATIENCE = 300.0  # seconds: a worker that was taken for lost may still be finishing its step


@dataclass(frozen=True)
class Job:
    """Everything is picklable. `seconds` is how long the training may take from its start, `ends` the time.time() after
    which it may not go on at all; None where there is no budget.
    """

    cell: Cell
    run: Path
    task: str
    config: dict[str, Any]
    data: str | None
    code: str  # `code_version` of the method where the run was planned
    threads: int
    lender: Cell | None = None
    seconds: float | None = None
    ends: float | None = None

    @property
    def deadline(self) -> float | None:
        """As time.monotonic() of this machine, for a training that starts now."""
        if self.seconds is None or self.ends is None:
            return None
        return time.monotonic() + min(self.seconds, max(0.0, self.ends - time.time()))


def make_job(errand: Errand, cell: Cell, threads: int, seconds: float | None = None, rounds: int = 1) -> Job:
    """The job of one cell. `seconds` are left of the budget, which `rounds` trainings after one another share."""
    plan = errand.plan
    return Job(
        cell,
        errand.folder.resolve(),
        plan.task.name,
        plan.config.to_dict(),
        plan.world.data and str(Path(plan.world.data).resolve()),
        plan.identity["code"][cell.method],
        threads,
        errand.lenders.get(cell),
        None if seconds is None else seconds / max(1, rounds),
        None if seconds is None else time.time() + seconds,
    )


def carry_out(job: Job, run: Path, attempt: int = 1) -> None:
    """Run what the cell still needs in the folder `run`, and record it with this machine's name.

    Raises BenchError where the code here is not what the run was planned with, or the cell is at work elsewhere.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(job.threads))  # read when torch is imported
    found = code_version(registry.where("methods", job.cell.method))
    if found != job.code:
        raise BenchError(f"{socket.gethostname()} has other code of {job.cell.method}: {found}, the run has {job.code}")
    with only_one_at(job.cell.folder(run), PATIENCE):
        stages = todo(RunView(run), job.cell)
        world = World(registry.get("tasks", job.task)(), configuration.from_dict(job.config), job.data)
        work = CellRun(job.cell, run, world, no_bar, job.deadline, show=False, lender=job.lender)
        run_cell(work, stages, print, {"node": socket.gethostname(), "attempt": attempt})
