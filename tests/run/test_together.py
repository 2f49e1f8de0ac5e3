"""What is recorded when one of several processes fails: the cause, not what the others made of its absence."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark import config as configuration
from benchmark import registry
from benchmark.run import together
from benchmark.run.cell import CellRun
from benchmark.run.job import Job
from benchmark.run.plan import Cell
from benchmark.run.results import RunView
from benchmark.run.stages import record_failure
from benchmark.run.world import World

Work = Callable[[Job, int, int, int, Any], None]


def fit(run: Path, work: Work, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Two processes that do `work`; the record of the fit stage."""
    monkeypatch.setattr(together, "_work", work)
    monkeypatch.setattr(together, "GRACE", 0.5)
    monkeypatch.setenv("BENCH_DEVICE", "cpu")
    config = configuration.load("smoke", "face")
    world = World(registry.get("tasks", "face")(), config)
    return together.fit_together(CellRun(Cell("m", 0), run, world, lambda total, label: None), 2)


def fails(job: Job, said: Any, rank: int, reason: str) -> None:
    if rank == 0:
        record_failure(job.run / "cells.jsonl", job.cell, "fit", reason)
    said.put((time.monotonic(), rank, reason))


def second_killed(job: Job, rank: int, count: int, port: int, said: Any) -> None:
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def second_fails_first(job: Job, rank: int, count: int, port: int, said: Any) -> None:
    time.sleep(0 if rank else 2)
    fails(job, said, rank, "clip-3: frame 7 is gone" if rank else "RuntimeError: connection closed by peer")


def first_fails_first(job: Job, rank: int, count: int, port: int, said: Any) -> None:
    time.sleep(2 if rank else 0)
    fails(job, said, rank, "RuntimeError: connection closed by peer" if rank else "step 5: a loss is no number")


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (second_killed, "process 2 of 2 was ended by signal 9 (out of memory?)"),
        (second_fails_first, "process 2 of 2: clip-3: frame 7 is gone"),
        (first_fails_first, "step 5: a loss is no number"),
    ],
)
def test_the_cause_is_recorded(tmp_path: Path, work: Work, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record = fit(tmp_path, work, monkeypatch)
    assert record["state"] == "failed" and record["reason"] == reason
    assert RunView(tmp_path).cells["m", 0]["fit"] == record
