"""Hair and beards: lit strands in three dimensions, so that they turn with the head.

A hairstyle is a set of strands (S, P, 3) in the head frame. A strand runs over the scalp from a root direction to an end direction and
may then hang down. Strands behind the head are painted before it, those in front after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from benchmark.data.procedural.face_canvas import SHIFT, Canvas
from benchmark.data.procedural.face_geometry import Head, View
from benchmark.data.procedural.face_types import FaceAppearance

SCALP = np.array([0.0, -0.18, -0.30])  # centre of the scalp ellipsoid
RADII = np.array([0.80, 0.98, 0.96])
STEPS = 9  # points along a strand
THIN = 0.05  # strands narrower than this are single locks over the mass of hair


@dataclass
class Strands:
    """Strands in the head frame with a width (head units) and a tone (factor on the colour) for each."""

    points: np.ndarray  # (S, P, 3)
    width: np.ndarray  # (S,)
    tone: np.ndarray  # (S,)


def _direction(azimuth: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Unit vectors: azimuth 0 is the front, +pi/2 the image's right; `down` is the angle from the crown."""
    return np.stack([np.sin(azimuth) * np.sin(down), -np.cos(down), np.cos(azimuth) * np.sin(down)], axis=-1)


def _over_scalp(start: np.ndarray, end: np.ndarray, lift: np.ndarray | float, wide: float) -> np.ndarray:
    """Great-circle paths between directions (S, 3), raised above the scalp in the middle: (S, P, 3)."""
    share = np.linspace(0, 1, STEPS)[None, :, None]
    angle = np.arccos(np.clip((start * end).sum(-1), -1, 1))[:, None, None] + 1e-6
    path = (np.sin((1 - share) * angle) * start[:, None] + np.sin(share * angle) * end[:, None]) / np.sin(angle)
    height = 1.0 + 0.03 + np.asarray(lift).reshape(-1, 1, 1) * (0.35 + 0.65 * np.sin(np.pi * np.clip(share * 0.9 + 0.1, 0, 1)))
    return SCALP + path * RADII * [wide, 1, 1] * height


def _hang(paths: np.ndarray, length: np.ndarray, curl: float, phase: np.ndarray, inward: float) -> np.ndarray:
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


def _hairline(azimuth: np.ndarray, recede: float = 0.0) -> np.ndarray:
    """Angle from the crown at which hair ends: forehead in front, sideburns, nape behind."""
    across = np.abs(azimuth)
    front = 0.96 - recede
    return np.interp(across, [0.0, 0.55, 0.95, 1.35, 1.75, 2.3, np.pi], [front, front, 1.18 - 0.4 * recede, 1.78, 1.75, 2.15, 2.2])


@lru_cache(maxsize=64)
def hair(look: FaceAppearance, wide: float) -> Strands | None:
    """Strands of the hairstyle on a head `wide` times the mean width; None when bald."""
    rng = np.random.default_rng(look.seed + 1)
    style, volume = look.hair_style, look.hair_volume
    if style == "bald":
        return None
    if style in ("afro", "curly-long"):
        return _curls(rng, volume, 1.35 if style == "curly-long" else 0.0, wide)
    thick, thin = 130, 190
    count = thick + thin
    bold = np.arange(count) < thick
    azimuth = np.where(bold, (np.arange(count) * 2.399963) % (2 * np.pi) - np.pi, rng.uniform(-np.pi, np.pi, count))
    side = np.where(azimuth >= 0, 1.0, -1.0)
    lift = np.full(count, 0.05 * volume) + rng.uniform(0, 0.025, count)
    part = {"side-part": -0.42, "bob": 0.35, "long-wavy": -0.35}.get(style, 0.0)
    crown = np.full(count, 0.25) * rng.uniform(0.2, 1.0, count)
    line = _hairline(azimuth)
    start, end = _direction(azimuth, crown), _direction(azimuth, line)
    length, curl, inward = np.zeros(count), 0.0, 0.0
    if style in ("buzz", "crop", "balding"):
        lift = np.full(count, {"buzz": 0.0, "crop": 0.055 * volume, "balding": 0.02}[style]) + rng.uniform(0, 0.02, count)
        if style == "balding":
            azimuth = side * rng.uniform(1.15, np.pi, count)
            line = _hairline(azimuth)
            start = _direction(azimuth, np.maximum(line - rng.uniform(0.45, 0.85, count), 0.8))
            end = _direction(azimuth, line)
        else:
            near = rng.uniform(0.0, 0.75, count)
            start = _direction(azimuth, line * near)
            end = _direction(azimuth + rng.normal(0, 0.12, count), line * np.minimum(near + 0.45, 1.0))
    elif style in ("side-part", "quiff"):
        front = np.abs(azimuth) < 1.2
        sweep = 1.0 if part <= 0 else -1.0
        ridge = part if style == "side-part" else 0.0
        root = _direction(np.where(front, ridge * 1.2, azimuth), np.where(front, rng.uniform(0.25, 0.9, count), crown))
        goal = np.where(front, azimuth + sweep * 0.2 * (style == "side-part"), azimuth)
        start, end = root, _direction(goal, _hairline(goal) * np.where(front, rng.uniform(0.92, 1.0, count), 1.0))
        if style == "quiff":
            start, end = _direction(azimuth, line), _direction(azimuth * 0.8, np.where(front, 0.15, 0.3) * np.ones(count))
            start = np.where(front[:, None], start, _direction(azimuth, crown))
            end = np.where(front[:, None], end, _direction(azimuth, line))
            lift = np.where(front, 0.16 * volume, lift)
        lift = lift + np.where(front, 0.06 * volume, 0.0)
    elif style in ("slick-back", "bun", "ponytail"):
        start = _direction(azimuth, line)
        knot = {"slick-back": 1.9, "bun": 0.75, "ponytail": 1.2}[style]  # how far down the back all strands meet
        end = np.tile(_direction(np.array(np.pi), np.array(knot)), (count, 1))
        if style == "slick-back":
            end = _direction(side * (np.pi - 0.85 * np.abs(azimuth)), np.full(count, 1.9))
            back = np.abs(azimuth) > 1.6
            start = np.where(back[:, None], _direction(azimuth, crown), start)
            end = np.where(back[:, None], _direction(azimuth, line), end)
        lift = 0.03 + rng.uniform(0, 0.02, count)
    else:
        goal = side * np.clip(0.82 + 0.75 * np.abs(azimuth), 1.12, np.pi)
        root = np.where(np.abs(azimuth) < 1.7, rng.uniform(0.05, 0.98, count), crown)
        start, end = _direction(np.full(count, part), root), _direction(goal, np.full(count, 1.62))
        reach = {"bob": 0.78, "bob-fringe": 0.72, "long-straight": 1.75, "long-fringe": 1.7, "long-wavy": 1.6}[style]
        length = reach * (0.9 + 0.12 * rng.uniform(-1, 1, count))
        curl, inward = (0.16 if style == "long-wavy" else 0.015), (0.22 if style.startswith("bob") else -0.05)
        lift = 0.07 * volume + rng.uniform(0, 0.03, count)
    paths = _over_scalp(start, end, lift, wide)
    if length.any():
        paths = _hang(paths, length, curl, rng.uniform(0, 1.2, count) + (side > 0), inward)
    bold &= style != "balding"
    width = np.where(bold, 0.115 if length.any() else 0.10, rng.uniform(0.010, 0.026, count) * (1.6 if style == "balding" else 1.0))
    strands = Strands(paths, width, np.where(bold, rng.uniform(0.82, 1.0, count), rng.uniform(0.7, 1.35, count)))
    if style.endswith("fringe"):
        strands = _join(strands, _fringe(rng, wide, volume))
    if style in ("bun", "ponytail"):
        strands = _join(strands, _tail(rng, style))
    return strands


def _join(first: Strands, second: Strands) -> Strands:
    steps = first.points.shape[1]
    at = np.linspace(0, second.points.shape[1] - 1, steps)
    low = np.minimum(at.astype(int), second.points.shape[1] - 2)
    share = (at - low)[None, :, None]
    points = second.points[:, low] * (1 - share) + second.points[:, low + 1] * share
    return Strands(*(np.concatenate([a, b]) for a, b in ((first.points, points), (first.width, second.width), (first.tone, second.tone))))


def _fringe(rng: np.random.Generator, wide: float, volume: float) -> Strands:
    count = 60
    azimuth = np.linspace(-0.92, 0.92, count)
    start = _direction(azimuth * 0.5, np.full(count, 0.35))
    end = _direction(azimuth, 1.36 + 0.12 * np.abs(azimuth) + rng.uniform(-0.04, 0.04, count))
    paths = _over_scalp(start, end, 0.05 + 0.03 * volume, wide)
    width = np.where(np.arange(count) % 2 == 0, 0.085, 0.025)
    return Strands(paths, width, np.where(np.arange(count) % 2 == 0, 0.92, rng.uniform(0.7, 1.3, count)))


def _tail(rng: np.random.Generator, style: str) -> Strands:
    count = 46
    turn = rng.uniform(0, 2 * np.pi, count)
    share = np.linspace(0, 1, STEPS)[None, :]
    if style == "bun":
        middle = np.array([0.0, -1.12, -0.78])
        spin = turn[:, None] + share * 2.2
        tilt = rng.uniform(0, np.pi, count)[:, None]
        ball = np.stack([np.cos(spin) * np.sin(tilt) + 0 * share, np.cos(tilt) + 0 * share, np.sin(spin) * np.sin(tilt)], axis=-1)
        points = middle + 0.30 * ball
    else:
        root = np.array([0.0, -0.55, -1.28])
        sway = 0.14 * np.cos(turn)[:, None] * np.sin(np.pi * share**0.7)
        points = root + np.stack([sway, 1.9 * share**1.2 - 0.25 * np.sin(np.pi * share) + 0 * sway, -0.18 * np.sin(np.pi * share) + 0.1 * np.sin(turn)[:, None]], axis=-1)
    return Strands(points, np.where(np.arange(count) % 2 == 0, 0.11, 0.03), rng.uniform(0.75, 1.2, count))


def _curls(rng: np.random.Generator, volume: float, drop: float, wide: float) -> Strands:
    count = 420
    azimuth = rng.uniform(-np.pi, np.pi, count)
    down = _hairline(azimuth) * np.sqrt(rng.uniform(0.0, 1.0, count))
    shell = 1.06 + (0.22 if drop else 0.28) * volume * rng.uniform(0.2, 1.0, count) ** 0.6
    centre = SCALP + _direction(azimuth, down) * RADII * [wide, 1, 1] * shell[:, None]
    if drop:
        hanging = rng.uniform(size=count) < 0.62
        around = rng.uniform(1.15, 2 * np.pi - 1.15, count)
        low = SCALP + _direction(around, np.full(count, 1.5)) * RADII * [wide, 1, 1] * (1.05 + 0.22 * volume * rng.uniform(0, 1, count))[:, None]
        low[:, 1] += rng.uniform(0, drop, count)
        centre = np.where(hanging[:, None], low, centre)
    spin = rng.uniform(0, 2 * np.pi, count)[:, None] + np.linspace(0, 3.4, STEPS)[None]
    mass = np.arange(count) < 150  # dark tufts that close the shape; the rest are coils on top of them
    radius = np.where(mass, 0.05, rng.uniform(0.05, 0.10, count))[:, None]
    ring = np.stack([np.cos(spin) * radius, np.sin(spin) * radius, 0.6 * np.sin(spin + 1) * radius], axis=-1)
    centre = np.where(mass[:, None], SCALP + (centre - SCALP) * [0.95, 0.97, 0.95], centre)
    return Strands(centre[:, None] + ring, np.where(mass, 0.17, 0.045), np.where(mass, 0.68, rng.uniform(0.75, 1.3, count)))


def beard(look: FaceAppearance, head: Head) -> Strands | None:
    """Strands of a goatee, short or full beard or a moustache, rooted on the moving jaw; None for stubble and none."""
    if look.beard in ("none", "stubble"):
        return None
    rng = np.random.default_rng(look.seed + 2)
    marks = head.points
    corner, top, low = marks[54], marks[33], marks[57]
    length = {"moustache": 0.10, "goatee": 0.12, "short": 0.08, "full": 0.30}[look.beard] * rng.uniform(0.8, 1.2)
    roots = []
    if look.beard != "moustache":
        table = head.rings[7:]
        level = rng.uniform(0.12 if look.beard != "goatee" else 0.66, 1.0, 520) ** 0.8 * table[-1, 0]
        width = np.interp(level, table[:, 0], table[:, 1])
        x = rng.uniform(-1, 1, 520) * np.maximum(width, 0.02) * 0.985
        lip = np.abs(x) / max(float(corner[0]) + 0.03, 1e-3)
        cheek = np.interp(np.abs(x), [0.0, float(corner[0]) + 0.06, 0.62, 0.75], [float(low[1]) + 0.05, float(corner[1]) - 0.02, 0.35, 0.05])
        keep = (level > cheek) & ((lip > 1.05) | (level > float(low[1]) + 0.03))
        if look.beard == "goatee":
            keep &= np.abs(x) < 0.30
        roots.append(np.column_stack([x, level])[keep])
    share = rng.uniform(-1, 1, 150 if look.beard != "goatee" else 100)
    middle = 0.5 * (float(top[1]) + float(marks[51][1])) + 0.02
    sag = (float(corner[1]) - middle) * np.abs(share) ** 1.8
    roots.append(np.column_stack([share * (float(corner[0]) + 0.04), middle + sag + rng.normal(0, 0.018, len(share))]))
    moustache = len(roots[-1])
    flat = np.concatenate(roots)
    base = np.column_stack([flat, head.depth(flat[:, 0], flat[:, 1]) + 0.012])
    count = len(base)
    flow = np.column_stack([0.35 * np.sign(flat[:, 0]) * np.abs(flat[:, 0]) ** 0.5, np.ones(count), np.full(count, 0.12)])
    flow[-moustache:] = np.column_stack([1.2 * np.sign(flat[-moustache:, 0]), np.full(moustache, 0.55), np.full(moustache, 0.15)])
    reach = length * rng.uniform(0.6, 1.1, count)
    reach[-moustache:] = 0.10
    share = np.linspace(0, 1, 4)[None, :, None]
    points = base[:, None] + flow[:, None] * reach[:, None, None] * share
    width = np.where(np.arange(count) % 2 > 0, 0.034, 0.016)
    return Strands(points, width, rng.uniform(0.7, 1.15, count))


def hidden(points: np.ndarray, camera: np.ndarray, view: View) -> np.ndarray:
    """Which points lie behind head or neck, given in the head frame and in the camera frame, both (S, P, 3)."""
    sight = view.rotation[2]
    behind = (camera[..., 2] < -0.42) & (camera[..., 1] > 0.1)
    for centre, radii in ((SCALP, RADII * 0.985), (np.array([0.0, 0.42, -0.12]), np.array([0.64, 0.78, 0.62]))):
        p = (points - centre) / radii
        d = sight / radii
        along = p @ d
        behind |= (along**2 - (d @ d) * ((p * p).sum(-1) - 1.0) > 0) & (along < 0)
    return behind


class Lit:
    """Strands made ready to paint: projected, lit, and split into what lies behind the head and what lies before it.

    Small pictures get fewer, wider strands and shorter polylines; nothing finer than a pixel would show.
    """

    def __init__(self, strands: Strands, view: View, look: FaceAppearance, base, gloss: float = 0.8) -> None:
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
        for start, end, colour, width in zip(starts, ends, colours, thick, strict=True):
            cv2.line(canvas.pixels, start, end, colour, width, cv2.LINE_AA, SHIFT)


def _simplify(strands: Strands, detail: float) -> Strands:
    if detail >= 1.0:
        return strands
    fine = strands.width < THIN
    share = np.where(fine, detail, max(detail, 0.4))
    rank = np.where(fine, np.cumsum(fine), np.cumsum(~fine))
    keep = np.floor(rank * share) > np.floor((rank - 1) * share)
    steps = strands.points.shape[1]
    at = np.unique(np.rint(np.linspace(0, steps - 1, max(4, int(steps * max(detail, 0.45))))).astype(int))
    width = strands.width * np.where(fine, 1.0, share**-0.6)
    return Strands(strands.points[keep][:, at], width[keep], strands.tone[keep])


def _colours(points: np.ndarray, tones: np.ndarray, view: View, look: FaceAppearance, base: np.ndarray, gloss: float) -> np.ndarray:
    """Diffuse light by the scalp's normal, highlights by the strand's direction; points (S, P, 3) in the camera frame."""
    along = points[:, 1:] - points[:, :-1]
    normal = (points[:, 1:] + points[:, :-1]) / 2 - view.camera(SCALP)
    lamp = np.asarray(look.light)
    half = lamp + [0, 0, 1]
    half /= np.linalg.norm(half)
    long, far = np.sqrt((along * along).sum(-1)) + 1e-9, np.sqrt((normal * normal).sum(-1)) + 1e-9
    facing, glance = (normal @ lamp) / far, (normal @ half) / far
    diffuse = 0.58 + 0.62 * look.light_strength * np.clip(0.35 + 0.65 * facing, 0, 1) + 0.2 * (1 - look.light_strength)
    shine = np.clip(1 - ((along @ half) / long) ** 2, 0, 1) ** 14 * np.clip(glance, 0, 1) ** 2 * gloss
    lit = base * diffuse[..., None] + (base * 0.4 + 30) * shine[..., None]
    return np.clip(lit * tones[:, None, None] * np.asarray(look.light_colour), 0, 255)
