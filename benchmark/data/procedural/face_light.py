"""Light on the 3D head: per-pixel irradiance and gloss from the surface's normals, and the head's outline.

The surface grid is denser than the pixels, so it is splatted point by point: far columns first, so that the nose hides
the cheek behind it. Small gaps are closed by a blur that counts only covered pixels. Coordinates and colours are kept
in planes (3, ...), on which NumPy is several times faster than on (..., 3).
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from benchmark.data.procedural.face_geometry import PIVOT, Head, View, ring_matrix
from benchmark.data.procedural.face_shape import EAR_ROW
from benchmark.data.procedural.face_types import RGB, FaceAppearance

_WRAPS = (0.50, 0.38, 0.32)  # red light wanders furthest through skin, so shadows turn warm
WRAP = np.array(_WRAPS, np.float32)[:, None]


# Rings whose ends are the face's outline: six from the temple up to the hairline, forty from the ear down to the chin.
_RINGS = np.concatenate([ring_matrix(20, EAR_ROW - 3)[:6], ring_matrix(40, EAR_ROW)])


def outlines(head: Head, view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image polygons: the whole head (N, 2), the face up to the hairline (M, 2), and the jaw from ear to ear (K, 2)."""
    left, right = view.project(head.outline(_RINGS))
    jaw = np.concatenate([left[6:], right[-2:5:-1]])
    face = np.concatenate([right[5::-1], left[:6], jaw])
    skull = cv2.convexHull(view.project(head.skull()).astype(np.float32))[:, 0]
    return skull, face, jaw


def light_of(normals: np.ndarray, look: FaceAppearance) -> np.ndarray:
    """Irradiance (3, N) around 1 for camera-frame normals (3, N)."""
    colour = np.array(look.light_colour, np.float32)[:, None]
    key = np.array(look.light, np.float32) @ normals * (1 / (1 + WRAP)) + WRAP / (1 + WRAP)
    np.maximum(key, 0.0, out=key)
    key *= (0.34 + 0.46 * look.light_strength) * colour
    sky = 0.61 - 0.09 * normals[1]  # y points down
    key += sky * ((1 - 0.45 * look.light_strength) * colour)
    return key


def lit(colour: RGB, normal: tuple[float, float, float] | np.ndarray, look: FaceAppearance) -> RGB:
    """A colour under `light_of` one normal of any length, in the camera frame; in plain numbers, ten times faster."""
    x, y, z = (float(v) for v in normal)
    length = math.hypot(x, y, z)
    facing = (x * look.light[0] + y * look.light[1] + z * look.light[2]) / length
    sky = (1 - 0.45 * look.light_strength) * (0.61 - 0.09 * y / length)
    key = 0.34 + 0.46 * look.light_strength
    falls = (sky + key * max((facing + wrap) / (1 + wrap), 0.0) for wrap in _WRAPS)
    return tuple(min(c * f * light, 255.0) for c, f, light in zip(colour, falls, look.light_colour, strict=True))  # type: ignore[return-value]


def shade(head: Head, view: View, look: FaceAppearance) -> np.ndarray:
    """Irradiance (three channels) and gloss, float32 (S, S, 4), at the image's own S pixels; true near the head only.

    Light is smooth, so the finer canvas gets it enlarged.
    """
    side, extent = view.size, view.unit
    rows, columns = (8 * int(span * extent / 8) + 8 for span in (2.4, 2.6))  # few different counts: tables are cached
    turn = view.rotation.astype(np.float32)
    points = (turn @ head.grid(rows, columns).reshape(3, -1)).reshape(3, rows, columns)
    normals = _normals(points)
    middle = view.middle - view.unit * (view.rotation[:2] @ PIVOT)
    x, y = np.rint(points[:2] * np.float32(extent) + middle.astype(np.float32)[:, None, None]).astype(np.int32)
    seen = (normals[2] > -0.05) & (x >= 0) & (x < side) & (y >= 0) & (y < side)
    # Painter's order: the half of the head that turns away first, and (looking down) the chin before the nose.
    up, left = (-1 if view.rotation[axis, 2] > 0 else 1 for axis in (1, 0))
    order = np.flatnonzero(seen[::up, ::left])
    normal = normals[:, ::up, ::left].reshape(3, -1).take(order, axis=1)
    values = np.empty((len(order), 4), np.float32)
    values[:, :3] = light_of(normal, look).T
    values[:, 3] = _gloss(normal, look)
    place = (y * side + x)[::up, ::left].ravel().take(order)
    layer, weight = np.zeros((side * side, 4), np.float32), np.zeros(side * side, np.float32)
    layer[place], weight[place] = values, 1.0
    return _close(layer.reshape(side, side, 4), weight.reshape(side, side), extent)


def _gloss(normals: np.ndarray, look: FaceAppearance) -> np.ndarray:
    """Reflection of the lamp towards the viewer (N,), the 22nd power of the cosine."""
    half = np.array(look.light, np.float32) + np.array([0, 0, 1], np.float32)
    first = np.maximum(half @ normals / np.linalg.norm(half), 0)
    second = first * first
    fourth = second * second
    return (fourth * fourth) ** 2 * fourth * second


def _normals(points: np.ndarray) -> np.ndarray:
    """Unit normals (3, R, C) of a surface grid (3, R, C)."""
    down, across = np.empty_like(points), np.empty_like(points)
    np.subtract(points[:, 2:], points[:, :-2], out=down[:, 1:-1])
    np.subtract(points[:, :, 2:], points[:, :, :-2], out=across[:, :, 1:-1])
    down[:, 0], down[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    across[:, :, 0], across[:, :, -1] = points[:, :, 1] - points[:, :, 0], points[:, :, -1] - points[:, :, -2]
    (ax, ay, az), (dx, dy, dz) = across, down
    normals = np.array([ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx])
    normals *= 1 / (np.sqrt(np.einsum("irc,irc->rc", normals, normals)) + 1e-12)
    return normals


def _close(layer: np.ndarray, weight: np.ndarray, extent: float) -> np.ndarray:
    """Fill gaps, then extend outwards so that the antialiased outline never meets darkness."""
    sigma, reach = max(0.7, 0.014 * extent), (2 * int(0.06 * extent) + 3,) * 2
    near, near_weight = cv2.GaussianBlur(layer, (0, 0), sigma), cv2.GaussianBlur(weight, (0, 0), sigma)
    far, far_weight = cv2.blur(layer, reach), cv2.blur(weight, reach)
    covered = (near_weight > 0.25).view(np.uint8)
    cv2.copyTo(near, covered, far)
    cv2.copyTo(near_weight, covered, far_weight)
    part = 1 / np.maximum(far_weight, 1e-3)
    return cv2.multiply(far, cv2.merge([part, part, part, part]))
