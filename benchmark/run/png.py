"""The pictures of a run folder: 8-bit RGB (labels grey) PNG files, written whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.errors import BenchError
from benchmark.files import write_atomic


def save_png(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 (H, W[, 3]): a PNG that exists is whole."""
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, format="PNG", compress_level=1)
    write_atomic(path, data.getvalue(), flush=False)


def load_png(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Read an RGB image of exactly `shape` (H, W, 3); missing, damaged or of another size is one line that names it."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise BenchError(f"{path}: cannot be read: {error}; delete it and run the same command again") from error
    if pixels.shape != shape:
        raise BenchError(f"{path}: is {pixels.shape[1]}x{pixels.shape[0]}, the task's images are {shape[1]}x{shape[0]}")
    return pixels
