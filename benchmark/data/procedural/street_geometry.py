"""From a layout to pixels: which face covers each of them, how far away it is, and where on it they lie.

    view = look(layout, height=144, width=256)
    view.labels()       # uint8 (144, 256) train ids
    view.instances()    # int32 (144, 256)

One raster of face numbers serves labels and colours, so labels are exact. It is OVERSAMPLE times finer than the image
and OVERSAMPLE is odd: the middle sample of a pixel lies at its centre, and is its label.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from benchmark.data.procedural.street_types import Layout, Mesh
from benchmark.labelers.cityscapes import CLASSES

OVERSAMPLE = 3
NEAR, FAR = 0.6, 260.0  # metres
FOCAL = 0.86  # in image widths: 60 degrees across
SHIFT = 4  # fixed-point bits of the rasteriser
SKY_ID = CLASSES.index("sky")
_LIMIT = 1 << 14  # px: coordinates are held within this, far outside any image


@dataclass(frozen=True)
class View:
    """A rastered frame. Camera coordinates: x right, y up, z forward, the camera at the origin."""

    layout: Layout
    height: int
    width: int
    faces: np.ndarray  # int32 (H * OVERSAMPLE, W * OVERSAMPLE): face number + 1, 0 for sky
    planes: np.ndarray  # float32 (F, 4) unit normal and distance of every face
    shift: np.ndarray  # float32 (T, 3) from world to camera, per thing, before the bend
    bend: tuple[float, float]  # x is moved by bend[0] * z + bend[1] * z * z

    def labels(self) -> np.ndarray:
        """Train ids, uint8 (H, W)."""
        return self._per_thing(self.layout.scene.mesh.label, SKY_ID).astype(np.uint8)

    def instances(self) -> np.ndarray:
        """int32 (H, W): below 1000 a train id, else train id * 1000 + k."""
        return self._per_thing(self.layout.scene.mesh.instance, SKY_ID)

    def _per_thing(self, values: np.ndarray, sky: int) -> np.ndarray:
        table = np.concatenate([[sky], values[self.layout.scene.mesh.thing]])
        return table[centres(self.faces)]

    @cached_property
    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        """Slopes x / z (fine width,) and y / z (fine height,) of the fine pixel centres."""
        return rays(self.layout, self.height, self.width, OVERSAMPLE)


def centres(fine: np.ndarray) -> np.ndarray:
    """The sample in the middle of every pixel."""
    return fine[OVERSAMPLE // 2 :: OVERSAMPLE, OVERSAMPLE // 2 :: OVERSAMPLE]


def rays(layout: Layout, height: int, width: int, oversample: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of the rays through pixel centres: x / z (W,), y / z (H,), float32."""
    step = 1.0 / (oversample * FOCAL * width)
    x = (np.arange(width * oversample) + 0.5 - 0.5 * width * oversample) * step
    y = (layout.scene.horizon * height * oversample - np.arange(height * oversample) - 0.5) * step
    return x.astype(np.float32), y.astype(np.float32)


def look(layout: Layout, height: int, width: int) -> View:
    """Project and raster one frame."""
    scene, mesh = layout.scene, layout.scene.mesh
    t = layout.moment
    swing, phase = scene.turn
    yaw = swing * np.sin(0.35 * t + phase)
    mean, wave, start = scene.bend
    curve = mean + wave * np.sin(0.13 * t + start)
    camera = np.array([0.0, scene.eye, scene.speed * t], np.float32)
    shift = (mesh.velocity * t - camera).astype(np.float32)
    points = mesh.points + np.repeat(shift[mesh.thing], mesh.stop - mesh.start, axis=0)
    points[:, 0] += points[:, 2] * (yaw + curve * points[:, 2])

    first, second, third = (points[corner] for corner in mesh.corners.T)
    normals = np.cross(second - first, third - first)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    distance = (normals * first).sum(axis=1)
    planes = np.column_stack([normals, distance]).astype(np.float32)

    fine = (height * OVERSAMPLE, width * OVERSAMPLE)
    faces = _raster(points, mesh, distance < 0, order(mesh, shift), scene.horizon, fine)
    return View(layout, height, width, faces, planes, shift, (float(yaw), float(curve)))


def order(mesh: Mesh, shift: np.ndarray) -> np.ndarray:
    """Rank of every thing from far to near (T,).

    On one column of the image what is further from the middle of the street is also further away, so sideways distance
    counts first: it also orders long things (a facade, a bus) against what stands beside them.
    """
    x, _, z = (mesh.origin + shift).T
    ground = mesh.extent[:, 1] <= 0
    key = np.where(ground, np.inf, z + 10.0 * np.abs(x))
    rank = np.empty(len(key), int)
    rank[np.argsort(-key, kind="stable")] = np.arange(len(key))
    return rank


def _raster(
    points: np.ndarray, mesh: Mesh, facing: np.ndarray, rank: np.ndarray, horizon: float, fine: tuple[int, int]
) -> np.ndarray:
    height, width = fine
    focal = FOCAL * width
    middle = np.array([0.5 * width - 0.5, horizon * height - 0.5], np.float32)
    z = points[:, 2]
    nearest, furthest = np.minimum.reduceat(z, mesh.start), np.maximum.reduceat(z, mesh.start)
    flat = points[:, :2] * [1.0, -1.0] * (focal / np.maximum(z, NEAR))[:, None] + middle
    left, right = np.minimum.reduceat(flat[:, 0], mesh.start), np.maximum.reduceat(flat[:, 0], mesh.start)
    seen = facing & (furthest > NEAR) & (nearest < FAR)
    # beyond NEAR the projection is final: only there may a face be dropped for lying beside the image
    # ... or for being too small to show
    top, bottom = np.minimum.reduceat(flat[:, 1], mesh.start), np.maximum.reduceat(flat[:, 1], mesh.start)
    seen &= (nearest < NEAR) | ((right > 0) & (left < width) & ((right - left + 0.3) * (bottom - top + 0.3) > 1.0))
    fixed = np.clip(np.rint(flat * (1 << SHIFT)), -(_LIMIT << SHIFT), _LIMIT << SHIFT).astype(np.int32)

    canvas = np.zeros(fine, np.int32)
    chosen = np.flatnonzero(seen)
    chosen = chosen[np.argsort(rank[mesh.thing[chosen]], kind="stable")]
    starts, stops, clipped = mesh.start.tolist(), mesh.stop.tolist(), (nearest < NEAR).tolist()
    for face in chosen.tolist():
        outline = fixed[starts[face] : stops[face]]
        if clipped[face]:
            cut = _before_camera(points[starts[face] : stops[face]])
            cut = cut[:, :2] * [1.0, -1.0] * (focal / cut[:, 2:]) + middle
            outline = np.clip(np.rint(cut * (1 << SHIFT)), -(_LIMIT << SHIFT), _LIMIT << SHIFT).astype(np.int32)
        cv2.fillPoly(canvas, [outline], face + 1, cv2.LINE_8, SHIFT)
    return canvas


def _before_camera(points: np.ndarray) -> np.ndarray:
    """A polygon (N, 3) cut off at z = NEAR."""
    kept = []
    before = points[-1]
    for here in points:
        if (here[2] >= NEAR) != (before[2] >= NEAR):
            kept.append(before + (NEAR - before[2]) / (here[2] - before[2]) * (here - before))
        if here[2] >= NEAR:
            kept.append(here)
        before = here
    return np.array(kept, np.float32).reshape(-1, 3)
