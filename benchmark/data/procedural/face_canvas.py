"""A supersampled paint canvas: soft-edged polygons, strokes and dabs in image coordinates.

All coordinates are pixels of the final image (centres at integers); `Canvas` maps them to its own finer grid, so the
same drawing commands work at any size.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

FAINT, DENSE = 0.03, 0.9  # paint thinner than the first is not worth its time; thicker than the second counts as opaque
CRISP = 0.8  # edges of at most this sigma, in canvas pixels, are left to antialiasing
Covered = tuple[np.ndarray, tuple[slice, slice]]  # a uint8 mask and where it lies on the canvas
SHIFT = 4  # OpenCV takes fixed-point coordinates with this many fractional bits


class Canvas:
    """RGB uint8 pixels, `oversample` times finer than the image of `size` pixels a side."""

    def __init__(self, size: int, oversample: int, pixels: np.ndarray | None = None) -> None:
        self.size, self.oversample = size, oversample
        self.side = size * oversample
        self.pixels = np.zeros((self.side, self.side, 3), np.uint8) if pixels is None else pixels

    def fine(self, points: np.ndarray) -> np.ndarray:
        """Image coordinates -> canvas coordinates."""
        return (np.asarray(points, np.float64) + 0.5) * self.oversample - 0.5

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        scale = self.oversample * (1 << SHIFT)
        fixed = points * scale
        fixed += 0.5 * scale - 0.5 * (1 << SHIFT) + 0.5
        return np.floor(fixed, out=fixed).astype(np.int32)

    def coverage(self, polygons: list[np.ndarray], soft: float = 0.0) -> Covered | None:
        """Mask of the polygons' union, uint8 (h, w), and where it lies on the canvas; None when it lies outside.

        `soft` is the sigma of the edge in image pixels.
        """
        spread = soft * self.oversample
        shapes = [self._fixed(p) for p in polygons]
        where = self._box(shapes, int(3 * spread + 2))
        if where is None:
            return None
        rows, columns = where
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        self._draw(mask, shapes, where, 255)
        if spread > CRISP:
            cv2.GaussianBlur(mask, (0, 0), spread, dst=mask)
        return mask, where

    def _box(self, shapes: list[np.ndarray], pad: int) -> tuple[slice, slice] | None:
        """Rows and columns of the canvas that the shapes touch, widened by `pad`; None when they lie outside."""
        boxes = [cv2.boundingRect(s) for s in shapes]
        left, top = (max((min(b[i] for b in boxes) >> SHIFT) - pad, 0) for i in (0, 1))
        right, bottom = (min((max(b[i] + b[i + 2] for b in boxes) >> SHIFT) + pad, self.side) for i in (0, 1))
        return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None

    @staticmethod
    def _draw(part: np.ndarray, shapes: list[np.ndarray], where: tuple[slice, slice], colour) -> None:
        corner = np.array([where[1].start << SHIFT, where[0].start << SHIFT], np.int32)
        for shape in shapes:  # one by one: a joint call would leave holes where polygons overlap
            cv2.fillPoly(part, [shape - corner], colour, cv2.LINE_AA, SHIFT)

    def coordinates(self, where: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
        """Image x (1, w) and y (h, 1) of the canvas pixels in `where`."""
        y, x = (((np.arange(part.start, part.stop) + 0.5) / self.oversample - 0.5).astype(np.float32) for part in where)
        return x[None, :], y[:, None]

    def blend(self, mask: np.ndarray, where: tuple[slice, slice], colour, alpha: float = 1.0) -> None:
        """Paint `colour` (one RGB, or an (h, w, 3) array) through a uint8 mask."""
        part = self.pixels[where]
        share = (mask.astype(np.float32) * (alpha / 255.0))[..., None]
        under = part.astype(np.float32)
        under += share * (np.asarray(colour, np.float32) - under)
        part[...] = np.minimum(under + 0.5, 255.0)

    def fill_all(self, polygons: list[np.ndarray], colour, alpha: float = 1.0, soft: float = 0.0) -> None:
        """Fill the union of several polygons with one RGB; `soft` is the sigma of the edge in image pixels."""
        if alpha < FAINT or not polygons:
            return
        if soft * self.oversample > CRISP:
            covered = self.coverage(polygons, soft)
            if covered is not None:
                self.blend(*covered, colour, alpha)
            return
        shapes = [self._fixed(p) for p in polygons]
        where = self._box(shapes, 2)
        if where is None:
            return
        part = self.pixels[where]
        painted = part if alpha >= DENSE else part.copy()
        self._draw(painted, shapes, where, colour)
        if painted is not part:
            cv2.addWeighted(painted, alpha, part, 1.0 - alpha, 0.0, dst=part)

    def fill(self, polygon: np.ndarray, colour, alpha: float = 1.0, soft: float = 0.0) -> None:
        """Fill one polygon (N, 2)."""
        self.fill_all([polygon], colour, alpha, soft)

    def stroke(self, points: np.ndarray, colour, width: float, closed: bool = False) -> None:
        """Draw an opaque antialiased line of `width` image pixels through (N, 2)."""
        thick = max(1, round(width * self.oversample))
        cv2.polylines(self.pixels, [self._fixed(points)], closed, tuple(map(float, colour)), thick, cv2.LINE_AA, SHIFT)

    def ribbon(
        self, points: np.ndarray, widths: np.ndarray | float, colour, alpha: float = 1.0, soft: float = 0.0
    ) -> None:
        """Fill a band along (N, 2) whose width (N,) may taper; the soft counterpart of `stroke`."""
        self.fill(band(points, widths), colour, alpha, soft)

    def copy(self) -> Canvas:
        """A canvas with the same pixels, to paint on without touching this one."""
        return Canvas(self.size, self.oversample, self.pixels.copy())

    def finish(self) -> np.ndarray:
        """The image, uint8 (size, size, 3)."""
        if self.oversample == 1:
            return self.pixels
        return cv2.resize(self.pixels, (self.size, self.size), interpolation=cv2.INTER_AREA)


_TURN = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.column_stack([np.cos(_TURN), np.sin(_TURN)])


def disc(centre: Sequence[float] | np.ndarray, across: float, down: float) -> np.ndarray:
    """Ellipse as a polygon (24, 2)."""
    return np.asarray(centre) + _CIRCLE * [across, down]


def band(points: np.ndarray, widths: np.ndarray | float) -> np.ndarray:
    """Outline (2N, 2) of a line of varying width."""
    along = np.empty_like(points)
    along[1:-1] = points[2:] - points[:-2]
    along[0], along[-1] = points[1] - points[0], points[-1] - points[-2]
    across = along[:, ::-1] * [-1.0, 1.0]
    half = across * (np.asarray(widths) / (2 * np.hypot(along[:, 0], along[:, 1]) + 1e-9))[:, None]
    return np.concatenate([points + half, (points - half)[::-1]])
