"""Brows, sockets, nose, lips and the marks of time: what is painted on the skin before the light is multiplied in.

Every outline passes through its landmarks by construction (`face_curves`). Eyes and the open mouth are in `face_open`.
"""

from __future__ import annotations

import numpy as np

from benchmark.data.procedural.face_canvas import Canvas, band, disc
from benchmark.data.procedural.face_curves import Curves, spline
from benchmark.data.procedural.face_geometry import Pose
from benchmark.data.procedural.face_types import RGB, FaceAppearance

FINE = 30.0  # pixels per head unit below which lines as thin as a lash or a wrinkle cannot be seen
BOTH = np.array([[-1.0], [1.0]])  # the image's left and right
_BROW_WIDTH = 0.25 + 0.75 * np.sin(np.pi * (0.12 + 0.78 * np.linspace(0, 1, 17))) ** 0.8
_TURN = np.linspace(0, 2 * np.pi, 16, endpoint=False)


def tone(colour: RGB, factor: float, towards: RGB = (0.0, 0.0, 0.0)) -> RGB:
    """`colour` darkened (factor < 1) towards `towards`."""
    (red, green, blue), (r, g, b) = colour, towards
    return r + (red - r) * factor, g + (green - g) * factor, b + (blue - b) * factor


def lift(colour: RGB, amount: float) -> RGB:
    """`colour` lightened towards white by `amount`."""
    return tone(colour, 1 - amount, (255.0, 250.0, 244.0))


def paint_skin(canvas: Canvas, pose: Pose, curves: Curves, look: FaceAppearance) -> None:
    """Everything on the skin that the light falls on: blush, age, freckles, sockets, nose, brows, lips."""
    u = pose.view.unit
    shadow = tone(look.skin, 0.62, (60.0, 20.0, 16.0))
    cheeks = disc(pose.view.project(pose.head.cheeks), 0.17 * u, 0.14 * u)
    canvas.fill_all(cheeks, tone(look.skin, 0.62, (222.0, 62.0, 62.0)), 0.35 * look.blush, 0.07 * u)
    _marks_of_time(canvas, pose, look, shadow)
    _sockets(canvas, pose, curves, look, shadow)
    _brows(canvas, pose, curves, look)
    _nose(canvas, pose, curves, shadow)
    _lips(canvas, pose, curves, look)


def _marks_of_time(canvas: Canvas, pose: Pose, look: FaceAppearance, shadow: RGB) -> None:
    u, state = pose.view.unit, pose.head.semantics
    if look.freckles:
        rng = np.random.default_rng(look.seed)
        count = int(60 * look.freckles)
        x, y = rng.normal(0, 0.32, count).clip(-0.62, 0.62), rng.normal(0.3, 0.12, count)
        spots = pose.view.project(pose.head.surface(np.column_stack([x, y])))
        radii = rng.uniform(0.010, 0.018, count) * u
        canvas.fill_all(
            [disc(c, r, r) for c, r in zip(spots, radii, strict=True)], tone(look.skin, 0.7, (110.0, 50.0, 20.0)), 0.55
        )
    depth = 0.5 * (0.10 + 0.4 * look.age + 0.35 * max(state.smile, 0.0))
    canvas.fill_all(band(_folds(pose), 0.045 * u), shadow, depth, 0.02 * u)
    if look.age > 0.5 and u >= FINE:
        strength = 0.6 * (look.age - 0.5) / 0.5 + 0.2 * max(state.brow_left, 0)
        canvas.fill_all([band(line, 0.016 * u) for line in _wrinkles(pose)], shadow, strength, 0.007 * u)


def _folds(pose: Pose) -> np.ndarray:
    """The two lines from the nose to the mouth's corners, (2, N, 2)."""
    marks = pose.marks
    wings, corners = marks[31:36:4], marks[48:55:6]
    start = wings + 0.25 * (wings - marks[33])
    away = corners - marks[66]
    away *= (pose.view.unit / np.maximum(np.hypot(away[:, 0], away[:, 1]), 1e-6))[:, None]
    end = corners + 0.07 * away + 0.05 * (marks[8] - marks[27])
    return spline(np.array([start, (start + corners) / 2 + 0.075 * away, end]).swapaxes(0, 1))


def _wrinkles(pose: Pose) -> list[np.ndarray]:
    """Lines of the forehead and crow's feet."""
    x = np.tile(np.linspace(-1, 1, 9), 3)
    wide, level = np.repeat([0.36, 0.42, 0.34], 9), np.repeat([-0.46, -0.55, -0.64], 9)
    flat = np.column_stack([wide * x, level + 0.02 * np.cos(4 * x)])
    lines = list(pose.view.project(pose.head.surface(flat)).reshape(3, 9, 2))
    reach = np.linspace(0.06, 0.16, 4)[:, None]
    for outer, inner in ((36, 39), (45, 42)):
        away = pose.marks[outer] - pose.marks[inner]
        for slope in (-0.5, 0.0, 0.5):
            lines.append(pose.marks[outer] + 3.2 * reach * (away + slope * away[::-1] * [-1, 1]))
    return lines


def _sockets(canvas: Canvas, pose: Pose, curves: Curves, look: FaceAppearance, shadow: RGB) -> None:
    u = pose.view.unit
    lids, brows = curves.creases

    def between(share: float) -> np.ndarray:
        return lids + share * (brows - lids)

    def upper(share: float) -> np.ndarray:
        return np.concatenate([lids, between(share)[:, ::-1]], axis=1)

    eyes = pose.marks[36:48].reshape(2, 6, 2).sum(axis=1) / 6
    bags = disc(eyes + 0.1 * u * pose.view.rotation[:2, 1], 0.15 * u, 0.05 * u)
    canvas.fill_all(upper(0.42), shadow, 0.36, 0.035 * u)
    canvas.fill_all(bags, shadow, 0.10 + 0.28 * look.age, 0.03 * u)
    if look.make_up:
        canvas.fill_all(upper(0.26), look.eye_shadow, 0.7 * look.make_up, 0.02 * u)
    if u >= FINE:
        canvas.fill_all(band(between(0.16), 0.02 * u), shadow, 0.6, 0.008 * u)


def _brows(canvas: Canvas, pose: Pose, curves: Curves, look: FaceAppearance) -> None:
    """A soft band along each brow line, then single hairs where the picture is large enough to show them."""
    u = pose.view.unit
    width = 0.105 * u * look.brow_thickness * _BROW_WIDTH
    widths = np.array([width, width[::-1]])
    canvas.fill_all(band(curves.brows, widths), look.brow, 0.75, 0.014 * u)
    hairs = min(int(0.5 * (u - 24)), 26)
    if hairs <= 0:
        return
    rng = np.random.default_rng(look.seed + 5)
    for line, w, lean in zip(curves.brows, widths, (-1.0, 1.0), strict=True):
        along = (line[-1] - line[0]) / max(float(np.hypot(*(line[-1] - line[0]))), 1e-6)
        across = along[::-1] * [1.0, -1.0]
        for i in np.linspace(0, len(line) - 1, hairs).astype(int):
            root = line[i] + across * rng.uniform(-0.42, 0.22) * w[i]
            tip = root + (across * rng.uniform(0.0, 0.018) + lean * along * 0.05) * u
            canvas.stroke(np.stack([root, tip]), tone(look.brow, float(rng.uniform(0.7, 1.15))), 0.006 * u)


def _nose(canvas: Canvas, pose: Pose, curves: Curves, shadow: RGB) -> None:
    u, marks = pose.view.unit, pose.marks
    right, down = pose.view.rotation[:2, :2].T * u
    under = np.concatenate([curves.nostrils, marks[35:30:-1] + 0.07 * down])
    canvas.fill(under, shadow, 0.6, 0.03 * u)
    wings = marks[31:36:4]
    side = wings - 0.03 * down + BOTH * (0.012 * right)
    curve = np.array(
        [side - 0.09 * down - BOTH * (0.02 * right), side - 0.03 * down + BOTH * (0.015 * right), side + 0.03 * down]
    ).swapaxes(0, 1)
    centres = 0.35 * wings + 0.65 * marks[32:35:2] - 0.012 * down
    across = 0.045 * right + 0.01 * BOTH * down
    holes = centres[:, None] + across[:, None] * _COSINE + 0.02 * down * _SINE
    canvas.fill_all(band(spline(curve), 0.03 * u), shadow, 0.7, 0.012 * u)
    canvas.fill_all(holes, (46.0, 18.0, 16.0), 0.85, 0.008 * u)


_COSINE, _SINE = np.cos(_TURN)[:, None], np.sin(_TURN)[:, None]


def _lips(canvas: Canvas, pose: Pose, curves: Curves, look: FaceAppearance) -> None:
    u, marks = pose.view.unit, pose.marks
    canvas.fill(curves.outer_lips, look.lips, 0.95, 0.01 * u)
    canvas.fill(curves.upper_lip, tone(look.lips, 0.76), 0.8, 0.008 * u)
    low = marks[57] - marks[66]
    shine = disc(marks[66] + 0.45 * low, 0.12 * u, max(0.25 * float(np.hypot(*low)), 0.2))
    canvas.fill(shine, lift(look.lips, 0.45), 0.5 + 0.3 * look.make_up, 0.02 * u)
    if pose.head.semantics.mouth_open < 0.25:
        canvas.ribbon(curves.seam, 0.022 * u, tone(look.lips, 0.35, (40.0, 8.0, 10.0)), 0.85, 0.006 * u)
