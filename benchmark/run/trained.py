"""Find a trained method on disk: `find_trained(Path("runs/face-demo-1a2b3c4d"), "pix2pixsc").load()`.

A run folder with a method's name is one way to point at it; the folder of a cell, `RUN/cells/METHOD/SEED`, is another.
Only `manifest.json` and the cell's weights are read, so a run can be stripped down to these and given away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import config as configuration
from benchmark import registry
from benchmark.errors import BenchError, nearest
from benchmark.run.cell import WEIGHTS, build_method
from benchmark.run.plan import Cell
from benchmark.run.results import RunView
from benchmark.run.world import World

if TYPE_CHECKING:
    from benchmark.config import Config
    from benchmark.protocols import Method, Task


@dataclass(frozen=True)
class Trained:
    """One cell of a run that may still be running, finished, or copied from elsewhere."""

    run: Path
    cell: Cell

    @cached_property
    def config(self) -> Config:
        return configuration.from_dict(self.manifest["config"], f"{self.run}/manifest.json")

    @cached_property
    def task(self) -> Task:
        task: Task = registry.get("tasks", self.manifest["task"])()
        return task

    @cached_property
    def manifest(self) -> dict[str, Any]:
        return RunView(self.run).manifest

    def load(self, world: World | None = None) -> Method:
        """The method with its weights, ready to synthesize. No data is opened: shapes come from the configuration."""
        method = build_method(self.cell.method, world or World(self.task, self.config), self.cell.seed)
        if not method.reference:
            method.load(self.cell.folder(self.run) / WEIGHTS)
        return method


def find_trained(place: Path | None, method: str | None, seed: int | None = None) -> Trained:
    """What a user pointed at: a run and a method's name, or either alone where it says enough.

    Args:
        place: a run folder, or a cell's folder (or the weights in it); None when `method` is such a path.
        method: a method of the run; None where the place names it or the run trained only one.
        seed: None for the run's first.

    Raises:
        BenchError: no such folder, no such method or seed in it, or more than one to choose from.
    """
    if place is None:
        if method is None:
            raise BenchError("synthesize: name a run folder, or the folder of a cell (RUN/cells/METHOD/SEED)")
        place, method = Path(method), None
    run, cell = _split(place)
    manifest = RunView(run).manifest
    if cell is not None:
        for option, said, found in (("--method", method, cell.method), ("--seed", seed, cell.seed)):
            if said not in (None, found):
                raise BenchError(f"{option} {said}: {place} holds {found}; leave {option} out, or name the run folder")
        method, seed = cell.method, cell.seed
    return Trained(run, Cell(_method(run, manifest, method), _seed(run, manifest, seed)))


def _split(place: Path) -> tuple[Path, Cell | None]:
    """The run folder, and the cell where the place lies inside one."""
    if (place / "manifest.json").is_file():
        return place, None
    if not place.exists():
        raise BenchError(
            f"{place}: no such file or folder; give a run folder, or a cell of one (RUN/cells/METHOD/SEED)"
        )
    whole = place.resolve()
    folder = whole.parent if whole.name == WEIGHTS else whole
    inside = folder.parent.parent.name == "cells" and folder.name.isdecimal()
    if inside and (folder.parents[2] / "manifest.json").is_file():
        return folder.parents[2], Cell(folder.parent.name, int(folder.name))
    raise BenchError(f"{place}: neither a run folder (no manifest.json) nor a cell of one (RUN/cells/METHOD/SEED)")


def _method(run: Path, manifest: dict[str, Any], name: str | None) -> str:
    known: list[str] = manifest["methods"]
    if name is None:
        trained = [method for method in known if not registry.get("methods", method).reference]
        if len(trained) != 1:
            raise BenchError(f"{run}: say which method with --method{nearest('', trained or known)}")
        return trained[0]
    if name not in known:
        raise BenchError(f"{run}: has no method {name!r}{nearest(name, known)}")
    return name


def _seed(run: Path, manifest: dict[str, Any], seed: int | None) -> int:
    known: list[int] = manifest["seeds"]
    if seed is not None and seed not in known:
        raise BenchError(f"--seed {seed}: {run} was trained with {', '.join(map(str, known))}")
    return known[0] if seed is None else seed
