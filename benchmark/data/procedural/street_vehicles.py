"""Cars, lorries, buses, trams and cycles. A vehicle's foot is the middle of its near end; `away`: it drives from us."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchmark.data.procedural.street_mesh import CIRCLE, MeshBuilder, Span
from benchmark.data.procedural.street_people import body
from benchmark.data.procedural.street_types import Material

# outlines from the rear bumper (z = 0) over the roof to the front (z = 1): share of the length, share of the height,
# whether the face from this point to the next is glass
Profile = tuple[tuple[float, float, bool], ...]
CAR_PROFILES: dict[str, Profile] = {
    "saloon": ((0.0, 0.2, False), (0.0, 0.62, False), (0.14, 0.66, True), (0.28, 0.98, False), (0.55, 1.0, True),
               (0.72, 0.66, False), (0.98, 0.54, False), (1.0, 0.2, False)),
    "hatchback": ((0.0, 0.2, False), (0.0, 0.6, True), (0.1, 0.96, False), (0.5, 1.0, True), (0.72, 0.62, False),
                  (0.98, 0.5, False), (1.0, 0.2, False)),
    "estate": ((0.0, 0.22, False), (0.0, 0.58, True), (0.06, 0.96, False), (0.56, 1.0, True), (0.72, 0.62, False),
               (0.98, 0.54, False), (1.0, 0.22, False)),
    "van": ((0.0, 0.16, False), (0.0, 0.55, True), (0.02, 0.95, False), (0.7, 1.0, True), (0.86, 0.58, False),
            (1.0, 0.45, False), (1.0, 0.16, False)),
}  # fmt: skip
CAR_SIZES = {"saloon": (4.6, 1.8, 1.45), "hatchback": (4.0, 1.75, 1.5), "estate": (4.7, 1.9, 1.7), "van": (5.2, 2, 2.1)}
Velocity = tuple[float, float, float]
AHEAD = (0.0, 0.0, 1.0)


def car(build: MeshBuilder, kind: str, x: float, z: float, speed: float, away: bool, tint: float) -> None:
    """One of `CAR_PROFILES`; `speed` in metres per frame along z."""
    length, width, height = CAR_SIZES[kind]
    half = width / 2
    build.thing("car", x, z, width, height, velocity=(0, 0, speed), shadow=((-half, half), (0.1, length - 0.1)))
    outline = [(share * length if away else (1 - share) * length, up * height) for share, up, _ in CAR_PROFILES[kind]]
    glass = [g for _, _, g in CAR_PROFILES[kind]]
    belt = 0.62 * height

    def reach(y: float) -> float:
        """Half the width at a height: the cabin leans inwards."""
        return half * (1.0 - 0.2 * max(0.0, (y - belt) / (height - belt)))

    build.flat((-half, half), 0.16 * height, (0.05, length - 0.05), Material.RUBBER)
    faces = []
    for (z0, y0), (z1, y1), pane in zip(outline, outline[1:], glass, strict=False):
        corners = np.array([(-reach(y0), y0, z0), (reach(y0), y0, z0), (reach(y1), y1, z1), (-reach(y1), y1, z1)])
        turn = 1 if away else -1
        faces.append((max(z0, z1), corners, (0.0, turn * (z1 - z0), turn * (y0 - y1)), pane))
    for _, corners, out, pane in sorted(faces, key=lambda face: -face[0]):
        build.face(corners, Material.PAINT, tint, out)
        if pane:
            middle = corners.mean(axis=0)
            build.face(middle + (corners - middle) * [0.88, 0.86, 0.86], Material.GLASS, tint, out)
    for sign in (-1.0, 1.0):
        _flank(build, outline, glass, sign, reach, tint, belt)
        for share in (0.19, 0.8):
            wheel(build, sign * (half + 0.01), share * length, 0.23 * height + 0.02, sign)
    _lights(build, half, height, away)


def _flank(build: MeshBuilder, outline, glass, sign: float, reach, tint: float, belt: float) -> None:
    """One side: the body below the belt line, the cabin above it, its windows."""
    low = [(z, min(y, belt)) for z, y in outline]
    build.face(np.array([(sign * reach(0), y, z) for z, y in low]), Material.PAINT, tint, (sign, 0, 0))
    first = next(i for i, pane in enumerate(glass) if pane)
    last = len(glass) - 1 - next(i for i, pane in enumerate(reversed(glass)) if pane)
    cabin = np.array([outline[first], outline[first + 1], outline[last], outline[last + 1]])
    build.face(np.array([(sign * reach(y), y, z) for z, y in cabin]), Material.PAINT, tint, (sign, 0, 0.0))
    middle = cabin.mean(axis=0)
    panes = middle + (cabin - middle) * [0.86, 0.74]
    for a, b in ((0.0, 0.48), (0.52, 1.0)):  # two doors
        quad = [
            panes[0] + a * (panes[3] - panes[0]), panes[1] + a * (panes[2] - panes[1]),
            panes[1] + b * (panes[2] - panes[1]), panes[0] + b * (panes[3] - panes[0]),
        ]  # fmt: skip
        corners = np.array([(sign * (reach(y) + 0.01), y, z) for z, y in quad])
        build.face(corners, Material.GLASS, tint, (sign, 0, 0))


def wheel(build: MeshBuilder, x: float, z: float, radius: float, outward: float) -> None:
    """A wheel in the plane of a vehicle's side."""
    for share, material in ((1.0, Material.RUBBER), (0.55, Material.METAL)):
        turned = CIRCLE * radius * share
        corners = np.column_stack([np.full(len(turned), x), radius + turned[:, 1], z + turned[:, 0]])
        build.face(corners, material, 0.7, (outward, 0, 0))


def _lights(build: MeshBuilder, half: float, height: float, away: bool) -> None:
    """Lamps and plate at the near end: red when the car drives away, white when it comes."""
    lamp = Material.TAILLIGHT if away else Material.HEADLIGHT
    low, high = (0.46, 0.58) if away else (0.36, 0.48)
    for sign in (-1, 1):
        inner, outer = sorted((sign * 0.62 * half, sign * 0.96 * half))
        build.rectangle((inner, outer), (low * height, high * height), lamp, z=-0.02)
    if away:
        build.rectangle((-0.26, 0.26), (0.36 * height, 0.44 * height), Material.SIGN, 0.05, z=-0.02)
    else:
        build.rectangle((-0.45 * half, 0.45 * half), (0.3 * height, 0.42 * height), Material.RUBBER, z=-0.02)
    build.rectangle((-0.95 * half, 0.95 * half), (0.13 * height, 0.24 * height), Material.RUBBER, z=-0.02)


def _coach(
    build: MeshBuilder, width: float, span: Span, z: Span, tint: float, windows: Span | None, doors: int = 0
) -> None:
    """A long body with a band of windows along both sides."""
    half = width / 2
    build.box((-half, half), span, z, Material.COACH, tint)
    if windows is None:
        return
    count = max(2, round((z[1] - z[0]) / 1.6))
    edges = np.linspace(z[0] + 0.2, z[1] - 0.2, count + 1)
    for sign in (-1.0, 1.0):
        for i, (a, b) in enumerate(pairwise(edges.tolist())):
            foot = span[0] + 0.25 if doors and i % (count // doors + 1) == count // (2 * doors) else windows[0]
            build.side(sign * (half + 0.01), (foot, windows[1]), (a + 0.08, b - 0.08), Material.GLASS, tint, sign)


def lorry(build: MeshBuilder, x: float, z: float, speed: float, away: bool, tint: float, length: float = 8.0) -> None:
    """A cab and a box body."""
    half = 1.2
    build.thing("truck", x, z, 2.4, 3.4, velocity=(0, 0, speed), shadow=((-half, half), (0, length)))
    build.flat((-half, half), 0.5, (0, length), Material.RUBBER)
    cab, box = ((length - 2.1, length), (0.0, length - 2.3)) if away else ((0.0, 2.1), (2.3, length))

    def draw_cab() -> None:
        build.box((-1.1, 1.1), (0.5, 2.7), cab, Material.PAINT, tint)
        if not away:
            build.rectangle((-0.98, 0.98), (1.6, 2.5), Material.GLASS, z=-0.02)
        for sign in (-1.0, 1.0):
            build.side(sign * 1.11, (1.6, 2.45), (cab[0] + 0.4, cab[1] - 0.4), Material.GLASS, tint, sign)

    def draw_box() -> None:
        _coach(build, 2.4, (0.8, 3.4), box, (tint * 7.3 + 0.4) % 1.0, None)

    for draw in (draw_cab, draw_box) if away else (draw_box, draw_cab):
        draw()
    _big_details(build, half, length, away, (0.14, 0.62, 0.86))


def bus(build: MeshBuilder, x: float, z: float, speed: float, away: bool, tint: float, length: float = 11.0) -> None:
    """A city bus."""
    half = 1.27
    build.thing("bus", x, z, 2.54, 3.1, velocity=(0, 0, speed), shadow=((-half, half), (0, length)))
    _coach(build, 2.54, (0.35, 3.1), (0.0, length), tint, (1.35, 2.55), doors=2)
    build.rectangle((-1.12, 1.12), (1.5 if away else 1.1, 2.6), Material.GLASS, tint, z=-0.02)
    build.rectangle((-0.8, 0.8), (2.68, 2.96), Material.SIGNAL, 0.55, z=-0.03)
    _big_details(build, half, length, away, (0.18, 0.82))


def tram(build: MeshBuilder, x: float, z: float, speed: float, away: bool, tint: float) -> None:
    """Three sections of a tram: the class "train" in a street."""
    sections, half = ((0.0, 8.0), (8.4, 15.6), (16.0, 24.0)), 1.3
    build.thing("train", x, z, 2.6, 3.5, velocity=(0, 0, speed), shadow=((-half, half), (0, 24.0)))
    for part in reversed(sections):
        _coach(build, 2.6, (0.3, 3.3), part, tint, (1.4, 2.6), doors=1)
    build.rectangle((-1.05, 1.05), (1.3, 2.7), Material.GLASS, tint, z=-0.02)
    build.rectangle((-0.7, 0.7), (2.8, 3.1), Material.SIGNAL, 0.55, z=-0.03)
    build.card(np.array([(-0.06, 3.3), (0.06, 3.3), (0.5, 4.0), (0.42, 4.05)]), Material.METAL, 0.2, z=8.0)
    _big_details(build, half, 24.0, away, ())


def _big_details(build: MeshBuilder, half: float, length: float, away: bool, wheels: tuple[float, ...]) -> None:
    for sign in (-1.0, 1.0):
        for share in wheels:
            wheel(build, sign * (half + 0.02), share * length, 0.48, sign)
        lamp = Material.TAILLIGHT if away else Material.HEADLIGHT
        inner, outer = sorted((sign * 0.68 * half, sign * 0.92 * half))
        build.rectangle((inner, outer), (0.62, 0.86), lamp, z=-0.03)
    build.rectangle((-half, half), (0.35, 0.55), Material.RUBBER, z=-0.02)


def cycle(
    build: MeshBuilder, kind: str, x: float, z: float, velocity: Velocity, squeeze: float, tint: float, ridden: bool
) -> None:
    """A "bicycle" or "motorcycle", with its rider as a thing of its own when `ridden`.

    A flat outline seen from the side, squeezed to the width that the angle of view leaves of it.
    """
    motor = kind == "motorcycle"
    radius, apart = (0.32, 0.68) if motor else (0.34, 0.52)
    half = apart * abs(squeeze) + 0.1
    build.thing(kind, x, z, 2 * half, 1.1, velocity=velocity, shadow=((-half, half), (-0.25, 0.25)))

    def across(outline) -> np.ndarray:
        return np.asarray(outline, np.float32) * [squeeze, 1.0]

    for sign in (-1, 1):
        thick = 0.13 if motor else 0.05
        build.ring((sign * apart * squeeze, radius), (max(radius * abs(squeeze), 0.07), radius), thick, Material.RUBBER)
    if motor:
        hull = [(-0.6, 0.5), (-0.72, 0.84), (-0.1, 0.74), (0.3, 0.92), (0.5, 0.62), (0.2, 0.24), (-0.3, 0.24)]
        build.card(across(hull), Material.PAINT, tint)
        build.card(across([(0.3, 0.9), (0.36, 1.12), (0.44, 1.1), (0.72, 0.36), (0.6, 0.32)]), Material.METAL, 0.2)
        lamp = Material.HEADLIGHT if velocity[2] < 0 else Material.TAILLIGHT
        build.disc((0.5 * squeeze, 0.86), (0.1, 0.1), lamp, z=-0.03)
    else:
        bars = ([(-0.52, 0.34), (-0.12, 0.82)], [(-0.52, 0.34), (0.0, 0.3)], [(0.0, 0.3), (-0.16, 0.92)],
                [(0.0, 0.3), (0.4, 0.86)], [(-0.14, 0.8), (0.4, 0.86)], [(0.52, 0.34), (0.38, 1.02)])  # fmt: skip
        for a, b in bars:
            lean = np.array([0.022, 0.022])
            tube = across([a - lean, a + lean, b + lean, b - lean])
            tube[:, 0] += [-0.02, 0.02, 0.02, -0.02]
            build.card(tube, Material.PAINT, tint)
        build.card(across([(-0.3, 0.9), (-0.3, 0.96), (0.0, 0.96), (0.0, 0.92)]), Material.RUBBER)
    if ridden:
        # 1 cm nearer than the cycle, so that it is drawn after it
        build.thing("rider", x, z - 0.01, 2 * half, 1.75, velocity=velocity)
        body(build, 1.72, tint * 5.7 % 1.0, stride=0.25, squeeze=squeeze, seat=0.82)
