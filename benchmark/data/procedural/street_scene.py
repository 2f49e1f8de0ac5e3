"""Samples scenes: what kind of street it is, and what stands and moves on it.

scene = sample_scene(seed=0, index=3, frames=24)
Layout(scene, moment=5)
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchmark.data.procedural import street_objects as objects
from benchmark.data.procedural import street_vehicles as vehicles
from benchmark.data.procedural.street_mesh import MeshBuilder
from benchmark.data.procedural.street_people import person
from benchmark.data.procedural.street_types import Material, Scene

SIGHT = 190.0  # metres ahead of the last frame that are built up
KERB = 0.14
# what lines the street; shares of a stretch of buildings, of park (trees and hedges), of wall and of fence
CHARACTERS = {
    "city": (0.92, 0.03, 0.03, 0.02),
    "suburb": (0.5, 0.25, 0.1, 0.15),
    "park": (0.22, 0.5, 0.1, 0.18),
    "works": (0.4, 0.1, 0.3, 0.2),
}


def sample_scene(seed: int, index: int, frames: int) -> Scene:
    """The scene of this number, long enough for a drive of `frames` frames."""
    rng = np.random.default_rng([seed, 0x57, index])
    character = str(rng.choice(list(CHARACTERS), p=[0.4, 0.25, 0.2, 0.15]))
    lane = rng.uniform(3.0, 3.5)
    ours, theirs = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    parking = 2.2 if rng.random() < 0.6 else 0.6
    tracks = rng.random() < 0.3  # a tram line between the directions
    middle = 3.6 if tracks else 0.0
    centre = -lane / 2 - middle / 2
    right = lane / 2 + (ours - 1) * lane + parking
    left = centre - middle / 2 - theirs * lane - parking
    speed = float(rng.uniform(1.2, 2.2))
    end = speed * (frames - 1) + SIGHT
    pavement = rng.uniform(2.4, 4.2)
    crossings = tuple(float(z) for z in np.arange(rng.uniform(14, 60), end, rng.uniform(55, 90)))
    build = MeshBuilder()
    street = Street(rng, build, character, left, right, pavement, end, crossings)
    street.ground()
    for side in (-1.0, 1.0):
        street.line(side)
        street.furniture(side)
        street.walkers(side)
        if parking > 1:
            street.parked(side)
    _traffic(street, lane, ours, theirs, centre, middle, tracks, speed)
    street.crossers(speed)
    lines = [(lane / 2 + i * lane) for i in range(ours - 1)]
    lines += [centre - middle / 2 - (i + 1) * lane for i in range(theirs - 1)]
    return Scene(
        seed=int(rng.integers(1 << 30)),
        mesh=build.build(),
        road_left=left,
        road_right=right,
        centre=centre,
        lanes=tuple(lines),
        crossings=crossings,
        eye=float(rng.uniform(1.35, 1.75)),
        horizon=float(rng.uniform(0.43, 0.5)),
        bend=(float(rng.normal(0, 6e-4)), float(rng.uniform(0, 5e-4)), float(rng.uniform(0, 6.28))),
        turn=(float(rng.uniform(0, 0.03)), float(rng.uniform(0, 6.28))),
        speed=speed,
        tracks=tracks,
    )


class Street:
    """One street in the making; `left`, `right` are the kerbs."""

    def __init__(
        self,
        rng: np.random.Generator,
        build: MeshBuilder,
        character: str,
        left: float,
        right: float,
        pavement: float,
        end: float,
        crossings: tuple[float, ...],
    ) -> None:
        self.rng, self.build, self.character = rng, build, character
        self.left, self.right, self.pavement, self.end, self.crossings = left, right, pavement, end, crossings
        self.kerb = {-1.0: left, 1.0: right}
        self.front = {side: self.kerb[side] + side * pavement for side in (-1.0, 1.0)}  # where the buildings begin

    def ground(self) -> None:
        """Lawn to the horizon, then road and pavements, in strips short enough to follow a bend, then the distance."""
        build = self.build
        cuts = np.append(np.arange(-8.0, self.end + 70, 5.0), self.end + 140)
        for label, spans, y, material in (
            ("terrain", [(-220.0, 220.0)], -0.02, Material.GRASS),
            ("road", [(self.left, self.right)], 0.0, Material.ROAD),
            ("sidewalk", [sorted((self.kerb[s], self.front[s])) for s in (-1.0, 1.0)], KERB, Material.PAVEMENT),
        ):
            build.thing(label, 0.0, 0.0, 0.0, 0.0)
            for z in pairwise(cuts.tolist()):
                for x in spans:
                    build.flat((x[0], x[1]), y, z, material)
                    if label == "sidewalk":
                        edge = x[0] if x[0] > 0 else x[1]
                        build.side(edge, (0.0, KERB), z, material, 0.9)
        self._distance(self.end + 15)

    def _distance(self, far: float) -> None:
        """A skyline of houses and woods where the street ends."""
        build, rng = self.build, self.rng
        for x in np.arange(-170.0, 170.0, 11.0).tolist():
            if rng.random() < (0.75 if self.character == "city" else 0.35):
                width, height = rng.uniform(8, 20), rng.uniform(8, 34)
                build.thing("building", x, far, 0.0, height)
                build.rectangle((0, width), (0.0, height), Material.FACADE, float(rng.random()))
            else:
                build.thing("vegetation", x, far, 24.0, 12.0)
                for _ in range(3):
                    radius = rng.uniform(4.5, 8)
                    centre = (rng.uniform(0, 11), 0.5 * radius)
                    objects.lump(build, centre, radius, float(rng.random()), rng)

    def open(self, z: float, length: float) -> bool:
        """Whether a stretch is free of crossings, where posts and parked cars would stand in the way."""
        return all(not z - 3 < crossing < z + length + 3 for crossing in self.crossings)

    def line(self, side: float) -> None:
        """Buildings, parks, walls and fences behind the pavement, with gaps."""
        rng, z = self.rng, float(self.rng.uniform(-14, -4))
        kinds = ("building", "park", "wall", "fence")
        tall = {"city": 11.0, "suburb": 4.5, "park": 6.0, "works": 5.0}[self.character]
        while z < self.end:
            kind = str(rng.choice(kinds, p=CHARACTERS[self.character]))
            length = float(rng.uniform(9, 22))
            x = self.front[side] + side * rng.uniform(0.0, 1.0 if self.character == "city" else 4.0)
            tint = float(rng.random())
            if kind == "building":
                awning = float(rng.uniform(0.4, 1)) if rng.random() < 0.35 else 0.0
                objects.building(self.build, x, z, length, tall + float(rng.gamma(3, 3.0)), tint, awning)
            elif kind == "park":
                for along in np.arange(length, 0, -6.0):
                    depth = side * rng.uniform(1.0, 9.0)
                    height = float(rng.uniform(5, 11))
                    objects.tree(self.build, x + depth, z + float(along), height, tint, rng)
                if rng.random() < 0.6:
                    objects.hedge(self.build, x + side * 0.6, z, length, float(rng.uniform(0.9, 1.6)), tint, rng)
            elif kind == "wall":
                objects.wall(self.build, x, z, length, float(rng.uniform(1.3, 2.8)), tint)
            else:
                objects.fence(self.build, x, z, length, float(rng.uniform(1.0, 1.9)), tint)
            if kind in ("wall", "fence"):
                self._behind(side, x, z, length)
            z += length + (0.0 if rng.random() < 0.6 else float(rng.uniform(2.0, 9.0)))

    def _behind(self, side: float, x: float, z: float, length: float) -> None:
        """Something to see over a wall or a fence."""
        rng = self.rng
        if rng.random() < 0.4:
            objects.building(self.build, x + side * 9, z, length, float(rng.uniform(5, 12)), float(rng.random()), 0.0)
        else:
            for along in (0.75 * length, 0.25 * length):
                objects.tree(self.build, x + side * 3, z + along, float(rng.uniform(5, 9)), float(rng.random()), rng)

    def furniture(self, side: float) -> None:
        """Street lamps, street trees, signs, traffic lights."""
        rng, x = self.rng, self.kerb[side] + side * 0.5
        lamps, height = float(rng.uniform(22, 34)), float(rng.uniform(5.5, 8))
        leafy = rng.random() < {"city": 0.45, "suburb": 0.7, "park": 0.8, "works": 0.2}[self.character]
        for z in np.arange(rng.uniform(4, lamps), self.end, lamps):
            objects.lamp_post(self.build, x, float(z), height)
            if leafy and rng.random() < 0.85:
                size = float(rng.uniform(4, 7.5))
                objects.tree(self.build, x + side * 0.3, float(z) + lamps / 2, size, float(rng.random()), rng)
            if rng.random() < 0.55:
                kind = str(rng.choice(objects.SIGNS))
                objects.sign(self.build, x, float(z) + float(rng.uniform(4, 9)), kind)
        for crossing in self.crossings:
            if rng.random() < 0.7:
                state = int(rng.integers(3))
                reach = 0.75 * abs(self.kerb[side]) if side > 0 and rng.random() < 0.6 else 0.0
                objects.traffic_light(self.build, x, crossing + 3.4, state, reach)

    def walkers(self, side: float) -> None:
        """People on the pavement."""
        rng = self.rng
        gap = {"city": 8.0, "suburb": 18.0, "park": 15.0, "works": 26.0}[self.character]
        z = float(rng.uniform(3, gap))
        while z < self.end:
            x = self.kerb[side] + side * rng.uniform(0.8, self.pavement - 0.4)
            pace = float(rng.choice([-1, 1]) * rng.uniform(0.05, 0.16))
            height, stride = float(rng.uniform(1.5, 1.9)), float(rng.uniform(-1, 1))
            person(self.build, x, z, (0, 0, pace), KERB, height, float(rng.random()), stride)
            z += float(rng.exponential(gap))

    def parked(self, side: float) -> None:
        """Cars, and now and then a cycle, along the kerb."""
        rng, z = self.rng, float(self.rng.uniform(2, 12))
        while z < self.end:
            x = self.kerb[side] - side * 1.05
            if self.open(z, 6) and rng.random() < 0.7:
                kind = str(rng.choice(list(vehicles.CAR_PROFILES)))
                vehicles.car(self.build, kind, x, z, 0.0, side > 0, float(rng.random()))
            elif rng.random() < 0.35:
                kind = "motorcycle" if rng.random() < 0.5 else "bicycle"
                squeeze = float(rng.choice([-1, 1]) * rng.uniform(0.4, 0.9))
                vehicles.cycle(self.build, kind, x + side * 0.4, z, (0, 0, 0), squeeze, float(rng.random()), False)
            z += float(rng.uniform(5.8, 9))

    def crossers(self, speed: float) -> None:
        """People on the zebra crossings, walking across."""
        rng = self.rng
        for crossing in self.crossings:
            for _ in range(int(rng.integers(0, 4))):
                pace = float(rng.choice([-1, 1]) * rng.uniform(0.08, 0.16))
                room = (self.left, -2.4) if rng.random() < 0.75 else (2.4, max(self.right, 3.0))
                x = float(rng.uniform(*room)) - pace * crossing / speed  # clear of the camera when it comes
                z = crossing + float(rng.uniform(-1.2, 1.2))
                height = float(rng.uniform(1.5, 1.9))
                person(self.build, x, z, (pace, 0, 0), 0.0, height, float(rng.random()), float(np.sign(pace)))


def _traffic(
    street: Street, lane: float, ours: int, theirs: int, centre: float, middle: float, tracks: bool, speed: float
) -> None:
    """What drives: our lanes at about our speed, oncoming lanes, trams on their tracks."""
    rng, build = street.rng, street.build
    for number in range(ours):
        z = float(rng.uniform(9, 20))
        while z < street.end - 60:
            pace = speed * float(rng.uniform(0.96, 1.04)) if number == 0 else speed * float(rng.uniform(0.7, 1.1))
            z += _vehicle(street, lane * number, z, pace, True) + float(rng.uniform(9, 40))
    for number in range(theirs):
        z = float(rng.uniform(10, 40))
        pace = -speed * float(rng.uniform(0.7, 1.1))
        while z < street.end * 2:
            length = _vehicle(street, centre - middle / 2 - lane * (number + 0.5), z, pace, False)
            z += length + float(rng.uniform(10, 45))
    if tracks:
        away = bool(rng.random() < 0.5)
        pace = speed * float(rng.uniform(0.7, 0.95)) if away else -speed
        for z in (float(rng.uniform(14, 45)), float(rng.uniform(110, 160))):
            vehicles.tram(build, centre, z, pace, away, float(rng.random()))


def _vehicle(street: Street, x: float, z: float, pace: float, away: bool) -> float:
    """Put one vehicle on a lane and return its length."""
    rng, build, tint = street.rng, street.build, float(street.rng.random())
    x += float(rng.normal(0, 0.15))
    kind = str(rng.choice(("car", "truck", "bus", "motorcycle", "bicycle"), p=[0.66, 0.11, 0.09, 0.07, 0.07]))
    if kind == "car":
        shape = str(rng.choice(list(vehicles.CAR_PROFILES)))
        vehicles.car(build, shape, x, z, pace, away, tint)
        return vehicles.CAR_SIZES[shape][0]
    if kind == "truck":
        vehicles.lorry(build, x, z, pace, away, tint)
        return 8.0
    if kind == "bus":
        vehicles.bus(build, x, z, pace, away, tint)
        return 11.0
    beside = x + (0.9 if away else -0.9)  # cycles keep to the edge of their lane
    squeeze = float(rng.choice([-1, 1]) * rng.uniform(0.3, 0.55))
    vehicles.cycle(build, kind, beside, z, (0, 0, pace), squeeze, tint, True)
    return 2.0
