"""Train and synthesize several cells at once, one process each.

Small networks gain little from a second thread; a second cell beside the first uses a second core better. Frames that
one process renders the others read (`benchmark.data.frame_cache`); all else that a process leaves is in its cell's
folder: nothing is sent back. Scores are left to the parent, which has the exam in memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmark.files import read_lines
from benchmark.run.cell import planned_steps
from benchmark.run.engines import Errand
from benchmark.run.job import Job, make_job
from benchmark.run.plan import Cell, Plan
from benchmark.run.results import RunView
from benchmark.run.stages import record_failure, run_stage
from benchmark.run.stop import end_all, preemptible

POLL = 0.5  # seconds between looks at the workers
STOPPED = 130  # exit code of a worker that a signal ended
PR_SET_PDEATHSIG = 1  # linux/prctl.h


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
    errand: Errand,
    cells: list[Cell],
    jobs: int,
    deadline: Callable[[int], float | None],
    ended: Callable[[Cell], None],
    meanwhile: Callable[[], bool],
) -> set[Cell]:
    """Fit `cells`, `jobs` at a time, and make the pictures of each whose training came to its end; returns those begun.

    `deadline(n)` is the share of the time budget when n trainings are left to start. A cell that takes another's
    weights starts when those are trained, and not at all where the budget cut them short. `ended` hears of every cell
    whose process has ended well; `meanwhile` does a piece of this process's own work beside the workers, False when it
    has none. Each worker records its own outcome in cells.jsonl. Ctrl-C or SIGTERM asks every worker once to checkpoint
    and stop.
    """
    plan, folder, lenders = errand.plan, errand.folder, errand.lenders
    context = multiprocessing.get_context("spawn")
    waiting, working, begun = list(cells), dict[BaseProcess, Cell](), set[Cell]()
    threads = plan.config.train.threads or max(1, (os.cpu_count() or 1) // jobs)
    training = [cell for cell in cells if cell not in lenders]
    total = sum(planned_steps(plan.config, cell.method) for cell in training)
    with errand.progress(total, f"fit {len(training)} cells, {jobs} at a time") as bar:
        try:
            while waiting or working:
                while len(working) < jobs and (cell := _next(folder, waiting, working.values(), lenders)):
                    limit = deadline(1 + sum(other not in lenders for other in waiting))
                    seconds = None if limit is None else limit - time.monotonic()
                    job = make_job(plan.world, cell, folder, threads, seconds, lender=lenders.get(cell))
                    process: BaseProcess = context.Process(target=_work, args=(job,), name=str(cell))
                    process.start()
                    working[process] = cell
                    begun.add(cell)
                if not meanwhile():
                    time.sleep(POLL)
                bar.update(sum(steps_done(folder, cell) for cell in training) - bar.n)
                for process in [p for p in working if not p.is_alive()]:
                    cell = working.pop(process)
                    if not _record_death(folder, cell, process):
                        ended(cell)
        except KeyboardInterrupt as stop:
            end_all(stop, working)
            raise
    return begun


def _next(folder: Path, waiting: list[Cell], working: Iterable[Cell], lenders: Mapping[Cell, Cell]) -> Cell | None:
    """Take the next cell that can start from `waiting`: one that waited for its lender first, as it needs no training.

    A cell whose lender has ended without being trained whole is dropped.
    """
    busy = {*waiting, *working}
    for cell in [cell for cell in waiting if cell in lenders and lenders[cell] not in busy]:
        waiting.remove(cell)
        if trained(folder, lenders[cell]):
            return cell
    first = next((cell for cell in waiting if cell not in lenders), None)
    if first is not None:
        waiting.remove(first)
    return first


def trained(folder: Path, cell: Cell) -> bool:
    """Whether a cell's training is done, to its last step."""
    fit = RunView(folder).stages(cell.method, cell.seed).get("fit", {})
    return fit.get("state") == "done" and bool(fit.get("finished", True))


def _work(job: Job) -> None:
    """One worker: fit one cell, and make its pictures when it is trained whole."""
    begin_worker(job.threads)
    work = job.work()
    try:
        with preemptible():
            run_stage(work, "fit")
            if trained(job.run, job.cell):
                run_stage(work, "synthesize")
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


def steps_done(folder: Path, cell: Cell) -> int:
    return max((line["step"] for line in read_lines(cell.folder(folder) / "log.jsonl") if "step" in line), default=0)


def _record_death(folder: Path, cell: Cell, process: BaseProcess) -> bool:
    """Whether a worker died without a word (killed, out of memory): then the stage it was at is a failed one."""
    reason = death(process)
    if reason:
        stage = "synthesize" if trained(folder, cell) else "fit"
        record_failure(folder / "cells.jsonl", cell, stage, f"the worker {reason}")
    return bool(reason)


def death(process: BaseProcess) -> str:
    """How a process ended that has not done its work, e.g. "was ended by signal 9 (out of memory?)"; else ""."""
    code = process.exitcode or 0
    if code == STOPPED:
        return "was asked to stop; its checkpoint is kept, and the same command goes on"
    if code < 0:
        return f"was ended by signal {-code}{' (out of memory?)' if -code == signal.SIGKILL else ''}"
    return f"ended with exit code {code}" if code else ""
