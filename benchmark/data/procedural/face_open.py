"""Eyes, mouth cavity and teeth, seen through the openings of lids and lips, and the lashes. They bring their own
shading.
"""

from __future__ import annotations

import cv2
import numpy as np

from benchmark.data.procedural.face_canvas import CIRCLE, Canvas, band, disc
from benchmark.data.procedural.face_curves import Curves
from benchmark.data.procedural.face_features import BOTH, FINE, lift, tone
from benchmark.data.procedural.face_geometry import UNIT, Pose
from benchmark.data.procedural.face_types import FaceAppearance

EYEBALL = 0.155  # radius in head units
IRIS = 0.066
_REACH = np.array([0.42, 0.26])  # how far a gaze turns right and down; left it is the same, up a little less
_REACH_BACK = np.array([-0.42, -0.22])
_LASH = np.sin(np.linspace(0.25, np.pi - 0.25, 16))


def paint_open(canvas: Canvas, pose: Pose, curves: Curves, look: FaceAppearance) -> None:
    """Eyeballs, mouth cavity and teeth, seen through the lids and lips; then the lashes."""
    light = sum(look.light_colour) / 3 * (0.86 + 0.14 * max(look.light[2], 0.0))
    square = pose.view.unit**2
    behind = canvas.copy()  # painted without regard to the openings, and then shown through them
    seeing = [i for i in (0, 1) if _area(curves.eyes[i]) > 0.0015 * square]
    holes = [curves.eyes[i] for i in seeing]
    if seeing:
        _eyeballs(behind, pose, curves, look, seeing, light)
    if _area(curves.inner_lips) > 0.004 * square:
        _mouth(behind, pose, curves, light)
        holes.append(curves.inner_lips)
    covered = canvas.coverage(holes, 0.004 * pose.view.unit) if holes else None
    if covered is not None:
        mask, where = covered
        canvas.blend(mask, where, behind.pixels[where])
    _lashes(canvas, pose, curves, look)


def _area(polygon: np.ndarray) -> float:
    return cv2.contourArea(polygon.astype(np.float32))


def _gaze(pose: Pose, centres: np.ndarray, look: FaceAppearance) -> np.ndarray:
    """Unit vectors of sight (N, 3), camera frame, for eyes at `centres` (N, 3): to the gaze point if the lids allow."""
    view = pose.view
    x, y = (view.middle - (view.size - 1) / 2) / (view.size * UNIT)
    target = np.subtract(look.gaze, (x, y, 0.0))
    sight = (target - view.camera(centres)) @ view.rotation
    sight /= np.sqrt((sight * sight).sum(axis=1, keepdims=True))
    sight[:, :2] = np.minimum(np.maximum(sight[:, :2], _REACH_BACK), _REACH)
    sight[:, 2] = np.sqrt(np.maximum(1 - sight[:, 0] ** 2 - sight[:, 1] ** 2, 0.2))
    return sight @ view.rotation.T


def _eyeballs(
    canvas: Canvas, pose: Pose, curves: Curves, look: FaceAppearance, seeing: list[int], light: float
) -> None:
    u, view = pose.view.unit, pose.view
    corners = pose.marks[36:48].reshape(2, 6, 2)[seeing]
    points = pose.head.points[36:48].reshape(2, 6, 3)[seeing].sum(axis=1) / 6
    white = disc(corners.sum(axis=1) / 6, 0.22 * u, 0.16 * u)
    canvas.fill_all(white, (232.0 * light, 226.0 * light, 222.0 * light))
    points[:, 1] = 0.02
    points[:, 2] += 0.02 - EYEBALL
    sight = _gaze(pose, points, look)
    pupils = view.pixels(view.camera(points) + EYEBALL * sight)[:, None]  # (N, 1, 2)
    across = IRIS * u
    tilt = sight[:, :2]
    squeeze = (1 - sight[:, 2]) / np.maximum((tilt * tilt).sum(axis=1), 1e-9)
    circle = across * CIRCLE
    rings = circle - (tilt @ circle.T)[..., None] * (squeeze[:, None] * tilt)[:, None]  # (N, 24, 2), foreshortened
    canvas.fill_all(pupils + 1.08 * rings, tone(look.iris, 0.35), 0.95, 0.006 * u)
    canvas.fill_all(pupils + 0.92 * rings, look.iris, 1.0, 0.008 * u)
    if u >= FINE:
        canvas.fill_all(pupils + [0.0, 0.3 * across] + 0.6 * rings, lift(look.iris, 0.3), 0.5, 0.015 * u)
    canvas.fill_all(pupils + 0.44 * rings, (14.0, 10.0, 10.0), 0.97, 0.004 * u)
    canvas.fill_all(band(curves.lids[seeing], 0.07 * u), (70.0, 46.0, 44.0), 0.5, 0.02 * u)
    glints = pupils + (0.5 * across * look.light[0], 0.5 * across * (look.light[1] - 0.25)) + 0.2 * circle
    canvas.fill_all(glints, (255.0, 255.0, 250.0), 0.95, 0.003 * u)
    if u >= FINE:
        inner = pose.marks[[39, 42]][seeing]
        canvas.fill_all(disc(inner, 0.028 * u, 0.022 * u), (206.0, 130.0, 124.0), 0.7, 0.01 * u)


def _lashes(canvas: Canvas, pose: Pose, curves: Curves, look: FaceAppearance) -> None:
    u = pose.view.unit
    if u >= FINE:
        lows = band(curves.low_lids, 0.014 * u)
        canvas.fill_all(lows, tone(look.skin, 0.55, (90.0, 30.0, 26.0)), 0.5, 0.004 * u)
    lash = tone(look.brow, 0.35)
    canvas.fill_all(band(curves.lids, ((0.030 + 0.016 * look.make_up) * _LASH + 0.006) * u), lash, 0.92, 0.004 * u)
    if look.make_up > 0.3:
        outer = pose.marks[36:46:9]
        right, down = pose.view.rotation[:2, :2].T * u
        wing = outer + BOTH * (0.05 * right) - 0.03 * down
        lines = np.array([outer, (outer + wing) / 2, wing]).swapaxes(0, 1)
        canvas.fill_all(band(lines, np.array([0.03, 0.02, 0.004]) * u), lash, 0.92, 0.004 * u)


def _mouth(canvas: Canvas, pose: Pose, curves: Curves, light: float) -> None:
    u, marks = pose.view.unit, pose.marks
    down = pose.view.rotation[:2, 1] * u
    gape = float(np.hypot(*(marks[66] - marks[62]))) / u
    canvas.fill(curves.outer_lips, (62.0, 16.0, 18.0))
    canvas.fill(disc(marks[66] - 0.01 * down, 0.15 * u, 0.3 * gape * u), (170.0, 72.0, 76.0), 0.85, 0.025 * u)
    reach = min(0.62 * gape, 0.085)
    teeth = np.concatenate([curves.teeth - 0.03 * down, (curves.teeth + reach * down)[::-1]])
    canvas.fill(teeth, (236.0 * light, 230.0 * light, 216.0 * light), 0.95, 0.006 * u)
    if u >= FINE:
        canvas.fill(band(curves.teeth, 0.05 * u), (90.0, 40.0, 40.0), 0.4, 0.02 * u)
    corners = disc(0.75 * marks[48:55:6] + 0.25 * marks[66], 0.06 * u, 0.06 * u)
    canvas.fill_all(corners, (50.0, 14.0, 16.0), 0.6, 0.03 * u)
