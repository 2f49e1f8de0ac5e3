"""`bench run`: walk the cells, skip what is finished, record what fails, summarise after every cell.

What is finished, `benchmark.run.stages` knows; where cells run, `benchmark.run.engines`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from benchmark import registry
from benchmark.errors import BenchError
from benchmark.files import append_line, write_json
from benchmark.run.budget import SCORING_SHARE, share
from benchmark.run.cell import CellRun
from benchmark.run.engines import Engine, Errand
from benchmark.run.engines.local import LocalEngine
from benchmark.run.lending import lender
from benchmark.run.locks import beside_others, one_after_another, only_one_at, only_runner
from benchmark.run.manifest import check_same, write_manifest
from benchmark.run.plan import Cell, Plan
from benchmark.run.png import save_png
from benchmark.run.results import EXAM, NewerSchema, RunView
from benchmark.run.stages import run_cell, run_stage, todo
from benchmark.run.summary import summarise
from benchmark.run.together import fit_together
from benchmark.run.world import World


def finished(folder: Path, plan: Plan) -> bool:
    """True when every cell of the plan is done and its training was not cut short; imports nothing heavy.

    Results that are missing, damaged or of an older schema are still to be made from the scores; those of a newer
    schema are refused, as they would be lost.
    """
    try:
        view = RunView(folder)
        _ = view.results
    except NewerSchema:
        raise
    except BenchError:
        return False
    check_same(folder, view.manifest, plan)
    known = set(view.manifest["methods"]), set(view.manifest["seeds"])
    if not (set(plan.methods) <= known[0] and set(plan.seeds) <= known[1]):
        return False
    return all(not todo(view, cell) for cell in plan.cells)


def run(
    plan: Plan,
    folder: Path,
    argv: list[str],
    say: Callable[[str], None],
    progress: Callable[[int, str], Any],
    max_minutes: float | None = None,
    show: bool = True,
    engine: Engine | None = None,
) -> int:
    """Run every unfinished cell of `plan` in `folder`: what `engine` takes there, the rest here, one after another.

    Returns how many cells failed. Raises BenchError when none of the methods applies to the task.
    """
    budget = None if max_minutes is None else time.monotonic() + 60 * max_minutes * (1 - SCORING_SHARE)
    if plan.refused.keys() >= set(plan.methods):
        reasons = ", ".join(f"{name} ({reason})" for name, reason in plan.refused.items())
        raise BenchError(f"--methods: none applies to the {plan.task.name} task: {reasons}")
    folder.mkdir(parents=True, exist_ok=True)
    with only_runner(folder):
        view = _prepare(plan, folder, argv, say, progress)
        undone = {cell: stages for cell in plan.cells if (stages := todo(view, cell))}
        lenders = {cell: other for cell in undone if (other := lender(plan, cell, view.cells))}
        # weights must be there before they are lent
        undone = {cell: undone[cell] for cell in sorted(undone, key=lambda cell: cell in lenders)}
        errand = Errand(plan, folder, undone, lenders, budget, progress, say)
        tried = (engine or LocalEngine()).carry(errand)
        failures, view = 0, RunView(folder)
        left = {cell: _untried(view, cell, stages, tried.get(cell, ())) for cell, stages in undone.items()}
        training = sum("fit" in stages and cell not in lenders for cell, stages in left.items())
        for i, (cell, stages) in enumerate(left.items()):
            say(f"[{i + 1}/{len(left)}] {cell}")
            deadline = share(budget, training)
            training -= "fit" in stages and cell not in lenders
            work = CellRun(cell, folder, plan.world, progress, deadline, show, lenders.get(cell))
            failures += not run_cell(work, stages, say)
            if stages:
                summarise(folder, plan.world, RunView(folder).manifest)
        if not any(left.values()):
            summarise(folder, plan.world, RunView(folder).manifest)
    return failures


def run_one(
    plan: Plan,
    folder: Path,
    cell: Cell,
    argv: list[str],
    say: Callable[[str], None],
    progress: Callable[[int, str], Any],
    max_minutes: float | None = None,
    show: bool = True,
) -> bool:
    """Run one cell of a plan, beside other processes at work on other cells of the folder; False when it failed.

    Results are not summarised: the whole plan's `run`, in the end, does that. Raises BenchError where the whole run or
    this cell is at work elsewhere, and where a cell that lends this one its weights is not trained yet.
    """
    if cell.method in plan.refused:
        raise BenchError(f"--cell {cell}: does not apply to the {plan.task.name} task: {plan.refused[cell.method]}")
    budget = None if max_minutes is None else time.monotonic() + 60 * max_minutes * (1 - SCORING_SHARE)
    folder.mkdir(parents=True, exist_ok=True)
    with beside_others(folder), only_one_at(cell.folder(folder)):
        with one_after_another(folder):
            view = _prepare(plan, folder, argv, say, progress)
        stages = todo(view, cell)
        other = lender(plan, cell, view.cells)
        if other and "fit" in stages and todo(view, other)[:1] == ["fit"]:
            raise BenchError(f"--cell {cell}: takes the weights of {other}, which is not trained yet: run that first")
        if not stages:
            say(f"{cell}: nothing to do")
        return run_cell(CellRun(cell, folder, plan.world, progress, budget, show, other), stages, say)


def _prepare(
    plan: Plan, folder: Path, argv: list[str], say: Callable[[str], None], progress: Callable[[int, str], Any]
) -> RunView:
    """Write what all cells share, and record those that do not apply; returns the folder as it then is."""
    write_manifest(folder, plan, argv)
    write_exam(folder, plan.world, progress)
    view = RunView(folder)
    for cell in [cell for cell in plan.cells if cell.method in plan.refused and todo(view, cell)]:
        say(f"{cell}: does not apply: {plan.refused[cell.method]}")
        _record_refusal(folder, cell, plan.refused[cell.method])
    return RunView(folder)


def _untried(view: RunView, cell: Cell, stages: Sequence[str], tried: Sequence[str]) -> list[str]:
    """Stages that an engine has left to do; none after a failure of it."""
    records = view.stages(cell.method, cell.seed)
    failed = any(records[stage]["state"] == "failed" for stage in tried if stage in records)
    return [] if failed else [stage for stage in stages if stage not in tried]


def train_only(
    plan: Plan,
    folder: Path,
    cell: Cell,
    argv: list[str],
    deadline: float | None,
    show: bool,
    fork: Path | None = None,
    devices: int = 1,
) -> dict[str, Any]:
    """Run the fit stage of one cell, on several devices if asked; return its record. A failure is recorded and raised.

    `fork` is the folder of a cell, from whose newest checkpoint this training sets out.
    """
    if cell.method in plan.refused:
        raise BenchError(f"{cell.method}: does not apply to the {plan.task.name} task: {plan.refused[cell.method]}")
    for option, given in {"fork": fork is not None, "devices": devices > 1}.items():
        if given and option not in getattr(registry.get("methods", cell.method).fit, "honours", ()):
            raise BenchError(f"--{option}: {cell.method} has a fit of its own, which does not know it; leave it out")
    folder.mkdir(parents=True, exist_ok=True)
    with only_runner(folder):
        write_manifest(folder, plan, argv)
        view = RunView(folder)
        other = lender(plan, cell, view.cells)
        work = CellRun(cell, folder, plan.world, lambda total, label: nullcontext(), deadline, show, other, fork)
        old = view.stages(cell.method, cell.seed).get("fit", {})
        if old.get("state") == "done" and old.get("finished"):
            origin = old.get("forked_from", {}).get("folder", "")
            if fork is not None and Path(origin).parent.resolve() != fork.resolve():
                raise BenchError(f"--fork {fork}: {folder} holds a training that began otherwise; use another --out")
            return old
        if fork is not None and other is not None:
            trained = f"{cell.method} takes the weights that {other} has in {folder}"
            raise BenchError(f"--fork {fork}: {trained}: leave --fork out, or use another --out")
        record = fit_together(work, devices) if devices > 1 and other is None else run_stage(work, "fit")
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
