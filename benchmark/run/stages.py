"""The stages of a cell: which are still to run, and running and recording them.

The state of a cell is the newest line of each of its stages in cells.jsonl. A stage is recorded only when its files are
whole, so a kill at any moment costs at most the stage in progress.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from benchmark import registry
from benchmark.errors import BenchError
from benchmark.files import append_line
from benchmark.run.cell import CellRun
from benchmark.run.plan import STAGES, Cell
from benchmark.run.results import RunView


def todo(view: RunView, cell: Cell) -> list[str]:
    """Stages still to run, in order: from the first that is not done."""
    records = view.stages(cell.method, cell.seed)
    if records.get("fit", {}).get("state") == "not-applicable":
        return []
    if records.get("fit", {}).get("state") == "done" and not records["fit"].get("finished", True):
        return list(STAGES)
    wanted = STAGES if "fit" in records or not records else STAGES[1:]
    if all(records.get(stage, {}).get("state") == "done" for stage in wanted):
        return []
    stages = STAGES[1:] if registry.get("methods", cell.method).reference else STAGES
    first = next(s for s in stages if records.get(s, {}).get("state") != "done")
    return list(stages[stages.index(first) :])


def failure(view: RunView, cell: Cell) -> str:
    """ "fit failed: no memory" where a stage of the cell failed, else ""."""
    records = view.stages(cell.method, cell.seed)
    failed = ((stage, record) for stage, record in records.items() if record["state"] == "failed")
    return next((f"{stage} failed: {record['reason']}" for stage, record in failed), "")


def run_cell(
    work: CellRun, stages: list[str], say: Callable[[str], None], about: Mapping[str, Any] | None = None
) -> bool:
    """Run the given stages of one cell; False when one failed, also earlier (no stages left to run after a failure).

    `about` goes into every record: where it ran, the how-manieth attempt.
    """
    for stage in stages:
        if run_stage(work, stage, about)["state"] == "failed":
            break
    problem = failure(RunView(work.run), work.cell)
    if problem:
        say(f"  {work.cell}: {problem}")
    return not problem


def run_stage(work: CellRun, stage: str, about: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Run and record one stage; a failure is recorded with its reason, its traceback kept beside the cell."""
    lines, began = work.run / "cells.jsonl", time.perf_counter()
    record: dict[str, Any] = {"method": work.cell.method, "seed": work.cell.seed, "stage": stage}
    if stage == "fit":
        for later in STAGES[1:]:  # what was made from earlier weights no longer counts
            append_line(lines, {**record, "stage": later, "state": "stale"})
    record |= about or {}
    try:
        record |= getattr(work, stage)()
        record["state"] = "done"
    except Exception as error:
        reason = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        record |= {"state": "failed", "reason": " ".join(reason.split()) or type(error).__name__}
        work.folder.mkdir(parents=True, exist_ok=True)
        (work.folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
    record["seconds"] = round(time.perf_counter() - began, 3)
    append_line(lines, record)
    return record


def record_failure(lines: Any, cell: Cell, stage: str, reason: str) -> None:
    """Record a stage that could not speak for itself any more; `lines` is the path of cells.jsonl."""
    record = {"method": cell.method, "seed": cell.seed, "stage": stage, "state": "failed", "reason": reason}
    append_line(lines, {**record, "seconds": 0})
