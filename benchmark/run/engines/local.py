"""Trainings as processes of this machine; all else is left to the runner, which has the exam in memory already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.run import budget
from benchmark.run.engines import Errand
from benchmark.run.parallel import choose_jobs, fit_cells
from benchmark.run.plan import Cell
from benchmark.run.results import RunView


class LocalEngine:
    """`jobs` trainings at a time, 0 for as many as the machine has room for. With one job, or one training, there is
    nothing to do side by side.
    """

    def __init__(self, jobs: int = 1) -> None:
        self.jobs = jobs

    def carry(self, errand: Errand) -> Mapping[Cell, Sequence[str]]:
        training = [cell for cell, stages in errand.todo.items() if "fit" in stages and cell not in errand.lenders]
        jobs = choose_jobs(errand.plan, self.jobs)
        if jobs == 1 or len(training) == 1:
            return {}

        def deadline(left: int) -> float | None:
            return budget.share(errand.budget, -(-left // jobs))

        waiting = training
        while waiting:  # once; again for those cut short, where cheaper ones have left time over
            fit_cells(errand.plan, errand.folder, waiting, jobs, deadline, errand.progress)
            again = budget.seconds_left(errand.budget) > budget.WORTHWHILE
            waiting = budget.cut_short(RunView(errand.folder), waiting) if again else []
        return dict.fromkeys(training, ("fit",))
