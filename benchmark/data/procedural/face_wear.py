"""Ears and what is worn on the head: earrings, glasses, hats; all in three dimensions, so it turns with the head."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from benchmark.data.procedural.face_canvas import Canvas, disc
from benchmark.data.procedural.face_curves import spline
from benchmark.data.procedural.face_features import lift, tone
from benchmark.data.procedural.face_geometry import EAR_ROW, Head, Pose, View
from benchmark.data.procedural.face_light import lit
from benchmark.data.procedural.face_strands import RADII, SCALP, Strands, direction, hairline, over_scalp
from benchmark.data.procedural.face_types import FaceAppearance

_TURN = np.linspace(0, 2 * np.pi, 28, endpoint=False)
_SWELL = 1.0 + 0.16 * np.clip(-np.sin(_TURN), 0, 1) - 0.10 * np.clip(np.sin(_TURN), 0, 1)
_EAR = np.outer(np.cos(_TURN) * _SWELL, [0.085, -0.01, -0.10]) + np.outer(np.sin(_TURN), [0.02, 0.235, 0.035])

_MIDDLE_HOLLOW_LOBE = np.array([[0.0, 0.0, 0.0], [0.0, -0.02, 0.02], [0.01, 0.24, 0.03]])


def paint_ear(canvas: Canvas, pose: Pose, look: FaceAppearance, side: int) -> None:
    """An ear on `side` (-1 image left, 1 right): rim, hollow and lobe, lit as a whole by its outward normal."""
    u, view = pose.view.unit, pose.view
    centre = np.array([side * (float(pose.head.rings[EAR_ROW, 1]) - 0.01), 0.12, -0.22])
    middle, hollow, lobe = view.project(centre + _MIDDLE_HOLLOW_LOBE * (side, 1, 1))
    rim = view.project(centre + _EAR * (side, 1, 1)) - middle
    skin = lit(tone(look.skin, 0.92, (190.0, 70.0, 60.0)), view.rotation @ (side * 0.75, 0.0, 0.65), look)
    canvas.fill(middle + rim, skin, 1.0, 0.01 * u)
    canvas.fill(hollow + 0.62 * rim, tone(skin, 0.66, (80.0, 20.0, 16.0)), 0.55, 0.018 * u)
    canvas.ribbon(middle + 0.84 * rim[14:27], 0.02 * u, lift(skin, 0.25), 0.5, 0.01 * u)
    if look.earrings != "none":
        if look.earrings == "stud":
            canvas.fill(disc(lobe, 0.03 * u, 0.03 * u), (236.0, 236.0, 244.0), 1.0, 0.005 * u)
        else:
            hoop = disc(np.add(lobe, (0.0, 0.10 * u)), 0.07 * u, 0.10 * u)
            canvas.stroke(hoop, (226.0, 190.0, 96.0), 0.02 * u, closed=True)


@lru_cache(maxsize=8)
def _lens(glasses: str) -> np.ndarray:
    """Outline of one lens around (0, 0, 0), (36, 3), for the image's right eye; it bends back to the temple."""
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    cosine, sine = np.cos(turn), np.sin(turn)
    if glasses == "round":
        x, y = 0.21 * cosine, 0.20 * sine
    else:
        power = {"square": 0.45, "rimless": 0.55, "aviator": 0.8, "cat-eye": 0.65}[glasses]
        x, y = 0.235 * np.sign(cosine) * np.abs(cosine) ** power, 0.165 * np.sign(sine) * np.abs(sine) ** power
    if glasses == "aviator":
        y = y * 1.2 + 0.02 + 0.03 * cosine * (sine > 0)
        x = x * (1 + 0.10 * np.where(sine > 0, -1, 1) * np.abs(sine))
    if glasses == "cat-eye":
        y = y - 0.07 * np.clip(cosine, 0, 1) * (sine < 0)
    return np.column_stack([x, y, -0.16 * np.clip(x + 0.1, 0, 1)])


_SIDES = np.array([[[-1.0, 1.0, 1.0]], [[1.0, 1.0, 1.0]]])


def paint_glasses(canvas: Canvas, pose: Pose, look: FaceAppearance) -> None:
    """Frame, tinted lenses with a sheen, bridge and temples."""
    if look.glasses == "none":
        return
    head, view, u = pose.head, pose.view, pose.view.unit
    width = {"rimless": 0.012, "aviator": 0.02, "round": 0.024}.get(look.glasses, 0.04) * u
    eyes = head.points[36:48].reshape(2, 6, 3).sum(axis=1) / 6
    apart = np.maximum(np.abs(eyes[:, 0]), 0.30)
    front, level = float(head.points[27, 2]) + 0.15, 0.5 * float(eyes[0, 1] + eyes[1, 1]) + 0.025
    centres = np.column_stack([apart, [level, level], [front, front]])[:, None] * _SIDES
    rims = _lens(look.glasses) * _SIDES + centres
    outlines = view.project(rims)
    middles = outlines.sum(axis=1, keepdims=True) / outlines.shape[1]
    canvas.fill_all(view.project(np.add(rims, (0, 0.04, -0.1))), (40.0, 22.0, 20.0), 0.16, 0.03 * u)
    canvas.fill_all(outlines, look.lens, look.lens_tint)
    sheen = middles + (outlines - middles) * (0.28, 0.72) + (-0.05 * u, 0.0)
    canvas.fill_all(sheen, (255.0, 255.0, 255.0), 0.10 + 0.10 * look.lens_tint, 0.03 * u)
    frame = lit(look.frame, view.rotation[:, 2], look)
    for outline in outlines:
        canvas.stroke(outline, frame, width, closed=True)
    for temple in _temples(head, view, centres):
        canvas.stroke(temple, frame, max(width, 0.02 * u))
    inner = float(apart[0]) - 0.21
    arch = np.array([[-inner, level, front], [0, level - 0.045, front + 0.03], [inner, level, front]])
    canvas.stroke(view.project(spline(arch)), frame, max(width, 0.015 * u))


def _temples(head: Head, view: View, centres: np.ndarray) -> list[np.ndarray]:
    """Lines (3, 2) from the hinges to the ears, of the near side only when the head is turned."""
    lines = []
    for side, centre in ((-1, centres[0, 0]), (1, centres[1, 0])):
        if side * view.rotation[0, 2] < 0.12:
            hinge = np.add(centre, (side * 0.235, -0.06, -0.05))
            ear = np.array([side * (float(head.rings[EAR_ROW, 1]) + 0.02), 0.0, -0.2])
            lines.append(view.project(np.stack([hinge, 0.5 * (hinge + ear) + (side * 0.03, 0, 0.0), ear])))
    return lines


def hat(look: FaceAppearance, wide: float) -> Strands | None:
    """A beanie as thick strands that wrap the scalp; None without a hat."""
    if look.hat == "none":
        return None
    rng = np.random.default_rng(look.seed + 3)
    azimuth = np.linspace(-np.pi, np.pi, 72, endpoint=False)
    end = np.minimum(hairline(azimuth) + 0.12, 1.62)
    knit = over_scalp(direction(azimuth, np.full(72, 0.02)), direction(azimuth, end), 0.08, wide)
    rim = direction(azimuth, end - 0.09) * RADII * [wide, 1, 1] * 1.12 + SCALP
    cuff = np.stack([np.roll(rim, k, axis=0) for k in range(knit.shape[1])], axis=1)
    width = np.repeat([0.10, 0.20], 72)
    tones = np.concatenate([np.where(np.arange(72) % 2 == 0, 0.86, 1.0), rng.uniform(0.92, 1.02, 72)])
    return Strands(np.concatenate([knit, cuff]), width, tones)
