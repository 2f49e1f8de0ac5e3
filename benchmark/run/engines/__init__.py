"""Where the cells of a run are carried out: processes of this machine, a Ray cluster, or Slurm.

    engine = make_engine("ray", address="auto")
    tried = engine.carry(errand)          # {cell: the stages that the engine tried}; each is recorded in cells.jsonl

An engine takes what it does well and leaves the rest: the runner then does that itself, in its own process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from benchmark.errors import BenchError, nearest

if TYPE_CHECKING:
    from benchmark.run.plan import Cell, Plan

ENGINES = ("local", "ray", "slurm")


@dataclass(frozen=True)
class Errand:
    """What is to be done, and whom to tell.

    `todo` has the stages of every unfinished cell, a lender's before its borrower's; `lenders` names whose weights a
    cell takes instead of a training of its own; `budget` is the time.monotonic() value at which all trainings shall
    have ended, or None.
    """

    plan: Plan
    folder: Path
    todo: Mapping[Cell, Sequence[str]]
    lenders: Mapping[Cell, Cell]
    budget: float | None
    progress: Callable[[int, str], Any]
    say: Callable[[str], None]


class Engine(Protocol):
    def carry(self, errand: Errand) -> Mapping[Cell, Sequence[str]]:
        """Run stages of the errand's cells and record each, also a failure; return which were tried.

        KeyboardInterrupt ends every worker after a checkpoint and is raised again.
        """


def make_engine(name: str, jobs: int = 0, address: str | None = None) -> Engine:
    """The engine of a command line. `jobs` belongs to "local", `address` to the others; BenchError where they do not
    fit, or the engine's package is not installed.
    """
    if name not in ENGINES:
        raise BenchError(f"--engine {name!r}: unknown{nearest(name, ENGINES)}")
    if name == "local":
        from benchmark.run.engines.local import LocalEngine

        if address is not None:
            raise BenchError("--address: belongs to --engine ray or slurm")
        return LocalEngine(jobs)
    if jobs:
        raise BenchError(f"--jobs: belongs to --engine local; {name} runs as many cells as there is room for")
    if name == "ray":
        from benchmark.run.engines.ray_engine import RayEngine

        return RayEngine(address)
    from benchmark.run.engines.slurm import SlurmEngine

    return SlurmEngine(address)
