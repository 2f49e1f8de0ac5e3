"""The run folder as workers on other machines see it: an actor beside `bench run` that gives and takes files.

A worker asks for what a cell has so far, sends each checkpoint as it is written, and in the end its results. A cell
whose machine is lost thus goes on elsewhere from its newest checkpoint. Workers that see the folder only report in.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.files import append_line, read_lines
from benchmark.run.cell import WEIGHTS
from benchmark.run.engines.parcel import pack, unpack
from benchmark.run.plan import Cell
from benchmark.run.results import EXAM, POINTS

CHECKPOINTS = "checkpoints"  # folder inside a cell's folder
Records = list[dict[str, Any]]


class Desk:
    """Keeper of one run folder; the only writer in it for workers that do not see it."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._arrivals: Counter[Cell] = Counter()

    def arrive(self, cell: Cell) -> int:
        """A worker takes the cell up; returns the how-manieth this is."""
        self._arrivals[cell] += 1
        return self._arrivals[cell]

    def give(self, cell: Cell, lender: Cell | None) -> tuple[bytes, Records]:
        """All files of the cell and its lender's weights, and the records of both."""
        places = [cell.folder(self.run), cell.images(self.run)]
        wanted = [cell]
        if lender:
            places.append(lender.folder(self.run) / WEIGHTS)
            wanted.append(lender)
        known = {(one.method, one.seed) for one in wanted}
        records = [r for r in read_lines(self.run / "cells.jsonl") if (r["method"], r["seed"]) in known]
        return pack(self.run, places), records

    def keep(self, cell: Cell, data: bytes, names: list[str]) -> None:
        """New checkpoints, and the names of all that the worker has: others are dropped."""
        unpack(data, self.run)
        for path in (cell.folder(self.run) / CHECKPOINTS).glob("*"):
            if path.name not in names:
                path.unlink()

    def take(self, data: bytes, records: Records) -> None:
        """Results: first the files, then the records that say they are there."""
        unpack(data, self.run)
        for record in records:
            append_line(self.run / "cells.jsonl", record)


def receive(run: Path, data: bytes, records: Records) -> int:
    """What `Desk.give` gave, put into an empty folder; returns the number of records."""
    unpack(data, run)
    for record in records:
        append_line(run / "cells.jsonl", record)
    return len(records)


def send_checkpoints(
    cell: Cell, run: Path, known: dict[str, int], keep: Callable[[Cell, bytes, list[str]], None]
) -> dict[str, int]:
    """Send checkpoints that are new since `known` (names and times), with the training's log; returns what is there."""
    found = {}
    for path in (cell.folder(run) / CHECKPOINTS).glob("*"):
        with contextlib.suppress(FileNotFoundError):  # an old one, dropped since it was listed
            if path.suffix != ".tmp":
                found[path.name] = path.stat().st_mtime_ns
    new = [name for name, written in found.items() if known.get(name) != written]
    if new:
        places = [cell.folder(run) / CHECKPOINTS / name for name in new]
        keep(cell, pack(run, [*places, cell.folder(run) / "log.jsonl"]), list(found))
    return found


def results(run: Path, cell: Cell, known: int) -> tuple[bytes, Records]:
    """What a worker has made, but for checkpoints, which are sent already; and its records after the first `known`."""
    places = [cell.folder(run), cell.images(run), run / "images" / EXAM / POINTS]
    return pack(run, places, without=CHECKPOINTS), list(read_lines(run / "cells.jsonl"))[known:]
