"""Strands of hair in three dimensions: how they run over the scalp, what hides them, and how they are lit and painted.

A strand is a polyline in the head frame with a width and a tone. Strands behind the head are painted before it, those
in front after it, so that hair, beards and hats turn with the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from benchmark.data.procedural.face_canvas import SHIFT, Canvas
from benchmark.data.procedural.face_geometry import View
from benchmark.data.procedural.face_types import RGB, FaceAppearance

SCALP = np.array([0.0, -0.18, -0.30])  # centre of the scalp ellipsoid
RADII = np.array([0.80, 0.98, 0.96])
FACE_CENTRE, FACE_RADII = np.array([0.0, 0.36, -0.10]), np.array([0.71, 0.86, 0.66])  # hides the hair behind the cheeks
STEPS = 9  # points along a strand
SHARP = 40.0  # pixels per head unit from which wide strands get smooth edges of their own
THIN = 0.05  # strands narrower than this are single locks over the mass of hair


@dataclass
class Strands:
    """Strands in the head frame with a width (head units) and a tone (factor on the colour) for each."""

    points: np.ndarray  # (S, P, 3)
    width: np.ndarray  # (S,)
    tone: np.ndarray  # (S,)


def direction(azimuth: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Unit vectors: azimuth 0 is the front, +pi/2 the image's right; `down` is the angle from the crown."""
    return np.stack([np.sin(azimuth) * np.sin(down), -np.cos(down), np.cos(azimuth) * np.sin(down)], axis=-1)


def over_scalp(start: np.ndarray, end: np.ndarray, lift: np.ndarray | float, wide: float) -> np.ndarray:
    """Great-circle paths between directions (S, 3), raised above the scalp in the middle: (S, P, 3)."""
    share = np.linspace(0, 1, STEPS)[None, :, None]
    angle = np.arccos(np.clip((start * end).sum(-1), -1, 1))[:, None, None] + 1e-6
    path = (np.sin((1 - share) * angle) * start[:, None] + np.sin(share * angle) * end[:, None]) / np.sin(angle)
    height = (
        1.0
        + 0.03
        + np.asarray(lift).reshape(-1, 1, 1) * (0.35 + 0.65 * np.sin(np.pi * np.clip(share * 0.9 + 0.1, 0, 1)))
    )
    return SCALP + path * RADII * [wide, 1, 1] * height


def hang(paths: np.ndarray, length: np.ndarray, curl: float, phase: np.ndarray, inward: float) -> np.ndarray:
    """Continue strands (S, P, 3) downwards by `length` (S,) head units, waving by `curl`, ends turned inwards."""
    share = np.linspace(0, 1, STEPS)[None, 1:]
    end = paths[:, -1:]
    fall = np.repeat(end, STEPS - 1, axis=1)
    fall[..., 1] += share * length[:, None]
    outward = end[..., [0, 2]] - SCALP[[0, 2]]
    wave = curl * np.sin(share * length[:, None] * 8.0 + phase[:, None]) - inward * share**2
    fall[..., 0] += outward[..., 0] * wave + 0.5 * curl * np.cos(share * 9 + phase[:, None]) * 0.3
    fall[..., 2] += outward[..., 1] * wave
    return np.concatenate([paths, fall], axis=1)


def hairline(azimuth: np.ndarray, recede: float = 0.0) -> np.ndarray:
    """Angle from the crown at which hair ends: forehead in front, sideburns, nape behind."""
    across = np.abs(azimuth)
    front = 0.96 - recede
    return np.interp(
        across, [0.0, 0.55, 0.95, 1.35, 1.75, 2.3, np.pi], [front, front, 1.18 - 0.4 * recede, 1.78, 1.75, 2.15, 2.2]
    )


def join(first: Strands, second: Strands) -> Strands:
    steps = first.points.shape[1]
    at = np.linspace(0, second.points.shape[1] - 1, steps)
    low = np.minimum(at.astype(int), second.points.shape[1] - 2)
    share = (at - low)[None, :, None]
    points = second.points[:, low] * (1 - share) + second.points[:, low + 1] * share
    return Strands(
        *(
            np.concatenate([a, b])
            for a, b in ((first.points, points), (first.width, second.width), (first.tone, second.tone))
        )
    )


def hidden(points: np.ndarray, camera: np.ndarray, view: View) -> np.ndarray:
    """Which points lie behind head or neck, given in the head frame and in the camera frame, both (S, P, 3)."""
    sight = view.rotation[2]
    behind = (camera[..., 2] < -0.42) & (camera[..., 1] > 0.1)
    for centre, radii in ((SCALP, RADII * 0.985), (FACE_CENTRE, FACE_RADII)):
        p = (points - centre) / radii
        d = sight / radii
        along = p @ d
        behind |= (along**2 - (d @ d) * ((p * p).sum(-1) - 1.0) > 0) & (along < 0)
    return behind


class Lit:
    """Strands made ready to paint: projected, lit, and split into what lies behind the head and what lies before it.

    Small pictures get fewer, wider strands and shorter polylines; nothing finer than a pixel would show.
    """

    def __init__(self, strands: Strands, view: View, look: FaceAppearance, base: RGB, gloss: float = 0.8) -> None:
        self.sharp = view.unit >= SHARP
        strands = _simplify(strands, min(1.0, view.unit / 70))
        camera = view.camera(strands.points)
        self.place = view.pixels(camera)
        self.colours = _colours(camera, strands.tone, view, look, np.asarray(base), gloss)  # (S, P-1, 3)
        self.behind = hidden(strands.points, camera, view)
        fine = strands.width < THIN
        along = np.linspace(0, 1, camera.shape[1] - 1)
        taper = np.where(fine[:, None], 1.0, np.interp(along, [0.0, 0.25, 0.65, 1.0], [0.7, 1.0, 1.0, 0.42]))
        self.width = strands.width[:, None] * taper * view.unit
        self.order = (camera[:, 1:, 2] + camera[:, :-1, 2]) / 2 + np.where(fine, 0.12, 0.0)[:, None]

    def paint(self, canvas: Canvas, front: bool, shade: float = 1.0) -> None:
        """Paint the segments before the head (or, with `front` false, those behind it) from far to near."""
        shown = ~(self.behind[:, 1:] & self.behind[:, :-1]) if front else self.behind[:, 1:] | self.behind[:, :-1]
        who, step = np.nonzero(shown)
        order = np.argsort(self.order[who, step], kind="stable")
        who, step = who[order], step[order]
        place = np.rint(canvas.fine(self.place) * (1 << SHIFT)).astype(np.int32)
        thick = np.maximum(1, np.rint(self.width[who, step] * canvas.oversample)).astype(int).tolist()
        starts, ends = place[who, step].tolist(), place[who, step + 1].tolist()
        colours = (shade * self.colours[who, step]).tolist()
        edge = (
            cv2.LINE_AA if self.sharp else cv2.LINE_8
        )  # in small pictures the finer canvas alone smooths wide strands
        for start, end, colour, width in zip(starts, ends, colours, thick, strict=True):
            cv2.line(canvas.pixels, start, end, colour, width, edge if width > 1 else cv2.LINE_AA, SHIFT)


def _simplify(strands: Strands, detail: float) -> Strands:
    if detail >= 1.0:
        return strands
    fine = strands.width < THIN
    share = np.where(fine, detail**1.4, max(detail, 0.34))
    rank = np.where(fine, np.cumsum(fine), np.cumsum(~fine))
    keep = np.floor(rank * share) > np.floor((rank - 1) * share)
    steps = strands.points.shape[1]
    at = np.unique(np.rint(np.linspace(0, steps - 1, max(5, int(steps * max(detail, 0.38))))).astype(int))
    width = strands.width * np.where(fine, 1.0, share**-0.6)
    return Strands(strands.points[keep][:, at], width[keep], strands.tone[keep])


def _colours(
    points: np.ndarray, tones: np.ndarray, view: View, look: FaceAppearance, base: np.ndarray, gloss: float
) -> np.ndarray:
    """Diffuse light by the scalp's normal, highlights by the strand's direction; points (S, P, 3), camera frame."""
    along = points[:, 1:] - points[:, :-1]
    normal = (points[:, 1:] + points[:, :-1]) / 2 - view.camera(SCALP)
    lamp = np.asarray(look.light)
    half = lamp + np.array([0.0, 0.0, 1.0])
    half /= np.linalg.norm(half)
    long, far = np.sqrt((along * along).sum(-1)) + 1e-9, np.sqrt((normal * normal).sum(-1)) + 1e-9
    facing, glance = (normal @ lamp) / far, (normal @ half) / far
    strength = look.light_strength
    diffuse = 0.78 - 0.2 * strength + 0.62 * strength * np.clip(0.35 + 0.65 * facing, 0, 1)
    shine = np.clip(1 - ((along @ half) / long) ** 2, 0, 1) ** 14 * np.clip(glance, 0, 1) ** 2 * gloss
    lit = base * diffuse[..., None] + (base * 0.4 + 30) * shine[..., None]
    return np.clip(lit * tones[:, None, None] * np.asarray(look.light_colour), 0, 255)
