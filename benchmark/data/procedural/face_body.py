"""Neck, shoulders and clothes. The body follows the head's place and, weakly, its turn."""

from __future__ import annotations

import math

import cv2
import numpy as np

from benchmark.data.procedural.face_canvas import Canvas
from benchmark.data.procedural.face_curves import spline
from benchmark.data.procedural.face_features import lift, tone
from benchmark.data.procedural.face_geometry import Head, Pose, View
from benchmark.data.procedural.face_light import light_of, lit
from benchmark.data.procedural.face_types import FaceAppearance


class Body:
    """Places torso points (head units, origin at the pit of the neck) in the image."""

    def __init__(self, head: Head, view: View) -> None:
        s = head.semantics
        self.turn = 0.35 * math.sin(s.yaw)
        self.unit = view.unit
        cosine, sine = math.cos(0.35 * s.roll), math.sin(0.35 * s.roll)
        self._onto = np.array([[cosine, sine], [-sine, cosine]]) * view.unit
        self.origin = view.middle + (-0.25 * math.sin(s.roll), 1.02) @ self._onto

    def place(self, points: np.ndarray) -> np.ndarray:
        """Torso x, y (..., N, 2) -> pixels; a turn narrows the far shoulder."""
        x = points[..., 0]
        moved = points.copy()
        moved[..., 0] += self.turn * (x * np.tanh(x) - 0.18)
        return self.origin + moved @ self._onto

    def down(self, distance: float) -> np.ndarray:
        """A step of so many head units down the torso, in pixels (2,)."""
        return distance * self._onto[1]


def paint_body(canvas: Canvas, pose: Pose, look: FaceAppearance) -> None:
    """Paint the torso with its cloth, then the neck, then the collar."""
    body = Body(pose.head, pose.view)
    _torso(canvas, body, look)
    if look.collar != "turtleneck":
        skin = lit(tone(look.skin, 0.94), (0, -0.2, 1), look)
        canvas.fill(body.place(NECKLINES[look.collar]), skin, 1.0, 0.012 * body.unit)
    _neck(canvas, pose, body, look)
    _collar(canvas, body, look)


def _torso(canvas: Canvas, body: Body, look: FaceAppearance) -> None:
    covered = canvas.coverage([body.place(TORSO)], 0.012 * body.unit)
    if covered is None:
        return
    mask, where = covered
    x, y = canvas.coordinates(where)
    x, y = (
        (x - np.float32(body.origin[0])) / np.float32(body.unit),
        (y - np.float32(body.origin[1])) / np.float32(body.unit),
    )
    bend = np.minimum(np.maximum(x / 1.7, -0.9), 0.9)
    normals = np.array([bend, np.full_like(bend, -0.25), np.sqrt(1 - bend**2)])
    light = light_of(normals * (1 / 1.0625**0.5), look)  # (3, w): a cylinder, leaning back a quarter
    fall = 0.94 - 0.10 * np.minimum(np.maximum(y, 0), 2)
    # 1 + 0.05 sin(3.1 x + 2.3 y + c) sin(1.7 x - 3.3 y), and a product of sines is a sum of cosines of single angles
    folds = fall[:, None] * (
        1.0 + 0.025 * (_waves(1.4 * x + look.seed % 7, 5.6 * y) - _waves(4.8 * x + look.seed % 7, -y))
    )
    share = _pattern(look, x[None, :], y[:, None])
    planes = []
    for plain, accent, part in zip(look.clothes, look.clothes_accent, light, strict=True):
        cloth = np.float32(plain) if share is None else np.float32(plain) + share * np.float32(accent - plain)
        planes.append(folds * part * cloth)
    canvas.blend(mask, where, cv2.merge(planes))


def _waves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """cos(x + y), (h, w) from (w,) and (h,), without a cosine per pixel."""
    y = y[:, None]
    return np.cos(y) * np.cos(x) - np.sin(y) * np.sin(x)


def _pattern(look: FaceAppearance, x: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """Share of the accent colour, (h, w) or (h, 1); None for plain cloth. x (1, w) and y (h, 1) in head units."""

    def edge(wave: np.ndarray) -> np.ndarray:
        return np.minimum(np.maximum(0.5 + 3.0 * wave, 0.0), 1.0)

    if look.pattern == "stripes":
        return edge(np.sin(14.0 * y + 0.6 * x**2) - 0.2)
    if look.pattern == "checks":
        return 0.5 * edge(np.sin(13.0 * x) - 0.3) + 0.5 * edge(np.sin(13.0 * y) - 0.3)
    if look.pattern == "dots":
        return edge(np.sin(16.0 * x) * np.sin(16.0 * y) - 0.55)
    return None


def _neck(canvas: Canvas, pose: Pose, body: Body, look: FaceAppearance) -> None:
    u, view = body.unit, pose.view
    top = np.array([0.9 * pose.head.rings[11, 1], 1.0, 1.0]) * NECK_TOP
    sides = spline(np.concatenate([view.project(top), body.place(NECK_FOOT)], axis=1), 4)  # (2, N, 2)
    covered = canvas.coverage([np.concatenate([sides[0], sides[1, ::-1]])], 0.006 * u)
    if covered is None:
        return
    mask, where = covered
    head, foot = ((0.5 * (sides[0, i] + sides[1, i])).astype(np.float32) for i in (4, -5))
    axis = (foot - head) / np.float32(math.dist(foot, head))
    x, y = canvas.coordinates(where)
    across = (x - head[0]) * (axis[1] * 66 / u) - ((y - head[1]) * (axis[0] * 66 / u) - 32)[:, None]
    light = light_of(NECK_NORMALS, look) * np.array(look.skin, np.float32)[:, None]
    strip = np.ascontiguousarray(light.T)[None]
    flat = np.zeros_like(across)
    canvas.blend(mask, where, cv2.remap(strip, across, flat, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    chin = view.project(CHIN)
    drop = (-0.10 * look.light[0] * u, 0.34 * u)
    shadow = canvas.coverage([np.concatenate([chin, (chin + drop)[::-1]])], 0.09 * u, where)
    if shadow is not None:
        canvas.blend(
            cv2.multiply(mask, shadow[0], scale=1 / 255), where, tone(look.skin, 0.28, (40.0, 14.0, 14.0)), 0.62
        )


# All that follows is in torso coordinates (head units from the pit of the neck), except the chin and the neck's top.
def _both(half: np.ndarray) -> np.ndarray:
    """A piece and its mirror image, the image's left first: (2, N, 2)."""
    return np.stack([half * [-1, 1], half])


def _neckline(depth: float, middle: float) -> np.ndarray:
    curve = spline(np.array([[-0.50, -0.02], [-0.30, middle], [0, depth], [0.30, middle], [0.50, -0.02]]))
    return np.concatenate([curve, [[0.4, -0.2], [-0.4, -0.2]]])


SHOULDER = spline(np.array([[-1.75, 2.2], [-1.66, 0.75], [-1.46, 0.34], [-1.0, 0.12], [-0.58, -0.06], [-0.42, -0.24]]))
TORSO = np.concatenate([SHOULDER, SHOULDER[::-1] * [-1, 1], [[3.0, 3.5], [-3.0, 3.5]]])
CHIN = np.array([[-0.62, 0.72, 0.05], [-0.3, 1.02, 0.2], [0, 1.16, 0.25], [0.3, 1.02, 0.2], [0.62, 0.72, 0.05]])
NECK_TOP = np.array(
    [[[side, y, -0.42] for y in (0.25, 0.62, 0.85)] for side in (-1, 1)]
)  # head frame, x in half widths
NECK_FOOT = _both(np.array([[0.46, -0.12], [0.49, 0.08]]))
_BEND = np.linspace(-0.97, 0.97, 65, dtype=np.float32)
NECK_NORMALS = np.stack([0.95 * _BEND, np.full_like(_BEND, 0.1), np.sqrt(1 - 0.9 * _BEND**2)])  # of a cylinder
NECKLINES = {
    "crew": _neckline(0.16, 0.12),
    "v-neck": _neckline(0.62, 0.217),
    "shirt": _neckline(0.40, 0.14),
    "jacket": _neckline(0.55, 0.1925),
    "hoodie": _neckline(0.4, 0.14),
}
CREW = spline(np.array([[-0.53, -0.04], [-0.32, 0.14], [0, 0.19], [0.32, 0.14], [0.53, -0.04]]))
RIB = np.concatenate([CREW, np.add(CREW, (0.0, 0.09))[::-1]])
TUBE = np.array(
    [[-0.52, 0.16], [-0.50, -0.22], [-0.25, -0.15], [0, -0.12], [0.25, -0.15], [0.50, -0.22], [0.52, 0.16], [0, 0.30]]
)
TUBE_FOLD = spline(np.array([[-0.50, -0.02], [0, 0.09], [0.50, -0.02]]), 6)
HOODS = _both(
    np.array(
        [[0.42, -0.34], [0.80, -0.20], [0.84, 0.10], [0.34, 0.50], [0, 0.62], [0, 0.40], [0.26, 0.20], [0.45, -0.04]]
    )
)
WINGS = _both(np.array([[0.50, -0.16], [0.60, 0.06], [0.34, 0.46], [0.02, 0.40], [0.30, 0.12]]))
SHIRT_FRONT = np.array([[-0.48, 0.0], [0, 0.5], [0.48, 0.0], [0.42, 0.9], [0, 1.9], [-0.42, 0.9]])
TIE = np.array([[-0.09, 0.42], [0.09, 0.42], [0.06, 0.58], [0.15, 1.6], [0, 1.85], [-0.15, 1.6], [-0.06, 0.58]])
SHIRT_WINGS = _both(np.array([[0.48, -0.12], [0.02, 0.46], [0.2, 0.62], [0.5, 0.14]]))
LAPELS = _both(
    np.array([[0.52, -0.10], [0.80, 0.42], [0.62, 0.6], [0.74, 0.66], [0.04, 1.95], [0.30, 0.9], [0.44, 0.3]])
)


CORDS = _both(np.array([[0.16, 0.42], [0.18, 1.0]]))
BUTTONS = np.array([[0.0, 0.42], [0.0, 2.6]])


def _collar(canvas: Canvas, body: Body, look: FaceAppearance) -> None:
    u = body.unit
    cloth = lit(look.clothes, (0, -0.4, 1), look)
    dark = tone(cloth, 0.62)
    if look.collar == "crew":
        canvas.fill(body.place(RIB), tone(cloth, 0.82), 1.0, 0.01 * u)
    elif look.collar == "turtleneck":
        canvas.fill(body.place(TUBE), lift(cloth, 0.06), 1.0, 0.012 * u)
        canvas.ribbon(body.place(TUBE_FOLD), 0.04 * u, dark, 0.6, 0.015 * u)
    elif look.collar == "hoodie":
        canvas.fill_all(body.place(HOODS), tone(cloth, 0.84), 1.0, 0.02 * u)
        for cord in body.place(CORDS):
            canvas.stroke(cord, lift(cloth, 0.6), 0.03 * u)
    elif look.collar == "shirt":
        wings = body.place(WINGS)
        canvas.fill_all(wings + body.down(0.05), dark, 0.6, 0.03 * u)
        canvas.fill_all(wings, lift(cloth, 0.25), 1.0, 0.008 * u)
        canvas.stroke(body.place(BUTTONS), dark, 0.02 * u)
    elif look.collar == "jacket":
        shirt = lit(lift(look.clothes_accent, 0.4), (0, -0.2, 1), look)
        canvas.fill(body.place(SHIRT_FRONT), shirt, 1.0, 0.01 * u)
        canvas.fill(body.place(TIE), tone(lit(look.clothes_accent, (0, 0, 1), look), 0.8), 1.0, 0.008 * u)
        canvas.fill_all(body.place(SHIRT_WINGS), lift(shirt, 0.35), 1.0, 0.008 * u)
        lapels = body.place(LAPELS)
        canvas.fill_all(lapels + body.down(0.03), tone(dark, 0.7), 0.5, 0.03 * u)
        canvas.fill_all(lapels, tone(cloth, 0.9), 1.0, 0.008 * u)
