"""Fixed random tables, looked up by place: the same everywhere and in every process."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

SIDE = 256  # entries of a table; it repeats after that


@cache
def white() -> np.ndarray:
    """Independent values in [0, 1), float32 (SIDE, SIDE)."""
    return np.random.default_rng(0x5EED).random((SIDE, SIDE), dtype=np.float32)


@cache
def cloudy() -> np.ndarray:
    """Smooth noise of several octaves, about [0, 1], float32 (SIDE, SIDE), without seams."""
    rng = np.random.default_rng(0xC10D)
    total = np.zeros((SIDE, SIDE), np.float32)
    for octave in range(6):
        cells = 4 << octave
        grid = np.pad(rng.random((cells, cells), dtype=np.float32), 2, mode="wrap")
        fine = cv2.resize(grid, None, fx=SIDE / cells, fy=SIDE / cells, interpolation=cv2.INTER_CUBIC)
        edge = 2 * SIDE // cells
        total += fine[edge : edge + SIDE, edge : edge + SIDE] / 2**octave
    low, high = np.percentile(total, (1, 99))
    return np.clip((total - low) / (high - low), 0, 1).astype(np.float32)


def at(table: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The entry nearest to (a, b) in table steps; any shape."""
    return table[np.floor(a).astype(np.int32) & (SIDE - 1), np.floor(b).astype(np.int32) & (SIDE - 1)]


def smooth(table: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The table interpolated at (a, b); float32 (H, W) each."""
    wrapped = (np.mod(b, SIDE).astype(np.float32), np.mod(a, SIDE).astype(np.float32))
    return cv2.remap(table, *wrapped, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
