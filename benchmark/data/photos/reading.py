"""What reading a photo gives, opening its file, and the geometry that the readers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image, ImageOps

from benchmark.data.boxes import Box
from benchmark.data.dropped import BadInput

MIN_CROP = 128  # px: crops are not enlarged from less, or from less than the task's size where that is smaller
_MODES = ("1", "L", "P", "RGB", "CMYK", "YCbCr", "RGBA", "LA")  # 8 bits or fewer


@dataclass(frozen=True)
class Reading:
    """A photo as a method takes it."""

    image: np.ndarray  # uint8 (H, W, 3) RGB
    joints: np.ndarray  # float32 (J, 2) x, y in px of `image`, NaN where not visible
    label: Callable[[], np.ndarray]  # draws F(.), uint8 (C, H, W), 255 = 1.0: much larger than what it is drawn from
    note: str = ""  # what a user may not expect, e.g. "2 faces, the largest was taken"


class PhotoReader(Protocol):
    """F(.) of one task, with its crop."""

    protocol: str  # names the labeler's weights
    note: str  # what every label of this reader lacks; "" where nothing

    def read(self, path: Path) -> Reading:
        """Dropped with the reason where the photo cannot be read or F(.) finds nothing to label."""


def read_photo(path: Path) -> np.ndarray:
    """A photo upright as its camera says, uint8 (H, W, 3) RGB; BadInput where it cannot be had without a guess."""
    try:
        with Image.open(path) as file:
            if file.mode not in _MODES:
                raise BadInput(f"pixels of type {file.mode}, 8-bit colour is needed")
            if file.has_transparency_data and file.convert("RGBA").getchannel("A").getextrema() != (255, 255):
                raise BadInput("partly transparent")
            return np.asarray(ImageOps.exif_transpose(file).convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise BadInput("not a readable picture") from None


def middle_box(photo: np.ndarray, size: tuple[int, int]) -> Box:
    """The largest box in the middle of a photo with the aspect of `size` (width, height)."""
    height, width = photo.shape[:2]
    scale = min(width / size[0], height / size[1])
    w, h = max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)
    x, y = (width - w) // 2, (height - h) // 2
    return x, y, x + w, y + h
