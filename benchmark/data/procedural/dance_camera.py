"""The camera of the dance world and its lamp: projection to pixels, and shadows on the dancer and the floor.

The camera stands still, 5 m before the middle of the floor at breast height, and looks straight ahead.
"""

from __future__ import annotations

import numpy as np

from benchmark.data.procedural.dance_raster import Seen, rasterise

DISTANCE = 5.0  # metres from the camera to the middle of the floor
SPAN = 2.30  # metres of that plane that the picture shows from top to bottom
HEIGHT = 1.035  # of the camera over the floor, metres
FOCAL = DISTANCE / SPAN  # in picture sides
WALL = -2.2  # z of the wall behind the dancer, metres

LAMP_SPAN = 3.4  # metres of the lamp's view
BIAS = 0.05  # metres by which a surface must lie behind another to be in its shadow


def project(points: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """World points (..., 3) -> x, y in px of a picture of `side` px (..., 2), and distance along the view (...)."""
    depth = DISTANCE - points[..., 2]
    x = (0.5 + FOCAL * points[..., 0] / depth) * side - 0.5
    y = (0.5 - FOCAL * (points[..., 1] - HEIGHT) / depth) * side - 0.5
    return np.stack([x, y], axis=-1), depth


def look_at(points: np.ndarray, triangles: np.ndarray, side: int) -> Seen:
    """What the camera sees of a mesh."""
    return rasterise(*project(points, side), triangles, side)


def rays(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of the view through pixel columns and rows: x and y in metres per metre of depth, (side,) each."""
    step = ((np.arange(side) + 0.5) / side - 0.5) / FOCAL
    return step, -step


class Lamp:
    """A distant lamp: how much of its light reaches points in space past the dancer, seen in `side` px."""

    def __init__(self, light: np.ndarray, points: np.ndarray, triangles: np.ndarray, side: int) -> None:
        self._side = side
        towards = np.asarray(light, float) / np.linalg.norm(light)
        across = np.cross([0.0, 1.0, 0.0], towards)
        across /= np.linalg.norm(across)
        self._axes = np.stack([across, np.cross(towards, across), towards], axis=1)  # columns
        self._middle = np.array([points[:, 0].mean(), 0.9, points[:, 2].mean()])
        place, depth = self._view(points)
        dark = rasterise(place, depth, triangles, self._side).depth_map()
        self._depth = np.pad(dark, 1, constant_values=np.inf)

    def _view(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y, z = ((points - self._middle) @ self._axes).T
        scale = self._side / LAMP_SPAN
        return np.stack([self._side / 2 + x * scale, self._side / 2 - y * scale], axis=1), -z

    def reaching(self, points: np.ndarray, blur: float = 1.0) -> np.ndarray:
        """Share of the light (K,) at points (K, 3): the mean of four shadow tests `blur` px of the map around."""
        place, depth = self._view(points)
        lit = np.zeros(len(points), np.float32)
        for dx, dy in ((-0.75, -0.25), (0.25, -0.75), (0.75, 0.25), (-0.25, 0.75)):
            x, y = np.clip(np.rint(place + np.array([dx, dy]) * blur).astype(np.int32) + 1, 0, self._side + 1).T
            lit += self._depth[y, x] > depth - BIAS
        return lit / 4
