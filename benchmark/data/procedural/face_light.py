"""Light on the 3D head: per-pixel irradiance and gloss from the surface's normals, and the head's outline.

The surface grid is denser than the pixels, so it is splatted point by point: far columns first, so that the nose hides
the cheek behind it. Small gaps are closed by a blur that counts only covered pixels.
"""

from __future__ import annotations

import cv2
import numpy as np

from benchmark.data.procedural.face_geometry import EAR_ROW, Head, View
from benchmark.data.procedural.face_types import FaceAppearance

WRAP = np.array([0.50, 0.38, 0.32], np.float32)  # red light wanders furthest through skin, so shadows turn warm


def outlines(head: Head, view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image polygons: the whole head (N, 2), the face up to the hairline (M, 2), and the jaw from ear to ear (K, 2)."""
    left, right = view.project(head.outline(40))
    jaw = np.concatenate([left, right[-2::-1]])
    brow_left, brow_right = view.project(head.outline(20, first=EAR_ROW - 3))
    brow = slice(0, 6)
    face = np.concatenate([brow_right[brow][::-1], brow_left[brow], jaw])
    surface = view.project(head.grid(17, 25, features=False)[:10].reshape(-1, 3).astype(np.float64))
    skull = cv2.convexHull(surface.astype(np.float32))[:, 0].astype(np.float64)
    return skull, face, jaw


def light_of(normals: np.ndarray, look: FaceAppearance) -> np.ndarray:
    """Irradiance (..., 3) around 1 for camera-frame normals (..., 3)."""
    lamp = np.asarray(look.light, np.float32)
    facing = (normals @ lamp)[..., None]
    key = np.maximum((facing + WRAP) / (1 + WRAP), 0.0)
    sky = 0.5 - 0.5 * normals[..., 1:2]  # y points down
    fill = 0.52 + 0.18 * sky
    strength = look.light_strength
    return (fill * (1 - 0.45 * strength) + (0.34 + 0.46 * strength) * key) * np.asarray(look.light_colour, np.float32)


def shade(head: Head, view: View, look: FaceAppearance) -> tuple[np.ndarray, np.ndarray]:
    """Irradiance (S, S, 3) and gloss (S, S), float32, at the image's own S pixels; defined near the head only.

    Light is smooth, so the finer canvas gets it enlarged.
    """
    side, extent = view.size, view.unit
    rows, columns = (8 * int(span * extent / 8) + 16 for span in (2.3, 2.5))  # few different counts: tables are cached
    points = view.camera(head.grid(rows, columns))
    normals = _normals(points)
    seen = normals[..., 2] > -0.05
    place = view.pixels(points)
    x, y = np.rint(place[..., 0]).astype(np.int32), np.rint(place[..., 1]).astype(np.int32)
    seen &= (x >= 0) & (x < side) & (y >= 0) & (y < side)
    # Painter's order: the half of the head that turns away first, and (looking down) the chin before the nose.
    step_rows = -1 if view.rotation[1, 2] > 0 else 1
    step_columns = -1 if view.rotation[0, 2] > 0 else 1
    seen, x, y = (a[::step_rows, ::step_columns] for a in (seen, x, y))
    normal = normals[::step_rows, ::step_columns][seen]
    half = np.asarray(look.light, np.float32) + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    values = np.empty((len(normal), 5), np.float32)
    values[:, :3] = light_of(normal, look)
    values[:, 3] = np.maximum(normal @ half, 0) ** 22
    values[:, 4] = 1
    layer = np.zeros((side * side, 5), np.float32)
    layer[y[seen] * side + x[seen]] = values
    return _close(layer.reshape(side, side, 5), extent)


def _normals(points: np.ndarray) -> np.ndarray:
    down = np.empty_like(points)
    across = np.empty_like(points)
    down[1:-1], across[:, 1:-1] = points[2:] - points[:-2], points[:, 2:] - points[:, :-2]
    down[0], down[-1] = points[1] - points[0], points[-1] - points[-2]
    across[:, 0], across[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    ax, ay, az = np.moveaxis(across, -1, 0)
    dx, dy, dz = np.moveaxis(down, -1, 0)
    normals = np.stack([ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx], axis=-1)
    normals /= np.sqrt(np.einsum("...i,...i", normals, normals))[..., None] + 1e-12
    return normals


def _close(layer: np.ndarray, extent: float) -> tuple[np.ndarray, np.ndarray]:
    """Fill gaps, then extend outwards so that the antialiased outline never meets darkness."""
    near = cv2.GaussianBlur(layer, (0, 0), max(0.7, 0.014 * extent))
    far = cv2.blur(layer, (2 * int(0.06 * extent) + 3,) * 2)
    chosen = np.where(near[..., 4:] > 0.25, near, far)
    light = chosen[..., :4] / np.maximum(chosen[..., 4:], 1e-3)
    return np.ascontiguousarray(light[..., :3]), np.ascontiguousarray(light[..., 3])
