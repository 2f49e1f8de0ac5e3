"""How far a run has come, read from its folder: the state of every cell, and a guess at the time left.

Nothing is asked of the processes at work, which may run on other machines: a cell that logged a step lately counts as
at work.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from benchmark.errors import BenchError
from benchmark.run.results import RunView
from reports.cost import duration

SETTLED = ("done", "failed", "does not apply")
PATIENCE = 120.0  # seconds of silence after which a cell no longer counts as at work


@dataclass(frozen=True)
class CellState:
    """One method under one seed. `state`: one of SETTLED, "at work", "interrupted" or "waiting"."""

    method: str
    title: str
    seed: int
    state: str
    doing: str = ""  # "training", "making pictures: 40 of 120", or why it failed
    step: int = 0
    planned: int = 0
    seconds: float | None = None  # of training so far
    left: float | None = None  # of training still to come; None where nothing is known

    @property
    def share(self) -> float:
        """Of its steps, in percent."""
        return 100.0 if self.state in SETTLED else 100.0 * self.step / max(self.planned, 1)

    @property
    def time_used(self) -> str:
        return duration(self.seconds) if self.seconds is not None else ""

    @property
    def time_left(self) -> str:
        return duration(self.left) if self.left and self.state not in SETTLED else ""


@dataclass(frozen=True)
class Progress:
    """All cells in the order in which they run."""

    cells: tuple[CellState, ...]
    results: bool  # whether results.json is there and speaks of all that has ended

    def count(self, *states: str) -> int:
        return sum(cell.state in states for cell in self.cells)

    @property
    def ended(self) -> bool:
        return self.results and self.count(*SETTLED) == len(self.cells)

    @property
    def state(self) -> str:
        """In one word: "finished", "failed in part", "at work", "interrupted"."""
        if self.ended:
            return "failed in part" if self.count("failed") else "finished"
        return "at work" if self.count("at work") else "interrupted"

    @property
    def left(self) -> float | None:
        """Seconds of training, as many cells at a time as are at work now; None before anything can be said."""
        open_ = [cell.left for cell in self.cells if cell.state not in SETTLED]
        known = [left for left in open_ if left is not None]
        return sum(known) / max(1, self.count("at work")) if len(known) == len(open_) else None

    @property
    def sentence(self) -> str:
        """ "3 of 14 cells done, 1 failed, 2 at work; about 12 min 05 s of training left"."""
        parts = [f"{self.count('done')} of {len(self.cells)} cells done"]
        parts += [f"{n} {state}" for state in ("failed", "at work", "interrupted") if (n := self.count(state))]
        left = "" if self.ended else "; time left not known yet" if self.left is None else ""
        if self.left and not self.ended:
            left = f"; about {duration(self.left)} of training left"
        return ", ".join(parts) + left


def progress(view: RunView, now: float | None = None) -> Progress:
    """The state of every cell of the manifest; `now` is a time.time()."""
    now = time.time() if now is None else now
    manifest = view.manifest
    cells = [_cell(view, name, seed, now) for seed in manifest["seeds"] for name in manifest["methods"]]
    return Progress(tuple(_with_guesses(cells)), _results_speak(view, cells))


def _results_speak(view: RunView, cells: Sequence[CellState]) -> bool:
    """Whether results.json has the values, or the problem, of every cell that has come to its end."""
    try:
        results = view.results
    except BenchError:  # not there yet, or of another schema
        return False
    told = {value.method for value in results.values} | {row.name for row in results.methods if row.problem}
    return all(cell.method in told for cell in cells if cell.state in SETTLED)


def _cell(view: RunView, name: str, seed: int, now: float) -> CellState:
    records = view.stages(name, seed)
    row = view.manifest.get("rows", {}).get(name, {})
    title, trains = row.get("title", name), row.get("kind", "method") == "method"
    fit = records.get("fit", {})
    planned = int(fit.get("planned") or 0) or (planned_steps(view.manifest.get("config", {}), name) if trains else 0)
    step, seconds, silence = _logged(view, name, seed, now)

    def cell(state: str, doing: str = "", left: float | None = 0.0) -> CellState:
        spent = fit.get("fit_seconds", seconds if step else None)
        return CellState(name, title, seed, state, doing, int(fit.get("steps") or step), planned, spent, left)

    if fit.get("state") == "not-applicable":
        return cell("does not apply", str(fit.get("reason", "")))
    failed = next((record for record in records.values() if record.get("state") == "failed"), None)
    if failed:
        return cell("failed", str(failed.get("reason", "")))
    if records.get("score", {}).get("state") == "done":
        return cell("done", "" if fit.get("finished", True) else "training cut short")
    if fit.get("state") == "done" or not trains:
        return cell(*_after_training(view, name, seed, now))
    if not step:
        return cell("waiting", left=None)
    state = "at work" if silence < PATIENCE else "interrupted"
    return cell(state, "training", max(0, planned - step) * seconds / step)


def _after_training(view: RunView, name: str, seed: int, now: float) -> tuple[str, str]:
    """State and doing of a cell between its last step and its scores."""
    made = list((view.folder / "images" / name / str(seed)).glob("*.png"))
    if not made:
        return "waiting", ""
    total = len(view.items) if (view.folder / "items.json").exists() else 0
    doing = "scoring" if len(made) >= total else f"making pictures: {len(made)} of {total}"
    lively = now - max(path.stat().st_mtime for path in made) < PATIENCE
    return ("at work" if lively else "interrupted"), doing


def _logged(view: RunView, name: str, seed: int, now: float) -> tuple[int, float, float]:
    """(step, seconds of training, seconds of silence since) of the newest log line; zeros where there is none. Silence
    begins when three more lines should have come.
    """
    lines = view.log(name, seed)
    if not lines:
        return 0, 0.0, 0.0
    last, before = lines[-1], lines[-2] if lines[1:] else {"seconds": 0.0}
    since = now - (view.folder / "cells" / name / str(seed) / "log.jsonl").stat().st_mtime
    return int(last["step"]), float(last["seconds"]), since - 3 * (float(last["seconds"]) - float(before["seconds"]))


def planned_steps(config: Mapping[str, Any], method: str) -> int:
    """Steps of a whole training by the manifest's configuration: `[train]`, and over it the tables of the method and
    of those whose names it continues.
    """
    train = dict(config.get("train", {}))
    tables = config.get("method", {})
    for name in sorted((n for n in tables if method == n or method.startswith(n + "-")), key=len):
        train |= tables[name].get("train", {})
    return int(train.get("steps", 0)) + int(train.get("decay_steps", 0))


def _with_guesses(cells: list[CellState]) -> list[CellState]:
    """Cells not begun take as long as their method did under another seed, else as long as the others on average."""
    known: dict[str, list[float]] = {}
    for cell in cells:
        if cell.seconds and cell.planned:
            known.setdefault(cell.method, []).append(cell.seconds + (cell.left or 0.0))
    everyone = [seconds for found in known.values() for seconds in found]

    def guess(cell: CellState) -> CellState:
        if cell.left is not None or not everyone:
            return cell
        return replace(cell, left=fmean(known.get(cell.method, everyone)))

    return [guess(cell) for cell in cells]
