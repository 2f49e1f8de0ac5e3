"""Label, exemplar and result side by side, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def strip(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """uint8 (H, W, 3) each, of one size -> uint8 (H + 2g, ..., 3): in a row on white, with gaps of g px, a sixteenth
    of the height (4 px at least), between and around them. Pixels stay as they are.
    """
    gap = max(4, pictures[0].shape[0] // 16)
    padded = [np.pad(picture, ((gap, gap), (gap, 0), (0, 0)), constant_values=255) for picture in pictures]
    return np.pad(np.hstack(padded), ((0, 0), (0, gap), (0, 0)), constant_values=255)
