"""Hairstyles and beards as sets of strands."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from benchmark.data.procedural.face_geometry import EAR_ROW, Head
from benchmark.data.procedural.face_strands import (
    RADII,
    SCALP,
    STEPS,
    Strands,
    direction,
    hairline,
    hang,
    join,
    over_scalp,
    simplify,
)
from benchmark.data.procedural.face_types import RGB, FaceAppearance
from benchmark.data.procedural.face_wear import hat

BOLD, FINE = 130, 190  # wide strands that make the mass of the hair, and single locks over it
GOLDEN = np.pi * (3 - 5**0.5)  # an even spread around the head for any number of strands
PART = {"side-part": -0.42, "bob": 0.35, "long-wavy": -0.35}  # azimuth of the parting
LENGTH = {"bob": 0.78, "bob-fringe": 0.72, "long-straight": 1.75, "long-fringe": 1.7, "long-wavy": 1.6}


class Paths(NamedTuple):
    """Where strands start and end on the scalp (S, 3) and how far they stand off it (S,)."""

    start: np.ndarray
    end: np.ndarray
    lift: np.ndarray


@lru_cache(maxsize=64)
def covers(look: FaceAppearance, wide: float, detail: float) -> tuple[tuple[Strands, RGB, float], ...]:
    """What covers a head `wide` times the mean width, as strands, colour and gloss: the same in a whole clip."""
    worn = ((hair(look, wide), look.hair, 0.8), (hat(look, wide), look.hat_colour, 0.05))
    return tuple((simplify(strands, detail), colour, gloss) for strands, colour, gloss in worn if strands is not None)


def hair(look: FaceAppearance, wide: float) -> Strands | None:
    """Strands of the hairstyle; None when bald."""
    rng = np.random.default_rng(look.seed + 1)
    style, volume = look.hair_style, look.hair_volume
    if style == "bald":
        return None
    if style in ("afro", "curly-long"):
        return _curls(rng, volume, 1.35 if style == "curly-long" else 0.0, wide)
    count = BOLD + FINE
    bold = (np.arange(count) < BOLD) & (style != "balding")
    azimuth = np.where(bold, (np.arange(count) * GOLDEN) % (2 * np.pi) - np.pi, rng.uniform(-np.pi, np.pi, count))
    if style in LENGTH:
        points = _flowing(rng, style, azimuth, volume, wide)
    else:
        layout = {"buzz": _short, "crop": _short, "balding": _wreath, "side-part": _parted, "quiff": _quiff}
        points = over_scalp(*layout.get(style, _pulled_back)(rng, style, azimuth, volume), wide)
    fine = rng.uniform(0.010, 0.026, count) * (1.6 if style == "balding" else 1.0)
    width = np.where(bold, 0.115 if style in LENGTH else 0.10, fine)
    strands = Strands(points, width, np.where(bold, rng.uniform(0.82, 1.0, count), rng.uniform(0.7, 1.35, count)))
    if style not in LENGTH and style != "balding":
        strands = join(_cap(wide), strands)
    if style.endswith("fringe"):
        strands = join(strands, _fringe(rng, wide, volume))
    if style in ("bun", "ponytail"):
        strands = join(strands, _tail(rng, style))
    return strands


def _crown(rng: np.random.Generator, count: int) -> np.ndarray:
    return 0.25 * rng.uniform(0.2, 1.0, count)


def _short(rng: np.random.Generator, style: str, azimuth: np.ndarray, volume: float) -> Paths:
    line, count = hairline(azimuth), len(azimuth)
    near = rng.uniform(0.0, 0.75, count)
    start = direction(azimuth, line * near)
    end = direction(azimuth + rng.normal(0, 0.12, count), line * np.minimum(near + 0.45, 1.0))
    return Paths(start, end, (0.055 * volume if style == "crop" else 0.0) + rng.uniform(0, 0.02, count))


def _wreath(rng: np.random.Generator, style: str, azimuth: np.ndarray, volume: float) -> Paths:
    count = len(azimuth)
    around = np.where(azimuth >= 0, 1.0, -1.0) * rng.uniform(1.15, np.pi, count)
    line = hairline(around)
    start = direction(around, np.maximum(line - rng.uniform(0.45, 0.85, count), 0.8))
    return Paths(start, direction(around, line), 0.02 + rng.uniform(0, 0.02, count))


def _parted(rng: np.random.Generator, style: str, azimuth: np.ndarray, volume: float) -> Paths:
    front, count = np.abs(azimuth) < 1.2, len(azimuth)
    parting, down = 1.2 * PART[style], rng.uniform(0.25, 0.9, count)
    start = direction(np.where(front, parting, azimuth), np.where(front, down, _crown(rng, count)))
    goal = azimuth + 0.2 * front
    end = direction(goal, hairline(goal) * np.where(front, rng.uniform(0.92, 1.0, count), 1.0))
    return Paths(start, end, (0.05 + 0.06 * front) * volume + rng.uniform(0, 0.025, count))


def _quiff(rng: np.random.Generator, style: str, azimuth: np.ndarray, volume: float) -> Paths:
    front, count = (np.abs(azimuth) < 1.2)[:, None], len(azimuth)
    line = hairline(azimuth)
    start = np.where(front, direction(azimuth, line), direction(azimuth, _crown(rng, count)))
    end = np.where(front, direction(0.8 * azimuth, np.full(count, 0.15)), direction(azimuth, line))
    return Paths(start, end, np.where(front[:, 0], 0.22, 0.05) * volume + rng.uniform(0, 0.025, count))


def _pulled_back(rng: np.random.Generator, style: str, azimuth: np.ndarray, volume: float) -> Paths:
    count, line = len(azimuth), hairline(azimuth)
    lift = 0.03 + rng.uniform(0, 0.02, count)
    if style != "slick-back":
        knot = direction(np.array(np.pi), np.array(0.75 if style == "bun" else 1.2))
        return Paths(direction(azimuth, line), np.tile(knot, (count, 1)), lift)
    back = (np.abs(azimuth) > 1.6)[:, None]
    over = direction(np.sign(azimuth) * (np.pi - 0.85 * np.abs(azimuth)), np.full(count, 1.9))
    start = np.where(back, direction(azimuth, _crown(rng, count)), direction(azimuth, line))
    return Paths(start, np.where(back, direction(azimuth, line), over), lift)


def _flowing(rng: np.random.Generator, style: str, azimuth: np.ndarray, volume: float, wide: float) -> np.ndarray:
    """From the parting over the side of the head, then hanging down."""
    count, side = len(azimuth), np.where(azimuth >= 0, 1.0, -1.0)
    root = np.where(np.abs(azimuth) < 1.7, rng.uniform(0.05, 0.98, count), _crown(rng, count))
    goal = side * np.clip(0.82 + 0.75 * np.abs(azimuth), 1.12, np.pi)
    start = direction(np.full(count, PART.get(style, 0.0)), root)
    paths = over_scalp(start, direction(goal, np.full(count, 1.62)), 0.07 * volume + rng.uniform(0, 0.03, count), wide)
    length = LENGTH[style] * rng.uniform(0.78, 1.02, count)
    curl = 0.16 if style == "long-wavy" else 0.015
    inward = 0.22 if style.startswith("bob") else -0.05
    return hang(paths, length, curl, rng.uniform(0, 1.2, count) + (side > 0), inward)


def _fringe(rng: np.random.Generator, wide: float, volume: float) -> Strands:
    count = 60
    azimuth = np.linspace(-0.92, 0.92, count)
    start = direction(azimuth * 0.5, np.full(count, 0.35))
    end = direction(azimuth, 1.36 + 0.12 * np.abs(azimuth) + rng.uniform(-0.04, 0.04, count))
    paths = over_scalp(start, end, 0.05 + 0.03 * volume, wide)
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
        ball = np.stack(
            [np.cos(spin) * np.sin(tilt) + 0 * share, np.cos(tilt) + 0 * share, np.sin(spin) * np.sin(tilt)], axis=-1
        )
        points = middle + 0.30 * ball
    else:
        root = np.array([0.0, -0.55, -1.28])
        sway = 0.14 * np.cos(turn)[:, None] * np.sin(np.pi * share**0.7)
        points = root + np.stack(
            [
                sway,
                1.9 * share**1.2 - 0.25 * np.sin(np.pi * share) + 0 * sway,
                -0.18 * np.sin(np.pi * share) + 0.1 * np.sin(turn)[:, None],
            ],
            axis=-1,
        )
    return Strands(points, np.where(np.arange(count) % 2 == 0, 0.11, 0.03), rng.uniform(0.75, 1.2, count))


def _curls(rng: np.random.Generator, volume: float, drop: float, wide: float) -> Strands:
    count = 420
    azimuth = rng.uniform(-np.pi, np.pi, count)
    down = hairline(azimuth) * np.sqrt(rng.uniform(0.0, 1.0, count))
    shell = 1.06 + (0.22 if drop else 0.28) * volume * rng.uniform(0.2, 1.0, count) ** 0.6
    centre = SCALP + direction(azimuth, down) * RADII * [wide, 1, 1] * shell[:, None]
    if drop:
        hanging = rng.uniform(size=count) < 0.62
        around = rng.uniform(1.15, 2 * np.pi - 1.15, count)
        low = (
            SCALP
            + direction(around, np.full(count, 1.5))
            * RADII
            * [wide, 1, 1]
            * (1.05 + 0.22 * volume * rng.uniform(0, 1, count))[:, None]
        )
        low[:, 1] += rng.uniform(0, drop, count)
        centre = np.where(hanging[:, None], low, centre)
    spin = rng.uniform(0, 2 * np.pi, count)[:, None] + np.linspace(0, 3.4, STEPS)[None]
    mass = np.arange(count) < 150  # dark tufts that close the shape; the rest are coils on top of them
    radius = np.where(mass, 0.05, rng.uniform(0.05, 0.10, count))[:, None]
    ring = np.stack([np.cos(spin) * radius, np.sin(spin) * radius, 0.6 * np.sin(spin + 1) * radius], axis=-1)
    centre = np.where(mass[:, None], SCALP + (centre - SCALP) * [0.95, 0.97, 0.95], centre)
    tone = np.where(mass, 0.68, rng.uniform(0.75, 1.3, count))
    return join(_cap(wide), Strands(centre[:, None] + ring, np.where(mass, 0.17, 0.052), tone))


def _cap(wide: float) -> Strands:
    """A dark layer close to the scalp, so that no skin shows between curls or locks."""
    azimuth = (np.arange(54) * GOLDEN) % (2 * np.pi) - np.pi
    paths = over_scalp(direction(azimuth, np.full(54, 0.05)), direction(azimuth, hairline(azimuth)), 0.0, wide)
    return Strands(paths, np.full(54, 0.2), np.full(54, 0.6))


def beard(look: FaceAppearance, head: Head, detail: float) -> Strands | None:
    """Strands of a goatee, short or full beard or a moustache, rooted on the moving jaw; None for stubble and none.

    They are short and straight, so that small pictures (`detail` < 1) need but one segment of each, and fewer of them.
    """
    if look.beard in ("none", "stubble"):
        return None
    marks, draws = head.points, _whiskers(look.seed)
    density = detail**1.4
    length = {"moustache": 0.10, "goatee": 0.12, "short": 0.08, "full": 0.30}[look.beard] * draws.length
    lip = _moustache(draws, marks, int(density * (150 if look.beard != "goatee" else 100)))
    chin = (
        np.empty((0, 2))
        if look.beard == "moustache"
        else _chin(draws, head, int(density * 520), look.beard == "goatee")
    )
    flat = np.concatenate([chin, lip])
    count, hanging = len(flat), len(chin)
    flow = np.empty((count, 3))
    flow[:hanging, 0] = 0.35 * np.sign(chin[:, 0]) * np.sqrt(np.abs(chin[:, 0]))
    flow[hanging:, 0] = 1.2 * np.sign(lip[:, 0])
    flow[:hanging, 1:], flow[hanging:, 1:] = (1.0, 0.12), (0.55, 0.15)
    reach = length * draws.reach[:count]
    reach[hanging:] = 0.10
    share = np.linspace(0, 1, 4 if detail >= 1 else 2)[:, None]
    roots = head.surface(flat) + np.array([0, 0, 0.012])
    points = roots[:, None] + (flow * reach[:, None])[:, None] * share
    return Strands(points, np.where(np.arange(count) % 2 > 0, 0.034, 0.016), draws.tone[:count])


class Whiskers(NamedTuple):
    """The chance in a beard, the same in all frames of a clip."""

    length: float
    level: np.ndarray  # (520,) in [0, 1)
    across: np.ndarray  # (520,) in [-1, 1)
    lip: np.ndarray  # (150,) in [-1, 1)
    stray: np.ndarray  # (150,) standard normal
    reach: np.ndarray  # (670,)
    tone: np.ndarray  # (670,)


@lru_cache(maxsize=64)
def _whiskers(seed: int) -> Whiskers:
    rng = np.random.default_rng(seed + 2)
    level, across, lip = rng.uniform(0, 1, 520), rng.uniform(-1, 1, 520), rng.uniform(-1, 1, 150)
    length, stray = rng.uniform(0.8, 1.2), rng.normal(0, 1, 150)
    return Whiskers(length, level, across, lip, stray, rng.uniform(0.6, 1.1, 670), rng.uniform(0.7, 1.15, 670))


def _chin(draws: Whiskers, head: Head, count: int, goatee: bool) -> np.ndarray:
    """Roots (N, 2) on cheeks, jaw and chin: those of the first `count` draws that do not fall on bare skin or lips."""
    heights, widths = head.rings[EAR_ROW:, 0], head.rings[EAR_ROW:, 1]
    corner, low = head.points[54], float(head.points[57, 1])
    lowest = 0.66 if goatee else 0.12
    level = (lowest + (1 - lowest) * draws.level[:count]) ** 0.8 * heights[-1]
    x = draws.across[:count] * np.maximum(np.interp(level, heights, widths), 0.02) * 0.985
    away = np.abs(x)
    cheek = np.interp(away, [0.0, corner[0] + 0.06, 0.62, 0.75], [low + 0.05, corner[1] - 0.02, 0.35, 0.05])
    keep = (level > cheek) & ((away > 1.05 * max(corner[0] + 0.03, 1e-3)) | (level > low + 0.03))
    if goatee:
        keep &= away < 0.30
    return np.column_stack([x, level])[keep]


def _moustache(draws: Whiskers, marks: np.ndarray, count: int) -> np.ndarray:
    """Roots (count, 2) between nose and upper lip, down to the mouth's corners."""
    share, corner = draws.lip[:count], marks[54]
    middle = 0.5 * (marks[33, 1] + marks[51, 1]) + 0.02
    sag = (corner[1] - middle) * np.abs(share) ** 1.8
    return np.column_stack([share * (corner[0] + 0.04), middle + sag + 0.018 * draws.stray[:count]])
