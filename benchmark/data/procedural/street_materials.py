"""What each material looks like at a place on it: colour, own light, gloss and, where it is not flat, its normal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.data.procedural import street_noise as noise
from benchmark.data.procedural.street_geometry import FOCAL, View
from benchmark.data.procedural.street_types import RGB, Material, StreetStyle

WARM = np.array([1.0, 0.78, 0.42], np.float32)
SIGN_COLOURS = np.array(
    [(0.94, 0.94, 0.92), (0.82, 0.08, 0.1), (0.08, 0.25, 0.7), (0.97, 0.75, 0.08), (0.05, 0.42, 0.3)]
)
SKINS = np.array([(0.92, 0.72, 0.6), (0.8, 0.58, 0.44), (0.6, 0.4, 0.28), (0.38, 0.25, 0.18)])
HAIRS = np.array([(0.1, 0.08, 0.07), (0.3, 0.2, 0.12), (0.62, 0.48, 0.26), (0.5, 0.5, 0.5)])
METALS = np.array([(0.25, 0.27, 0.28), (0.2, 0.3, 0.26), (0.5, 0.52, 0.54), (0.62, 0.63, 0.64)])
SIGNALS = np.array([(1.5, 0.12, 0.08), (1.5, 0.85, 0.08), (1.3, 0.85, 0.4), (0.1, 1.3, 0.6), (0.03, 0.03, 0.03)])
SIGNAL_STEPS = np.array([0.2, 0.45, 0.7, 0.9])  # tints below the first are red, and so on


@dataclass
class Patch:
    """The pixels of one material, N of them."""

    local: np.ndarray  # (N, 3) metres from the foot of the thing, before the bend
    depth: np.ndarray  # (N,) metres
    normal: np.ndarray  # (N, 3)
    tint: np.ndarray  # (N,)
    thing: np.ndarray  # (N,) number
    extent: np.ndarray  # (N, 2) width and height of the thing
    pixel: float  # metres across one fine pixel at a depth of one metre


@dataclass
class Look:
    """How a patch looks under white light. `gloss` is the share of sky that it mirrors."""

    colour: np.ndarray  # (N, 3)
    glow: np.ndarray | None = None  # (N, 3) light of its own
    gloss: np.ndarray | float = 0.0
    normal: np.ndarray | None = None  # (N, 3) where it is not the face's own


Shader = Callable[[StreetStyle, View, Patch], Look]


def _f32(values: Sequence[float] | Sequence[RGB]) -> np.ndarray:
    return np.array(values, np.float32)


def pick(palette: Sequence[RGB] | np.ndarray, tint: np.ndarray) -> np.ndarray:
    """Colours (N, 3) of a palette by tint in [0, 1)."""
    colours = np.asarray(palette, np.float32)
    return colours[np.minimum((tint * len(colours)).astype(int), len(colours) - 1)]


def _grain(a: np.ndarray, b: np.ndarray, low: float, high: float) -> np.ndarray:
    return (low + (high - low) * noise.at(noise.cloudy(), a, b))[:, None]


def _fade(size: float, patch: Patch) -> np.ndarray:
    """1 where a detail of `size` metres spans several fine pixels, 0 where it is too small to draw: no moire."""
    return np.clip(size / (patch.depth * patch.pixel) / 2.5 - 0.6, 0, 1)


def _line(x: np.ndarray, at: float, width: float, patch: Patch) -> np.ndarray:
    """Coverage of a painted line across `x`, soft by one pixel."""
    soft = np.maximum(patch.depth * patch.pixel, 0.01)
    return np.clip((width / 2 - np.abs(x - at)) / soft + 0.5, 0, 1)


def road(style: StreetStyle, view: View, patch: Patch) -> Look:
    """Asphalt with patches, tyre lanes, markings, gutters, tram rails."""
    scene, (x, _, z) = view.layout.scene, patch.local.T
    colour = _f32(style.asphalt) * _grain(9 * x, 2.5 * z, 0.86, 1.12) * _grain(x * 1.3, z * 0.3, 0.88, 1.1)
    colour *= (1.0 - 0.1 * np.exp(-np.square((np.abs(x) - 0.75) / 0.3)))[:, None]
    edge = np.minimum(x - scene.road_left, scene.road_right - x)
    colour *= np.clip(0.72 + 0.5 * edge, 0.72, 1)[:, None]
    paint = np.zeros_like(x)
    for lane in scene.lanes:
        paint = np.maximum(paint, _line(x, lane, 0.13, patch) * (np.mod(z, 9.0) < 3.6))
    if scene.tracks:
        left, right = (_line(x, scene.centre + side * 0.72, 0.09, patch) for side in (-1, 1))
        colour += (0.3 * (left + right))[:, None] * (_f32([0.55, 0.56, 0.6]) - colour)
        for side in (-1, 1):
            paint = np.maximum(paint, _line(x, scene.centre + side * 1.75, 0.13, patch))
    else:
        paint = np.maximum(paint, _line(x, scene.centre, 0.14, patch))
    for crossing in scene.crossings:
        bars = (np.abs(z - crossing) < 1.6) & (np.mod(x, 1.1) < 0.55) & (edge > 0.3)
        stop = (np.abs(z - crossing + 3.2) < 0.2) & (x > scene.centre) & (edge > 0.1)
        paint = np.where(bars | stop, 1.0, paint)
    worn = 0.55 + 0.4 * noise.at(noise.cloudy(), 14 * x, 7 * z)
    colour += (paint * worn)[:, None] * (_f32([0.9, 0.9, 0.87]) - colour)
    return _snowed(style, Look(colour), patch, tracks=True)


def pavement(style: StreetStyle, view: View, patch: Patch) -> Look:
    x, _, z = patch.local.T
    joints = np.maximum(np.mod(x, 0.8) < 0.05, np.mod(z, 0.8) < 0.06) * _fade(0.4, patch)
    colour = _f32(style.paving) * _grain(5 * x, 5 * z, 0.88, 1.08) * (1.0 - 0.2 * joints)[:, None]
    kerb = patch.normal[:, 1] < 0.5
    colour[kerb] *= 0.75
    return _snowed(style, Look(colour), patch)


def grass(style: StreetStyle, view: View, patch: Patch) -> Look:
    x, _, z = patch.local.T
    colour = _f32(style.grass) * _grain(13 * x, 5 * z, 0.7, 1.2) * _grain(0.7 * x, 0.5 * z, 0.8, 1.15)
    return _snowed(style, Look(colour), patch)


def _snowed(style: StreetStyle, look: Look, patch: Patch, tracks: bool = False) -> Look:
    """Snow on what faces up; on a road it is driven away where the wheels run."""
    if style.snow <= 0:
        return look
    x, _, z = patch.local.T
    lie = np.clip(patch.normal[:, 1], 0, 1) * style.snow
    lie *= np.clip(0.55 + 0.9 * noise.at(noise.cloudy(), 3 * x, 1.1 * z), 0, 1)
    if tracks:
        wheel = np.exp(-np.square((np.abs(np.mod(x + 1.6, 3.2) - 1.6) - 0.75) / 0.36))
        lie *= 1.0 - 0.78 * wheel * np.clip(1.2 - 0.4 * noise.at(noise.cloudy(), 5 * x, 0.8 * z), 0, 1)
    look.colour = look.colour + lie[:, None] * (_f32([0.93, 0.95, 1.0]) - look.colour)
    return look


def facade(style: StreetStyle, view: View, patch: Patch) -> Look:
    """A wall of windows over a ground floor of shops; every house has its own grid."""
    house = (patch.thing * 7919) % 251
    roll = noise.white().ravel()
    a, b, c = (roll[(house * k) & 0xFFFF] for k in (31, 57, 91))
    along = np.where(np.abs(patch.normal[:, 0]) > 0.5, patch.local[:, 2], patch.local[:, 0])
    high = patch.local[:, 1]
    wide, tall = 1.9 + 1.5 * a, 2.9 + 0.5 * b
    shop = high < 3.3
    column, level = np.floor(along / wide), np.floor((high - 3.3) / tall)
    u, v = along / wide - column, (high - 3.3) / tall - level
    half = np.where(c > 0.8, 0.47, 0.24 + 0.12 * c)  # some are curtain walls
    pane = (np.abs(u - 0.5) < half) & (v > 0.22) & (v < 0.8) & (high < patch.extent[:, 1] - 0.9)
    pane = np.where(shop, (np.abs(u - 0.5) < 0.42) & (high > 0.5) & (high < 2.7), pane)
    frame = (np.abs(u - 0.5) < half + 0.05) & (v > 0.17) & (v < 0.85) & ~pane & ~shop & (c <= 0.8)
    colour = pick(style.facades, patch.tint) * (0.85 + 0.3 * b)[:, None]
    colour *= _grain(2.3 * along, 1.1 * high, 0.9, 1.07)
    colour *= np.where(shop, 0.72 + 0.2 * a, 1.0)[:, None] * np.clip(0.75 + 0.08 * high, 0.75, 1)[:, None]
    colour = np.where(frame[:, None], np.minimum(colour * 1.25 + 0.06, 1), colour)
    share = (_fade(1.0, patch) * pane + (1 - _fade(1.0, patch)) * 0.34 * (high < patch.extent[:, 1] - 0.9))[:, None]
    cell = noise.at(noise.white(), column + 37 * house, np.where(shop, -1, level) + 11 * house + style.seed % 193)
    glass = _f32([0.16, 0.19, 0.23]) * (0.7 + 0.6 * cell)[:, None]
    lit = cell < np.where(shop, min(1.0, 1.9 * style.windows), style.windows)
    hue = WARM + (noise.at(noise.white(), column + 5 * house, level) > 0.7)[:, None] * _f32([-0.15, 0.1, 0.45])
    power = 0.85 if style.time == "night" else 0.75
    blind = 0.65 + 0.35 * (v > 0.45)
    glow = share * (lit * power * blind * (0.6 + 1.6 * np.minimum(cell, 0.3)))[:, None] * hue
    return Look(colour + share * (glass - colour), glow, 0.42 * share[:, 0] * ~lit)


def brick(style: StreetStyle, view: View, patch: Patch) -> Look:
    """Courses of brick or block; also ledges and the tops of walls."""
    along = np.where(np.abs(patch.normal[:, 0]) > 0.5, patch.local[:, 2], patch.local[:, 0])
    row = np.floor(patch.local[:, 1] / 0.18)
    stone = noise.at(noise.white(), np.floor(along / 0.42 + 0.5 * np.mod(row, 2)), row)
    detail = _fade(0.25, patch)[:, None]
    colour = pick(style.facades, patch.tint) * 0.92
    colour = (
        colour
        * (1.0 + detail * (0.34 * stone[:, None] - 0.17))
        * _grain(1.7 * along, 1.3 * patch.local[:, 1], 0.85, 1.06)
    )
    return _snowed(style, Look(colour), patch)


def fence(style: StreetStyle, view: View, patch: Patch) -> Look:
    along, high = patch.local[:, 2], patch.local[:, 1]
    bar = (np.mod(along, 0.22) < 0.09) | (np.abs(high - 0.85 * patch.extent[:, 1]) < 0.06) | (np.abs(high - 0.2) < 0.05)
    bar = np.maximum(bar, np.mod(along, 2.6) < 0.14)
    share = (_fade(0.22, patch) * bar + (1 - _fade(0.22, patch)) * 0.5)[:, None]
    gap = _f32(style.grass) * 0.42 * _grain(9 * along, 7 * high, 0.6, 1.2)
    paint = pick(np.concatenate([METALS, [(0.75, 0.74, 0.7), (0.36, 0.25, 0.16)]]), patch.tint)
    return Look(gap + share * (paint - gap))


def leaves(style: StreetStyle, view: View, patch: Patch) -> Look:
    """A crown is round: light from above and from the sun's side; leaves in clumps."""
    x, y, _ = patch.local.T
    wide, tall = patch.extent.T
    across = np.clip(x / (0.5 * wide + 0.01), -0.9, 0.9)
    up = np.clip((y / tall - 0.62) * 2.2, -0.9, 0.9)
    clump = noise.at(noise.cloudy(), 22 * x + 31 * patch.thing, 22 * y) - 0.5
    fine = noise.at(noise.white(), 13 * x + 7 * patch.thing, 13 * y) - 0.5
    across, up = across + 1.2 * clump, up + 0.9 * clump
    normal = np.column_stack([across, up, -np.sqrt(np.clip(1.3 - across**2 - up**2, 0.15, 1.3))]).astype(np.float32)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    colour = pick(style.leaves, patch.tint) * (1.0 + 0.9 * clump + 0.3 * fine * _fade(0.12, patch))[:, None]
    colour *= np.clip(0.62 + 0.55 * up, 0.4, 1.1)[:, None]
    look = Look(np.clip(colour, 0, 1), normal=normal)
    if style.snow > 0:
        lie = np.clip(0.25 + 1.1 * up + 0.9 * clump, 0, 0.92)[:, None] * style.snow
        look.colour = look.colour + lie * (_f32([0.93, 0.95, 1.0]) - look.colour)
    return look


def paint(style: StreetStyle, view: View, patch: Patch) -> Look:
    """Car bodies: brighter towards the roof, a dark sill, a share of sky."""
    rise = np.clip(patch.local[:, 1] / np.maximum(patch.extent[:, 1], 0.1), 0, 1)
    colour = pick(style.paints, patch.tint) * (0.72 + 0.3 * rise)[:, None]
    return _snowed(style, Look(colour, gloss=0.1 + 0.16 * (patch.normal[:, 1] > 0.3)), patch)


def coach(style: StreetStyle, view: View, patch: Patch) -> Look:
    """Two-coloured sides of buses, trams and lorries."""
    high = patch.local[:, 1]
    colour = pick(style.paints[::-1], patch.tint)
    band = pick(style.paints, np.mod(patch.tint * 5.3 + 0.3, 1.0))
    colour = np.where(((high < 1.2) & (high > 0.7))[:, None], band, np.clip(colour * 1.05 + 0.05, 0, 1))
    return _snowed(style, Look(colour * np.clip(0.6 + 0.25 * high, 0.6, 1)[:, None], gloss=0.08), patch)


def glass(style: StreetStyle, view: View, patch: Patch) -> Look:
    colour = np.broadcast_to(np.array([0.09, 0.11, 0.13], np.float32), patch.normal.shape)
    big = (patch.extent[:, 1] > 2.9)[:, None]  # lamps inside buses and trams, dark seats below
    seats = np.clip(2.2 * (patch.local[:, 1] - 1.35), 0.25, 1)[:, None]
    glow = big * seats * (0.42 * (style.lamps > 0.4)) * _f32([0.95, 0.86, 0.6])
    return Look(colour, glow, 0.45)


def cloth(style: StreetStyle, view: View, patch: Patch) -> Look:
    """Clothes and awnings, round where they are worn."""
    bend = np.clip(patch.local[:, 0] / (0.55 * patch.extent[:, 0] + 0.02), -0.85, 0.85)
    worn = np.abs(patch.normal[:, 2]) > 0.9
    normal = np.where(worn[:, None], np.column_stack([bend, 0 * bend + 0.15, -np.sqrt(1 - bend**2)]), patch.normal)
    return Look(pick(style.cloths, patch.tint), normal=normal.astype(np.float32))


def table(colours: np.ndarray, gloss: float = 0.0) -> Shader:
    """A material of fixed colours chosen by tint."""

    def shader(style: StreetStyle, view: View, patch: Patch) -> Look:
        return Look(pick(colours, patch.tint), gloss=gloss)

    return shader


def signal(style: StreetStyle, view: View, patch: Patch) -> Look:
    own = SIGNALS[np.searchsorted(SIGNAL_STEPS, patch.tint)].astype(np.float32)
    return Look(own * 0.05, own * (0.75 if style.time == "daytime" else 1.0))


def light(off: RGB, own: RGB, always: float) -> Shader:
    """Lamps: `own` light times the style's lamps, at least `always`."""

    def shader(style: StreetStyle, view: View, patch: Patch) -> Look:
        power = max(always, style.lamps)
        shape = (len(patch.depth), 3)
        return Look(np.broadcast_to(_f32(off), shape), np.broadcast_to(_f32(own) * power, shape))

    return shader


SHADERS: dict[Material, Shader] = {
    Material.ROAD: road,
    Material.PAVEMENT: pavement,
    Material.GRASS: grass,
    Material.FACADE: facade,
    Material.BRICK: brick,
    Material.FENCE: fence,
    Material.METAL: table(METALS, 0.1),
    Material.BARK: table(_f32([(0.3, 0.23, 0.17), (0.36, 0.3, 0.24)])),
    Material.LEAVES: leaves,
    Material.PAINT: paint,
    Material.GLASS: glass,
    Material.RUBBER: table(_f32([(0.05, 0.05, 0.055)])),
    Material.CLOTH: cloth,
    Material.SKIN: table(SKINS),
    Material.HAIR: table(HAIRS),
    Material.SIGN: table(SIGN_COLOURS),
    Material.SIGNAL: signal,
    Material.HEADLIGHT: light((0.85, 0.87, 0.88), (2.6, 2.5, 2.2), 0.0),
    Material.TAILLIGHT: light((0.55, 0.06, 0.06), (1.7, 0.1, 0.08), 0.06),
    Material.LAMP: light((0.9, 0.9, 0.85), (2.4, 1.9, 1.1), 0.0),
    Material.COACH: coach,
}


def pixel_angle(view: View, oversample: int) -> float:
    """Metres across one fine pixel at a depth of one metre."""
    return 1.0 / (FOCAL * view.width * oversample)
