"""What stands beside the road: buildings, walls, fences, trees, lamps, signs and traffic lights."""

from __future__ import annotations

import numpy as np

from benchmark.data.procedural.street_mesh import CIRCLE, MeshBuilder, Span
from benchmark.data.procedural.street_types import Material

EDGE = 40.0  # how far back (m) a block reaches from the street


def building(build: MeshBuilder, x: float, z: float, length: float, height: float, tint: float, awning: float) -> None:
    """A block whose facade stands at `x`, `length` metres along the street; `awning` > 0 hangs over a shop."""
    sign = np.sign(x)
    back = sign * EDGE
    build.thing("building", x, z, length, height, shadow=(tuple(sorted((0.0, sign * 18.0))), (0.0, length)))
    ends = tuple(sorted((0.0, back)))
    build.face(_end(ends, height, 0.0), Material.FACADE, tint, (0, 0, -1))
    build.side(0.0, (0.0, height), (0.0, length), Material.FACADE, tint)
    for low, high, out in ((height - 0.5, height, 0.35), (3.3, 3.6, 0.15)):  # cornice, and a ledge over the shops
        edge = -sign * out
        build.side(edge, (low, high), (-0.1, length), Material.BRICK, tint)
        build.face(_end(tuple(sorted((edge, 0.0))), high, -0.1, low), Material.BRICK, tint, (0, 0, -1))
    if awning > 0:
        near, far = 0.15 * length, (0.15 + 0.6 * awning) * length
        lip = -sign * 1.3
        corners = np.array([(0.0, 3.1, near), (0.0, 3.1, far), (lip, 2.5, far), (lip, 2.5, near)])
        build.face(corners, Material.CLOTH, tint * 9.1 % 1.0, (-sign, 0.3, 0))
        build.face(np.array([(0.0, 3.1, near), (lip, 2.5, near), (0.0, 2.5, near)]), Material.CLOTH, tint * 9.1 % 1.0)


def _end(x: Span, high: float, z: float, low: float = 0.0) -> np.ndarray:
    return np.array([(x[0], low, z), (x[1], low, z), (x[1], high, z), (x[0], high, z)])


def wall(build: MeshBuilder, x: float, z: float, length: float, height: float, tint: float) -> None:
    """A masonry wall along the street."""
    build.thing("wall", x, z, length, height, shadow=((-0.15, 0.15), (0.0, length)))
    build.box((-0.15, 0.15), (0.0, height), (0.0, length), Material.BRICK, tint)
    build.box((-0.22, 0.22), (height, height + 0.12), (0.0, length), Material.BRICK, (tint + 0.3) % 1.0)


def fence(build: MeshBuilder, x: float, z: float, length: float, height: float, tint: float) -> None:
    """A railing along the street; what shows between its bars counts as fence, as annotators have it."""
    build.thing("fence", x, z, length, height, shadow=((-0.05, 0.05), (0.0, length)))
    build.side(0.0, (0.0, height), (0.0, length), Material.FENCE, tint)
    build.rectangle((-0.06, 0.06), (0.0, height + 0.1), Material.METAL, tint)


def tree(build: MeshBuilder, x: float, z: float, height: float, tint: float, rng: np.random.Generator) -> None:
    """Trunk and a crown of leafy lumps."""
    spread = rng.uniform(0.24, 0.36) * height
    wide = 0.3 * spread
    build.thing("vegetation", x, z, 2 * spread, height, shadow=((-spread * 0.8, spread * 0.8), (-spread, spread)))
    fork = 0.62 * height
    trunk = [
        (-0.16, 0),
        (0.16, 0),
        (0.1, 0.5 * height),
        (wide, fork),
        (0, 0.9 * fork),
        (-wide, fork),
        (-0.09, 0.5 * height),
    ]
    build.card(np.array(trunk), Material.BARK, tint)
    middle = 0.66 * height
    count = 7
    for i in range(count):
        angle = 2 * np.pi * (i + rng.uniform(-0.3, 0.3)) / (count - 1)
        out = 0.0 if i == count - 1 else 0.55
        centre = (out * spread * np.cos(angle), middle + out * 0.27 * height * np.sin(angle))
        lump(build, centre, rng.uniform(0.48, 0.62) * spread * (1.25 if out == 0 else 1.0), tint, rng)


def lump(build: MeshBuilder, centre: Span, radius: float, tint: float, rng: np.random.Generator) -> None:
    """One cluster of leaves: a ragged disc."""
    turn = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    ragged = radius * (1.0 + rng.uniform(-0.13, 0.13, len(turn)))[:, None]
    outline = np.asarray(centre) + np.column_stack([np.cos(turn), 0.9 * np.sin(turn)]) * ragged
    build.card(outline, Material.LEAVES, (tint + rng.uniform(0, 0.12)) % 1.0)


def hedge(build: MeshBuilder, x: float, z: float, length: float, height: float, tint: float, rng) -> None:
    """A row of bushes."""
    build.thing("vegetation", x, z, 1.6, height, shadow=((-0.7, 0.7), (0.0, length)))
    for along in np.arange(length, -0.01, -1.3):
        size = height * rng.uniform(0.5, 0.62)
        outline = CIRCLE * [size * 1.15, size] * (1 + rng.uniform(-0.12, 0.12, len(CIRCLE)))[:, None]
        outline[:, 0] += rng.uniform(-0.2, 0.2)
        outline[:, 1] = np.maximum(outline[:, 1] + 0.8 * size, 0.0)
        build.card(outline, Material.LEAVES, tint, z=float(along))


def lamp_post(build: MeshBuilder, x: float, z: float, height: float) -> None:
    """A street lamp whose arm reaches over the road."""
    inward = -np.sign(x)
    build.thing("pole", x, z, 0.2, height, shadow=((-0.07, 0.07), (-0.07, 0.07)))
    build.rectangle((-0.1, 0.1), (0.0, 1.0), Material.METAL, 0.3)
    build.rectangle((-0.065, 0.065), (1.0, height), Material.METAL, 0.3)
    start, end = inward * 1.35, inward * 2.3
    arm = [(0.0, -0.06), (inward * 1.9, 0.3), (inward * 1.9, 0.42), (0.0, 0.08)]
    shade, bulb = (
        [(start, 0.22), (end, 0.28), (end, 0.44), (start, 0.44)],
        [(start, 0.16), (end, 0.2), (end, 0.3), (start, 0.26)],
    )
    for outline, material, tint in (
        (arm, Material.METAL, 0.3),
        (shade, Material.METAL, 0.5),
        (bulb, Material.LAMP, 0.0),
    ):
        build.card(np.add(outline, (0.0, height)), material, tint)
    build.lamp(inward * 1.8, height + 0.2, 0.0)


def post(build: MeshBuilder, x: float, z: float, height: float, tint: float = 0.6) -> None:
    """A bare post: bollards and what carries signs and lights."""
    build.thing("pole", x, z, 0.12, height, shadow=((-0.05, 0.05), (-0.05, 0.05)))
    build.rectangle((-0.06, 0.06), (0.0, height), Material.METAL, tint)


SIGNS = ("stop", "yield", "limit", "parking", "priority", "direction")


def sign(build: MeshBuilder, x: float, z: float, kind: str) -> None:
    """A traffic sign on its post."""
    top = 3.2 if kind == "direction" else 2.5
    post(build, x, z, top)
    build.thing("traffic sign", x, z - 0.08, 0.8, top + 0.5)
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False) + np.pi / 8
    shapes = {
        "stop": np.column_stack([np.cos(turn), np.sin(turn)]) * 0.42,
        "yield": np.array([(-0.45, 0.36), (0.45, 0.36), (0.0, -0.42)]),
        "limit": CIRCLE * 0.4,
        "parking": np.array([(-0.34, -0.34), (0.34, -0.34), (0.34, 0.34), (-0.34, 0.34)]),
        "priority": np.array([(0.0, -0.46), (0.46, 0.0), (0.0, 0.46), (-0.46, 0.0)]),
        "direction": np.array([(-1.1, -0.4), (1.1, -0.4), (1.1, 0.4), (-1.1, 0.4)]),
    }
    back, front = {
        "stop": (0.05, 0.25), "yield": (0.25, 0.05), "limit": (0.25, 0.05), "parking": (0.05, 0.45),
        "priority": (0.05, 0.65), "direction": (0.05, 0.85),
    }[kind]  # fmt: skip
    outline, centre = shapes[kind], np.array([0.0, top])
    build.card(centre + outline, Material.SIGN, back)
    build.card(centre + outline * (0.9 if kind in ("stop", "parking", "direction") else 0.72), Material.SIGN, front)
    if kind == "stop":
        build.rectangle((-0.26, 0.26), (top - 0.08, top + 0.08), Material.SIGN, 0.05)
    if kind == "parking":
        build.rectangle((-0.12, -0.03), (top - 0.2, top + 0.2), Material.SIGN, 0.05)
        build.rectangle((-0.03, 0.13), (top, top + 0.2), Material.SIGN, 0.05)
    if kind == "direction":
        for row in (-0.16, 0.12):
            build.rectangle((-0.8, 0.6), (top + row - 0.05, top + row + 0.05), Material.SIGN, 0.05)


def traffic_light(build: MeshBuilder, x: float, z: float, state: int, overhead: float) -> None:
    """A signal on a post, and one `overhead` metres over the road (0: none). `state`: 0 red, 1 amber, 2 green."""
    inward = -np.sign(x)
    height = 5.6 if overhead else 3.0
    post(build, x, z, height, 0.2)
    heads = [(0.0, 2.2)]
    if overhead:
        ends = (0.0, inward * overhead)
        build.rectangle((min(ends), max(ends)), (height - 0.12, height), Material.METAL, 0.2)
        heads.append((inward * overhead, height - 0.6))
    build.thing("traffic light", x, z - 0.1, 0.5, height)
    for across, low in heads:
        build.rectangle((across - 0.24, across + 0.24), (low, low + 1.25), Material.RUBBER, 0.0)
        for lamp in range(3):
            tint = (0.05, 0.3, 0.8)[lamp] if lamp == state else 0.95
            build.disc((across, low + 1.02 - 0.4 * lamp), (0.16, 0.16), Material.SIGNAL, tint)
