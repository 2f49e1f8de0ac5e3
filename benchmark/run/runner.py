"""`bench run`: walk the cells, skip what is finished, record what fails, summarise after every cell.

The state of a cell is the newest line of each of its stages in cells.jsonl. A stage is recorded only when its files
are whole, so a kill at any moment costs at most the stage in progress, and training resumes from its own checkpoint.
"""

from __future__ import annotations

import fcntl
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from benchmark import registry
from benchmark.errors import BenchError
from benchmark.files import append_line, write_json
from benchmark.run.cell import CellRun
from benchmark.run.lending import lender
from benchmark.run.manifest import check_same, write_manifest
from benchmark.run.parallel import fit_cells
from benchmark.run.plan import STAGES, Cell, Plan
from benchmark.run.png import save_png
from benchmark.run.results import EXAM, RunView
from benchmark.run.summary import summarise
from benchmark.run.world import World

WORTHWHILE = 20.0  # seconds of a budget: with less left, starting a worker again gains next to nothing
SCORING_SHARE = 0.1  # of a time budget, kept back for synthesis, scores and the report


def finished(folder: Path, plan: Plan) -> bool:
    """True when every cell of the plan is done and its training was not cut short; imports nothing heavy."""
    if not (folder / "results.json").exists():
        return False
    view = RunView(folder)
    check_same(folder, view.manifest, plan)
    known = set(view.manifest["methods"]), set(view.manifest["seeds"])
    if not (set(plan.methods) <= known[0] and set(plan.seeds) <= known[1]):
        return False
    return all(not _todo(view, cell) for cell in plan.cells)


def run(
    plan: Plan,
    folder: Path,
    argv: list[str],
    say: Callable[[str], None],
    progress: Callable[[int, str], Any],
    max_minutes: float | None = None,
    show: bool = True,
    jobs: int = 1,
) -> int:
    """Run every unfinished cell of `plan` in `folder`, `jobs` trainings at a time. Returns how many cells failed.

    Raises BenchError when none of the methods applies to the task.
    """
    started = time.monotonic()
    if plan.refused.keys() >= set(plan.methods):
        reasons = ", ".join(f"{name} ({reason})" for name, reason in plan.refused.items())
        raise BenchError(f"--methods: none applies to the {plan.task.name} task: {reasons}")
    folder.mkdir(parents=True, exist_ok=True)
    with only_runner(folder):
        write_manifest(folder, plan, argv)
        write_exam(folder, plan.world, progress)
        budget = None if max_minutes is None else started + 60 * max_minutes * (1 - SCORING_SHARE)
        view = RunView(folder)
        todo = {cell: stages for cell in plan.cells if (stages := _todo(view, cell))}
        for cell in [cell for cell in todo if cell.method in plan.refused]:
            say(f"{cell}: does not apply: {plan.refused[cell.method]}")
            _record_refusal(folder, cell, plan.refused[cell.method])
            del todo[cell]
        lenders = {cell: other for cell in todo if (other := lender(plan, cell, view.cells))}
        training = [cell for cell, stages in todo.items() if "fit" in stages and cell not in lenders]
        if jobs > 1 and len(training) > 1:
            waiting = training
            while waiting:  # once; again for those cut short, where cheaper ones have left time over
                fit_cells(plan, folder, waiting, jobs, lambda left: _deadline(budget, -(-left // jobs)), progress)
                waiting = _cut_short(RunView(folder), waiting) if _time_left(budget) > WORTHWHILE else []
            fitted = RunView(folder).cells
            for cell in training:
                todo[cell] = [] if fitted[cell.method, cell.seed]["fit"]["state"] == "failed" else list(STAGES[1:])
        failures = 0
        order = sorted(todo, key=lambda cell: cell in lenders)  # weights must be there before they are lent
        for i, cell in enumerate(order):
            say(f"[{i + 1}/{len(todo)}] {cell}")
            left = sum("fit" in todo[later] and later not in lenders for later in order[i:])
            work = CellRun(cell, folder, plan.world, progress, _deadline(budget, left), show, lenders.get(cell))
            failures += not run_cell(work, todo[cell], say)
            summarise(folder, plan.world, RunView(folder).manifest)
        if not todo:
            summarise(folder, plan.world, RunView(folder).manifest)
    return failures


def run_cell(work: CellRun, stages: list[str], say: Callable[[str], None]) -> bool:
    """Run the given stages of one cell; False when one failed, also earlier (no stages left to run after a failure)."""
    for stage in stages:
        if run_stage(work, stage)["state"] == "failed":
            break
    records = RunView(work.run).cells.get((work.cell.method, work.cell.seed), {})
    for stage, record in records.items():
        if record["state"] == "failed":
            say(f"  {work.cell}: {stage} failed: {record['reason']}")
            return False
    return True


def run_stage(work: CellRun, stage: str) -> dict[str, Any]:
    """Run and record one stage; a failure is recorded with its reason, its traceback kept beside the cell."""
    lines, began = work.run / "cells.jsonl", time.perf_counter()
    record: dict[str, Any] = {"method": work.cell.method, "seed": work.cell.seed, "stage": stage}
    if stage == "fit":
        for later in STAGES[1:]:  # what was made from earlier weights no longer counts
            append_line(lines, {**record, "stage": later, "state": "stale"})
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


def train_only(
    plan: Plan, folder: Path, cell: Cell, argv: list[str], deadline: float | None, show: bool
) -> dict[str, Any]:
    """Run the fit stage of one cell; return its record. A failure is recorded and raised."""
    if cell.method in plan.refused:
        raise BenchError(f"{cell.method}: does not apply to the {plan.task.name} task: {plan.refused[cell.method]}")
    folder.mkdir(parents=True, exist_ok=True)
    with only_runner(folder):
        write_manifest(folder, plan, argv)
        cells = RunView(folder).cells
        other = lender(plan, cell, cells)
        work = CellRun(cell, folder, plan.world, lambda total, label: nullcontext(), deadline, show, other)
        old = cells.get((cell.method, cell.seed), {}).get("fit", {})
        if old.get("state") == "done" and old.get("finished"):
            return old
        record = run_stage(work, "fit")
    if record["state"] == "failed":
        raise BenchError(f"{cell}: {record['reason']}")
    return record


def write_exam(folder: Path, world: World, progress: Callable[[int, str], Any]) -> None:
    """Write items.json and the pictures of the exam: label, exemplar, target and, where it can be rendered, the
    truth.
    """
    out, items = folder / "images" / EXAM, world.items
    records = [
        {"id": i.id, "label": list(i.label), "exemplar": list(i.exemplar), "consistent": i.consistent} for i in items
    ]
    path = folder / "items.json"
    if path.exists() and len(list(out.glob("*/*.png"))) >= 3 * len(items):
        return
    with progress(len(items), "render the exam") as bar:
        for item in items:
            truth = world.source.truth(item.label, item.exemplar)
            pictures: dict[str, np.ndarray | None] = {
                "label": world.task.label_picture(world.store.label(item.label)),
                "exemplar": world.store.image(item.exemplar),
                "target": world.store.image(item.label),
                "truth": truth,
            }
            for what, pixels in pictures.items():
                if pixels is not None:
                    (out / what).mkdir(parents=True, exist_ok=True)
                    save_png(out / what / f"{item.id}.png", np.ascontiguousarray(pixels))
            bar.update(1)
    write_json(path, records)


def _record_refusal(folder: Path, cell: Cell, reason: str) -> None:
    record = {"method": cell.method, "seed": cell.seed, "stage": "fit", "state": "not-applicable", "reason": reason}
    append_line(folder / "cells.jsonl", record)


def _stages(cell: Cell) -> tuple[str, ...]:
    return STAGES[1:] if registry.get("methods", cell.method).reference else STAGES


def _todo(view: RunView, cell: Cell) -> list[str]:
    """Stages still to run, in order: from the first that is not done."""
    records = view.cells.get((cell.method, cell.seed), {})
    if records.get("fit", {}).get("state") == "not-applicable":
        return []
    if records.get("fit", {}).get("state") == "done" and not records["fit"].get("finished", True):
        return list(STAGES)
    wanted = STAGES if "fit" in records or not records else STAGES[1:]
    done = [records.get(stage, {}).get("state") == "done" for stage in wanted]
    if all(done):
        return []
    stages = _stages(cell)
    first = next(s for s in stages if records.get(s, {}).get("state") != "done")
    return list(stages[stages.index(first) :])


def _cut_short(view: RunView, cells: list[Cell]) -> list[Cell]:
    """Those of `cells` whose training the time budget ended before its last step."""
    fits = {cell: view.cells[cell.method, cell.seed]["fit"] for cell in cells}
    return [cell for cell, fit in fits.items() if fit["state"] == "done" and not fit.get("finished", True)]


def _time_left(budget: float | None) -> float:
    """Seconds; none where there is no budget, as nothing is cut short then."""
    return 0.0 if budget is None else budget - time.monotonic()


def _deadline(budget: float | None, left: int) -> float | None:
    """The even share of what is left of the time budget when `left` trainings are still to run one after another."""
    if budget is None:
        return None
    now = time.monotonic()
    return now + max(0.0, budget - now) / max(1, left)


@contextmanager
def only_runner(folder: Path) -> Iterator[None]:
    """Two runs in one folder would mix their cells: the second is refused."""
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BenchError(
                f"{folder}: another bench run is at work in this folder; wait for it or use another --out"
            ) from error
        yield
