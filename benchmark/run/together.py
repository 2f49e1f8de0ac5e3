"""Fit one cell with several processes of this machine, one per device: `bench train --devices N`.

Each process is given its rank in the environment, as torchrun does it, and accelerate sets the group up from that: gloo
on CPU, nccl on CUDA. The first process records the outcome and writes every file; see models/ranks.py.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from typing import Any

from benchmark.errors import BenchError
from benchmark.run.cell import CellRun
from benchmark.run.job import Job, make_job
from benchmark.run.parallel import POLL, STOPPED, begin_worker, death
from benchmark.run.results import RunView
from benchmark.run.stages import record_failure, run_stage
from benchmark.run.stop import end_all, preemptible

GRACE = 10.0  # seconds that the others get to end by themselves when one has failed


def fit_together(work: CellRun, devices: int) -> dict[str, Any]:
    """Run the fit stage on `devices` devices; returns its record. Raises BenchError where they cannot be had."""
    check_devices(devices)
    threads = work.world.config.for_method(work.cell.method).train.threads or max(1, (os.cpu_count() or 1) // devices)
    seconds = None if work.deadline is None else work.deadline - time.monotonic()
    job = make_job(work.world, work.cell, work.run, threads, seconds, fork=work.fork, show=work.show)
    context = multiprocessing.get_context("spawn")
    said, port = context.Queue(), free_port()
    workers: list[BaseProcess] = [
        context.Process(target=_work, args=(job, rank, devices, port, said), name=f"{work.cell} {rank}")
        for rank in range(devices)
    ]
    try:
        for worker in workers:
            worker.start()
        dead = _wait(workers)
    except KeyboardInterrupt as stop:
        end_all(stop, [worker for worker in workers if worker.pid])
        raise
    reason = _cause(dead, devices, said)
    if reason:
        record_failure(work.run / "cells.jsonl", work.cell, "fit", reason)
    return RunView(work.run).cells[work.cell.method, work.cell.seed]["fit"]


def check_devices(devices: int) -> None:
    """Refuse more devices than there are; on the CPU each is a process, of which there may be any number."""
    from benchmark.run.devices import choose_device

    device = choose_device()
    if device == "cpu":
        return
    import torch

    if device != "cuda":
        raise BenchError(f"--devices {devices}: BENCH_DEVICE is {device!r}; only cuda and cpu can be many")
    if devices > torch.cuda.device_count():
        raise BenchError(f"--devices {devices}: this machine has {torch.cuda.device_count()}")


def _work(job: Job, rank: int, count: int, port: int, said: Any) -> None:
    """One of the processes; says what it failed of, and when, as the others then fail of its absence."""
    begin_worker(job.threads)
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()}, MASTER_ADDR="127.0.0.1")
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # a machine's own name need not lead back to it
    work = job.work()
    work.show = job.show and rank == 0
    try:
        with preemptible(), _on_device(rank):
            if rank == 0:
                record = run_stage(work, "fit")
                if record["state"] == "failed":
                    said.put((time.monotonic(), rank, record["reason"]))
            else:
                work.assist()
    except KeyboardInterrupt:
        raise SystemExit(STOPPED) from None
    except Exception as error:
        reason = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        said.put((time.monotonic(), rank, " ".join(reason.split())))
        raise SystemExit(1) from None


@contextmanager
def _on_device(rank: int) -> Iterator[None]:
    """The accelerator of a rank; and, when all went well, the end of the process group that was set up meanwhile."""
    import torch

    from benchmark.run.devices import choose_device

    if choose_device() == "cuda":  # BENCH_DEVICE=cpu beside GPUs may be of more processes than there are GPUs
        torch.cuda.set_device(rank)
    yield
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _wait(workers: list[BaseProcess]) -> dict[int, str]:
    """Until all have ended; returns how the first of them died, by rank, if one did.

    The others are given a moment then, as they may wait for it in vain.
    """
    dead: dict[int, str] = {}
    ends = float("inf")
    while any(worker.is_alive() for worker in workers):
        time.sleep(POLL)
        if not dead:
            dead = {rank: why for rank, w in enumerate(workers) if not w.is_alive() and (why := death(w))}
            ends = time.monotonic() + GRACE if dead else ends
        if time.monotonic() > ends:
            for worker in workers:
                worker.kill()
    return dead


def _cause(dead: dict[int, str], count: int, said: Any) -> str:
    """What ended the training: a process that died without a word, else the earliest failure. "" for none, and where
    the first process, which has recorded its own, was the earliest.
    """
    heard: list[tuple[float, int, str]] = []
    with suppress(queue.Empty):
        while True:
            heard.append(said.get(timeout=0.2))
    spoke = {rank for _, rank, _ in heard}
    silent = [f"process {rank + 1} of {count} {why}" for rank, why in dead.items() if rank not in spoke]
    if silent or not heard:
        return silent[0] if silent else ""
    _, rank, reason = min(heard)
    return f"process {rank + 1} of {count}: {reason}" if rank else ""


def free_port() -> int:
    """A port for the processes to meet at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
