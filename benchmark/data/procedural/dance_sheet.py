"""A contact sheet of the dance world: one dancer a row, one moment a column, and what the labels say.

python -m benchmark.data.procedural.dance_sheet dancers.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from benchmark.data.procedural.dance import densepose, joints, render, sample_clip
from benchmark.data.procedural.sheet import write_contact_sheet
from benchmark.labelers.pose_label import PARTS, draw_limbs


def dances_sheet(path: str | Path, size: int = 128, identities: int = 8, states: int = 6, seed: int = 0) -> None:
    """One row per dancer, moments spread over the clip; two more rows show the first one's joints and body parts."""
    frames = 24
    times = np.linspace(0, frames - 1, states).round().astype(int)
    rows: list[list[np.ndarray]] = []
    for index in range(identities):
        clip, look = sample_clip(seed, index, frames)
        rows.append([render(clip[t], look, size) for t in times])
    clip, _ = sample_clip(seed, 0, frames)
    limbs = [
        np.maximum(picture // 3, _brighter(draw_limbs(joints(clip[t], size).astype(float), (size, size), size / 256)))
        for picture, t in zip(rows[0], times, strict=True)
    ]
    write_contact_sheet(path, [*rows, limbs, [part_colours(densepose(clip[t], size)) for t in times]])


def part_colours(parts: np.ndarray) -> np.ndarray:
    """Part, U, V (H, W, 3) as a picture: one hue a part, brighter along U and V, black background."""
    number, u, v = np.moveaxis(parts.astype(np.float32), -1, 0)
    hue = np.mod(number * 7, PARTS) * (180.0 / PARTS)  # 7 apart, so that neighbours differ
    value = np.where(number > 0, 110 + 70 * u / 255 + 75 * v / 255, 0)
    return cv2.cvtColor(np.stack([hue, 0 * hue + 190, value], axis=-1).astype(np.uint8), cv2.COLOR_HSV2RGB)


def _brighter(drawing: np.ndarray) -> np.ndarray:
    return np.minimum(drawing.astype(np.uint16) * 5 // 3, 255).astype(np.uint8)


if __name__ == "__main__":
    dances_sheet(sys.argv[1] if len(sys.argv) > 1 else "dancers.png")
