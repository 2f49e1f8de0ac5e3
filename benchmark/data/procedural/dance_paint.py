"""Skin, cloth, shoes, hair and faces: the colour of every visible point of a dancer, from where it lies at rest.

Colours are painted in rest positions (metres, the unclothed body standing upright), so they move with the body.
"""

from __future__ import annotations

import numpy as np

from benchmark.data.procedural.dance_mesh import ARM, BRIM, LEG, LOCKS, PALM, SKIRT, SKULL, TOES, TRUNK
from benchmark.data.procedural.dance_skeleton import FOOT, HEAD, Measures
from benchmark.data.procedural.dance_types import RGB, DancerLook, Garment
from benchmark.data.procedural.dance_wear import WAISTBAND, arm_share, hairline, leg_share


def albedo(look: DancerLook, rest: Measures, kinds: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours (K, 3) in 0..255 and which of them are cloth (K,), of points (K, 3) on tubes of `kinds` (K,)."""
    colours = np.empty((len(points), 3), np.float32)
    cloth = np.zeros(len(points), bool)
    for kind in np.unique(kinds):
        here = np.flatnonzero(kinds == kind)
        colours[here], cloth[here] = _PAINTERS[int(kind)](look, rest, points[here])
    return colours, cloth


Painted = tuple[np.ndarray, np.ndarray | bool]


def _flat(colour: RGB, points: np.ndarray) -> np.ndarray:
    return np.tile(np.asarray(colour, np.float32), (len(points), 1))


def _trunk(look: DancerLook, rest: Measures, points: np.ndarray) -> Painted:
    x, y, z = (points / rest.scale).T
    colours = _flat(look.skin, points)
    colours *= (1.0 - 0.25 * np.exp(-((x / 0.012) ** 2 + ((y - 0.16) / 0.008) ** 2)) * (z > 0))[:, None]  # navel
    # a round neckline in front, a shallow one behind; a tank top also leaves the shoulders
    edge = 0.505 - np.where(z > 0, look.neckline, 0.03) * np.clip(1 - (x / 0.10) ** 2, 0, 1)
    edge = np.where(np.abs(x) > 0.135, 1.0 if look.sleeve > 0 else 0.44, edge)
    top = (y > look.hem) & (y < edge)
    bottom = ~top & (y < WAISTBAND)
    for garment, where in ((look.top, top), (look.bottom, bottom)):
        colours[where] = cloth_colour(garment, points[where], look.seed)
    seam = top & ((np.abs(y - edge) < 0.008) | (np.abs(y - look.hem) < 0.010))
    colours[seam] *= 0.78
    belt = bottom & (np.abs(y - WAISTBAND + 0.012) < 0.010)
    colours[belt] *= 0.6
    return colours, top | bottom


def _arm(look: DancerLook, rest: Measures, points: np.ndarray) -> Painted:
    share = arm_share(points, rest)
    colours = _flat(look.skin, points)
    sleeve = share < look.sleeve
    colours[sleeve] = cloth_colour(look.top, points[sleeve], look.seed)
    colours[sleeve & (share > look.sleeve - 0.035)] *= 0.8
    return colours, sleeve


def _palm(look: DancerLook, rest: Measures, points: np.ndarray) -> Painted:
    return _flat(look.skin, points) * np.float32(0.97), False


def _leg(look: DancerLook, rest: Measures, points: np.ndarray) -> Painted:
    share = leg_share(points, rest)
    colours = _flat(look.skin, points)
    colours[share > 0.84] = look.sock
    covered = share < look.leg_cover
    colours[covered] = cloth_colour(look.bottom, points[covered], look.seed)
    colours[covered & (share > look.leg_cover - 0.02)] *= 0.8
    height = points[:, 1] / rest.scale
    if look.skirt:  # where a thigh pushes through the skirt, it does so in the skirt's cloth
        under = height > -0.92 * look.skirt
        colours[under] = cloth_colour(look.bottom, points[under], look.seed)
        return colours, covered | under
    top = height > look.hem  # a long top hangs over the hips
    colours[top] = cloth_colour(look.top, points[top], look.seed)
    colours[top & (height < look.hem + 0.010)] *= 0.78
    return colours, covered | top


def _toes(look: DancerLook, rest: Measures, points: np.ndarray) -> Painted:
    height = points[:, 1] - rest.origins[FOOT[0], 1] + rest.ankle
    forward = points[:, 2] / rest.scale
    colours = _flat(look.shoe, points)
    colours[forward > 0.150] *= 0.88  # toe cap
    laces = (np.abs(forward - 0.08) < 0.045) & (np.sin(forward * 420.0) > 0.2) & (height > 0.055 * rest.scale)
    colours[laces] = 0.4 * colours[laces] + 0.6 * np.asarray(look.sole)
    colours[height < 0.022 * rest.scale] = look.sole
    return colours, False


def _skirt(look: DancerLook, rest: Measures, points: np.ndarray) -> Painted:
    colours = cloth_colour(look.bottom, points, look.seed)
    around = np.arctan2(points[:, 2], points[:, 0])
    drop = np.clip(-points[:, 1] / max(look.skirt, 0.1) + 0.3, 0, 1)
    return colours * (1.0 + 0.13 * drop * np.sin(14.0 * around))[:, None], True


def _hair(look: DancerLook, rest: Measures, points: np.ndarray) -> np.ndarray:
    strands = np.sin(np.arctan2(points[:, 2], points[:, 0]) * 34.0 + 9.0 * points[:, 1] + look.seed % 5)
    shine = np.exp(-(((points[:, 1] - rest.origins[HEAD, 1] - 0.15) / 0.025) ** 2))
    return _flat(look.hair, points) * (1.0 + 0.13 * strands)[:, None] + 22.0 * shine[:, None]


def _locks(look: DancerLook, rest: Measures, points: np.ndarray) -> Painted:
    return _hair(look, rest, points), False


def _brim(look: DancerLook, rest: Measures, points: np.ndarray) -> Painted:
    return _flat(look.cap_colour, points) * np.float32(0.85), False


def _skull(look: DancerLook, rest: Measures, points: np.ndarray) -> Painted:
    x, y, z = ((points - rest.origins[HEAD]) / rest.head).T
    colours = _flat(look.skin, points)
    front = z > 0.03
    skin = np.asarray(look.skin, np.float32)

    def spot(cx: float, cy: float, wide: float, high: float) -> np.ndarray:
        return np.where(front, np.exp(-((((np.abs(x) - cx) / wide) ** 2 + ((y - cy) / high) ** 2) ** 2)), 0.0)[:, None]

    def mix(colour, share: np.ndarray) -> None:
        colours[:] += share * (np.asarray(colour, np.float32) - colours)

    mix(skin * [0.78, 0.68, 0.66], 0.7 * spot(0.031, 0.088, 0.024, 0.017))  # eye sockets
    mix(skin * [1.05, 0.88, 0.86], 0.45 * spot(0.040, 0.045, 0.018, 0.018))  # cheeks
    if look.beard:
        jaw = np.clip((0.045 - y) / 0.02, 0, 1) * (z > -0.01)
        mix(look.hair, (0.75 * look.beard * jaw)[:, None])
    mix((232, 230, 226), spot(0.031, 0.085, 0.0155, 0.0078))
    mix(look.iris, spot(0.031, 0.085, 0.0070, 0.0085))
    mix((24, 18, 18), spot(0.031, 0.093, 0.0175, 0.0032))  # lashes
    mix(0.6 * np.asarray(look.hair) + 0.1 * skin, 0.85 * spot(0.032, 0.109, 0.0185, 0.0046))  # brows
    mix(skin * 0.62, 0.75 * spot(0.007, 0.038, 0.0065, 0.0045))  # nostrils
    mix(skin * 1.12, 0.6 * spot(0.0, 0.060, 0.006, 0.022))  # bridge of the nose
    mix(look.lips, spot(0.0, 0.012, 0.0235, 0.0085))
    mix(np.asarray(look.lips) * 0.45, spot(0.0, 0.0125, 0.0225, 0.0020))
    ear = (np.abs(z - 0.0) < 0.014) & (np.abs(y - 0.07) < 0.028) & (np.abs(x) > 0.05)
    colours[ear] *= 0.86
    over = hairline(points, rest)
    edge = np.clip(over / 0.008 + 0.5, 0.0, 1.0)[:, None]
    if look.cap != "none":
        knit = 1.0 + (0.08 * np.sin(260.0 * y) if look.cap == "beanie" else 0.0 * y)
        worn = np.clip((y - 0.115) / 0.006 + 0.5, 0.0, 1.0)[:, None]
        mix(look.hair, edge * (look.hair_style != "bald"))
        mix(_flat(look.cap_colour, points) * knit[:, None], worn)
    elif look.hair_style != "bald":
        share = edge * (0.75 if look.hair_style == "buzz" else 1.0)
        mix(_hair(look, rest, points), share)
    return colours, False


_PAINTERS = {
    TRUNK: _trunk, ARM: _arm, PALM: _palm, LEG: _leg, TOES: _toes, SKIRT: _skirt, SKULL: _skull, LOCKS: _locks,
    BRIM: _brim,
}  # fmt: skip


def cloth_colour(garment: Garment, points: np.ndarray, seed: int) -> np.ndarray:
    """Colour and pattern of cloth at rest positions (K, 3): float32 (K, 3)."""
    share = np.clip(_pattern(garment.pattern, points, seed), 0.0, 1.0)[:, None].astype(np.float32)
    colour, accent = np.asarray(garment.colour, np.float32), np.asarray(garment.accent, np.float32)
    return colour + share * (accent - colour)


def _pattern(name: str, points: np.ndarray, seed: int) -> np.ndarray:
    x, y, z = points.T
    phase = (seed % 97) / 97.0 * 6.28
    if name == "hoops":
        return 0.5 + 3.0 * np.sin(90.0 * y + phase)
    if name == "stripes":
        return 0.5 + 3.0 * np.sin(130.0 * x + phase)
    if name == "checks":
        return 0.25 + 0.35 * np.sign(np.sin(75.0 * y + phase)) + 0.35 * np.sign(np.sin(75.0 * x + phase))
    if name == "dots":
        return 0.5 + 6.0 * (np.sin(105.0 * y) * np.sin(105.0 * x + 0.5 * phase) - 0.45)
    if name == "camouflage":
        wave = np.sin(31 * x + 17 * y + phase) + np.sin(23 * y - 29 * z + 2 * phase) + np.sin(41 * z + 13 * x - phase)
        return 0.4 + 2.5 * wave * 0.4
    if name == "panel":
        return np.where(np.abs(np.abs(x) - 0.165) < 0.022, 1.0, 0.0) + np.where(np.abs(y - 0.30) < 0.03, 1.0, 0.0)
    if name == "print":
        return 1.6 - (x / 0.075) ** 4 - ((y - 0.30) / 0.07) ** 4 - 10.0 * (z < 0) - 0.8 * (np.sin(95.0 * (x + y)) > 0.3)
    return np.zeros(len(points))
