"""The job of one cell for another machine, and carrying it out there.

What a worker runs is decided by what it finds in the run folder, so a job that is sent again goes on where the first
one was lost.
"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark import registry
from benchmark.errors import BenchError
from benchmark.run.job import Job, make_job
from benchmark.run.locks import only_one_at
from benchmark.run.plan import Cell, code_version
from benchmark.run.results import RunView
from benchmark.run.stages import run_cell, todo

if TYPE_CHECKING:
    from benchmark.run.engines import Errand

PATIENCE = 300.0  # seconds: a worker that was taken for lost may still be finishing its step


def engine_job(errand: Errand, cell: Cell, threads: int, seconds: float | None = None, rounds: int = 1) -> Job:
    """The job of one cell. `seconds` are left of the budget, which `rounds` trainings after one another share."""
    plan, lender = errand.plan, errand.lenders.get(cell)
    code = plan.identity["code"][cell.method]
    job = make_job(plan.world, cell, errand.folder.resolve(), threads, seconds, lender=lender, code=code)
    share = None if seconds is None else seconds / max(1, rounds)
    return replace(job, data=job.data and str(Path(job.data).resolve()), seconds=share)


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
        run_cell(job.work(run), stages, print, {"node": socket.gethostname(), "attempt": attempt})
