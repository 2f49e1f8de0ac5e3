"""The unclothed body as tubes: trunk, head, arms, hands, legs and feet, bound to the bones.

    mesh = body_mesh(shape)                  # what labels are made from

The first of DensePose's two numbers is the back half of a limb or of the trunk and the second the front half; on the
head they are the right and the left half. U runs around the half, V along the tube (a limb's two bones have V from 0
to 1 each).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator

from benchmark.data.procedural.dance_mesh import ARM, LEG, PALM, SKULL, TOES, TRUNK, Mesh, Tube, build_mesh
from benchmark.data.procedural.dance_skeleton import (
    BONES,
    CHEST,
    FOOT,
    FOREARM,
    HAND,
    HEAD,
    NECK,
    PELVIS,
    SHIN,
    THIGH,
    UPPER_ARM,
    WAIST,
    Measures,
    measures,
)
from benchmark.data.procedural.dance_types import BodyShape


@lru_cache(maxsize=64)
def body_tubes(shape: BodyShape) -> tuple[Tube, ...]:
    """The unclothed body of a build."""
    rest = measures(shape)
    pairs = [maker(shape, rest, side) for side in (0, 1) for maker in (_arm, _palm, _leg, _foot)]
    return (_trunk(shape, rest), _skull(rest), *pairs)


@lru_cache(maxsize=64)
def body_mesh(shape: BodyShape) -> Mesh:
    """The unclothed body at rest: what labels are made from."""
    return build_mesh(list(body_tubes(shape)))


def _smooth(table: Sequence[tuple[float, ...]], at: np.ndarray) -> np.ndarray:
    """Columns 1.. of a table as smooth functions of column 0: (len(at), columns)."""
    knots = np.array(table)
    return PchipInterpolator(knots[:, 0], knots[:, 1:])(at)


def _blend(bones: tuple[int, ...], ends: tuple[float, ...], at: np.ndarray, width: float) -> np.ndarray:
    """Shares (R, 17) of bones that follow one another along `at`, each handing over around its end."""
    weights = np.zeros((len(at), BONES))
    left = np.ones(len(at))
    for bone, end in zip(bones, (*ends, None), strict=True):
        late = 0.0 if end is None else np.clip((at - end) / (2 * width) + 0.5, 0.0, 1.0)
        late = late * late * (3.0 - 2.0 * late)
        weights[:, bone] += left * (1.0 - late)
        left = left * late
    return weights


def _numbers(back: int, front: int, bands: int) -> np.ndarray:
    return np.tile([back, front], (bands, 1))


def _share(at: np.ndarray) -> np.ndarray:
    """V of each band's two edges, from 0 to 1 along the tube: (R - 1, 2)."""
    share = (at - at[0]) / (at[-1] - at[0])
    return np.stack([share[:-1], share[1:]], axis=1)


# height over the hip joints, half width, half depth, middle's z: an average trunk from the crotch to the shoulders
_TRUNK_TABLE = [
    (-0.115, 0.030, 0.040, -0.005), (-0.100, 0.080, 0.075, -0.005), (-0.070, 0.140, 0.105, -0.012),
    (-0.020, 0.166, 0.118, -0.016), (0.040, 0.160, 0.112, -0.010), (0.100, 0.140, 0.099, 0.000),
    (0.160, 0.127, 0.091, 0.006), (0.220, 0.132, 0.094, 0.004), (0.300, 0.148, 0.106, 0.004),
    (0.370, 0.160, 0.112, 0.000), (0.425, 0.164, 0.105, -0.006), (0.465, 0.148, 0.088, -0.012),
    (0.495, 0.105, 0.070, -0.014), (0.520, 0.064, 0.058, -0.012), (0.550, 0.054, 0.055, -0.008),
    (0.620, 0.052, 0.055, 0.004),
]  # fmt: skip


def _trunk(shape: BodyShape, rest: Measures) -> Tube:
    at = np.linspace(0.61, -0.115, 22)
    table = _smooth(_TRUNK_TABLE, at)
    fat = 1.0 + 0.07 * shape.girth * np.exp(-(((at - 0.12) / 0.2) ** 2)) + 0.03 * shape.girth
    hips, chest = np.exp(-(((at + 0.03) / 0.12) ** 2)), np.exp(-(((at - 0.40) / 0.13) ** 2))
    wide = table[:, 0] * fat * (1 + 0.055 * shape.hips * hips + (0.06 * shape.shoulders + 0.02 * shape.muscle) * chest)
    bust = max(shape.bust, 0.0) * np.exp(-(((at - 0.335) / 0.05) ** 2))
    deep = table[:, 1] * fat * (1 + 0.03 * shape.muscle * chest) + 0.012 * bust
    centres = np.zeros((len(at), 3))
    centres[:, 1] = at * rest.origins[NECK, 1] / 0.51
    centres[:, 2] = (table[:, 2] + 0.012 * bust) * rest.scale
    ends = (0.10, 0.26, 0.50)
    weights = _blend((NECK, CHEST, WAIST, PELVIS), tuple(-e for e in ends[::-1]), -at, 0.06)
    parts = np.where((at[:-1] > 0.525)[:, None], [23, 24], [1, 2])
    along = _share(at)
    return Tube(TRUNK, 0, centres, rest.scale * np.stack([wide, deep], 1), weights, parts, along, square=0.86)


# height over the head bone, half width, half depth, middle's z
_SKULL_TABLE = [
    (-0.036, 0.008, 0.010, 0.062), (-0.030, 0.028, 0.030, 0.052), (-0.012, 0.046, 0.058, 0.036),
    (0.020, 0.060, 0.082, 0.016), (0.060, 0.068, 0.092, 0.010), (0.100, 0.073, 0.098, 0.002),
    (0.140, 0.072, 0.096, -0.003), (0.175, 0.058, 0.076, -0.006), (0.195, 0.036, 0.046, -0.008),
    (0.204, 0.010, 0.012, -0.008),
]  # fmt: skip


def _skull(rest: Measures) -> Tube:
    at = np.array(
        [0.204, 0.199, 0.188, 0.172, 0.15, 0.125, 0.1, 0.075, 0.052, 0.03, 0.01, -0.01, -0.024, -0.032, -0.036]
    )
    table = _smooth(_SKULL_TABLE, at) * rest.head
    centres = np.zeros((len(at), 3))
    centres[:, 1] = rest.origins[HEAD, 1] + at * rest.head
    centres[:, 2] = table[:, 2]
    weights = np.zeros((len(at), BONES))
    weights[:, HEAD] = 1.0
    return Tube(SKULL, 0, centres, table[:, :2], weights, _numbers(23, 24, len(at) - 1), _share(at))


# share of the way from shoulder to wrist, half width, half depth
_ARM_TABLE = [
    (-0.115, 0.006, 0.008), (-0.100, 0.030, 0.032), (-0.050, 0.047, 0.049), (0.050, 0.053, 0.055),
    (0.180, 0.045, 0.050), (0.350, 0.040, 0.045), (0.480, 0.035, 0.038), (0.540, 0.035, 0.037), (0.630, 0.037, 0.039),
    (0.780, 0.031, 0.032), (0.930, 0.025, 0.023), (1.030, 0.025, 0.019),
]  # fmt: skip


def _arm(shape: BodyShape, rest: Measures, side: int) -> Tube:
    upper, fore, hand = UPPER_ARM[side], FOREARM[side], HAND[side]
    at = np.array([-0.115, -0.1, -0.06, 0.0, 0.08, 0.17, 0.27, 0.37, 0.44, 0.5, 0.56, 0.63, 0.72, 0.82, 0.92, 1.03])
    thick = rest.scale * (1.0 + 0.07 * shape.girth + 0.05 * shape.muscle)
    top, elbow, wrist = rest.origins[upper], rest.origins[fore], rest.origins[hand]
    centres = top + at[:, None] * (wrist - top)
    joint = (top[1] - elbow[1]) / (top[1] - wrist[1])
    weights = _blend((upper, fore, hand), (joint, 1.0), at, 0.09)
    parts = np.where((at[:-1] < 0.52)[:, None], [[16, 18], [15, 17]][side], [[20, 22], [19, 21]][side])
    return Tube(ARM, side, centres, thick * _smooth(_ARM_TABLE, at), weights, parts, _halves(at, 0.5))


def _halves(at: np.ndarray, joint: float) -> np.ndarray:
    """V of a limb's bands: 0 to 1 down to the joint, and again below it."""
    upper, lower = (at - at[0]) / (joint - at[0]), (at - joint) / (at[-1] - joint)
    share = np.stack([at[:-1], at[1:]], axis=1)
    first = (at[:-1] < joint)[:, None]
    both = np.where(first, np.interp(share, at, upper), np.interp(share, at, lower))
    return np.clip(both, 0.0, 1.0)


# metres from the wrist, half thickness, half breadth
_PALM_TABLE = [
    (-0.015, 0.021, 0.022), (0.010, 0.020, 0.025), (0.045, 0.016, 0.040), (0.085, 0.014, 0.041), (0.125, 0.011, 0.034),
    (0.160, 0.009, 0.023), (0.178, 0.004, 0.008),
]  # fmt: skip


def _palm(shape: BodyShape, rest: Measures, side: int) -> Tube:
    at = np.array([-0.015, 0.01, 0.04, 0.065, 0.09, 0.12, 0.15, 0.17, 0.178])
    centres = rest.origins[HAND[side]] - np.outer(at, [0, rest.scale, 0])
    centres[:, 2] += 0.006 * np.exp(-(((at - 0.05) / 0.03) ** 2))  # the ball of the thumb
    weights = np.zeros((len(at), BONES))
    weights[:, HAND[side]] = 1.0
    number = 3 + side
    radii = rest.scale * _smooth(_PALM_TABLE, at)
    return Tube(PALM, side, centres, radii, weights, _numbers(number, number, len(at) - 1), _share(at))


# share of the way from hip to ankle, half width, half depth, middle's z
_LEG_TABLE = [
    (-0.080, 0.030, 0.040, -0.010), (-0.060, 0.060, 0.070, -0.012), (-0.010, 0.082, 0.094, -0.012),
    (0.070, 0.086, 0.095, -0.006), (0.200, 0.078, 0.085, 0.004), (0.350, 0.065, 0.071, 0.006),
    (0.460, 0.054, 0.059, 0.004), (0.520, 0.051, 0.057, 0.002), (0.580, 0.050, 0.056, -0.006),
    (0.680, 0.053, 0.059, -0.017), (0.780, 0.046, 0.051, -0.014), (0.880, 0.036, 0.039, -0.009),
    (0.960, 0.032, 0.036, -0.006), (1.020, 0.033, 0.040, -0.004),
]  # fmt: skip


def _leg(shape: BodyShape, rest: Measures, side: int) -> Tube:
    thigh, shin, foot = THIGH[side], SHIN[side], FOOT[side]
    at = np.array(
        [-0.08, -0.06, -0.02, 0.05, 0.12, 0.2, 0.28, 0.36, 0.43, 0.49, 0.54, 0.6, 0.67, 0.74, 0.81, 0.88, 0.95, 1.02]
    )
    table = _smooth(_LEG_TABLE, at)
    fleshy = np.clip(1.0 - 1.2 * at, 0.25, 1.0)
    thick = rest.scale * (1.0 + fleshy * (0.07 * shape.girth + 0.03 * shape.hips) + 0.035 * shape.muscle)
    top, knee, ankle = rest.origins[thigh], rest.origins[shin], rest.origins[foot]
    centres = top + at[:, None] * (ankle - top)
    centres[:, 2] += rest.scale * table[:, 2]
    joint = (top[1] - knee[1]) / (top[1] - ankle[1])
    weights = _blend((PELVIS, thigh, shin, foot), (-0.03, joint, 1.03), at, 0.06)
    parts = np.where((at[:-1] < 0.52)[:, None], [[7, 9], [8, 10]][side], [[11, 13], [12, 14]][side])
    return Tube(LEG, side, centres, thick[:, None] * table[:, :2], weights, parts, _halves(at, 0.515))


# metres in front of the ankle, half width, half height, middle's height over the ankle
_FOOT_TABLE = [
    (-0.062, 0.006, 0.010, -0.052), (-0.054, 0.024, 0.030, -0.046), (-0.020, 0.033, 0.050, -0.028),
    (0.030, 0.036, 0.046, -0.032), (0.080, 0.041, 0.032, -0.046), (0.130, 0.044, 0.023, -0.055),
    (0.170, 0.038, 0.018, -0.060), (0.192, 0.022, 0.012, -0.064), (0.200, 0.004, 0.004, -0.068),
]  # fmt: skip


def _foot(shape: BodyShape, rest: Measures, side: int) -> Tube:
    at = np.array([-0.062, -0.054, -0.035, -0.01, 0.025, 0.06, 0.095, 0.13, 0.16, 0.182, 0.195, 0.2])
    table = rest.scale * _smooth(_FOOT_TABLE, at)
    centres = np.repeat(rest.origins[FOOT[side]][None], len(at), axis=0)
    centres[:, 1] += table[:, 2]
    centres[:, 2] += rest.scale * at
    weights = np.zeros((len(at), BONES))
    weights[:, FOOT[side]] = 1.0
    number = 6 - side
    parts = _numbers(number, number, len(at) - 1)
    return Tube(TOES, side, centres, table[:, :2], weights, parts, _share(at), flat=True)
