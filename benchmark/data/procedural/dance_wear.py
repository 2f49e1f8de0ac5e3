"""What a dancer wears over the body: how far cloth and hair stand off, and skirts, long hair and caps of their own.

mesh = dressed_mesh(shape, look)     # what pictures are made from; labels see `dance_body.body_mesh`
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from benchmark.data.procedural.dance_body import body_tubes
from benchmark.data.procedural.dance_mesh import (
    ARM,
    BRIM,
    LEG,
    LOCKS,
    SEGMENTS,
    SKIRT,
    SKULL,
    TOES,
    TRUNK,
    TURN,
    Mesh,
    Tube,
    build_mesh,
)
from benchmark.data.procedural.dance_skeleton import (
    BONES,
    CHEST,
    FOOT,
    HAND,
    HEAD,
    NECK,
    PELVIS,
    THIGH,
    UPPER_ARM,
    WAIST,
    Measures,
    measures,
)
from benchmark.data.procedural.dance_types import BodyShape, DancerLook

WAISTBAND = 0.105  # metres above the hip joints, of an average body
VOLUME = {"bald": 0.0, "buzz": 0.003, "short": 0.014, "afro": 0.062, "bob": 0.022, "long": 0.016, "ponytail": 0.008,
          "bun": 0.008}  # fmt: skip


def arm_share(points: np.ndarray, rest: Measures) -> np.ndarray:
    """How far down the arm rest positions lie: 0 at the shoulder, 1 at the wrist."""
    top, wrist = rest.origins[UPPER_ARM[0], 1], rest.origins[HAND[0], 1]
    return (top - points[..., 1]) / (top - wrist)


def leg_share(points: np.ndarray, rest: Measures) -> np.ndarray:
    """How far down the leg rest positions lie: 0 at the hip joint, 1 at the ankle."""
    return points[..., 1] / rest.origins[FOOT[0], 1]


def hairline(points: np.ndarray, rest: Measures) -> np.ndarray:
    """Metres that rest positions on the head lie above the hair's edge (negative: bare skin)."""
    head = (points - rest.origins[HEAD]) / rest.head
    front = head[..., 2] / np.maximum(np.hypot(head[..., 0] * 1.3, head[..., 2]), 1e-6)  # 1 forward, -1 backward
    return head[..., 1] - np.interp(front, [-1, -0.3, 0.15, 0.45, 0.8, 1], [-0.005, 0.01, 0.055, 0.135, 0.150, 0.148])


@lru_cache(maxsize=64)
def dressed_mesh(shape: BodyShape, look: DancerLook) -> Mesh:
    """The clothed dancer at rest."""
    rest = measures(shape)
    tubes = [*body_tubes(shape), *_locks(rest, look), *_brim(rest, look)]
    if look.skirt:
        tubes.append(_skirt(shape, rest, look))
    return build_mesh(tubes, partial(_padding, rest=rest, look=look))


def _ramp(value: np.ndarray, width: float) -> np.ndarray:
    return np.clip(value / width + 0.5, 0.0, 1.0)


def _padding(tube: Tube, rest: Measures, look: DancerLook) -> np.ndarray:
    points = tube.points()
    if tube.kind == TRUNK:
        height = tube.centres[:, 1] / rest.scale
        top = look.top.loose * _ramp(height - look.hem, 0.02) * _ramp(0.50 - height, 0.03)
        bottom = min(look.bottom.loose, 0.015) * _ramp(WAISTBAND - height, 0.02)
        return np.maximum(top, bottom)[:, None] * np.ones(SEGMENTS)
    if tube.kind == ARM:
        share = arm_share(tube.centres, rest)
        worn = look.top.loose * (0.8 + 0.6 * np.clip(share, 0, 1)) * _ramp(look.sleeve - share, 0.05)
        return worn[:, None] * np.ones(SEGMENTS)
    if tube.kind == LEG:
        share = leg_share(tube.centres, rest)
        flare = 0.5 + 0.9 * np.clip(share, 0, 1)
        bottom = look.bottom.loose * flare * _ramp(look.leg_cover - share, 0.04)
        top = (look.top.loose + 0.004) * _ramp(tube.centres[:, 1] / rest.scale - look.hem, 0.02) * (look.skirt == 0)
        return np.maximum(bottom, top)[:, None] * np.ones(SEGMENTS)
    if tube.kind == SKULL:
        volume = VOLUME[look.hair_style] if look.cap == "none" else 0.012
        return volume * np.clip(hairline(points, rest) / (0.02 + volume), 0.0, 1.0)
    if tube.kind == TOES:
        return np.full(points.shape[:2], 0.007)
    return np.zeros(points.shape[:2])


def _skirt(shape: BodyShape, rest: Measures, look: DancerLook) -> Tube:
    at = np.linspace(WAISTBAND, -look.skirt, 10)
    drop = np.clip(-at / max(look.skirt, 0.1), -1.0, 1.0)
    wide = np.interp(at, [-0.06, 0.0, 0.06, WAISTBAND], [0.196, 0.188, 0.172, 0.150])
    wide = (wide + look.bottom.loose * np.maximum(drop, 0)) * (1 + 0.04 * shape.hips + 0.05 * shape.girth)
    deep = wide * np.interp(drop, [-1, 0, 1], [0.74, 0.76, 0.86])
    centres = np.zeros((len(at), 3))
    centres[:, 1] = at * rest.scale
    centres[:, 2] = -0.008
    pelvis = np.interp(at, [-0.35, -0.02], [0.2, 1.0])[:, None]
    left = 0.5 + 0.5 * np.tanh(1.6 * np.cos(TURN))
    weights = np.zeros((len(at), SEGMENTS, BONES))
    weights[..., PELVIS] = pelvis
    weights[..., THIGH[1]] = (1 - pelvis) * left
    weights[..., THIGH[0]] = (1 - pelvis) * (1 - left)
    high = np.clip((at - 0.05) / 0.08, 0, 1)[:, None]
    weights *= 1 - high[..., None]
    weights[..., WAIST] += high
    return _worn(SKIRT, centres, rest.scale * np.stack([wide, deep], axis=1), weights)


def _locks(rest: Measures, look: DancerLook) -> list[Tube]:
    """Hair that hangs or stands on its own, in sizes of an average head: rows of height, z, half width, half depth."""
    if look.hair_style == "bob":
        rows = [(0.15, -0.03, 0.05, 0.05), (0.09, -0.035, 0.086, 0.075), (0.02, -0.032, 0.092, 0.072),
                (-0.03, -0.030, 0.086, 0.064), (-0.05, -0.030, 0.07, 0.05)]  # fmt: skip
    elif look.hair_style == "long":
        rows = [(0.15, -0.03, 0.05, 0.05), (0.08, -0.045, 0.084, 0.066), (0.0, -0.06, 0.088, 0.052),
                (-0.08, -0.085, 0.092, 0.038), (-0.17, -0.105, 0.09, 0.030), (-0.25, -0.11, 0.07, 0.022),
                (-0.28, -0.11, 0.03, 0.01)]  # fmt: skip
    elif look.hair_style == "ponytail":
        rows = [(0.155, -0.085, 0.012, 0.012), (0.15, -0.105, 0.022, 0.022), (0.12, -0.135, 0.03, 0.027),
                (0.05, -0.145, 0.032, 0.027), (-0.04, -0.14, 0.028, 0.024), (-0.12, -0.135, 0.018, 0.015),
                (-0.16, -0.13, 0.004, 0.004)]  # fmt: skip
    elif look.hair_style == "bun":
        turn = np.linspace(0.08, np.pi - 0.08, 7)
        rows = [(0.165 + 0.042 * np.cos(t), -0.085, 0.042 * np.sin(t), 0.042 * np.sin(t)) for t in turn]
    else:
        return []
    if look.cap != "none":
        rows = [row for row in rows if row[0] < 0.1]
    if not rows:
        return []
    height, z, wide, deep = np.array(rows).T * rest.head
    centres = rest.origins[HEAD] + np.stack([0 * height, height, z], axis=1)
    weights = np.zeros((len(rows), BONES))
    weights[:, HEAD] = np.clip(1 + (height + 0.02) / 0.25, 0.15, 1.0)
    weights[:, NECK] = 0.4 * (1 - weights[:, HEAD])
    weights[:, CHEST] = 0.6 * (1 - weights[:, HEAD])
    return [_worn(LOCKS, centres, np.stack([wide, deep], axis=1), weights)]


def _brim(rest: Measures, look: DancerLook) -> list[Tube]:
    if look.cap != "cap":
        return []
    z = np.array([0.05, 0.09, 0.13, 0.165, 0.185]) * rest.head
    centres = rest.origins[HEAD] + np.stack([0 * z, 0.132 * rest.head - 0.18 * (z - 0.05), z], axis=1)
    radii = rest.head * np.array([[0.07, 0.008], [0.08, 0.006], [0.074, 0.005], [0.055, 0.005], [0.02, 0.003]])
    weights = np.zeros((len(z), BONES))
    weights[:, HEAD] = 1.0
    return [_worn(BRIM, centres, radii, weights, flat=True)]


def _worn(kind: int, centres: np.ndarray, radii: np.ndarray, weights: np.ndarray, flat: bool = False) -> Tube:
    bands = len(centres) - 1
    nothing = np.zeros((bands, 2))
    return Tube(kind, 0, centres, radii, weights, nothing.astype(int), nothing, flat=flat)
