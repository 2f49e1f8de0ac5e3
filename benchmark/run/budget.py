"""A run's time budget and how trainings share it. All moments are time.monotonic() values of this machine."""

from __future__ import annotations

import time
from collections.abc import Iterable

from benchmark.run.plan import Cell
from benchmark.run.results import RunView

WORTHWHILE = 20.0  # seconds of a budget: with less left, starting a worker again gains next to nothing
SCORING_SHARE = 0.1  # of a time budget, kept back for synthesis, scores and the report


def share(budget: float | None, left: int) -> float | None:
    """The end of an even share of what is left of the budget, when `left` trainings are still to run one after
    another. None where there is no budget.
    """
    if budget is None:
        return None
    now = time.monotonic()
    return now + max(0.0, budget - now) / max(1, left)


def seconds_left(budget: float | None) -> float:
    """Seconds; none where there is no budget, as nothing is cut short then."""
    return 0.0 if budget is None else budget - time.monotonic()


def cut_short(view: RunView, cells: Iterable[Cell]) -> list[Cell]:
    """Those of `cells` whose training the time budget ended before its last step."""
    fits = {cell: view.stages(cell.method, cell.seed).get("fit", {}) for cell in cells}
    return [cell for cell, fit in fits.items() if fit.get("state") == "done" and not fit.get("finished", True)]
