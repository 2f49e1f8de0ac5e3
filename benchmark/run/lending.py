"""Weights shared between cells: a method that declares `trained_as = "other"` takes the weights of that method's cell.

Photo style transfer on top of pix2pixHD trains a pix2pixHD; beside a pix2pixHD of the same run that would be the same
training twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from benchmark import registry
from benchmark.config import Config
from benchmark.errors import BenchError, nearest
from benchmark.run.plan import Cell, Plan

Records = Mapping[tuple[str, int], Mapping[str, Mapping[str, Any]]]  # as `RunView.cells`


def lender(plan: Plan, cell: Cell, records: Records) -> Cell | None:
    """The cell whose weights `cell` uses: one of the plan, or of its folder if its training is finished there.

    None where the method trains: it declares no `trained_as`, the other cell is nowhere, or the configuration trains
    the two differently.
    """
    name = getattr(registry.get("methods", cell.method), "trained_as", "")
    if not name:
        return None
    known = registry.names("methods")
    if name not in known:
        raise BenchError(f"method {cell.method!r}: trained_as: unknown method {name!r}{nearest(name, known)}")
    other = Cell(name, cell.seed)
    fit = records.get((other.method, other.seed), {}).get("fit", {})
    here = (other in plan.cells and name not in plan.refused) or (fit.get("state") == "done" and fit.get("finished"))
    return other if here and same_training(plan.config, cell.method, name) else None


def same_training(config: Config, a: str, b: str) -> bool:
    """Whether the configuration gives method `a` the schedule and those options that it gives method `b`."""
    if config.for_method(a).train != config.for_method(b).train:
        return False
    options = getattr(registry.get("methods", b), "Options", None)
    known = {field.name for field in dataclasses.fields(options)} if options else set()
    tables = [{**inherited, **own} for inherited, own in map(config.tables, (a, b))]
    ours, theirs = ({key: value for key, value in table.items() if key in known} for table in tables)
    return ours == theirs
