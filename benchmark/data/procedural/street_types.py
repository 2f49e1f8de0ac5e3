"""What a street frame is made of: the layout (semantics), the style (appearance), and the names both use.

A layout is what label and instance maps carry: where everything is. A style is weather, time of day and palette. A
frame is a scene seen at one moment of a drive; any style can be laid over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

RGB = tuple[float, float, float]  # 0..1


class Material(IntEnum):
    """How a face is coloured; the shader of each is in `street_materials`."""

    SKY = 0
    ROAD = 1
    PAVEMENT = 2
    GRASS = 3
    FACADE = 4
    BRICK = 5
    FENCE = 6
    METAL = 7
    BARK = 8
    LEAVES = 9
    PAINT = 10  # car bodies
    GLASS = 11
    RUBBER = 12
    CLOTH = 13
    SKIN = 14
    HAIR = 15
    SIGN = 16  # fixed colours, chosen by tint
    SIGNAL = 17  # a traffic light's lamps: always on, chosen by tint
    HEADLIGHT = 18
    TAILLIGHT = 19
    LAMP = 20  # street lamps
    COACH = 21  # sides of buses, trams and lorries


@dataclass(frozen=True)
class Mesh:
    """Flat polygons in world metres (x right, y up, z forward), drawn back to front.

    A thing is what moves and is labelled as one. Its faces are drawn in their order; things are ordered by where they
    stand (`street_geometry.order`).
    """

    points: np.ndarray  # float32 (V, 3)
    corners: np.ndarray  # int (F, 3) three points of each face, turned so that its normal points outwards
    start: np.ndarray  # int (F,) first point of each face
    stop: np.ndarray  # int (F,)
    thing: np.ndarray  # int (F,) which thing a face belongs to
    material: np.ndarray  # uint8 (F,)
    tint: np.ndarray  # float32 (F,) in [0, 1): which of a palette's colours
    label: np.ndarray  # uint8 (T,) train id
    instance: np.ndarray  # int32 (T,) below 1000: stuff, else label * 1000 + k (spec: systems 2)
    origin: np.ndarray  # float32 (T, 3) foot of the thing: local texture coordinates, lamps
    extent: np.ndarray  # float32 (T, 2) width and height in metres
    velocity: np.ndarray  # float32 (T, 3) metres per frame
    footprint: np.ndarray  # float32 (T, 4) x0, x1, z0, z1 of what throws a shadow, NaN where nothing does
    lamps: np.ndarray  # float32 (L, 3) street lamps


@dataclass(frozen=True)
class Scene:
    """A stretch of street. Lengths in metres, positions along z."""

    seed: int
    mesh: Mesh
    road_left: float  # x of the kerbs; the camera drives at x = 0
    road_right: float
    centre: float  # x of the line between the two directions
    lanes: tuple[float, ...]  # x of the broken lane lines
    crossings: tuple[float, ...]  # z of zebra crossings
    eye: float  # height of the camera
    horizon: float  # row of the horizon as a share of the height
    bend: tuple[float, float, float]  # curvature: mean, swing, phase (1/m, 1/m, radians)
    turn: tuple[float, float]  # camera yaw: swing (slope) and phase
    speed: float  # metres per frame
    tracks: bool  # tram rails in the middle


@dataclass(frozen=True)
class Layout:
    """The semantics of one frame."""

    scene: Scene
    moment: int  # frame number of the drive


@dataclass(frozen=True)
class StreetStyle:
    """The appearance of one scene: weather, time of day, light and palette. Moves no border of any label."""

    weather: str  # one of BDD100K's weathers
    time: str  # "daytime" | "dawn/dusk" | "night"
    seed: int  # clouds, stars, rain drops, which windows are lit
    sun: tuple[float, float, float]  # unit vector towards the sun (the moon at night)
    sun_light: RGB
    sky_light: RGB  # ambient from above
    ground_light: RGB  # ambient from below
    zenith: RGB
    horizon: RGB
    clouds: float  # cover, 0..1
    cloud_light: RGB
    cloud_shade: RGB
    fog: float  # distance in metres at which 63 % is lost
    fog_colour: RGB
    wet: float  # 0..1: reflections on the ground
    snow: float  # 0..1: cover of what faces up
    rain: float  # 0..1: streaks in the air
    flakes: float  # 0..1
    lamps: float  # street lamps and car lights, 0..1
    windows: float  # share of lit windows
    facades: tuple[RGB, ...]
    paints: tuple[RGB, ...]
    cloths: tuple[RGB, ...]
    leaves: tuple[RGB, ...]
    grass: RGB
    asphalt: RGB
    paving: RGB
    balance: RGB  # white balance of the camera
