"""Tubes of elliptic rings, joined into one mesh that bones can bend, with DensePose's part numbers and coordinates.

mesh = build_mesh(tubes)
points = mesh.posed(rig)                 # (V, 3)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmark.data.procedural.dance_skeleton import BONES, Rig

SEGMENTS = 16  # corners of a ring
TURN = 2 * np.pi * np.arange(SEGMENTS) / SEGMENTS  # 0 is the dancer's left, a quarter turn the front (or a foot's top)
TRUNK, SKULL, ARM, PALM, LEG, TOES, SKIRT, LOCKS, BRIM = range(9)  # what a tube is; the last three are worn

Padding = Callable[["Tube"], np.ndarray]  # thickness in metres of what is worn over a tube: (R, S)


@dataclass(frozen=True)
class Tube:
    """Rings from top to bottom (a foot: from heel to toe), in rest positions above the middle of the hips."""

    kind: int
    side: int  # 0 right, 1 left; trunk and head: 0
    centres: np.ndarray  # (R, 3)
    radii: np.ndarray  # (R, 2) across (x) and deep (z; where `flat`, y)
    weights: np.ndarray  # (R, 17) or (R, S, 17) share of each bone
    parts: np.ndarray  # (R - 1, 2) part numbers of the back (right) and of the front (left) half below each ring
    along: np.ndarray  # (R - 1, 2) V at the upper and the lower edge of each band
    square: float = 1.0  # below 1 an ellipse grows corners
    flat: bool = False  # lies along z, as a foot does

    def points(self, padding: np.ndarray | float = 0.0) -> np.ndarray:
        """Corners (R, S, 3), pushed outwards by `padding` metres."""
        cos, sin = (np.sign(f) * np.abs(f) ** self.square for f in (np.cos(TURN), np.sin(TURN)))
        pad = np.broadcast_to(np.asarray(padding, float), (len(self.centres), SEGMENTS))
        corners = np.repeat(self.centres[:, None], SEGMENTS, axis=1)
        deep = 1 if self.flat else 2
        corners[..., 0] += (self.radii[:, :1] + pad) * cos
        corners[..., deep] += (self.radii[:, 1:] + pad) * sin
        return corners


@dataclass(frozen=True)
class Mesh:
    """Tubes as one mesh: V = rings x SEGMENTS vertices."""

    rest: np.ndarray  # (V, 3) what the body without clothes would be: textures are painted in these coordinates
    shape: np.ndarray  # (V, 3) at rest, with padding
    weights: np.ndarray  # (V, 17)
    triangles: np.ndarray  # (T, 3)
    kinds: np.ndarray  # (T,)
    sides: np.ndarray  # (T,)
    parts: np.ndarray  # (T,) DensePose part
    uv: np.ndarray  # (T, 3, 2) U, V at the corners
    rings: tuple[np.ndarray, np.ndarray]  # for each ring the one above and the one below it

    def posed(self, rig: Rig) -> np.ndarray:
        """Vertices in space (V, 3): linear blend skinning."""
        maps = self.weights @ rig.matrices.reshape(BONES, 12)
        maps = maps.reshape(-1, 3, 4)
        return np.einsum("vij,vj->vi", maps[..., :3], self.shape) + maps[..., 3]

    def normals(self, points: np.ndarray) -> np.ndarray:
        """Unit normals (V, 3), outwards, of posed vertices."""
        grid = points.reshape(-1, SEGMENTS, 3)
        around = np.roll(grid, -1, axis=1) - np.roll(grid, 1, axis=1)
        down = grid[self.rings[1]] - grid[self.rings[0]]
        return unit(np.cross(around, down).reshape(-1, 3))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (K, 3) at length 1; zero stays zero."""
    return vectors / np.maximum(np.sqrt(np.einsum("ki,ki->k", vectors, vectors)), 1e-9)[:, None]


def build_mesh(tubes: list[Tube], padding: Padding | None = None) -> Mesh:
    """Join tubes into a mesh; `padding` gives the thickness of what is worn."""
    rest, shape, weights, above, below = [], [], [], [], []
    triangles, kinds, sides, parts, uv = [], [], [], [], []
    first = 0
    for tube in tubes:
        count = len(tube.centres)
        rest.append(tube.points().reshape(-1, 3))
        shape.append(tube.points(padding(tube)).reshape(-1, 3) if padding else rest[-1])
        full = tube.weights if tube.weights.ndim == 3 else np.repeat(tube.weights[:, None], SEGMENTS, axis=1)
        weights.append(full.reshape(-1, BONES))
        rows = first + np.arange(count)
        above.append(np.maximum(rows - 1, first))
        below.append(np.minimum(rows + 1, first + count - 1))
        corners, where, half = _bands(tube, first)
        triangles.append(corners)
        uv.append(where)
        parts.append(half)
        kinds.append(np.full(len(corners), tube.kind))
        sides.append(np.full(len(corners), tube.side))
        first += count
    return Mesh(
        np.concatenate(rest),
        np.concatenate(shape),
        np.concatenate(weights),
        np.concatenate(triangles),
        np.concatenate(kinds),
        np.concatenate(sides),
        np.concatenate(parts),
        np.concatenate(uv),
        (np.concatenate(above), np.concatenate(below)),
    )


def _bands(tube: Tube, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two triangles for every piece of every band: corners (T, 3), U and V there (T, 3, 2), part numbers (T,)."""
    ring, segment = np.mgrid[0 : len(tube.centres) - 1, 0:SEGMENTS].reshape(2, -1)
    left, right = segment, (segment + 1) % SEGMENTS
    upper, lower = (first + ring) * SEGMENTS, (first + ring + 1) * SEGMENTS
    quarter = SEGMENTS // 4
    if tube.kind == SKULL:  # halves right and left, U from the front to the back of each
        half = ((segment + quarter) % SEGMENTS < 2 * quarter).astype(int)
        u0, u1 = (np.abs((s + quarter) % SEGMENTS - 2 * quarter) / (2 * quarter) for s in (segment, segment + 1))
    else:
        half = (segment < 2 * quarter).astype(int)
        u0 = (segment % (2 * quarter)) / (2 * quarter)
        u1 = u0 + 1 / (2 * quarter)
    v0, v1 = tube.along[ring].T
    corners = np.stack([upper + left, lower + right, upper + right, upper + left, lower + left, lower + right], axis=1)
    u, v = np.stack([u0, u1, u1, u0, u0, u1], axis=1), np.stack([v0, v1, v0, v0, v1, v1], axis=1)
    uv = np.stack([u, v], axis=2)
    return corners.reshape(-1, 3), uv.reshape(-1, 3, 2), np.repeat(tube.parts[ring, half], 2)
