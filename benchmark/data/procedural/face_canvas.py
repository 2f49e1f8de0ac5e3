"""A supersampled paint canvas: soft-edged polygons, strokes and dabs in image coordinates.

All coordinates are pixels of the final image (centres at integers); `Canvas` maps them to its own finer grid, so the
same drawing commands work at any size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

Polygons = Sequence[np.ndarray] | np.ndarray  # of shape (N, 2) each, or (K, N, 2)
FAINT, DENSE = 0.03, 0.9  # paint thinner than the first is not worth its time; thicker than the second counts as opaque
CRISP = 0.8  # edges of at most this sigma, in canvas pixels, are left to antialiasing
Box = tuple[slice, slice]  # rows and columns of the canvas
Covered = tuple[np.ndarray, Box]  # a uint8 mask and where it lies on the canvas
SHIFT = 4  # OpenCV takes fixed-point coordinates with this many fractional bits


class Canvas:
    """RGB uint8 pixels, `oversample` times finer than the image of `size` pixels a side."""

    def __init__(self, size: int, oversample: int, pixels: np.ndarray | None = None) -> None:
        self.size, self.oversample = size, oversample
        self.side = size * oversample
        self.pixels = np.zeros((self.side, self.side, 3), np.uint8) if pixels is None else pixels

    def fixed(self, points: np.ndarray) -> np.ndarray:
        """Image coordinates (..., 2) -> OpenCV's fixed-point canvas coordinates, int32."""
        scale = self.oversample << SHIFT
        fixed = points * scale
        fixed += 0.5 * (scale - (1 << SHIFT))
        return np.rint(fixed, out=fixed).astype(np.int32)

    def _shapes(self, polygons: Polygons) -> list[np.ndarray]:
        return list(self.fixed(polygons)) if isinstance(polygons, np.ndarray) else [self.fixed(p) for p in polygons]

    def coverage(self, polygons: Polygons, soft: float = 0.0, where: Box | None = None) -> Covered | None:
        """Mask of the polygons' union, uint8 (h, w), and where it lies on the canvas; None when it lies outside.

        `soft` is the sigma of the edge in image pixels. Give `where` to have the mask of just that part of the canvas.
        """
        spread = soft * self.oversample
        # A stack blur falls off like a Gaussian of variance r (r + 2) / 6, at a cost that does not depend on r.
        reach = round(math.sqrt(1 + 6 * spread * spread)) - 1 if spread > CRISP else 0
        shapes = self._shapes(polygons)
        where = where or self._box(shapes, reach + 2)
        if where is None:
            return None
        rows, columns = where
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        self._draw(mask, shapes, 255, where)
        if reach:
            cv2.stackBlur(mask, (2 * reach + 1, 2 * reach + 1), dst=mask)
        return mask, where

    def _box(self, shapes: list[np.ndarray], pad: int) -> Box | None:
        """Rows and columns of the canvas that the shapes touch, widened by `pad`; None when they lie outside."""
        x, y, width, height = cv2.boundingRect(shapes[0] if len(shapes) == 1 else np.concatenate(shapes))
        left, top = max((x >> SHIFT) - pad, 0), max((y >> SHIFT) - pad, 0)
        right, bottom = min((x + width >> SHIFT) + pad, self.side), min((y + height >> SHIFT) + pad, self.side)
        return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None

    @staticmethod
    def _draw(part: np.ndarray, shapes: list[np.ndarray], colour, where: Box | None = None) -> None:
        corner = (-where[1].start << SHIFT, -where[0].start << SHIFT) if where else (0, 0)
        for shape in shapes:  # one by one: a joint call would leave holes where polygons overlap
            cv2.fillPoly(part, [shape], colour, cv2.LINE_AA, SHIFT, corner)

    def coordinates(self, where: Box) -> tuple[np.ndarray, np.ndarray]:
        """Image x (w,) and y (h,) of the canvas pixels in `where`, float32."""
        y, x = (np.arange(p.start, p.stop, dtype=np.float32) / self.oversample for p in where)
        middle = np.float32(0.5 / self.oversample - 0.5)
        return x + middle, y + middle

    def enlarge(self, image: np.ndarray, where: Box) -> np.ndarray:
        """The part `where` of an image of `size` pixels a side, interpolated to the canvas's resolution."""
        k = self.oversample
        rows, columns = (slice(max(p.start // k - 1, 0), min(-(-p.stop // k) + 1, self.size)) for p in where)
        part = image[rows, columns]
        fine = cv2.resize(part, (part.shape[1] * k, part.shape[0] * k))
        top, left = where[0].start - rows.start * k, where[1].start - columns.start * k
        return fine[top : top + where[0].stop - where[0].start, left : left + where[1].stop - where[1].start]

    def blend(self, mask: np.ndarray, where: Box, colour, alpha: float = 1.0) -> None:
        """Paint `colour` (one RGB, or an (h, w, 3) array that is cut to [0, 255]) through a uint8 mask."""
        part = self.pixels[where]
        if isinstance(colour, np.ndarray):
            ink = cv2.convertScaleAbs(colour)
        else:
            ink = plain(part.shape[0], part.shape[1], colour)
        share = mask * np.float32(alpha / 255.0)
        cv2.blendLinear(part, ink, 1.0 - share, share, dst=part)

    def fill_all(self, polygons: Polygons, colour, alpha: float = 1.0, soft: float = 0.0) -> None:
        """Fill the union of several polygons with one RGB; `soft` is the sigma of the edge in image pixels."""
        if alpha < FAINT or not len(polygons):
            return
        if soft * self.oversample > CRISP:
            covered = self.coverage(polygons, soft)
            if covered is not None:
                self.blend(*covered, colour, alpha)
            return
        shapes = self._shapes(polygons)
        if alpha >= DENSE:
            self._draw(self.pixels, shapes, colour)
            return
        where = self._box(shapes, 2)
        if where is None:
            return
        part = self.pixels[where]
        painted = part.copy()
        self._draw(painted, shapes, colour, where)
        cv2.addWeighted(painted, alpha, part, 1.0 - alpha, 0.0, dst=part)

    def fill(self, polygon: np.ndarray, colour, alpha: float = 1.0, soft: float = 0.0) -> None:
        """Fill one polygon (N, 2)."""
        self.fill_all([polygon], colour, alpha, soft)

    def stroke(self, points: np.ndarray, colour, width: float, closed: bool = False) -> None:
        """Draw an opaque antialiased line of `width` image pixels through (N, 2)."""
        thick = max(1, round(width * self.oversample))
        cv2.polylines(self.pixels, [self.fixed(points)], closed, tuple(map(float, colour)), thick, cv2.LINE_AA, SHIFT)

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


def plain(height: int, width: int, colour) -> np.ndarray:
    """A picture of one colour, uint8 (height, width, 3)."""
    picture = np.empty((height, width, 3), np.uint8)
    cv2.rectangle(picture, (0, 0), (width, height), colour, -1)  # broadcasting three bytes is ten times slower
    return picture


_TURN = np.linspace(0, 2 * np.pi, 24, endpoint=False)
CIRCLE = np.column_stack([np.cos(_TURN), np.sin(_TURN)])


def disc(centre: Sequence[float] | np.ndarray, across: float, down: float) -> np.ndarray:
    """Ellipses as polygons (..., 24, 2) around centres (..., 2)."""
    return np.asarray(centre)[..., None, :] + CIRCLE * (across, down)


def band(points: np.ndarray, widths: np.ndarray | float) -> np.ndarray:
    """Outlines (..., 2N, 2) of lines (..., N, 2) whose width, one number or (..., N), may vary."""
    line = np.ascontiguousarray(points).view(np.complex128)[..., 0]  # x + iy: a right angle is a factor i
    along = np.empty_like(line)
    np.subtract(line[..., 2:], line[..., :-2], out=along[..., 1:-1])
    along[..., 0], along[..., -1] = line[..., 1] - line[..., 0], line[..., -1] - line[..., -2]
    along *= widths / (np.abs(along) + 1e-9)
    along *= 0.5j
    return np.concatenate([line + along, (line - along)[..., ::-1]], axis=-1)[..., None].view(np.float64)
