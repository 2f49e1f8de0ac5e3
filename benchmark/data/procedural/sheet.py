"""Contact sheets: rows of pictures in one PNG, to look at a data set before training on it.

python -m benchmark.data.procedural.sheet faces.png
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmark.data.procedural.face import landmarks, render, sample_clip


def write_contact_sheet(path: str | Path, rows: Sequence[Sequence[np.ndarray]], gap: int = 2) -> None:
    """Write rows of equally large RGB uint8 pictures (H, W, 3) as one PNG; shorter rows are padded with white."""
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    sheet = np.full((len(rows) * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            sheet[i * (height + gap) : i * (height + gap) + height, j * (width + gap) : j * (width + gap) + width] = (
                picture
            )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path)


def draw_landmarks(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A copy of the picture with the 68 points on it."""
    marked = picture.copy()
    radius = max(1, picture.shape[0] // 128)
    for x, y in np.rint(points * 16).astype(int).tolist():
        cv2.circle(marked, (x, y), radius * 16, (0, 255, 80), -1, cv2.LINE_AA, 4)
    return marked


def faces_sheet(path: str | Path, size: int = 128, identities: int = 8, states: int = 6, seed: int = 0) -> None:
    """One row per identity, one column per state; the last row repeats the first with its landmarks drawn over."""
    rows, marked = [], []
    for index in range(identities):
        clip, look = sample_clip(seed, index, states)
        rows.append([render(state, look, size) for state in clip])
        if index == 0:
            marked = [draw_landmarks(p, landmarks(s, size)) for p, s in zip(rows[0], clip, strict=True)]
    write_contact_sheet(path, [*rows, marked])


if __name__ == "__main__":
    faces_sheet(sys.argv[1] if len(sys.argv) > 1 else "faces.png")
