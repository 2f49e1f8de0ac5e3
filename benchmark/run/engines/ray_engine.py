"""Cells as Ray tasks: on every machine of a cluster, with the GPU and memory they need, again where a machine is lost.

    RayEngine("auto").carry(errand)          # a cluster that runs; None starts Ray on this machine alone

A machine that sees the run folder works in it. One that does not gets the cell's files through Ray's object store, and
sends back every checkpoint as it is written and in the end everything else: see `benchmark.run.engines.desk`.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError
from benchmark.run import budget
from benchmark.run.cell import planned_steps
from benchmark.run.engines import Errand
from benchmark.run.engines.desk import Desk, receive, results, send_checkpoints
from benchmark.run.engines.job import carry_out, engine_job
from benchmark.run.engines.needs import Needs, needs
from benchmark.run.job import Job
from benchmark.run.parallel import steps_done
from benchmark.run.plan import Cell
from benchmark.run.results import RunView
from benchmark.run.stages import record_failure, todo

RETRIES = 3  # machines or workers that a cell may lose
POLL = 1.0  # seconds
GRACE = 120.0  # seconds for workers to write a checkpoint after Ctrl-C


class RayEngine:
    """`address` of a running cluster, or None. `shared`: whether its machines see the run folder; None finds out,
    machine by machine, unless BENCH_RAY_SHARED says "no".
    """

    def __init__(self, address: str | None = None, shared: bool | None = None) -> None:
        check_address(address)
        self.address = address
        self.shared = os.environ.get("BENCH_RAY_SHARED") != "no" if shared is None else shared

    def carry(self, errand: Errand) -> Mapping[Cell, Sequence[str]]:
        waiting = list(errand.todo)
        if not waiting:
            return {}
        with connected(self.address) as ray:
            while waiting:  # once; again for those that their share of the budget cut short, where time is left over
                self._round(ray, errand, waiting)
                again = budget.seconds_left(errand.budget) > budget.WORTHWHILE
                waiting = budget.cut_short(RunView(errand.folder), waiting) if again else []
        return errand.todo

    def _round(self, ray: Any, errand: Errand, cells: list[Cell]) -> None:
        run, token = errand.folder.resolve(), uuid.uuid4().hex if self.shared else ""
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        desk = ray.remote(num_cpus=0, scheduling_strategy=here)(Desk).remote(run)
        task = ray.remote(max_retries=RETRIES)(_carry_cell)
        with _marked(run, token):
            sent: dict[Cell, Any] = {}
            for job, need in _jobs(ray, errand, cells):
                options = {"num_cpus": need.cpus, "num_gpus": need.gpus, "memory": need.memory, "name": str(job.cell)}
                after = sent.get(job.lender) if job.lender else None  # a borrower waits for its lender's task
                sent[job.cell] = task.options(**options).remote(job, desk, token, after)
            _follow(ray, errand, sent)
        ray.kill(desk)


def _jobs(ray: Any, errand: Errand, cells: list[Cell]) -> Iterator[tuple[Job, Needs]]:
    plan, view = errand.plan, RunView(errand.folder)
    there = ray.cluster_resources()
    asked = {
        cell: needs(plan, cell, view.stages(cell.method, cell.seed), gpus=1 if there.get("GPU") else 0)
        for cell in cells
    }
    _tell_of_missing_machines(ray, errand, asked)
    training = [cell for cell in cells if "fit" in errand.todo[cell] and cell not in errand.lenders]
    side_by_side = min(_room(there, asked[cell]) for cell in cells)
    rounds = math.ceil(len(training) / max(1, side_by_side))
    seconds = budget.seconds_left(errand.budget) if errand.budget is not None else None
    for cell in cells:
        yield engine_job(errand, cell, asked[cell].cpus, seconds, rounds), asked[cell]


def _room(there: Mapping[str, float], need: Needs) -> int:
    """Cells of one kind that all machines together have room for."""
    parts = [there.get("CPU", 0) // need.cpus, there.get("memory", 0) // need.memory]
    return int(min([*parts, there.get("GPU", 0) // need.gpus] if need.gpus else parts))


def _tell_of_missing_machines(ray: Any, errand: Errand, asked: Mapping[Cell, Needs]) -> None:
    """A cell that no machine has room for waits for one: a cluster may grow."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    for cell, need in asked.items():
        if not any(_room(machine, need) for machine in machines):
            errand.say(
                f"{cell}: no machine of the cluster has {need.cpus} cores, {need.gpus} GPUs and "
                f"{need.memory / 2**30:.1f} GiB of memory; waiting for one"
            )


def _follow(ray: Any, errand: Errand, sent: Mapping[Cell, Any]) -> None:
    """Wait for every task; one that Ray gave up becomes a failed cell."""
    left = {ref: cell for cell, ref in sent.items()}
    total = sum(planned_steps(errand.plan.config, cell.method) for cell in sent if "fit" in errand.todo[cell])
    try:
        with errand.progress(total, f"{len(sent)} cells on Ray") as bar:
            while left:
                ended, _ = ray.wait(list(left), num_returns=1, timeout=POLL)
                bar.update(sum(steps_done(errand.folder, cell) for cell in sent) - getattr(bar, "n", 0))
                for ref in ended:
                    _conclude(ray, errand, left.pop(ref), ref)
    except KeyboardInterrupt:
        for ref in left:
            ray.cancel(ref)
        ray.wait(list(left), num_returns=len(left), timeout=GRACE)
        raise


def _conclude(ray: Any, errand: Errand, cell: Cell, ref: Any) -> None:
    try:
        ray.get(ref)
        errand.say(f"{cell}: ended on {_where(errand.folder, cell)}")
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        reason = str(cause) if isinstance(cause, BenchError) else f"{type(cause or error).__name__}: {cause or error}"
        stages = todo(RunView(errand.folder), cell) or ["score"]
        record_failure(errand.folder / "cells.jsonl", cell, stages[0], " ".join(reason.split())[:500])


def _where(run: Path, cell: Cell) -> str:
    records = RunView(run).stages(cell.method, cell.seed).values()
    last = [record for record in records if "node" in record][-1]
    return str(last["node"]) + (f", attempt {last['attempt']}" if last["attempt"] > 1 else "")


def _carry_cell(job: Job, desk: Any, token: str, after: Any) -> None:
    """The task. `after` is a lender's result, which Ray waited for; `token` proves that a folder is the run's."""
    import ray

    attempt = ray.get(desk.arrive.remote(job.cell))
    if token and _mark(job.run, token).exists():
        carry_out(job, job.run, attempt)
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run = Path(folder)
        known = receive(run, *ray.get(desk.give.remote(job.cell, job.lender)))
        with _checkpoints_go_home(job.cell, run, desk):
            carry_out(job, run, attempt)
        ray.get(desk.take.remote(*results(run, job.cell, known)))


@contextmanager
def _checkpoints_go_home(cell: Cell, run: Path, desk: Any) -> Iterator[None]:
    """A thread that sends each checkpoint soon after it is written, and the last one in the end."""
    import ray

    ended = threading.Event()

    def send() -> None:
        known: dict[str, int] = {}
        while True:
            last = ended.wait(POLL)
            known = send_checkpoints(cell, run, known, lambda *parcel: ray.get(desk.keep.remote(*parcel)))
            if last:
                return

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        yield
    finally:
        ended.set()
        sender.join()


def _mark(run: Path, token: str) -> Path:
    return run / f".shared-{token}"


@contextmanager
def _marked(run: Path, token: str) -> Iterator[None]:
    """A file by which a worker knows that the folder at this path is the run's own."""
    if not token:
        yield
        return
    _mark(run, token).touch()
    try:
        yield
    finally:
        _mark(run, token).unlink(missing_ok=True)


def check_address(address: str | None) -> None:
    """Refuse Ray's client, under which this process is on no machine of the cluster."""
    if address and address.startswith("ray://"):
        raise BenchError(f"--address {address}: start bench on a machine of the cluster, with --address auto")


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster; without an address to one of this machine alone, which ends with us. Where this
    process is connected already, that stays.
    """
    check_address(address)
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise BenchError("--engine ray: Ray is not installed: pip install 'exemplar-bench[ray]'") from error
    if ray.is_initialized():
        yield ray
        return
    signals = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    alone: Any = {} if address else {"include_dashboard": False}
    try:
        ray.init(address=address or "local", logging_level=logging.WARNING, log_to_driver=False, **alone)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise BenchError(f"--address {address or ''}: no Ray cluster there: {' '.join(str(error).split())}") from error
    for number, handler in signals.items():  # Ray puts its own in place
        with contextlib.suppress(ValueError):
            signal.signal(number, handler)
    try:
        yield ray
    finally:
        ray.shutdown()
