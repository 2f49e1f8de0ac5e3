"""Neck, shoulders and clothes. The body follows the head's place and, weakly, its turn."""

from __future__ import annotations

import numpy as np

from benchmark.data.procedural.face_canvas import Canvas
from benchmark.data.procedural.face_features import lift, spline, tone
from benchmark.data.procedural.face_geometry import Head, View
from benchmark.data.procedural.face_light import light_of
from benchmark.data.procedural.face_types import RGB, FaceAppearance

DOWN = np.array([0.0, 1.0])


class Body:
    """Places torso points (head units, origin at the pit of the neck) in the image."""

    def __init__(self, head: Head, view: View) -> None:
        s = head.semantics
        self.turn = 0.35 * np.sin(s.yaw)
        self.unit = view.unit
        lean = 0.35 * s.roll
        self.tilt = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]])
        self.origin = view.middle + self.tilt @ np.array([-0.25 * np.sin(s.roll), 1.02]) * view.unit

    def place(self, points) -> np.ndarray:
        """Torso x, y (N, 2) -> pixels; a turn narrows the far shoulder."""
        points = np.asarray(points, float)
        x = points[:, 0] * (1.0 + self.turn * np.tanh(points[:, 0])) - 0.18 * self.turn
        return self.origin + np.column_stack([x, points[:, 1]]) @ self.tilt.T * self.unit


def paint_body(canvas: Canvas, head: Head, view: View, look: FaceAppearance) -> None:
    """Paint the torso with its cloth, then the neck, then the collar."""
    body = Body(head, view)
    _torso(canvas, body, look)
    if look.collar != "turtleneck":
        _neckline(canvas, body, look)
    _neck(canvas, head, view, body, look)
    _collar(canvas, body, look)


def _lit(colour: RGB, normal, look: FaceAppearance) -> RGB:
    normal = np.asarray(normal, np.float32)
    light = light_of((normal / np.linalg.norm(normal))[None], look)[0]
    return tuple(float(c) for c in np.clip(np.asarray(colour) * light, 0, 255))  # type: ignore[return-value]


CHIN = np.array([[-0.62, 0.72, 0.05], [-0.3, 1.02, 0.2], [0, 1.16, 0.25], [0.3, 1.02, 0.2], [0.62, 0.72, 0.05]])
SHOULDER = np.array([[-1.75, 2.2], [-1.66, 0.75], [-1.46, 0.34], [-1.0, 0.12], [-0.58, -0.06], [-0.42, -0.24]])


def _torso(canvas: Canvas, body: Body, look: FaceAppearance) -> None:
    u = body.unit
    left = spline(SHOULDER, 5)
    outline = body.place(np.concatenate([left, left[::-1] * [-1, 1], [[3.0, 3.5], [-3.0, 3.5]]]))
    covered = canvas.coverage([outline], 0.012 * u)
    if covered is None:
        return
    mask, where = covered
    x, y = canvas.coordinates(where)
    x, y = (x[0] - body.origin[0]) / u, (y[:, 0] - body.origin[1]) / u
    bend = np.clip(x / 1.7, -0.9, 0.9)
    normals = np.stack([bend, np.full_like(bend, -0.25), np.sqrt(1 - bend**2)], axis=-1).astype(np.float32)
    light = light_of(normals / np.linalg.norm(normals, axis=-1, keepdims=True), look)
    light = light * (0.94 - 0.10 * np.clip(y, 0, 2))[:, None, None]
    x, y = x[None, :], y[:, None]
    folds = 1.0 + 0.05 * np.sin(3.1 * x + 2.3 * y + look.seed % 7) * np.sin(1.7 * x - 3.3 * y)
    share = _pattern(look, x, y)
    cloth = np.asarray(look.clothes) + share[..., None] * (np.asarray(look.clothes_accent) - np.asarray(look.clothes))
    canvas.blend(mask, where, np.clip(cloth * light * folds[..., None], 0, 255))


def _pattern(look: FaceAppearance, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    def edge(wave: np.ndarray) -> np.ndarray:
        return np.clip(0.5 + 3.0 * wave, 0.0, 1.0)

    flat = 0 * x * y
    if look.pattern == "stripes":
        return edge(np.sin(14.0 * y + 0.6 * x**2) - 0.2) + flat
    if look.pattern == "checks":
        return 0.5 * edge(np.sin(13.0 * x) - 0.3) + 0.5 * edge(np.sin(13.0 * y) - 0.3)
    if look.pattern == "dots":
        return edge(np.sin(16.0 * x) * np.sin(16.0 * y) - 0.55)
    return flat


def _neckline(canvas: Canvas, body: Body, look: FaceAppearance) -> None:
    depth = {"crew": 0.16, "v-neck": 0.62, "shirt": 0.40, "jacket": 0.55, "hoodie": 0.4}[look.collar]
    middle = (0.75 if look.collar == "crew" else 0.35) * depth
    curve = spline(np.array([[-0.50, -0.02], [-0.30, middle], [0, depth], [0.30, middle], [0.50, -0.02]]), 5)
    skin = _lit(tone(look.skin, 0.94), (0, -0.2, 1), look)
    canvas.fill(body.place(np.concatenate([curve, [[0.4, -0.2], [-0.4, -0.2]]])), skin, 1.0, 0.012 * body.unit)


def _neck(canvas: Canvas, head: Head, view: View, body: Body, look: FaceAppearance) -> None:
    u = view.unit
    wide = 0.9 * float(head.rings[11, 1])
    levels = [0.25, 0.62, 0.85]
    left = [*view.project(np.array([[-wide, y, -0.42] for y in levels])), *body.place([[-0.46, -0.12], [-0.49, 0.08]])]
    right = [*view.project(np.array([[wide, y, -0.42] for y in levels])), *body.place([[0.46, -0.12], [0.49, 0.08]])]
    left_edge, right_edge = spline(np.array(left), 4), spline(np.array(right), 4)
    covered = canvas.coverage([np.concatenate([left_edge, right_edge[::-1]])], 0.006 * u)
    if covered is None:
        return
    mask, where = covered
    top, foot = 0.5 * (left_edge[4] + right_edge[4]), 0.5 * (left_edge[-5] + right_edge[-5])
    axis = (foot - top) / np.hypot(*(foot - top))
    x, y = canvas.coordinates(where)
    across = ((x - top[0]) * axis[1] - (y - top[1]) * axis[0]) / (0.5 * u)
    bend = np.linspace(-0.97, 0.97, 65)
    normals = np.stack([0.95 * bend, np.full_like(bend, 0.1), np.sqrt(1 - 0.9 * bend**2)], axis=-1).astype(np.float32)
    lit = light_of(normals, look) * np.asarray(look.skin, np.float32)  # a cylinder: its light depends on `across` alone
    chin = view.project(CHIN)
    drop = np.array([-0.10 * look.light[0], 0.34]) * u
    shadow = np.zeros((canvas.side, canvas.side), np.uint8)
    fallen = canvas.coverage([np.concatenate([chin, (chin + drop)[::-1]])], 0.09 * u)
    if fallen is not None:
        shadow[fallen[1]] = fallen[0]
    shade = (shadow[where] * np.float32(0.62 / 255))[..., None]
    skin = lit[np.clip(across * 33 + 32.5, 0, 64).astype(np.int32)]
    skin += shade * (np.asarray(tone(look.skin, 0.28, (40.0, 14.0, 14.0)), np.float32) - skin)
    canvas.blend(mask, where, np.clip(skin, 0, 255))


# Pieces of the collars in torso coordinates; the ones marked "half" are drawn on both sides, mirrored.
CREW = np.array([[-0.53, -0.04], [-0.32, 0.14], [0, 0.19], [0.32, 0.14], [0.53, -0.04]])
TUBE = np.array(
    [[-0.52, 0.16], [-0.50, -0.22], [-0.25, -0.15], [0, -0.12], [0.25, -0.15], [0.50, -0.22], [0.52, 0.16], [0, 0.30]]
)
TUBE_FOLD = np.array([[-0.50, -0.02], [0, 0.09], [0.50, -0.02]])
HALF_HOOD = np.array(
    [[0.42, -0.34], [0.80, -0.20], [0.84, 0.10], [0.34, 0.50], [0, 0.62], [0, 0.40], [0.26, 0.20], [0.45, -0.04]]
)
HALF_WING = np.array([[0.50, -0.16], [0.60, 0.06], [0.34, 0.46], [0.02, 0.40], [0.30, 0.12]])
SHIRT_FRONT = np.array([[-0.48, 0.0], [0, 0.5], [0.48, 0.0], [0.42, 0.9], [0, 1.9], [-0.42, 0.9]])
TIE = np.array([[-0.09, 0.42], [0.09, 0.42], [0.06, 0.58], [0.15, 1.6], [0, 1.85], [-0.15, 1.6], [-0.06, 0.58]])
HALF_SHIRT_WING = np.array([[0.48, -0.12], [0.02, 0.46], [0.2, 0.62], [0.5, 0.14]])
HALF_LAPEL = np.array([[0.52, -0.10], [0.80, 0.42], [0.62, 0.6], [0.74, 0.66], [0.04, 1.95], [0.30, 0.9], [0.44, 0.3]])


def _both(half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return half * [-1, 1], half


def _collar(canvas: Canvas, body: Body, look: FaceAppearance) -> None:
    u = body.unit
    cloth, dark = _lit(look.clothes, (0, -0.4, 1), look), _lit(tone(look.clothes, 0.62), (0, -0.4, 1), look)
    if look.collar == "crew":
        curve = spline(CREW, 5)
        rib = np.concatenate([body.place(curve), body.place(curve + DOWN * 0.09)[::-1]])
        canvas.fill(rib, tone(cloth, 0.82), 1.0, 0.01 * u)
    elif look.collar == "turtleneck":
        canvas.fill(body.place(TUBE), lift(cloth, 0.06), 1.0, 0.012 * u)
        canvas.ribbon(body.place(spline(TUBE_FOLD, 6)), 0.04 * u, dark, 0.6, 0.015 * u)
    elif look.collar == "hoodie":
        for hood in _both(HALF_HOOD):
            canvas.fill(body.place(hood), tone(cloth, 0.84), 1.0, 0.02 * u)
        for cord in _both(np.array([[0.16, 0.42], [0.18, 1.0]])):
            canvas.stroke(body.place(cord), lift(cloth, 0.6), 0.03 * u)
    elif look.collar == "shirt":
        for wing in _both(HALF_WING):
            canvas.fill(body.place(wing + DOWN * 0.05), dark, 0.6, 0.03 * u)
            canvas.fill(body.place(wing), lift(cloth, 0.25), 1.0, 0.008 * u)
        canvas.stroke(body.place(np.array([[0.0, 0.42], [0.0, 2.6]])), dark, 0.02 * u)
    elif look.collar == "jacket":
        shirt = _lit(lift(look.clothes_accent, 0.4), (0, -0.2, 1), look)
        canvas.fill(body.place(SHIRT_FRONT), shirt, 1.0, 0.01 * u)
        canvas.fill(body.place(TIE), tone(_lit(look.clothes_accent, (0, 0, 1), look), 0.8), 1.0, 0.008 * u)
        for wing, lapel in zip(_both(HALF_SHIRT_WING), _both(HALF_LAPEL), strict=True):
            canvas.fill(body.place(wing), lift(shirt, 0.35), 1.0, 0.008 * u)
            canvas.fill(body.place(lapel + DOWN * 0.03), tone(dark, 0.7), 0.5, 0.03 * u)
            canvas.fill(body.place(lapel), tone(cloth, 0.9), 1.0, 0.008 * u)
