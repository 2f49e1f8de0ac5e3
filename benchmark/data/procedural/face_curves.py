"""The smooth lines of the face. Each is a fixed linear map of the 68 landmarks, so one product draws all of them.

    curves = curves_of(marks)      # marks (68, 2); curves.outer_lips (60, 2), curves.lids (2, 16, 2), ...

Every line is a natural cubic spline that passes through its landmarks by construction. Pairs hold the image's left
first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

EYES = ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47))
BROWS = (tuple(range(17, 22)), tuple(range(22, 27)))


class Curves(NamedTuple):
    """Points in the coordinates of the landmarks; outlines are closed polygons."""

    eyes: np.ndarray  # (2, 30, 2) openings between the lids
    lids: np.ndarray  # (2, 16, 2) upper lids
    low_lids: np.ndarray  # (2, 16, 2)
    creases: np.ndarray  # (2, 2, 13, 2) the upper lid again, and the part of the brow over it, point for point
    brows: np.ndarray  # (2, 17, 2)
    nostrils: np.ndarray  # (17, 2) line under the nose
    outer_lips: np.ndarray  # (60, 2)
    inner_lips: np.ndarray  # (40, 2)
    upper_lip: np.ndarray  # (36, 2)
    seam: np.ndarray  # (23, 2) line between the lips, corner to corner
    teeth: np.ndarray  # (17, 2) lower edge of the upper lip


@lru_cache(maxsize=32)
def _spline_matrix(count: int, per_span: int) -> np.ndarray:
    knots = np.arange(count)
    return CubicSpline(knots, np.eye(count), bc_type="natural")(np.linspace(0, count - 1, (count - 1) * per_span + 1))


def spline(points: np.ndarray, per_span: int = 5) -> np.ndarray:
    """Smooth curves through points (..., N, 2), which stay on them."""
    return _spline_matrix(points.shape[-2], per_span) @ points


def _tables() -> Curves:
    """The maps themselves: every curve with 68 weights in place of x and y."""
    mark = np.eye(68)

    def line(first: int, last: int, per_span: int = 5) -> np.ndarray:
        return spline(mark[first : last + 1], per_span)

    def around(upper: tuple[int, ...], lower: tuple[int, ...]) -> np.ndarray:
        return np.concatenate([spline(mark[list(upper)]), spline(mark[list(lower)])[1:-1]])

    lids = [eye[:4] for eye in EYES]
    lows = [(*eye[3:], eye[0]) for eye in EYES]
    brows = np.stack([line(17, 21, 4), line(22, 26, 4)])
    return Curves(
        eyes=np.stack([around(up, low) for up, low in zip(lids, lows, strict=True)]),
        lids=np.stack([spline(mark[list(lid)]) for lid in lids]),
        low_lids=np.stack([spline(mark[list(low)]) for low in lows]),
        creases=np.stack([np.stack([spline(mark[list(lid)], 4) for lid in lids]), brows[:, 2:15]]),
        brows=brows,
        nostrils=line(31, 35, 4),
        outer_lips=around((48, 49, 50, 51, 52, 53, 54), (54, 55, 56, 57, 58, 59, 48)),
        inner_lips=around((60, 61, 62, 63, 64), (64, 65, 66, 67, 60)),
        upper_lip=np.concatenate([line(48, 54), spline(mark[[64, 63, 62, 61, 60]])]),
        seam=np.concatenate([mark[48:49], line(60, 64), mark[54:55]]),
        teeth=line(60, 64, 4),
    )


_SHAPES = [table.shape[:-1] for table in _tables()]
_MATRIX = np.concatenate([table.reshape(-1, 68) for table in _tables()])
_ENDS = np.cumsum([int(np.prod(shape)) for shape in _SHAPES]).tolist()


def curves_of(marks: np.ndarray) -> Curves:
    """All curves of a face with landmarks (68, 2)."""
    points = _MATRIX @ marks
    starts = [0, *_ENDS[:-1]]
    parts = zip(starts, _ENDS, _SHAPES, strict=True)
    return Curves(*(points[start:end].reshape(*shape, 2) for start, end, shape in parts))
