"""Strands of hair in three dimensions: how they run over the scalp, what hides them, and how they are lit and painted.

A strand is a polyline in the head frame with a width and a tone. Strands behind the head are painted before it, those
in front after it, so that hair, beards and hats turn with the head.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import cv2
import numpy as np

from benchmark.data.procedural.face_canvas import SHIFT, Canvas
from benchmark.data.procedural.face_geometry import PIVOT, View
from benchmark.data.procedural.face_types import RGB, FaceAppearance

SCALP = np.array([0.0, -0.18, -0.30])  # centre of the scalp ellipsoid
RADII = np.array([0.80, 0.98, 0.96])
FACE_CENTRE, FACE_RADII = np.array([0.0, 0.36, -0.10]), np.array([0.71, 0.86, 0.66])  # hides the hair behind the cheeks
BURIED = 0.4  # of the squared radius: what lies behind that part of the head is painted over in any case
STEPS = 9  # points along a strand
SHARP = 40.0  # pixels per head unit from which wide strands get smooth edges of their own
THIN = 0.05  # strands narrower than this are single locks over the mass of hair


@dataclass
class Strands:
    """Strands in the head frame with a width (head units) and a tone (factor on the colour) for each.

    What a painter needs of them in every frame of a clip is worked out once.
    """

    points: np.ndarray  # (S, P, 3)
    width: np.ndarray  # (S,)
    tone: np.ndarray  # (S,)

    @cached_property
    def offsets(self) -> np.ndarray:
        """Points from the pivot, coordinate by coordinate: (3, S * P)."""
        return np.ascontiguousarray((self.points - PIVOT).reshape(-1, 3).T)

    @cached_property
    def shells(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """For scalp and face: points (3, S * P) in the units of that ellipsoid, their squared norm, the radii."""
        shells = []
        for centre, radii in ((SCALP, RADII * 0.985), (FACE_CENTRE, FACE_RADII)):
            points = np.ascontiguousarray(((self.points - centre) / radii).reshape(-1, 3).T)
            shells.append((points, (points * points).sum(axis=0), radii))
        return shells

    @cached_property
    def widths(self) -> np.ndarray:
        """Width of every segment (S, P - 1), head units: wide strands taper, single locks do not."""
        taper = np.interp(np.linspace(0, 1, self.points.shape[1] - 1), [0.0, 0.25, 0.65, 1.0], [0.7, 1.0, 1.0, 0.42])
        return self.width[:, None] * np.where(self.width[:, None] < THIN, 1.0, taper)

    @cached_property
    def forward(self) -> np.ndarray:
        """How much nearer than it is a strand counts (S, 1), so that single locks lie on the mass of hair."""
        return np.where(self.width < THIN, 0.24, 0.0)[:, None]


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


def simplify(strands: Strands, detail: float) -> Strands:
    """Fewer, wider strands with fewer points for small pictures (`detail` < 1): nothing finer than a pixel shows."""
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


def hidden(strands: Strands, camera: np.ndarray, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Which points lie behind head or neck, and which so far inside the head's outline that no strand peeps out.

    `camera` holds the points in the camera frame, (3, S * P), like both answers without the 3.
    """
    behind = (camera[2] < -0.42) & (camera[1] > 0.1)
    buried = np.zeros_like(behind)
    for points, norms, radii in strands.shells:
        sight = view.rotation[2] / radii
        along = sight @ points
        far = norms - along * along * (1 / (sight @ sight))  # squared distance from the line of sight to the centre
        far[along >= 0] = np.inf
        behind |= far < 1.0
        buried |= far < BURIED
    return behind, buried


class Lit:
    """Strands made ready to paint: projected, lit, and split into what lies behind the head and what lies before it."""

    def __init__(self, strands: Strands, view: View, look: FaceAppearance, base: RGB, gloss: float = 0.8) -> None:
        self.sharp = view.unit >= SHARP
        shape = strands.points.shape[:2]
        flat = view.rotation @ strands.offsets
        camera = flat.reshape(3, *shape)
        self.place = camera[:2] * view.unit + view.middle[:, None, None]
        self.colours = _colours(camera, strands.tone, view, look, base, gloss)  # (3, S, P-1)
        behind, buried = (mask.reshape(shape) for mask in hidden(strands, flat, view))
        first, last = behind[:, :-1], behind[:, 1:]
        lost = buried[:, :-1] & buried[:, 1:]
        self.shown = ((first | last) & ~lost, ~(first & last))  # by whether it is painted in front: (S, P-1) each
        self.width = strands.widths * view.unit
        self.order = camera[2, :, 1:] + camera[2, :, :-1] + strands.forward

    def paint(self, canvas: Canvas, front: bool, shade: float = 1.0) -> None:
        """Paint the segments before the head (or, with `front` false, those behind it) from far to near."""
        chosen = np.flatnonzero(self.shown[front])
        chosen = chosen[np.argsort(self.order.ravel()[chosen], kind="stable")]
        place = canvas.fixed(self.place)
        starts, ends = (side.reshape(2, -1)[:, chosen].T.tolist() for side in (place[..., :-1], place[..., 1:]))
        colours = (shade * self.colours.reshape(3, -1)[:, chosen]).T.tolist()
        thick = np.maximum(1, np.rint(self.width.ravel()[chosen] * canvas.oversample)).astype(int)
        # In small pictures the finer canvas alone smooths wide strands.
        edges = np.where(thick > 1, cv2.LINE_AA if self.sharp else cv2.LINE_8, cv2.LINE_AA).tolist()
        lines = map(cv2.line, repeat(canvas.pixels), starts, ends, colours, thick.tolist(), edges, repeat(SHIFT))
        deque(lines, maxlen=0)  # runs them: the fastest way to make many calls


def _colours(
    points: np.ndarray, tones: np.ndarray, view: View, look: FaceAppearance, base: RGB, gloss: float
) -> np.ndarray:
    """Diffuse light by the scalp's normal, highlights by the strand's direction; points (3, S, P), camera frame."""
    along = (points[..., 1:] - points[..., :-1]).reshape(3, -1)
    normal = (points[..., 1:] + points[..., :-1]).reshape(3, -1) / 2 - view.camera(SCALP)[:, None]
    lamp, half = np.array(look.light), np.add(look.light, (0.0, 0.0, 1.0))
    half /= np.sqrt(half @ half)
    long, far = np.einsum("ij,ij->j", along, along) + 1e-18, np.sqrt(np.einsum("ij,ij->j", normal, normal)) + 1e-9
    facing, glance = (lamp @ normal) / far, np.maximum(half @ normal / far, 0)
    strength = look.light_strength
    diffuse = 0.78 - 0.2 * strength + 0.62 * strength * np.minimum(np.maximum(0.35 + 0.65 * facing, 0), 1)
    across = np.maximum(1 - (half @ along) ** 2 / long, 0)
    sharp = across * across
    shine = (sharp * sharp * sharp) * (sharp * sharp) ** 2 * (glance * glance * gloss)  # the 14th power
    shape = (len(tones), -1)
    diffuse, shine = diffuse.reshape(shape) * tones[:, None], shine.reshape(shape) * tones[:, None]
    colours = np.empty((3, *diffuse.shape))
    for plane, colour, light in zip(colours, base, look.light_colour, strict=True):
        np.multiply(diffuse, colour * light, out=plane)
        plane += (colour * 0.4 + 30) * light * shine
    return np.minimum(colours, 255, out=colours)
