"""Cells as Slurm jobs through submitit, in a run folder on a file system that all machines share.

    SlurmEngine().carry(errand)              # SlurmEngine("local"): the same jobs as processes of this machine

Partition, account, time limit and the like are Slurm's own environment variables: SBATCH_PARTITION, SBATCH_ACCOUNT,
SBATCH_TIMELIMIT. A job that is pre-empted or out of time is queued again and goes on from its checkpoint.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.errors import BenchError
from benchmark.run import budget
from benchmark.run.cell import planned_steps
from benchmark.run.engines import Errand
from benchmark.run.engines.job import carry_out, engine_job
from benchmark.run.engines.needs import Needs, needs
from benchmark.run.job import Job
from benchmark.run.parallel import steps_done
from benchmark.run.plan import Cell
from benchmark.run.results import RunView
from benchmark.run.stages import record_failure, todo

POLL = 2.0  # seconds
LIMIT = 24 * 60  # minutes of a job where SBATCH_TIMELIMIT does not say; then it is queued again
REQUEUES = 100  # after time limits or pre-emption
PLACES = ("slurm", "local")


class SlurmEngine:
    """`address`: None for the cluster that this machine submits to, "local" for processes of this machine."""

    def __init__(self, address: str | None = None) -> None:
        if address not in (None, *PLACES):
            raise BenchError(f"--address {address}: Slurm knows its cluster; leave it out, or say local to try it here")
        self.place = address or "slurm"

    def carry(self, errand: Errand) -> Mapping[Cell, Sequence[str]]:
        """One job per cell; those that borrow weights are submitted when the others are done."""
        lent = [cell for cell in errand.todo if cell in errand.lenders]
        for cells in ([cell for cell in errand.todo if cell not in errand.lenders], lent):
            if cells:
                self._round(errand, cells)
        return errand.todo

    def _round(self, errand: Errand, cells: list[Cell]) -> None:
        view = RunView(errand.folder)
        asked = {c: needs(errand.plan, c, view.stages(c.method, c.seed), gpus=self._gpus()) for c in cells}
        seconds = budget.seconds_left(errand.budget) if errand.budget is not None else None
        left = {}
        for cell in cells:
            job = engine_job(errand, cell, asked[cell].cpus, seconds)
            left[self._executor(errand, cell, asked[cell]).submit(_Cell(), job)] = cell
        _follow(errand, left)

    def _gpus(self) -> int:
        """One per cell where Slurm gives any; BENCH_DEVICE=cpu asks for none."""
        return int(self.place == "slurm" and os.environ.get("BENCH_DEVICE") != "cpu")

    def _executor(self, errand: Errand, cell: Cell, need: Needs) -> Any:
        try:
            import submitit
        except ImportError as error:
            raise BenchError(
                "--engine slurm: submitit is not installed: pip install 'exemplar-bench[slurm]'"
            ) from error
        try:
            executor = submitit.AutoExecutor(
                errand.folder.resolve() / "slurm", cluster=self.place, slurm_max_num_timeout=REQUEUES
            )
        except RuntimeError as error:
            raise BenchError(f"--engine slurm: {error}; or run cells from a job array, see docs/scale.md") from error
        executor.update_parameters(
            name=str(cell),
            timeout_min=LIMIT,
            cpus_per_task=need.cpus,
            gpus_per_node=need.gpus,
            mem_gb=max(1, round(need.memory / 2**30)),
        )
        return executor


class _Cell:
    """What a job calls. submitit asks `checkpoint` for what to queue again when Slurm is about to end the job: the
    same, as training writes its own checkpoints.
    """

    def __call__(self, job: Job) -> None:
        carry_out(job, job.run)

    def checkpoint(self, job: Job) -> Any:
        import submitit

        return submitit.helpers.DelayedSubmission(_Cell(), job)


def _follow(errand: Errand, left: dict[Any, Cell]) -> None:
    cells = list(left.values())
    total = sum(planned_steps(errand.plan.config, cell.method) for cell in cells if "fit" in errand.todo[cell])
    try:
        with errand.progress(total, f"{len(cells)} cells on Slurm") as bar:
            while left:
                time.sleep(POLL)
                bar.update(sum(steps_done(errand.folder, cell) for cell in cells) - getattr(bar, "n", 0))
                for job in [job for job in left if job.done()]:
                    _conclude(errand, left.pop(job), job)
    except KeyboardInterrupt:
        for job in left:
            job.cancel()
        raise


def _conclude(errand: Errand, cell: Cell, job: Any) -> None:
    problem = job.exception()
    if problem is None:
        errand.say(f"{cell}: ended as job {job.job_id}")
        return
    reason = " ".join(str(problem).split())[-300:]
    stages = todo(RunView(errand.folder), cell) or ["score"]
    record_failure(errand.folder / "cells.jsonl", cell, stages[0], f"job {job.job_id}: {reason}")
