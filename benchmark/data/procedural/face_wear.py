"""Ears and what is worn on the head: earrings, glasses, hats; all in three dimensions, so it turns with the head."""

from __future__ import annotations

import numpy as np

from benchmark.data.procedural.face_canvas import Canvas, disc
from benchmark.data.procedural.face_features import EYES, lift, spline, tone
from benchmark.data.procedural.face_geometry import EAR_ROW, Head, View
from benchmark.data.procedural.face_light import light_of
from benchmark.data.procedural.face_strands import RADII, SCALP, Strands, direction, hairline, over_scalp
from benchmark.data.procedural.face_types import FaceAppearance


def faces_camera(view: View, side: int) -> bool:
    """Whether the ear on `side` (-1 image left, 1 right) lies on the near half of the turned head."""
    return side * view.rotation[0, 2] < 0.12


def paint_ear(canvas: Canvas, head: Head, view: View, look: FaceAppearance, side: int) -> None:
    """An ear: rim, hollow and lobe, lit as a whole by its outward normal."""
    wide = float(head.rings[EAR_ROW, 1])
    centre = np.array([side * (wide - 0.01), 0.12, -0.22])
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    swell = 1.0 + 0.16 * np.clip(-np.sin(turn), 0, 1) - 0.10 * np.clip(np.sin(turn), 0, 1)
    outward, up = np.array([side * 0.085, -0.01, -0.10]), np.array([side * 0.02, 0.235, 0.035])
    shape = np.outer(np.cos(turn) * swell, outward) + np.outer(np.sin(turn), up)
    normal = view.rotation @ np.array([side * 0.75, 0.0, 0.65])
    light = light_of(normal[None].astype(np.float32), look)[0]
    red, green, blue = np.clip(np.asarray(tone(look.skin, 0.92, (190.0, 70.0, 60.0))) * light, 0, 255).tolist()
    skin = (red, green, blue)
    u = view.unit
    canvas.fill(view.project(centre + shape), skin, 1.0, 0.01 * u)
    canvas.fill(
        view.project(centre + 0.62 * shape + [0, -0.02, 0.02]), tone(skin, 0.66, (80.0, 20.0, 16.0)), 0.55, 0.018 * u
    )
    canvas.ribbon(view.project(centre + 0.84 * shape[14:27]), 0.02 * u, lift(skin, 0.25), 0.5, 0.01 * u)
    if look.earrings != "none":
        lobe = view.project(centre + np.array([side * 0.01, 0.24, 0.03]))
        metal = (226.0, 190.0, 96.0)
        if look.earrings == "stud":
            canvas.fill(disc(lobe, 0.03 * u, 0.03 * u), (236.0, 236.0, 244.0), 1.0, 0.005 * u)
        else:
            canvas.stroke(disc(lobe + np.array([0, 0.10 * u]), 0.07 * u, 0.10 * u), metal, 0.02 * u, closed=True)


def _lens(look: FaceAppearance) -> np.ndarray:
    """Outline of one lens around (0, 0), (N, 2), for the image's right eye."""
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    cosine, sine = np.cos(turn), np.sin(turn)
    if look.glasses == "round":
        return np.column_stack([0.21 * cosine, 0.20 * sine])
    power = {"square": 0.45, "rimless": 0.55, "aviator": 0.8, "cat-eye": 0.65}[look.glasses]
    x, y = 0.235 * np.sign(cosine) * np.abs(cosine) ** power, 0.165 * np.sign(sine) * np.abs(sine) ** power
    if look.glasses == "aviator":
        y = y * 1.2 + 0.02 + 0.03 * cosine * (sine > 0)
        x = x * (1 + 0.10 * np.where(sine > 0, -1, 1) * np.abs(sine))
    if look.glasses == "cat-eye":
        y = y - 0.07 * np.clip(cosine, 0, 1) * (sine < 0)
    return np.column_stack([x, y])


def paint_glasses(canvas: Canvas, head: Head, view: View, look: FaceAppearance) -> None:
    """Frame, tinted lenses with a sheen, bridge and temples."""
    if look.glasses == "none":
        return
    u = view.unit
    shape = _lens(look)
    width = {"rimless": 0.012, "aviator": 0.02, "round": 0.024}.get(look.glasses, 0.04) * u
    front = float(head.points[27, 2]) + 0.15
    wide = float(head.rings[EAR_ROW, 1])
    eyes = [head.points[list(e)].mean(axis=0) for e in EYES]
    level = 0.5 * (eyes[0][1] + eyes[1][1]) + 0.025
    frame = tuple(
        np.clip(np.asarray(look.frame) * light_of(view.rotation[:, 2][None].astype(np.float32), look)[0], 0, 255)
    )
    for side, eye in ((-1, eyes[0]), (1, eyes[1])):
        centre = np.array([side * max(abs(float(eye[0])), 0.30), level, front])
        rim = np.column_stack([shape[:, 0] * side, shape[:, 1], -0.16 * np.clip(shape[:, 0] + 0.1, 0, 1)]) + centre
        outline = view.project(rim)
        canvas.fill(view.project(rim + np.array([0, 0.04, -0.1])), (40.0, 22.0, 20.0), 0.16, 0.03 * u)
        canvas.fill(outline, look.lens, look.lens_tint)
        sheen = outline.mean(axis=0) + 0.8 * (outline - outline.mean(axis=0)) * [0.35, 0.9] + [-0.05 * u, 0]
        canvas.fill(sheen, (255.0, 255.0, 255.0), 0.10 + 0.10 * look.lens_tint, 0.03 * u)
        canvas.stroke(outline, frame, width, closed=True)
        if faces_camera(view, side):
            hinge = centre + np.array([side * 0.235, -0.06, -0.05])
            ear = np.array([side * (wide + 0.02), 0.0, -0.2])
            canvas.stroke(
                view.project(np.stack([hinge, 0.5 * (hinge + ear) + [side * 0.03, 0, 0.0], ear])),
                frame,
                max(width, 0.02 * u),
            )
    inner = max(abs(float(eyes[0][0])), 0.30) - 0.21
    arch = np.array([[-inner, 0.0, front], [0, -0.045, front + 0.03], [inner, 0.0, front]]) + np.array([0, level, 0])
    canvas.stroke(view.project(spline(arch, 5)), frame, max(width, 0.015 * u))


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
