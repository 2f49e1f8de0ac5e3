"""Street scenes from two separate inputs: layout (what labels and instances carry) and style (everything else).

    scene, style = sample_scene(0, 3, frames=24), sample_style(0, 3, "rainy", "night")
    picture = render(Layout(scene, 5), style, 144, 256)      # uint8 (144, 256, 3)
    labels = look(Layout(scene, 5), 144, 256).labels()       # uint8 (144, 256) train ids

A pinhole camera drives along a street of flat polygons. Faces are rastered once, as numbers; colours follow from
where on which face a pixel lies. The true answer G*(x, I) is `render(layout of x, style of I)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from benchmark.data.procedural import street_air as air
from benchmark.data.procedural.street_geometry import FAR, NEAR, OVERSAMPLE, View, centres, look, rays
from benchmark.data.procedural.street_light import daylight, lamplight, shadows
from benchmark.data.procedural.street_materials import SHADERS, Patch, pixel_angle
from benchmark.data.procedural.street_scene import sample_scene
from benchmark.data.procedural.street_sky import sky
from benchmark.data.procedural.street_style import sample_style
from benchmark.data.procedural.street_types import Layout, Material, Scene, StreetStyle

__all__ = ["Layout", "Scene", "StreetStyle", "look", "render", "sample_scene", "sample_style"]

RENDERER_VERSION = 1  # raise it whenever a pixel or a label changes
GROUND = (Material.ROAD, Material.PAVEMENT, Material.GRASS)


def render(layout: Layout, style: StreetStyle, height: int, width: int) -> np.ndarray:
    """Draw one frame: RGB uint8 (height, width, 3)."""
    return paint(look(layout, height, width), style)


def paint(view: View, style: StreetStyle) -> np.ndarray:
    """Colour a rastered frame: surfaces, haze, then what happens between street and lens."""
    image, glow, pixels = _surfaces(view, style)
    size = (view.width, view.height)
    image, glow = (cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (image, glow))
    if style.wet > 0:
        image = air.reflect(style, image, *_wet_ground(view, pixels))
    image = air.bloom(style, image, glow)
    return air.develop(style, air.fall(style, image))


def _wet_ground(view: View, pixels: _Pixels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where roads and pavements show, bool (H, W), and x, z in metres there."""
    paved = [at for material, at in pixels.groups if material in (Material.ROAD, Material.PAVEMENT)]
    place = np.full((*view.faces.shape, 2), np.nan, np.float32)
    for at in paved:
        place.reshape(-1, 2)[pixels.where[at]] = pixels.local[at, ::2]
    x, z = np.moveaxis(centres(place), -1, 0)
    return ~np.isnan(x), np.nan_to_num(x), np.nan_to_num(z)


@dataclass(frozen=True)
class _Pixels:
    """The fine pixels that show a surface, ordered by material, and where each of them lies."""

    where: np.ndarray  # (N,) position in the raveled fine image
    rays: tuple[np.ndarray, np.ndarray]  # x / z and y / z, (N,) each
    face: np.ndarray
    thing: np.ndarray
    place: np.ndarray  # (N, 3) camera coordinates before the bend
    local: np.ndarray  # (N, 3) relative to the thing's foot
    normal: np.ndarray  # (N, 3)
    groups: list[tuple[Material, slice]]


def _locate(view: View) -> _Pixels:
    """Intersect every pixel's ray with the plane of its face."""
    mesh = view.layout.scene.mesh
    covered = np.flatnonzero(view.faces)
    face = view.faces.ravel()[covered] - 1
    order = np.argsort(mesh.material[face], kind="stable")  # a material's pixels then are one slice of every array
    covered, face = covered[order], face[order]
    rows, columns = np.divmod(covered, view.faces.shape[1])
    counts = np.bincount(mesh.material[face], minlength=len(Material))
    stops = np.cumsum(counts).tolist()
    groups = [(Material(m), slice(stops[m] - n, stops[m])) for m, n in enumerate(counts.tolist()) if n]

    plane, thing = view.planes[face], mesh.thing[face]
    ray_x, ray_y = view.rays[0][columns], view.rays[1][rows]
    towards = np.minimum(plane[:, 0] * ray_x + plane[:, 1] * ray_y + plane[:, 2], np.float32(-1e-6))
    depth = np.clip(plane[:, 3] / towards, NEAR, FAR)  # seen from its front, a plane has both negative
    place = np.empty((len(depth), 3), np.float32)
    place[:, 0] = depth * (ray_x - view.bend[0] - view.bend[1] * depth)
    place[:, 1] = depth * ray_y
    place[:, 2] = depth
    local = place - (mesh.origin + view.shift)[thing]
    return _Pixels(covered, (ray_x, ray_y), face, thing, place, local, plane[:, :3], groups)


def _surfaces(view: View, style: StreetStyle) -> tuple[np.ndarray, np.ndarray, _Pixels]:
    """Colour and own light of every fine pixel, float32 (fine H, fine W, 3) each."""
    mesh, pixels = view.layout.scene.mesh, _locate(view)
    depth = pixels.place[:, 2]
    light = np.zeros_like(pixels.place)
    if style.lamps > 0:
        light += lamplight(style, view, pixels.place)
    sunlit = _enlarged(shadows(style, view), view).ravel()
    mirror = 0.75 * np.array(style.horizon, np.float32) + 0.25 * np.array(style.zenith, np.float32)
    colour, own = np.empty_like(pixels.place), np.zeros_like(pixels.place)
    tint, extent, size = mesh.tint[pixels.face], mesh.extent[pixels.thing], pixel_angle(view, OVERSAMPLE)
    for material, at in pixels.groups:
        patch = Patch(pixels.local[at], depth[at], pixels.normal[at], tint[at], pixels.thing[at], extent[at], size)
        seen = SHADERS[material](style, view, patch)
        lit = sunlit[pixels.where[at]] if material in GROUND else np.ones(1, np.float32)
        light[at] += daylight(style, patch.normal if seen.normal is None else seen.normal, lit)
        part = seen.colour * light[at]
        part += np.reshape(np.float32(seen.gloss), (-1, 1)) * (mirror - part)
        if seen.glow is not None:
            part += seen.glow
            own[at] = seen.glow
        colour[at] = part

    clear = np.exp(depth * np.float32(-1.0 / style.fog))[:, None]
    image = _enlarged(sky(style, *rays(view.layout, view.height, view.width)), view)
    glow = np.zeros_like(image)
    image.reshape(-1, 3)[pixels.where] = clear * colour + (1.0 - clear) * haze(style, pixels)
    glow.reshape(-1, 3)[pixels.where] = own * (0.4 + 0.6 * clear)
    return image, glow, pixels


def haze(style: StreetStyle, pixels: _Pixels) -> np.ndarray:
    """Colour of the air in front of each pixel (N, 3): brighter towards a low sun."""
    air_colour = np.array(style.fog_colour, np.float32)
    if style.time != "dawn/dusk" or style.clouds > 0.8:
        return np.broadcast_to(air_colour, pixels.place.shape)
    off_x = pixels.rays[0] - np.float32(style.sun[0] / style.sun[2])
    off_y = pixels.rays[1] - np.float32(style.sun[1] / style.sun[2])
    near_sun = np.exp(-(off_x * off_x + 0.6 * off_y * off_y) / 0.06)[:, None]
    return air_colour + near_sun * np.array(style.sun_light, np.float32) * 0.7


def _enlarged(picture: np.ndarray, view: View) -> np.ndarray:
    """An image of the final size, on the fine grid."""
    return cv2.resize(picture, view.faces.shape[::-1], interpolation=cv2.INTER_LINEAR)
