"""A piece of a photo at another size: what every way to cut faces, dancers and streets out of photos shares.

resized(cut(photo, box), (256, 256))
"""

from __future__ import annotations

import cv2
import numpy as np

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in px, x1 and y1 exclusive


def cut(photo: np.ndarray, box: Box) -> np.ndarray:
    x0, y0, x1, y1 = box
    return photo[y0:y1, x0:x1]


def resized(photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A photo (H, W, 3) at `size` (width, height), averaging where it shrinks; itself where it has that size."""
    height, width = photo.shape[:2]
    if (width, height) == size:
        return photo
    shrinks = width >= size[0] and height >= size[1]
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
