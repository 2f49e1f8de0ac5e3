"""Triangles to pixels in NumPy: which triangle each pixel sees, and where in it.

    seen = rasterise(points, depth, triangles, side)
    seen.interpolate(values)          # (K, C): a value per vertex, at the K covered pixels

Every triangle is laid out as the pixels of its bounding box, all triangles at once; the nearest one wins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Seen:
    """What a square picture of `side` px sees: K covered pixels."""

    side: int
    pixels: np.ndarray  # (K,) y * side + x
    triangles: np.ndarray  # (K,) index of the triangle
    corners: np.ndarray  # (K, 3) its vertices
    weights: np.ndarray  # (K, 3) barycentric, in the picture plane
    depth: np.ndarray  # (K,)

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """(V, C) per vertex -> (K, C)."""
        a, b, c = self.corners.T
        u, v, w = self.weights.T[..., None]
        return u * values[a] + v * values[b] + w * values[c]

    def depth_map(self) -> np.ndarray:
        """(side, side), infinite where nothing is seen."""
        depth = np.full(self.side * self.side, np.inf, np.float32)
        depth[self.pixels] = self.depth
        return depth.reshape(self.side, self.side)


def rasterise(points: np.ndarray, depth: np.ndarray, triangles: np.ndarray, side: int) -> Seen:
    """Draw triangles that are counter-clockwise to the viewer (clockwise in x right, y down).

    Args:
        points: (V, 2) x, y in px, pixel centres at integers.
        depth: (V,) distance from the viewer.
        triangles: int (T, 3) vertex numbers.
        side: height and width of the picture in px.
    """
    ax, bx, cx = points[:, 0].astype(np.float32)[triangles.T]
    ay, by, cy = points[:, 1].astype(np.float32)[triangles.T]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    kept = np.flatnonzero(area > 1e-9)
    ax, bx, cx, ay, by, cy, area = (part[kept] for part in (ax, bx, cx, ay, by, cy, area))
    left, width = _span(ax, bx, cx, side)
    top, height = _span(ay, by, cy, side)
    count = width * height

    owner = np.repeat(np.arange(len(kept)), count)  # (N,) candidates: every pixel of every bounding box
    place = np.arange(len(owner), dtype=np.int32) - np.repeat(np.cumsum(count) - count, count).astype(np.int32)
    row, column = np.divmod(place, width[owner])
    # the weights of b and c are linear in x and y over a triangle: value at its first pixel + x step + y step
    vx, vy, wx, wy = (cy - ay) / area, (ax - cx) / area, (ay - by) / area, (bx - ax) / area
    x, y = left - ax, top - ay
    planes = np.stack([vx * x + vy * y, vx, vy, wx * x + wy * y, wx, wy], axis=1)
    plane = planes.astype(np.float32)[owner]  # (N, 6)
    x, y = column.astype(np.float32), row.astype(np.float32)
    v = plane[:, 0] + x * plane[:, 1] + y * plane[:, 2]
    w = plane[:, 3] + x * plane[:, 4] + y * plane[:, 5]
    inside = np.flatnonzero((v >= 0) & (w >= 0) & (v + w <= 1))

    owner, v, w = owner[inside], v[inside], w[inside]
    pixel = (top[owner] + row[inside]) * side + left[owner] + column[inside]
    found = kept[owner]
    near = depth.astype(np.float32)[triangles[found]]
    z = near[:, 0] + v * (near[:, 1] - near[:, 0]) + w * (near[:, 2] - near[:, 0])
    return _nearest(side, pixel, z, found, triangles, v, w)


def _span(a: np.ndarray, b: np.ndarray, c: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """First pixel and number of pixels of [0, side) between the least and the greatest of three coordinates."""
    low = np.maximum(np.ceil(np.minimum(np.minimum(a, b), c)), 0).astype(np.int32)
    high = np.minimum(np.floor(np.maximum(np.maximum(a, b), c)), side - 1).astype(np.int32)
    return low, np.maximum(high - low + 1, 0)


def _nearest(
    side: int,
    pixel: np.ndarray,
    z: np.ndarray,
    found: np.ndarray,
    triangles: np.ndarray,
    v: np.ndarray,
    w: np.ndarray,
) -> Seen:
    order = np.argsort(-z, kind="stable")  # of several writes to one pixel the last one stays: the nearest
    winner = np.full(side * side, -1, np.int32)
    winner[pixel[order]] = order
    pixels = np.flatnonzero(winner >= 0)
    best = winner[pixels]
    weights = np.stack([1 - v[best] - w[best], v[best], w[best]], axis=1)
    return Seen(side, pixels, found[best], triangles[found[best]], weights, z[best])
