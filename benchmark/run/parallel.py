"""Fit several cells at once, one process each.

Small networks gain little from a second thread; a second cell beside the first uses a second core better. Frames that
one process renders the others read (`benchmark.data.frame_cache`); all else that a process leaves is in its cell's
folder: nothing is sent back.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from benchmark import config as configuration
from benchmark import registry
from benchmark.files import read_lines
from benchmark.run.cell import CellRun, planned_steps
from benchmark.run.plan import Cell, Plan
from benchmark.run.stages import record_failure, run_stage
from benchmark.run.stop import end_all, preemptible
from benchmark.run.world import World

POLL = 0.5  # seconds between looks at the workers
STOPPED = 130  # exit code of a worker that a signal ended
PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Job:
    """What a worker process needs to know; everything is picklable."""

    cell: Cell
    run: Path
    task: str
    config: dict[str, Any]
    data: str | None
    deadline: float | None  # time.monotonic(), which all processes of a machine share
    threads: int
    fork: Path | None = None
    show: bool = False


def choose_jobs(plan: Plan, asked: int) -> int:
    """`asked` workers, or for 0 as many as the cores allow at `train.threads` per cell; one on an accelerator."""
    from benchmark.run.devices import choose_device

    if asked:
        return asked
    threads = plan.config.train.threads
    if not threads or choose_device() != "cpu":
        return 1
    return max(1, (os.cpu_count() or 1) // threads)


def fit_cells(
    plan: Plan,
    folder: Path,
    cells: list[Cell],
    jobs: int,
    deadline: Callable[[int], float | None],
    progress: Callable[[int, str], Any],
) -> None:
    """Fit `cells`, `jobs` at a time. `deadline(n)` is the share of the time budget when n cells are left to start.

    Each worker records its own outcome in cells.jsonl. Ctrl-C or SIGTERM asks every worker once to checkpoint and stop.
    """
    context = multiprocessing.get_context("spawn")
    waiting, working = list(cells), dict[BaseProcess, Cell]()
    threads = plan.config.train.threads or max(1, (os.cpu_count() or 1) // jobs)
    total = sum(planned_steps(plan.config, cell.method) for cell in cells)
    with progress(total, f"fit {len(cells)} cells, {jobs} at a time") as bar:
        try:
            while waiting or working:
                while waiting and len(working) < jobs:
                    cell = waiting.pop(0)
                    limit = deadline(len(waiting) + 1)
                    job = Job(cell, folder, plan.task.name, plan.config.to_dict(), plan.world.data, limit, threads)
                    process: BaseProcess = context.Process(target=_work, args=(job,), name=str(cell))
                    process.start()
                    working[process] = cell
                time.sleep(POLL)
                bar.update(sum(steps_done(folder, cell) for cell in cells) - bar.n)
                for ended in [p for p in working if not p.is_alive()]:
                    _record_death(folder, working.pop(ended), ended)
        except KeyboardInterrupt as stop:
            end_all(stop, working)
            raise


def _work(job: Job) -> None:
    """One worker: fit one cell."""
    begin_worker(job.threads)
    work = cell_run(job)
    try:
        with preemptible():
            run_stage(work, "fit")
    except KeyboardInterrupt:
        raise SystemExit(STOPPED) from None


def begin_worker(threads: int) -> None:
    """A process group of its own, as a terminal's Ctrl-C shall reach the parent only, which passes it on once; and an
    end by the kernel if the parent dies.
    """
    os.setpgrp()
    with contextlib.suppress(OSError, AttributeError):  # elsewhere than on Linux an orphan finishes its cell and exits
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # read when torch is imported, later


def cell_run(job: Job) -> CellRun:
    """The work that a job describes."""
    world = World(registry.get("tasks", job.task)(), configuration.from_dict(job.config), job.data)
    return CellRun(job.cell, job.run, world, _no_progress, job.deadline, job.show, fork=job.fork)


def _no_progress(total: int, label: str) -> Any:
    raise AssertionError("fitting shows no bar of this kind")


def steps_done(folder: Path, cell: Cell) -> int:
    return max((line["step"] for line in read_lines(cell.folder(folder) / "log.jsonl") if "step" in line), default=0)


def _record_death(folder: Path, cell: Cell, process: BaseProcess) -> None:
    """A worker that died without a word (killed, out of memory) is a failed cell, not a finished one."""
    if reason := death(process):
        record_failure(folder / "cells.jsonl", cell, "fit", f"the worker {reason}")


def death(process: BaseProcess) -> str:
    """How a process ended that has not done its work, e.g. "was ended by signal 9 (out of memory?)"; else ""."""
    code = process.exitcode or 0
    if code == STOPPED:
        return "was asked to stop; its checkpoint is kept, and the same command goes on"
    if code < 0:
        return f"was ended by signal {-code}{' (out of memory?)' if -code == signal.SIGKILL else ''}"
    return f"ended with exit code {code}" if code else ""
