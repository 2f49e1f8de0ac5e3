"""People in the street: cards with head, trunk, arms and legs in mid-stride, upright or on a saddle."""

from __future__ import annotations

import numpy as np

from benchmark.data.procedural.street_mesh import MeshBuilder
from benchmark.data.procedural.street_types import Material


def person(build: MeshBuilder, x: float, z: float, velocity, y: float, height: float, tint: float, stride: float):
    """Someone on foot; `stride` from -1 to 1 is how far the legs are apart and which way the person looks to go."""
    build.thing("person", x, z, 0.32 * height, height, y=y, velocity=velocity, shadow=((-0.22, 0.22), (-0.15, 0.15)))
    body(build, height, tint, stride)


def body(
    build: MeshBuilder, height: float, tint: float, stride: float, squeeze: float = 1.0, seat: float | None = None
) -> None:
    """Draw a body with its feet at the foot of the current thing; with `seat` (metres) it sits at that height."""
    unit = height / 1.75
    cloth, trousers, skin = tint, (tint * 3.7 + 0.31) % 1.0, (tint * 11.3) % 1.0
    hip = 0.86 * unit if seat is None else seat
    shoulder = hip + 0.56 * unit
    lean = 0.0 if seat is None else 0.22 * np.sign(squeeze) * abs(squeeze)

    def limb(points, widths, material: Material, colour: float) -> None:
        build.card(_tapered(np.array(points, float), np.array(widths, float) * unit), material, colour)

    reach = stride * 0.3 * unit * squeeze
    if seat is None:
        for sign in (-1.0, 1.0):
            foot = sign * (reach + np.copysign(0.07, reach) * unit)
            knee = 0.45 * foot + 0.05 * reach
            limb([(sign * 0.07 * unit, hip + 0.05), (knee, 0.46 * unit), (foot, 0.06)], [0.17, 0.13, 0.09],
                 Material.CLOTH, trousers)  # fmt: skip
            limb([(foot - 0.05, 0.04), (foot + 0.1 * np.copysign(1, stride), 0.04)], [0.09, 0.07], Material.RUBBER, 0)
    else:
        for sign, drop in ((-1.0, 0.3), (1.0, 0.14)):
            knee = np.array([sign * 0.09 + 0.34 * squeeze, hip - 0.2 + 0.1 * sign])
            limb(
                [(sign * 0.06, hip), knee, (knee[0] - 0.12 * squeeze, drop)],
                [0.17, 0.13, 0.1],
                Material.CLOTH,
                trousers,
            )
    back = _arm(shoulder, lean, -1.0, reach, hip, seat, squeeze, unit)
    limb(back, [0.11, 0.09, 0.07], Material.CLOTH, cloth)
    trunk = [(-0.15, hip - 0.04), (0.15, hip - 0.04), (0.17 + lean, hip + 0.3 * unit), (0.22 + lean, shoulder - 0.06),
             (0.1 + lean, shoulder + 0.02), (-0.1 + lean, shoulder + 0.02), (-0.22 + lean, shoulder - 0.06),
             (-0.17 + lean, hip + 0.3 * unit)]  # fmt: skip
    build.card(np.array(trunk) * [unit, 1.0], Material.CLOTH, cloth)
    build.rectangle((lean - 0.05, lean + 0.05), (shoulder - 0.02, shoulder + 0.1), Material.SKIN, skin)
    head = shoulder + 0.2 * unit
    look = 0.04 * np.copysign(1.0, stride)
    build.disc((1.15 * lean, head), (0.1 * unit, 0.125 * unit), Material.SKIN, skin)
    cap = Material.HAIR if seat is None else Material.CLOTH  # riders wear helmets
    build.card(np.array([1.15 * lean - look * 0.6, head + 0.035]) + _CAP * unit, cap, (tint * 7.9 + 0.2) % 1.0)
    front = _arm(shoulder, lean, 1.0, reach, hip, seat, squeeze, unit)
    limb(front, [0.11, 0.09, 0.07], Material.CLOTH, cloth)
    build.disc(front[-1], (0.045 * unit, 0.05 * unit), Material.SKIN, skin)


_TURN = np.linspace(-0.15, np.pi + 0.15, 9)
_CAP = np.column_stack([0.112 * np.cos(_TURN), 0.125 * np.sin(_TURN) - 0.02])


def _arm(shoulder: float, lean: float, side: float, reach: float, hip: float, seat, squeeze: float, unit: float):
    root = (side * 0.2 * unit + lean, shoulder - 0.08)
    if seat is None:
        swing = -side * 0.7 * reach
        return [
            root,
            (side * 0.25 * unit + 0.4 * swing, 0.5 * (shoulder + hip)),
            (side * 0.22 * unit + swing, hip - 0.04),
        ]
    return [
        root,
        (side * 0.26 * unit + lean + 0.1 * squeeze, shoulder - 0.34),
        (0.44 * squeeze + side * 0.16, hip + 0.2),
    ]


def _tapered(points: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Outline of a bent limb through (N, 2)."""
    along = np.gradient(points, axis=0)
    across = along[:, ::-1] * [-1.0, 1.0]
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-6
    half = across * (widths / 2)[:, None]
    return np.concatenate([points + half, (points - half)[::-1]])
