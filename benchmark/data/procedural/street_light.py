"""Light on surfaces: sun with cast shadows, sky and ground, street lamps, the camera car's own headlights."""

from __future__ import annotations

import cv2
import numpy as np

from benchmark.data.procedural.street_geometry import FOCAL, NEAR, View
from benchmark.data.procedural.street_types import StreetStyle

LAMP = np.array([1.0, 0.72, 0.38], np.float32)  # sodium
BEAM = np.array([1.0, 0.95, 0.82], np.float32)
REACH = 130.0  # metres within which things throw shadows


def daylight(style: StreetStyle, normal: np.ndarray, lit: np.ndarray) -> np.ndarray:
    """Sky, ground and sun on surfaces of normals (N, 3); `lit` (N,) is the share of sun that arrives. -> (N, 3)"""
    up = 0.5 + 0.5 * normal[:, 1:2]
    ambient = up * np.array(style.sky_light, np.float32) + (1 - up) * np.array(style.ground_light, np.float32)
    facing = np.maximum(normal @ np.array(style.sun, np.float32), 0.0) * lit
    return ambient + facing[:, None] * np.array(style.sun_light, np.float32)


def lamplight(style: StreetStyle, view: View, places: np.ndarray) -> np.ndarray:
    """Street lamps and headlights at camera coordinates (N, 3) before the bend -> (N, 3)."""
    x, y, z = places.T
    eye = view.layout.scene.eye
    total = np.zeros(len(places), np.float32)
    for lamp in lamps_in_sight(view):
        away = np.square(x - lamp[0]) + 0.5 * np.square(y - lamp[1] + 1.5) + np.square(z - lamp[2])
        total += 13.0 / (8.0 + away)
    beam = np.exp(-np.square(x / (1.3 + 0.16 * z))) * np.clip(1.25 - (y + eye) / (0.7 + 0.03 * z), 0, 1)
    beam *= 1.0 * np.exp(-z / 22.0) * np.clip(z / 5.0, 0, 1)
    if style.time != "night":
        beam *= 0.25
    return style.lamps * (total[:, None] * LAMP + beam[:, None] * BEAM)


def lamps_in_sight(view: View) -> np.ndarray:
    """The nearest street lamps in camera coordinates, before the bend (L, 3)."""
    scene = view.layout.scene
    lamps = scene.mesh.lamps - np.array([0.0, scene.eye, scene.speed * view.layout.moment], np.float32)
    return lamps[(lamps[:, 2] > -8) & (lamps[:, 2] < 70)]


def shadows(style: StreetStyle, view: View) -> np.ndarray:
    """Share of light that reaches the ground, float32 (H, W): cast shadows, and the dim under things."""
    mesh = view.layout.scene.mesh
    boxes = mesh.footprint + view.shift[:, [0, 0, 2, 2]]
    strong = max(style.sun_light) > 0.3
    near = (boxes[:, 3] > NEAR) & (boxes[:, 2] < REACH)  # NaN compares false
    if not strong:
        near &= mesh.extent[:, 1] <= 4.5  # houses and trees do not hover
    corners = boxes[near][:, [[0, 2], [1, 2], [1, 3], [0, 3]]]  # (S, 4, 2) x, z
    if strong:
        slant = np.array([style.sun[0], style.sun[2]], np.float32) / max(
            style.sun[1], 0.14
        )  # of a shadow per metre of height
        thrown = corners - mesh.extent[near, 1][:, None, None] * slant
        corners = np.concatenate([corners, thrown], axis=1)
    shade = np.zeros((view.height, view.width), np.uint8)
    for outline in _on_ground(corners, view):
        cv2.fillConvexPoly(shade, cv2.convexHull(outline), 255, cv2.LINE_AA, 4)
    soft = 0.6 if strong else 2.2
    blurred = cv2.GaussianBlur(shade, (0, 0), soft * view.width / 256 + 0.2)
    return 1.0 - blurred.astype(np.float32) / 255.0


def _on_ground(corners: np.ndarray, view: View) -> np.ndarray:
    """Project ground points (S, K, 2) x, z: int32 (S, K, 2) px with 4 fractional bits.

    What lies behind the camera is pulled up to it: that far down the ground is outside the image.
    """
    x, z = corners[..., 0], np.maximum(corners[..., 1], NEAR)
    slope = x / z + view.bend[0] + view.bend[1] * z
    focal = FOCAL * view.width
    column = 0.5 * view.width - 0.5 + focal * slope
    row = view.layout.scene.horizon * view.height - 0.5 + focal * view.layout.scene.eye / z
    return np.clip(np.stack([column, row], axis=-1) * 16, -(1 << 18), 1 << 18).astype(np.int32, order="C")
