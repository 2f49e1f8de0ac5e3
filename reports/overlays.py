"""Asked and found points of an item as SVG paths, to lie over a picture of it: drawn from the run folder's points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from benchmark.run.results import RunView

UNITS = 10  # of the drawing to a pixel: coordinates stay whole numbers
NOWHERE = np.iinfo(np.int16).min
BLANK = (math.nan, math.nan)


@dataclass(frozen=True)
class Overlay:
    """Paths in `UNITS` to a pixel: what was asked, what was found, and a line from each to the other."""

    asked: str
    found: str
    drift: str
    note: str  # "4 of 17 points found"; "" where every point that was asked was found


@dataclass(frozen=True)
class Points:
    """int16 (items, J, 2) in tenths of a pixel, NOWHERE where a point does not show; by method what was found."""

    asked: np.ndarray
    found: Mapping[str, np.ndarray]
    places: Mapping[str, int]

    def asked_path(self, item: str) -> str:
        """Dots for the label's own points; "" where it has none."""
        at = self.places.get(item)
        return "" if at is None else dots(self.asked[at])

    def overlay(self, method: str, item: str) -> Overlay | None:
        """None where the run keeps no points of this method or item."""
        at, found = self.places.get(item), self.found.get(method)
        if at is None or found is None:
            return None
        asked, seen = self.asked[at], found[at]
        return Overlay(dots(asked), dots(seen), drift(asked, seen), _missed(asked, seen))


def points(view: RunView) -> Points | None:
    """The points of the run's first seed; None for a task without, and for runs from before they were kept."""
    items = [str(item["id"]) for item in view.items]
    places = {item: i for i, item in enumerate(items)}
    asked = _read(view.asked_points(), places)
    if asked is None:
        return None
    seed = view.results.seeds[0] if view.results.seeds else 0
    found = {m.name: _read(view.seen_points(m.name, seed), places) for m in view.results.methods}
    return Points(asked, {k: v for k, v in found.items() if v is not None and v.shape == asked.shape}, places)


def _read(lines: Iterable[dict[str, Any]], places: Mapping[str, int]) -> np.ndarray | None:
    """Lines that cannot be read leave their item without points."""
    table: np.ndarray | None = None
    for line in lines:
        at, row = places.get(str(line.get("item"))), line.get("points")
        if at is None or not isinstance(row, list) or not row:
            continue
        if table is None:
            table = np.full((len(places), len(row), 2), NOWHERE, np.int16)
        if len(row) != table.shape[1]:
            continue
        try:
            known = np.array([BLANK if point is None else point for point in row], np.float64)
        except (TypeError, ValueError):
            continue
        if known.shape == table.shape[1:]:
            table[at] = np.where(np.isnan(known), NOWHERE, np.clip(np.round(known * UNITS), -30000, 30000))
    return table


def dots(row: np.ndarray) -> Markup:
    """A path of points without length, which a round line cap shows as dots."""
    return Markup("".join([f"M{x} {y}h0" for x, y in row.tolist() if x != NOWHERE]))


def drift(asked: np.ndarray, found: np.ndarray) -> Markup:
    """A line from every asked point to where it was found."""
    pairs: Sequence[tuple[list[int], list[int]]] = list(zip(asked.tolist(), found.tolist(), strict=True))
    return Markup("".join([f"M{a} {b}L{x} {y}" for (a, b), (x, y) in pairs if a != NOWHERE != x]))


def _missed(asked: np.ndarray, found: np.ndarray) -> str:
    wanted = asked[:, 0] != NOWHERE
    count, total = int((wanted & (found[:, 0] != NOWHERE)).sum()), int(wanted.sum())
    return "" if count == total else f"{count or 'none'} of {total} points found"
