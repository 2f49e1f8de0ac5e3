"""Dancers from two separate inputs: semantics (what joints and body parts carry) and appearance (everything else).

    states, look = sample_clip(seed=0, index=3, frames=24)
    picture = render(states[0], look, 256)         # uint8 (256, 256, 3)
    points = joints(states[0], 256)                # float32 (18, 2), NaN where hidden
    parts = densepose(states[0], 256)              # uint8 (256, 256, 3): part, U, V of the unclothed body

The true answer G*(x, I) is `render(semantics of x, appearance of I)`. Joints and parts never depend on appearance:
a skirt hides no knee.
"""

from __future__ import annotations

import cv2
import numpy as np

from benchmark.data.procedural.dance_backdrop import backdrop, floor_points, floor_rows
from benchmark.data.procedural.dance_body import body_mesh
from benchmark.data.procedural.dance_camera import DISTANCE, HEIGHT, Lamp, look_at, project
from benchmark.data.procedural.dance_mesh import Mesh, unit
from benchmark.data.procedural.dance_paint import albedo
from benchmark.data.procedural.dance_raster import Seen
from benchmark.data.procedural.dance_sample import sample_clip, sample_dancer
from benchmark.data.procedural.dance_skeleton import Rig, pose
from benchmark.data.procedural.dance_types import BodyShape, DancerLook, DanceSemantics
from benchmark.data.procedural.dance_wear import dressed_mesh

__all__ = [
    "BodyShape",
    "DanceSemantics",
    "DancerLook",
    "densepose",
    "joints",
    "regions",
    "render",
    "sample_clip",
    "sample_dancer",
]

RENDERER_VERSION = 1  # raise it whenever a pixel, a joint or a part changes
OVERSAMPLE = 2
PROBE = 128  # px of the view in which joints are tested for being hidden, at every picture size

# Metres of own flesh that may lie before a joint: nose, neck, arms, legs, eyes, ears (COCO order)
FLESH = np.array([0.03, 0.25, *(0.11, 0.075, 0.06) * 2, *(0.16, 0.10, 0.08) * 2, 0.03, 0.03, 0.035, 0.035])


def render(semantics: DanceSemantics, appearance: DancerLook, size: int) -> np.ndarray:
    """Draw one frame: RGB uint8 (size, size, 3)."""
    side = size * OVERSAMPLE
    rig = pose(semantics)
    mesh = dressed_mesh(semantics.shape, appearance)
    points = mesh.posed(rig)
    lamp = Lamp(np.array(appearance.light), points, mesh.triangles, max(80, side // 2))
    picture = _floor_shadow(backdrop(appearance, side).copy(), appearance, lamp, side)
    seen = look_at(points, mesh.triangles, side)
    picture.reshape(-1, 3)[seen.pixels] = _lit(seen, mesh, points, rig, appearance, lamp)
    np.clip(picture, 0, 255, out=picture)
    return np.rint(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)).astype(np.uint8)


def joints(semantics: DanceSemantics, size: int) -> np.ndarray:
    """OpenPose COCO-18 joints, float32 (18, 2) x, y in px; NaN where the body hides them or they leave the picture."""
    rig = pose(semantics)
    mesh = body_mesh(semantics.shape)
    surface = look_at(mesh.posed(rig), mesh.triangles, PROBE).depth_map()
    probe, depth = project(rig.joints, PROBE)
    inside = ((probe >= -0.5) & (probe <= PROBE - 0.5)).all(axis=1)
    x, y = np.clip(np.rint(probe), 0, PROBE - 1).astype(int).T
    visible = inside & (surface[y, x] > depth - FLESH)
    points = project(rig.joints, size)[0].astype(np.float32)
    points[~visible] = np.nan
    return points


def densepose(semantics: DanceSemantics, size: int) -> np.ndarray:
    """Body parts as DensePose gives them, uint8 (size, size, 3): part 1..24 (0 background), U and V as 0..255."""
    rig = pose(semantics)
    mesh = body_mesh(semantics.shape)
    seen = look_at(mesh.posed(rig), mesh.triangles, size)
    picture = np.zeros((size * size, 3), np.uint8)
    picture[seen.pixels, 0] = mesh.parts[seen.triangles]
    uv = np.einsum("kc,kci->ki", seen.weights, mesh.uv[seen.triangles])
    picture[seen.pixels, 1:] = np.rint(255 * np.clip(uv, 0, 1))
    return picture.reshape(size, size, 3)


def regions(semantics: DanceSemantics, appearance: DancerLook, size: int) -> dict[str, np.ndarray]:
    """Boolean (size, size) masks: "foreground" is the dancer with clothes and hair, without the shadow."""
    side = size * OVERSAMPLE
    mesh = dressed_mesh(semantics.shape, appearance)
    seen = look_at(mesh.posed(pose(semantics)), mesh.triangles, side)
    cover = np.zeros((side, side), np.float32)
    cover.reshape(-1)[seen.pixels] = 1.0
    return {"foreground": cv2.resize(cover, (size, size), interpolation=cv2.INTER_AREA) >= 0.5}


def _floor_shadow(scene: np.ndarray, look: DancerLook, lamp: Lamp, side: int) -> np.ndarray:
    """Darken the floor where the dancer stands between it and the lamp, softly."""
    rows, _ = floor_rows(side)
    points = floor_points(side)
    lit = lamp.reaching(points.reshape(-1, 3), blur=2.0).reshape(points.shape[:2])
    lit = cv2.GaussianBlur(lit, (0, 0), max(0.006 * side, 0.6))
    ambient, key = np.asarray(look.ambient), np.asarray(look.light_colour) * look.light[1]
    dark = (ambient + 0.15 * key) / (ambient + key)
    scene[rows] *= (dark + lit[..., None] * (1.0 - dark)).astype(np.float32)
    return scene


def _lit(seen: Seen, mesh: Mesh, points: np.ndarray, rig: Rig, look: DancerLook, lamp: Lamp) -> np.ndarray:
    """Colours (K, 3) of what is seen of the dancer: lamp with shadow, sky and floor light, and a rim from behind."""
    values = seen.interpolate(np.concatenate([mesh.rest, mesh.normals(points), points], axis=1).astype(np.float32))
    rest, normal, place = values[:, :3], values[:, 3:6], values[:, 6:]
    colour, cloth = albedo(look, rig.rest, mesh.kinds[seen.triangles], rest)
    normal = unit(normal + _creases(rest, look.seed) * cloth[:, None])
    facing = normal @ np.asarray(look.light, np.float32)
    lamp_share = np.clip((facing + 0.18) / 1.18, 0, 1) * lamp.reaching(place + 0.02 * normal)
    view = unit(np.array([0.0, HEIGHT, DISTANCE], np.float32) - place)
    toward = np.clip(np.einsum("ki,ki->k", normal, view), 0, 1)
    sky = (0.80 + 0.28 * normal[:, 1]) * (0.72 + 0.28 * toward)
    key, ambient = np.asarray(look.light_colour, np.float32), np.asarray(look.ambient, np.float32)
    light = 1.25 * lamp_share[:, None] * key + sky[:, None] * ambient
    half = unit(view + np.asarray(look.light, np.float32))
    gloss = np.clip(np.einsum("ki,ki->k", normal, half), 0, 1) ** 24 * lamp_share * np.where(cloth, 10.0, 26.0)
    rim = np.clip(1 - toward, 0, 1) ** 3 * np.clip(0.6 + normal[:, 1], 0, 1.2)
    bright = colour * light + gloss[:, None] + 120.0 * rim[:, None] * np.asarray(look.rim, np.float32)
    knee, room = 185.0, 70.0  # above the knee brightness is compressed, as film does
    return np.minimum(bright, 255.0 - room * room / (np.maximum(bright, knee) - knee + room))


def _creases(rest: np.ndarray, seed: int) -> np.ndarray:
    """How creased cloth bends the normals at rest positions: (K, 3)."""
    x, y, z = rest.T
    phase = seed % 13
    wave = np.sin(38 * y + 21 * x + 3 * np.sin(17 * x + phase)) + np.sin(27 * y - 33 * z + phase)
    fine = np.sin(71 * y + 45 * x + 2 * phase)
    return np.stack([0.07 * wave, 0.10 * wave + 0.05 * fine, 0.03 * fine], axis=1).astype(np.float32)
