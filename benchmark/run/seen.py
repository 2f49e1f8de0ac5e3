"""What a metric saw in a method's images, kept so that a report can draw it over them.

    images/_exam/points.jsonl               the points that the labels ask for
    cells/<method>/<seed>/points.jsonl      those that the detector found in the results
    cells/<method>/<seed>/wrong/<item>.png  where the parser read another class than was asked: red, else transparent

A line of points is {"item": id, "points": [[x, y] or null, ...]}, pixels to a tenth, null where nothing was found.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmark.files import write_atomic
from benchmark.run.results import EXAM, POINTS, WRONG

if TYPE_CHECKING:
    from benchmark.protocols import Exam, ItemScores

RED = (216, 40, 24, 150)  # of the mask's second colour, with its opacity


def write_seen(run: Path, cell: Path, exam: Exam, scores: Sequence[ItemScores]) -> None:
    """Write what the scores of one cell bring along; `cell` is its folder."""
    for seen in (score.seen for score in scores if score.seen is not None):
        if seen.dtype == bool:
            _write_masks(cell / WRONG, exam.items, seen)
            continue
        asked = run / "images" / EXAM / POINTS
        if not asked.exists():
            write_points(asked, exam.items, exam.target_landmarks)
        write_points(cell / POINTS, exam.items, seen)


def write_points(path: Path, items: Sequence[str], points: np.ndarray) -> None:
    """points (N, J, 2) in px, NaN where nothing was found."""
    lines = []
    for item, row in zip(items, np.round(points.astype(np.float64), 1), strict=True):
        found = [None if np.isnan(point).any() else point.tolist() for point in row]
        lines.append(json.dumps({"item": item, "points": found}, separators=(",", ":")) + "\n")
    write_atomic(path, "".join(lines).encode())


def _write_masks(folder: Path, items: Sequence[str], wrong: np.ndarray) -> None:
    """wrong bool (N, H, W)."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for item, mask in zip(items, wrong, strict=True):
        image = Image.fromarray(mask.astype(np.uint8), "P")
        image.putpalette([0, 0, 0, *RED[:3]])
        image.save(folder / f"{item}.png", bits=1, transparency=bytes((0, RED[3])))
