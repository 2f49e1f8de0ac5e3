"""Builds a `Mesh` thing by thing, the faces of each in the order of drawing.

builder = MeshBuilder()
builder.thing("car", x=3.2, z=20.0, width=1.8, height=1.5, velocity=(0, 0, 0.5))
builder.box((-0.9, 0.9), (0.2, 1.5), (0.0, 4.2), Material.PAINT, tint=0.3)      # relative to the thing's foot
mesh = builder.build()
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from benchmark.data.procedural.street_types import Material, Mesh
from benchmark.labelers.cityscapes import CLASSES

TO_CAMERA = (0.0, 0.0, -1.0)
COUNTED = frozenset(CLASSES[11:])  # person to bicycle: classes with instances
Span = tuple[float, float]
_ROUND = np.linspace(0, 2 * np.pi, 12, endpoint=False)
CIRCLE = np.column_stack([np.cos(_ROUND), np.sin(_ROUND)])


class MeshBuilder:
    """Collects things and their faces; coordinates are relative to the foot (x, y, z) of the current thing."""

    def __init__(self) -> None:
        self._points: list[np.ndarray] = []
        self._faces: list[tuple] = []  # thing, material, tint, outward x, y, z
        self._things: list[tuple] = []
        self._lamps: list[np.ndarray] = []
        self._counts: Counter[str] = Counter()
        self._foot = np.zeros(3, np.float32)

    def thing(
        self,
        label: str,
        x: float,
        z: float,
        width: float,
        height: float,
        y: float = 0.0,
        velocity: Sequence[float] = (0.0, 0.0, 0.0),
        shadow: tuple[Span, Span] | None = None,
    ) -> None:
        """Begin a thing; `shadow` is its footprint ((x0, x1), (z0, z1)), relative."""
        train = CLASSES.index(label)
        instance = train
        if label in COUNTED:
            instance = train * 1000 + self._counts[label]
            self._counts[label] += 1
        self._foot = np.array([x, y, z], np.float32)
        cast = (np.nan,) * 4 if shadow is None else (*(x + np.array(shadow[0])), *(z + np.array(shadow[1])))
        self._things.append((train, instance, self._foot, (width, height), tuple(velocity), cast))

    def face(
        self, points: np.ndarray, material: Material, tint: float = 0.0, outward: Sequence[float] = TO_CAMERA
    ) -> None:
        """Add a flat polygon (N, 3), seen only from the side that `outward` points to."""
        self._points.append(np.asarray(points, np.float32) + self._foot)
        self._faces.append((len(self._things) - 1, int(material), tint % 1.0, *outward))

    def card(self, outline: np.ndarray, material: Material, tint: float = 0.0, z: float = 0.0) -> None:
        """Add an upright polygon (N, 2) x, y that faces the camera."""
        points = np.full((len(outline), 3), z, np.float32)
        points[:, :2] = outline
        self.face(points, material, tint)

    def rectangle(self, x: Span, y: Span, material: Material, tint: float = 0.0, z: float = 0.0) -> None:
        """A card with straight sides."""
        self.card(np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]), material, tint, z)

    def side(self, x: float, y: Span, z: Span, material: Material, tint: float = 0.0, outward: float = 0.0) -> None:
        """A wall along the street at `x`; faces the middle of the street unless `outward` (-1 or 1) says otherwise."""
        corners = [(x, y[0], z[0]), (x, y[0], z[1]), (x, y[1], z[1]), (x, y[1], z[0])]
        direction = outward or (-1.0 if x + self._foot[0] > 0 else 1.0)
        self.face(np.array(corners), material, tint, (direction, 0, 0))

    def flat(self, x: Span, y: float, z: Span, material: Material, tint: float = 0.0) -> None:
        """A level rectangle that faces up."""
        corners = [(x[0], y, z[0]), (x[1], y, z[0]), (x[1], y, z[1]), (x[0], y, z[1])]
        self.face(np.array(corners), material, tint, (0, 1, 0))

    def box(self, x: Span, y: Span, z: Span, material: Material, tint: float = 0.0) -> None:
        """A box: far end, top, both sides, near end."""
        for depth, direction in ((z[1], 1.0), (z[0], -1.0)):
            if direction < 0:
                self.flat(x, y[1], z, material, tint)
                self.side(x[0], y, z, material, tint, -1.0)
                self.side(x[1], y, z, material, tint, 1.0)
            corners = [(x[0], y[0], depth), (x[1], y[0], depth), (x[1], y[1], depth), (x[0], y[1], depth)]
            self.face(np.array(corners), material, tint, (0, 0, direction))

    def disc(self, centre: Span, radius: float | Span, material: Material, tint: float = 0.0, z: float = 0.0) -> None:
        """An upright ellipse that faces the camera."""
        self.card(np.asarray(centre) + CIRCLE * np.asarray(radius), material, tint, z)

    def ring(
        self, centre: Span, radius: Span, thick: float, material: Material, tint: float = 0.0, z: float = 0.0
    ) -> None:
        """An ellipse with a hole, as one outline with a seam."""
        turn = np.linspace(0, 2 * np.pi, 15)
        circle = np.column_stack([np.cos(turn), np.sin(turn)])
        outer, inner = circle * radius, circle[::-1] * (np.asarray(radius) - np.minimum(thick, 0.8 * min(radius)))
        self.card(np.asarray(centre) + np.concatenate([outer, inner]), material, tint, z)

    def lamp(self, x: float, y: float, z: float) -> None:
        """Record a street lamp, relative to the foot: at night it lights what is near."""
        self._lamps.append(self._foot + np.array([x, y, z], np.float32))

    def build(self) -> Mesh:
        sizes = np.array([len(p) for p in self._points])
        stop = np.cumsum(sizes)
        points = np.concatenate(self._points).astype(np.float32)
        face_thing, material, tint, *outward = zip(*self._faces, strict=True)
        label, instance, origin, extent, velocity, footprint = zip(*self._things, strict=True)
        return Mesh(
            points=points,
            corners=_corners(points, stop - sizes, sizes, np.array(outward, np.float32).T),
            start=stop - sizes,
            stop=stop,
            thing=np.array(face_thing),
            material=np.array(material, np.uint8),
            tint=np.array(tint, np.float32),
            label=np.array(label, np.uint8),
            instance=np.array(instance, np.int32),
            origin=np.array(origin, np.float32),
            extent=np.array(extent, np.float32),
            velocity=np.array(velocity, np.float32),
            footprint=np.array(footprint, np.float32),
            lamps=np.array(self._lamps, np.float32).reshape(-1, 3),
        )


def _corners(points: np.ndarray, start: np.ndarray, sizes: np.ndarray, outward: np.ndarray) -> np.ndarray:
    """Three points of every face (F, 3) that span its plane well, in the order that gives an outward normal."""
    last = sizes - 1
    choices = np.stack(
        [
            np.stack([start, start + sizes // 3, start + 2 * sizes // 3], axis=1),
            np.stack([start, start + 1, start + 2], axis=1),
            np.stack([start, start + sizes // 2, start + last], axis=1),
        ]
    )  # (3, F, 3)
    a, b, c = (points[choices[..., i]] for i in range(3))
    normals = np.cross(b - a, c - a)  # (3, F, 3)
    best = np.square(normals).sum(axis=2).argmax(axis=0)
    face = np.arange(len(start))
    corners, normal = choices[best, face], normals[best, face]
    inward = (normal * outward).sum(axis=1) < 0
    corners[inward] = corners[inward][:, ::-1]
    return corners
