"""The 3D head: a closed surface of rows, the iBUG-68 points on it, and the weak-perspective view.

Head frame: x to the image's right, y down, z to the viewer; the eye line is y = 0 and half the face is 0.75 wide. The
surface is a stack of rings from the crown to the chin. The jaw line (points 0-16) is where the rings turn away from the
viewer, found in closed form, so the drawn outline of the face and its landmarks are one curve at every yaw.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from benchmark.data.procedural.face_types import BoneShape, FaceSemantics

UNIT = 0.300  # image sides per head unit at scale 1: the 68 points then fill about half the image (spec: systems 1.5)
CENTRE = np.array([0.5, 0.55])  # where the middle of the face lands, in image sides
PIVOT = np.array([0.0, 0.45, -0.15])  # the head turns about its neck, not about the nose

# Rings from the crown to the chin: height y, half width, depth at the side, in front (without features), at the back.
CROWN = np.array(
    [
        [-1.12, 0.00, -0.30, -0.30, -0.30],
        [-1.08, 0.26, -0.28, 0.00, -0.62],
        [-0.98, 0.47, -0.27, 0.22, -0.88],
        [-0.82, 0.62, -0.25, 0.40, -1.06],
        [-0.62, 0.71, -0.22, 0.51, -1.16],
        [-0.40, 0.755, -0.19, 0.57, -1.18],
        [-0.20, 0.765, -0.17, 0.60, -1.14],
    ]
)
JAW = np.array(
    [
        [0.00, 0.755, -0.15, 0.59, -1.06],
        [0.20, 0.745, -0.13, 0.60, -0.94],
        [0.40, 0.722, -0.09, 0.62, -0.78],
        [0.59, 0.678, -0.02, 0.615, -0.58],
        [0.78, 0.605, 0.08, 0.60, -0.34],
        [0.94, 0.495, 0.20, 0.57, -0.06],
        [1.08, 0.350, 0.33, 0.56, 0.20],
        [1.185, 0.180, 0.42, 0.54, 0.38],
        [1.22, 0.000, 0.47, 0.47, 0.47],
    ]
)
EYE = np.array([[-0.515, 0.015], [-0.425, -0.075], [-0.31, -0.078], [-0.225, 0.025], [-0.31, 0.072], [-0.425, 0.07]])
BROW = np.array([[-0.64, -0.19], [-0.53, -0.28], [-0.40, -0.31], [-0.27, -0.285], [-0.145, -0.235]])
NOSE = np.array(
    [[0, -0.03], [0, 0.12], [0, 0.27], [0, 0.42], [-0.17, 0.50], [-0.085, 0.53], [0, 0.55], [0.085, 0.53], [0.17, 0.50]]
)
OUTER_LIP = np.array(
    [[-0.33, 0.78], [-0.20, 0.715], [-0.075, 0.68], [0, 0.697], [0.075, 0.68], [0.20, 0.715], [0.33, 0.78],
     [0.20, 0.875], [0.09, 0.915], [0, 0.923], [-0.09, 0.915], [-0.20, 0.875]]
)  # fmt: skip
INNER_LIP = np.array(
    [[-0.28, 0.78], [-0.10, 0.770], [0, 0.774], [0.10, 0.770], [0.28, 0.78], [0.10, 0.782], [0, 0.786], [-0.10, 0.782]]
)
VISIBLE = 1.75  # angle from the line of sight at which a ring has surely turned away
EAR_ROW, CHIN_ROW = len(CROWN), len(CROWN) + len(JAW) - 1


@lru_cache(maxsize=64)
def ring_matrix(rows: int) -> np.ndarray:
    """(rows, knots) matrix that splines the ring table to `rows` rings."""
    knots = CHIN_ROW + 1
    return CubicSpline(np.arange(knots), np.eye(knots), bc_type="natural")(np.linspace(0, CHIN_ROW, rows)).astype(
        np.float32
    )


class Head:
    """The surface of one head in one expression; `points` are its 68 landmarks at frontal view, (68, 3), head frame."""

    def __init__(self, semantics: FaceSemantics) -> None:
        self.semantics = semantics
        self.rings = _rings(semantics)  # (16, 5)
        flat = _flat_points(semantics, self.rings)  # (51, 2): landmarks 17..67
        self.bumps = _bumps(semantics, flat)
        inner = np.column_stack([flat, self.depth(flat[:, 0], flat[:, 1])])
        jaw = self.rings[EAR_ROW:]
        side = np.column_stack([jaw[:, 1], jaw[:, 0], jaw[:, 2]])
        self.points = np.concatenate([side * [-1, 1, 1], side[-2::-1], inner])

    def relief(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Height of nose, brows, lips, cheeks and chin above the plain surface."""
        total = np.zeros_like(x)
        for cx, cy, sx, sy, height in self.bumps:
            total += height * np.exp(-(((x - cx) / sx) ** 2) - ((y - cy) / sy) ** 2)
        return total

    def _relief_rows(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """`relief` where every row of x (R, C) has one y (R,), ascending: each bump visits only the rows it reaches."""
        total = np.zeros_like(x)
        for cx, cy, sx, sy, height in self.bumps:
            first, last = np.searchsorted(y, (cy - 2.6 * sy, cy + 2.6 * sy))
            if last > first:
                fall = (height * np.exp(-(((y[first:last] - cy) / sy) ** 2)))[:, None]
                total[first:last] += fall * np.exp(-(((x[first:last] - cx) * (1 / sx)) ** 2))
        return total

    def depth(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """z of the front of the head at (x, y)."""
        table = ring_matrix(161) @ self.rings
        width, side, front = (np.interp(y, table[:, 0], table[:, i]) for i in (1, 2, 3))
        return side + (front - side) * _arch(x / np.maximum(width, 1e-6)) + self.relief(x, y)

    def grid(self, rows: int, columns: int, features: bool = True) -> np.ndarray:
        """Points of the whole surface, float32 (rows, columns, 3); columns run around its visible half.

        Without `features` the relief of nose, lips and brows is left out.
        """
        y, width, side, front, back = (ring_matrix(rows) @ self.rings.astype(np.float32)).T[:, :, None]
        angle = np.linspace(-VISIBLE, VISIBLE, columns, dtype=np.float32) - np.float32(self.semantics.yaw)
        sine, cosine = np.sin(angle), np.cos(angle)
        x = np.maximum(width, 0) * sine
        z = side + np.where(cosine > 0, (front - side) * _arch(sine), (side - back) * cosine)
        if features:
            first, last = np.searchsorted(angle, (-1.5, 1.5))  # nose, lips and brows sit on the front only
            relief = self._relief_rows(x[:, first:last], y[:, 0])
            z[:, first:last] += relief * np.clip(3 * cosine[first:last], 0, 1)
        return np.stack([x, np.broadcast_to(y, x.shape), z], axis=-1)

    def outline(self, rows: int, first: float = EAR_ROW) -> np.ndarray:
        """Points of the silhouette, image left then right side, (2, rows, 3), from ring `first` down to the chin.

        Rings turn away where the ellipse's tangent points at the viewer; on the near side the line stays at the jaw.
        """
        table = _lower_matrix(rows, first) @ self.rings
        y, width, side, front, _ = table.T
        width = np.maximum(width, 0)
        sides = []
        for sign in (-1.0, 1.0):
            lean = sign * np.sin(self.semantics.yaw) * (front - side)
            angle = np.where(
                lean > 0, np.arctan2(width * np.cos(self.semantics.yaw), np.maximum(lean, 1e-9)), np.pi / 2
            )
            sides.append(np.column_stack([sign * width * np.sin(angle), y, side + (front - side) * np.cos(angle)]))
        return np.stack(sides)


class View:
    """Weak-perspective camera: rotates head-frame points and maps them to pixels (centres at integers)."""

    def __init__(self, semantics: FaceSemantics, size: int) -> None:
        self.rotation = rotation(semantics.yaw, semantics.pitch, semantics.roll)
        self.unit = UNIT * semantics.scale * size  # pixels per head unit
        self.middle = (CENTRE + np.array([semantics.shift_x, semantics.shift_y])) * size - 0.5
        self.size = size

    def camera(self, points: np.ndarray) -> np.ndarray:
        """Head frame (..., 3) -> camera frame (..., 3), both in head units."""
        return (points - PIVOT.astype(points.dtype)) @ self.rotation.T.astype(points.dtype)

    def pixels(self, camera: np.ndarray) -> np.ndarray:
        """Camera frame (..., 3) -> image x, y in pixels (..., 2)."""
        return camera[..., :2] * self.unit + self.middle.astype(camera.dtype)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Head frame (..., 3) -> image x, y in pixels (..., 2)."""
        return self.pixels(self.camera(points))


def landmarks(semantics: FaceSemantics, size: int) -> np.ndarray:
    """Exact iBUG-68 landmarks of `render(semantics, ..., size)`: float32 (68, 2) x, y in pixels, centres at integers.

    Hidden points at large yaw are projected; the jaw follows the visible outline, as annotators and dlib do.
    """
    return landmarks_of(Head(semantics), View(semantics, size)).astype(np.float32)


def landmarks_of(head: Head, view: View) -> np.ndarray:
    """The same for a head and a view that are already built, float64 (68, 2)."""
    left, right = head.outline(CHIN_ROW - EAR_ROW + 1)
    jaw = np.concatenate([left, right[-2::-1]])
    return view.project(np.concatenate([jaw, head.points[17:]]))


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation matrix (3, 3), head to camera: yaw first, then pitch, then roll in the image plane."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ nod @ turn


@lru_cache(maxsize=8)
def _lower_matrix(rows: int, first: float) -> np.ndarray:
    knots = CHIN_ROW + 1
    return CubicSpline(np.arange(knots), np.eye(knots), bc_type="natural")(np.linspace(first, CHIN_ROW, rows))


def _arch(x: np.ndarray) -> np.ndarray:
    """Profile of a ring from front (1) to side (0): flatter in front than a circle, as faces are."""
    return np.sqrt(np.maximum(1.0 - np.abs(x) ** 2.2, 0.0))


def _rings(s: FaceSemantics) -> np.ndarray:
    b: BoneShape = s.bone
    rings = np.concatenate([CROWN, JAW])
    jaw = np.arange(len(JAW))
    rings[:, 1] *= 1.0 + 0.045 * b.face_width
    below = rings[EAR_ROW:]
    below[:, 1] *= 1.0 + 0.045 * b.jaw_width * np.exp(-(((jaw - 4.5) / 2.0) ** 2))
    below[:, 1] *= 1.0 + 0.06 * b.chin_width * np.exp(-(((jaw - 7.0) / 1.2) ** 2))
    below[:, 0] *= 1.0 + 0.045 * b.face_length
    hinge = np.clip((jaw - 1.5) / 6.5, 0.0, 1.0) ** 1.3
    below[:, 0] += 0.24 * s.mouth_open * hinge
    below[:, 2:4] -= (0.07 * s.mouth_open * hinge)[:, None]  # the jaw swings back as it opens
    below[:, 1] *= 1.0 + 0.025 * s.smile * np.exp(-(((jaw - 4.0) / 2.0) ** 2))
    return rings


def _flat_points(s: FaceSemantics, rings: np.ndarray) -> np.ndarray:
    """x, y of landmarks 17..67 at frontal view, (51, 2)."""
    stretch = 1.0 + 0.045 * s.bone.face_length
    wide = 1.0 + 0.045 * s.bone.face_width
    eyes = [_eye(s.bone, s.blink_left, s.smile), _eye(s.bone, s.blink_right, s.smile)]
    brows = [_brow(s.bone, s.brow_left, s.furrow), _brow(s.bone, s.brow_right, s.furrow)]
    mirror = np.array([-1.0, 1.0])
    right_eye = (eyes[1] * mirror)[[3, 2, 1, 0, 5, 4]]  # numbered from the inner corner
    points = [brows[0], (brows[1] * mirror)[::-1], _nose(s.bone), eyes[0], right_eye, *_mouth(s)]
    return np.concatenate(points) * [wide, stretch]


def _eye(b: BoneShape, blink: float, smile: float) -> np.ndarray:
    centre = np.array([-0.365, 0.02])
    local = (EYE - centre) * [1.0 + 0.06 * b.eye_width, 1.0 + 0.14 * b.eye_height]
    lower = local[[5, 4], 1] - 0.012 * max(smile, 0.0)
    local[[5, 4], 1] = lower
    local[1:3, 1] += (lower - 0.012 - local[1:3, 1]) * blink
    local[:, 1] += local[:, 0] * 0.06 * b.eye_tilt
    return local + centre - [0.018 * b.eye_spacing, 0.0]


def _brow(b: BoneShape, lift: float, furrow: float) -> np.ndarray:
    brow = BROW.copy()
    brow[:, 1] -= 0.022 * b.brow_height + np.where(lift > 0, 0.10, 0.05) * lift
    brow[:, 1] -= 0.016 * b.brow_arch * np.array([-1.0, 0.3, 1.0, 0.3, -0.6])
    brow[:, 0] += 0.05 * furrow * np.array([0.0, 0.3, 0.6, 0.9, 1.0])
    brow[:, 1] += 0.06 * furrow * np.array([-0.2, 0.0, 0.3, 0.8, 1.0])
    return brow


def _nose(b: BoneShape) -> np.ndarray:
    nose = NOSE.copy()
    nose[:, 0] *= 1.0 + 0.09 * b.nose_width
    nose[1:, 1] += 0.03 * b.nose_length * np.clip((NOSE[1:, 1] + 0.03) / 0.5, 0.0, 1.0)
    return nose


def _mouth(s: FaceSemantics) -> tuple[np.ndarray, np.ndarray]:
    b = s.bone
    outer, inner = OUTER_LIP.copy(), INNER_LIP.copy()
    seam = 0.78
    full = np.where(outer[:, 1] < seam, 1.0 + 0.18 * b.upper_lip, 1.0 + 0.15 * b.lower_lip) * (
        1.0 - 0.15 * max(s.smile, 0.0) + 0.25 * s.pucker
    )
    outer[:, 1] = seam + (outer[:, 1] - seam) * full
    for lips in (outer, inner):
        corner = np.clip(np.abs(lips[:, 0]) / 0.33, 0.0, 1.0)
        lower = lips[:, 1] > seam + 1e-3
        gape = 1.0 - np.clip(np.abs(lips[:, 0]) / 0.29, 0.0, 1.0) ** 2
        lips[:, 1] += s.mouth_open * np.where(lower, 0.27, -0.025) * gape + 0.05 * s.mouth_open
        lips[:, 0] *= (
            (1.0 + 0.075 * b.mouth_width)
            * (1.0 + 0.24 * s.smile)
            * (1.0 - 0.38 * s.pucker)
            * (1.0 - 0.10 * s.mouth_open)
        )
        lips[:, 1] -= 0.085 * s.smile * corner**2 - 0.012 * s.smile
        lips[:, 1] += 0.02 * b.mouth_height + 0.012 * b.nose_length
    return outer, inner


def _bumps(s: FaceSemantics, flat: np.ndarray) -> list[tuple[float, float, float, float, float]]:
    """Relief as Gaussians (centre x, y, spreads x, y, height) that sit on the landmarks and so move with them."""
    bridge, tip, base = flat[10], flat[13], flat[16]
    wing = flat[18]
    deep = 1.0 + 0.10 * s.bone.nose_depth
    along = [bridge + (tip - bridge) * f for f in (0.15, 0.5, 0.8)]
    bumps = [
        (0.0, along[0][1], 0.085, 0.14, 0.06 * deep),
        (0.0, along[1][1], 0.090, 0.13, 0.115 * deep),
        (0.0, along[2][1], 0.095, 0.10, 0.12 * deep),
        (0.0, tip[1] + 0.01, 0.105, 0.075, 0.15 * deep),
        (0.0, base[1] + 0.02, 0.10, 0.05, -0.02),
    ]
    mouth, low_lip, top_lip = flat[45:51].mean(axis=0), flat[40], flat[34]
    reach = float(flat[37][0])
    bumps += [
        (0.0, mouth[1], 0.8 * reach, 0.17, 0.05 + 0.03 * s.pucker),
        (0.0, float(low_lip[1]) - 0.03, 0.6 * reach, 0.05, 0.05 + 0.03 * s.pucker),
        (0.0, float(top_lip[1]) + 0.02, 0.6 * reach, 0.04, 0.035 + 0.03 * s.pucker),
        (0.0, float(low_lip[1]) + 0.07, 0.16, 0.05, -0.045),
    ]
    chin = 1.22 * (1.0 + 0.045 * s.bone.face_length) + 0.24 * s.mouth_open
    bumps.append((0.0, chin - 0.12, 0.17, 0.10, 0.06))
    for sign, eye, brow in ((-1, flat[19:25].mean(axis=0), flat[2]), (1, flat[25:31].mean(axis=0), flat[7])):
        cheek = max(s.smile, 0.0)
        bumps += [
            (sign * float(wing[0]) * 0.78, float(wing[1]) - 0.035, 0.062, 0.060, 0.10 * deep),
            (float(eye[0]), float(eye[1]) - 0.01, 0.19, 0.10, -0.095),
            (float(eye[0]), float(eye[1]), 0.10, 0.07, 0.045),
            (float(brow[0]), float(brow[1]) + 0.06, 0.24, 0.07, 0.045),
            (sign * 0.47, 0.33 - 0.05 * cheek, 0.17, 0.15, 0.055 + 0.05 * cheek),
        ]
    return bumps
