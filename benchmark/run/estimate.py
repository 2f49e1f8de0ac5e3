"""How long a plan would take: a few real steps of every method, timed here and now."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.errors import BenchError
from benchmark.protocols import FitRun
from benchmark.run.cell import answer, build_method, planned_steps
from benchmark.run.lending import lender
from benchmark.run.plan import Cell, Plan


@dataclass(frozen=True)
class Estimate:
    """Seconds of one cell; `problem` says why it would not run, `lender` whose weights it takes instead of training."""

    method: str
    fit: float
    synthesize: float
    problem: str = ""
    lender: str = ""


def estimate(plan: Plan, timed_steps: int = 3) -> list[Estimate]:
    """Time `timed_steps` training steps and one synthesis batch per method, and scale up. Nothing is kept."""
    found = []
    for name in plan.methods:
        if name in plan.refused:
            found.append(Estimate(name, 0.0, 0.0, f"does not apply: {plan.refused[name]}"))
            continue
        try:
            found.append(_one(name, plan, timed_steps))
        except BenchError as error:
            found.append(Estimate(name, 0.0, 0.0, f"cannot run: {error}"))
    return found


def _one(name: str, plan: Plan, timed_steps: int) -> Estimate:
    import torch

    never = timed_steps + 1  # no checkpoint, no sample grid
    config = plan.config.for_method(name)
    timed = replace(
        config.train, steps=timed_steps, decay_steps=0, checkpoint_every=never, grid_every=never, log_every=never
    )
    world = replace(plan.world, config=replace(config, train=timed))
    method = build_method(name, world, seed=0)
    fit, other = 0.0, lender(plan, Cell(name, plan.seeds[0]), {})
    if not (method.reference or other):
        pairs = world.pairs(name, seed=0)
        for step in range(timed_steps):
            pairs.batch(step)  # rendering and reading are paid once, not per step
        with tempfile.TemporaryDirectory() as folder:
            report = method.fit(pairs, FitRun(Path(folder), progress=False))
        fit = report.seconds / max(1, report.steps) * planned_steps(plan.config, name)
    items = world.items[: plan.config.eval.batch]
    sample = world.sample(items)
    began = time.perf_counter()
    with torch.no_grad():
        answer(method, sample)
    synthesis = (time.perf_counter() - began) / len(items) * len(plan.world.items)
    return Estimate(name, fit, synthesis, lender=other.method if other else "")
