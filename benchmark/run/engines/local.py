"""Trainings and syntheses as processes of this machine, and each cell's scores here meanwhile, where the exam is in
memory; the runner does what is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark import registry
from benchmark.run import budget
from benchmark.run.cell import CellRun, no_bar
from benchmark.run.engines import Errand
from benchmark.run.parallel import choose_jobs, fit_cells
from benchmark.run.plan import STAGES, Cell
from benchmark.run.results import RunView
from benchmark.run.stages import run_stage


class LocalEngine:
    """`jobs` trainings at a time, 0 for as many as the machine has room for. With one job, or one training, there is
    nothing to do side by side.
    """

    def __init__(self, jobs: int = 1) -> None:
        self.jobs = jobs

    def carry(self, errand: Errand) -> Mapping[Cell, Sequence[str]]:
        fitting = [cell for cell, stages in errand.todo.items() if "fit" in stages]
        training = [cell for cell in fitting if cell not in errand.lenders]
        jobs = choose_jobs(errand.plan, self.jobs)
        if jobs == 1 or len(training) <= 1:
            return {}

        def deadline(left: int) -> float | None:
            return budget.share(errand.budget, -(-left // jobs))

        # references first: they need no training
        own = deque(
            (cell, stages) for cell, stages in errand.todo.items() if registry.get("methods", cell.method).reference
        )

        def score_later(cell: Cell) -> None:
            if _state(errand.folder, cell, "synthesize") == "done":
                own.append((cell, ["score"]))

        def work_here() -> bool:
            if not own:
                return False
            cell, stages = own.popleft()
            begun.add(cell)
            work = CellRun(cell, errand.folder, errand.plan.world, no_bar)
            for stage in stages:
                if run_stage(work, stage)["state"] == "failed":
                    break
            return True

        waiting = [cell for cell in fitting if errand.lenders.get(cell, cell) in training]
        begun: set[Cell] = set()
        while waiting:  # once; again for those cut short, where cheaper ones have left time over
            begun |= fit_cells(errand, waiting, jobs, deadline, score_later, work_here)
            again = budget.seconds_left(errand.budget) > budget.WORTHWHILE
            cut = budget.cut_short(RunView(errand.folder), training) if again else []
            waiting = [cell for cell in waiting if errand.lenders.get(cell, cell) in cut]
        tried = ("done", "failed")
        return {cell: [s for s in STAGES if _state(errand.folder, cell, s) in tried] for cell in begun}


def _state(folder: Path, cell: Cell, stage: str) -> str:
    record = RunView(folder).stages(cell.method, cell.seed).get(stage, {})
    return str(record.get("state", ""))
