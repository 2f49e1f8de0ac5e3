"""The 3D head: a closed surface of rows, the iBUG-68 points on it, and the weak-perspective view.

Head frame: x to the image's right, y down, z to the viewer; the eye line is y = 0 and half the face is 0.75 wide. The
surface is a stack of rings from the crown to the chin. The jaw line (points 0-16) is where the rings turn away from the
viewer, found in closed form, so the drawn outline of the face and its landmarks are one curve at every yaw.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from benchmark.data.procedural.face_shape import CHEEKS, CHIN_ROW, EAR_ROW, bumps_of, flat_points, rings_of
from benchmark.data.procedural.face_types import FaceSemantics

UNIT = 0.300  # image sides per head unit at scale 1: the 68 points then fill about half the image (spec: systems 1.5)
CENTRE = np.array([0.5, 0.55])  # where the middle of the face lands, in image sides
PIVOT = np.array([0.0, 0.45, -0.15])  # the head turns about its neck, not about the nose

VISIBLE = 1.75  # angle from the line of sight at which a ring has surely turned away
LATTICE, LATTICE_REACH = 256, 0.95  # columns across the head on which its relief is worked out, and their half width
_LATTICE = np.linspace(-LATTICE_REACH, LATTICE_REACH, LATTICE, dtype=np.float32)
_BOTH = np.array([[-1.0], [1.0]])  # the image's left and right


@lru_cache(maxsize=64)
def ring_matrix(rows: int, first: float = 0) -> np.ndarray:
    """(rows, knots) matrix that splines the ring table to `rows` rings from ring `first` down to the chin."""
    knots = CHIN_ROW + 1
    return CubicSpline(np.arange(knots), np.eye(knots), bc_type="natural")(np.linspace(first, CHIN_ROW, rows))


@lru_cache(maxsize=64)
def _angles(columns: int) -> np.ndarray:
    return np.linspace(-VISIBLE, VISIBLE, columns, dtype=np.float32)


class Head:
    """The surface of one head in one expression; `points` are its 68 landmarks at frontal view, (68, 3), head frame."""

    def __init__(self, semantics: FaceSemantics) -> None:
        self.semantics = semantics
        self.rings = rings_of(semantics)  # (16, 5)
        self._table = np.ascontiguousarray((ring_matrix(161) @ self.rings[:, :4]).T)  # y, width, side, front
        flat = flat_points(semantics)  # (51, 2): landmarks 17..67
        self.bumps = bumps_of(semantics, flat)  # (B, 5)
        jaw = self.rings[EAR_ROW:]
        side = jaw[:, [1, 0, 2]]
        inner = self.surface(np.concatenate([flat, CHEEKS]))
        self.points = np.concatenate([side * (-1, 1, 1), side[-2::-1], inner[: len(flat)]])
        self.cheeks = inner[len(flat) :]  # (2, 3)

    def surface(self, flat: np.ndarray) -> np.ndarray:
        """Points (N, 3) of the front of the head at x, y (N, 2)."""
        x, y = np.ascontiguousarray(flat.T)
        heights, *columns = self._table
        width, side, front = (np.interp(y, heights, column) for column in columns)
        points = np.empty((len(flat), 3))
        points[:, :2] = flat
        points[:, 2] = side + (front - side) * _arch(x / np.maximum(width, 1e-6)) + self.relief(x, y)
        return points

    def relief(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Height of nose, brows, lips, cheeks and chin above the plain surface, at N places."""
        cx, cy, sx, sy, height = self.bumps.T[:, :, None]
        return (height * np.exp(-(((x - cx) / sx) ** 2) - ((y - cy) / sy) ** 2)).sum(axis=0)

    def _relief_rows(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """`relief` at x (R, C), every row of which has one y (R,).

        A bump is a product of a function of x and one of y, so on a lattice all of them together are one matrix
        product; what lies between its columns is interpolated.
        """
        cx, cy, sx, sy, height = self.bumps.T[:, :, None].astype(np.float32)
        columns = np.exp(-(((_LATTICE - cx) / sx) ** 2))  # (B, X)
        rows = height * np.exp(-(((y - cy) / sy) ** 2))  # (B, R)
        lattice = rows.T @ columns
        place = np.clip((x + LATTICE_REACH) * ((LATTICE - 1) / (2 * LATTICE_REACH)), 0, LATTICE - 1.001)
        low = place.astype(np.intp)
        place -= low
        low += np.arange(len(y))[:, None] * LATTICE
        left, right = lattice.take(low), lattice.take(low + 1)
        return left + place * (right - left)

    def grid(self, rows: int, columns: int) -> np.ndarray:
        """Points of the whole surface, float32 (3, rows, columns); columns run around its visible half."""
        y, width, side, front, back = self._rings32(rows)
        angle = _angles(columns) - np.float32(self.semantics.yaw)
        sine, cosine = np.sin(angle), np.cos(angle)
        points = np.empty((3, rows, columns), np.float32)
        np.multiply(width, sine, out=points[0])
        points[1] = y
        points[2] = side + np.where(cosine > 0, (front - side) * _arch(sine), (side - back) * cosine)
        first, last = np.searchsorted(angle, (-1.5, 1.5))  # nose, lips and brows sit on the front only
        relief = self._relief_rows(points[0, :, first:last], y[:, 0])
        points[2, :, first:last] += relief * np.clip(3 * cosine[first:last], 0, 1)
        return points

    def skull(self) -> np.ndarray:
        """Sparse points (N, 3) of the upper head without its relief: their hull is its outline."""
        y, width, side, front, back = (column[:10] for column in self._rings32(17))
        angle = _angles(25) - np.float32(self.semantics.yaw)
        sine, cosine = np.sin(angle), np.cos(angle)
        depth = side + np.where(cosine > 0, (front - side) * _arch(sine), (side - back) * cosine)
        x = width * sine
        return np.stack([x, np.broadcast_to(y, x.shape), depth], axis=-1).reshape(-1, 3)

    def _rings32(self, rows: int) -> np.ndarray:
        rings = (ring_matrix(rows) @ self.rings).T.astype(np.float32)[:, :, None]
        np.maximum(rings[1], 0, out=rings[1])
        return rings

    def outline(self, matrix: np.ndarray) -> np.ndarray:
        """Points of the silhouette, image left then right side, (2, R, 3), at R rings given by a `ring_matrix`.

        Rings turn away where the ellipse's tangent points at the viewer; on the near side the line stays at the jaw.
        """
        y, width, side, front, _ = (matrix @ self.rings).T
        width = np.maximum(width, 0)
        depth = front - side
        # The angle's tangent is `flat / lean`.
        lean, flat = np.maximum(_BOTH * (math.sin(self.semantics.yaw) * depth), 0), width * math.cos(self.semantics.yaw)
        reach = np.hypot(flat, lean) + 1e-12  # (2, rows)
        points = np.empty((2, len(matrix), 3))
        points[..., 0] = _BOTH * width * flat / reach
        points[..., 1] = y
        points[..., 2] = side + depth * lean / reach
        return points


class View:
    """Weak-perspective camera: rotates head-frame points and maps them to pixels (centres at integers)."""

    def __init__(self, semantics: FaceSemantics, size: int) -> None:
        self.rotation = rotation(semantics.yaw, semantics.pitch, semantics.roll)
        self.unit = UNIT * semantics.scale * size  # pixels per head unit
        self.middle = np.add(CENTRE, (semantics.shift_x, semantics.shift_y)) * size - 0.5
        self.size = size
        self._onto = self.rotation[:2].T * self.unit
        self._origin = self.middle - PIVOT @ self._onto

    def camera(self, points: np.ndarray) -> np.ndarray:
        """Head frame (..., 3) -> camera frame (..., 3), both in head units."""
        return (points - PIVOT) @ self.rotation.T

    def pixels(self, camera: np.ndarray) -> np.ndarray:
        """Camera frame (..., 3) -> image x, y in pixels (..., 2)."""
        return camera[..., :2] * self.unit + self.middle

    def project(self, points: np.ndarray) -> np.ndarray:
        """Head frame (..., 3) -> image x, y in pixels (..., 2)."""
        return points @ self._onto + self._origin


class Pose(NamedTuple):
    """One state of one head as the painters need it."""

    head: Head
    view: View
    marks: np.ndarray  # (68, 2) px


@lru_cache(maxsize=16)
def pose(semantics: FaceSemantics, size: int) -> Pose:
    """Build head, view and landmarks of a state; remembered, for picture and landmarks are asked for one by one."""
    head, view = Head(semantics), View(semantics, size)
    left, right = head.outline(ring_matrix(CHIN_ROW - EAR_ROW + 1, EAR_ROW))
    jaw = np.concatenate([left, right[-2::-1]])
    return Pose(head, view, view.project(np.concatenate([jaw, head.points[17:]])))


def landmarks(semantics: FaceSemantics, size: int) -> np.ndarray:
    """Exact iBUG-68 landmarks of `render(semantics, ..., size)`: float32 (68, 2) x, y in pixels, centres at integers.

    Hidden points at large yaw are projected; the jaw follows the visible outline, as annotators and dlib do.
    """
    return pose(semantics, size).marks.astype(np.float32)


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation matrix (3, 3), head to camera: yaw first, then pitch, then roll in the image plane."""
    cy, sy, cp, sp, cr, sr = (f(angle) for angle in (yaw, pitch, roll) for f in (math.cos, math.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ nod @ turn


def _arch(x: np.ndarray) -> np.ndarray:
    """Profile of a ring from front (1) to side (0): flatter in front than a circle, as faces are."""
    return np.sqrt(np.maximum(1.0 - np.abs(x) ** 2.2, 0.0))
