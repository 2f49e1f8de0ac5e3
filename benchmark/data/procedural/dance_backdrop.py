"""Places to dance in: a wall or a view behind, a floor in perspective, a little out of focus. Constant over a clip."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from benchmark.data.procedural.dance_camera import DISTANCE, HEIGHT, WALL, rays
from benchmark.data.procedural.dance_types import DancerLook


@lru_cache(maxsize=32)
def backdrop(look: DancerLook, side: int) -> np.ndarray:
    """The empty scene, float32 (side, side, 3) in 0..255; the caller must not write to it."""
    x, y = rays(side)
    scene = _wall(look, x * (DISTANCE - WALL), y * (DISTANCE - WALL) + HEIGHT)
    scene = cv2.GaussianBlur(scene, (0, 0), max(0.006 * side, 0.5))
    rows, depth = floor_rows(side)
    scene[rows] = _floor(
        look, x[None, :] * depth[:, None], np.broadcast_to(DISTANCE - depth[:, None], (len(rows), side))
    )
    scene = cv2.GaussianBlur(scene, (0, 0), max(0.0022 * side, 0.35))
    across, down = np.linspace(-1, 1, side)[None, :], np.linspace(-1, 1, side)[:, None]
    scene *= (1.06 - 0.20 * (across**2 + 0.7 * down**2))[..., None].astype(np.float32)
    scene.setflags(write=False)
    return scene


def floor_rows(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Picture rows that show the floor, and their distance from the camera in metres."""
    y = rays(side)[1]
    rows = np.flatnonzero(y * (DISTANCE - WALL) + HEIGHT < 0)
    return rows, -HEIGHT / y[rows]


def floor_points(side: int) -> np.ndarray:
    """World points of the floor's pixels: (rows, side, 3)."""
    x, _ = rays(side)
    rows, depth = floor_rows(side)
    points = np.zeros((len(rows), side, 3))
    points[..., 0] = x[None, :] * depth[:, None]
    points[..., 2] = DISTANCE - depth[:, None]
    return points


def _edge(wave: np.ndarray, sharp: float = 6.0) -> np.ndarray:
    return np.clip(0.5 + sharp * wave, 0.0, 1.0)


def _wall(look: DancerLook, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Wall colours at x (side,) and y (side,) metres."""
    first, second, third = (np.asarray(c, np.float32) for c in look.backdrop_colours)
    x, y = x[None, :], y[:, None]
    rng = np.random.default_rng(look.seed)
    kind = look.backdrop
    if kind == "brick":
        return _brick(x, y, first, second, rng)
    if kind == "stage":
        folds = 0.55 + 0.3 * np.sin(11.0 * x + 1.2 * np.sin(3.0 * x)) + 0.12 * np.sin(29.0 * x)
        light = sum(
            np.exp(-(((x - c - s * (2.6 - y)) / (0.16 + 0.16 * (2.6 - y))) ** 2))
            for c, s in zip(rng.uniform(-1.5, 1.5, 3), rng.uniform(-0.4, 0.4, 3), strict=True)
        )
        return (0.55 * first * folds[..., None] + 70.0 * light[..., None] * second / 255.0).astype(np.float32)
    if kind == "hall":
        panel = _edge(np.abs(np.mod(x + rng.uniform(), 1.3) - 0.65) - 0.60, 30.0)
        frame = np.maximum(panel, _edge(0.35 - y, 30.0))
        mirror = 0.55 * first + 0.45 * second * (0.7 + 0.25 * y)[..., None] + 18.0 * np.sin(2.1 * x + y)[..., None]
        wall = mirror + frame[..., None] * (0.8 * third - mirror)
        bar = np.exp(-(((y - 0.95) / 0.025) ** 2)) + 0 * x
        return (wall + bar[..., None] * (np.array([150, 108, 66]) - wall)).astype(np.float32)
    if kind in ("park", "club"):
        return _lights(x, y, look, rng)
    slope = np.clip(0.5 + 0.25 * y * rng.uniform(0.2, 1.0) + rng.uniform(-0.25, 0.25) * x, 0, 1)[..., None]
    glow = np.exp(-((x - rng.uniform(-0.8, 0.8)) ** 2 + (y - 1.2) ** 2) / 1.6)[..., None]
    return (first * (0.70 + 0.15 * slope) + 0.25 * second * slope + 40.0 * glow).astype(np.float32)


def _brick(x, y, first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    course = np.floor(y / 0.12)
    shift = x / 0.34 + 0.5 * np.mod(course, 2)
    tint = np.sin(np.floor(shift) * 12.9898 + course * 78.233 + rng.uniform()) * 43758.5453
    tint = 0.82 + 0.3 * (tint - np.floor(tint))
    mortar = (
        _edge(np.abs(np.mod(shift, 1) - 0.5) - 0.47, 30) + _edge(np.abs(np.mod(y / 0.12, 1) - 0.5) - 0.42, 20) + 0 * x
    )
    clay = (0.55 * first + np.array([70.0, 34.0, 24.0])) * tint[..., None]
    wall = clay + np.clip(mortar, 0, 1)[..., None] * (np.array([120.0, 112.0, 104.0]) - clay)
    for _ in range(3):  # paint sprayed on it
        cx, cy, wide, turn = rng.uniform(-1.4, 1.4), rng.uniform(0.8, 1.9), rng.uniform(0.25, 0.5), rng.uniform(0, 6)
        blob = np.hypot(x - cx, (y - cy) * 1.6) / wide + 0.16 * np.sin(2 * np.arctan2(y - cy, x - cx) + turn)
        colour = second if rng.uniform() < 0.5 else first[::-1]
        wall = wall + 0.75 * _edge(0.9 - blob, 8)[..., None] * (colour * tint[..., None] - wall)
    return wall.astype(np.float32)


def _lights(x: np.ndarray, y: np.ndarray, look: DancerLook, rng: np.random.Generator) -> np.ndarray:
    """Round blurs: leaves against the sky, or lamps in the dark."""
    first, second, third = (np.asarray(c, np.float32) for c in look.backdrop_colours)
    park = look.backdrop == "park"
    if park:
        sky = np.clip((y - 0.4) / 2.0, 0, 1)[..., None] + 0 * x[..., None]
        scene = np.array([92.0, 112.0, 62.0]) + sky * (np.array([196.0, 214.0, 228.0]) - np.array([92.0, 112.0, 62.0]))
        colours = [np.array([64.0, 104.0, 44.0]), np.array([104.0, 140.0, 62.0]), np.array([46.0, 76.0, 40.0])]
    else:
        scene = 0.16 * first + 10.0 + 0.10 * second * np.clip(1.6 - y, 0, 1)[..., None] + 0 * x[..., None]
        colours = [second, third, first]
    for _ in range(46 if park else 22):
        cx, cy, wide = rng.uniform(-1.9, 1.9), rng.uniform(0.1, 2.6), rng.uniform(0.07, 0.24)
        disc = _edge(wide - np.hypot(x - cx, y - cy), 25.0)[..., None]
        colour = colours[int(rng.integers(3))] * rng.uniform(0.7, 1.25)
        scene = scene + (0.55 * disc * (colour - scene) if park else 0.5 * disc * colour)
    return np.clip(scene, 0, 255).astype(np.float32)


def _floor(look: DancerLook, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Floor colours at points (rows, side) in metres."""
    third = np.asarray(look.backdrop_colours[2], np.float32)
    phase = (look.seed % 89) / 89.0
    if look.floor == "planks":
        plank = np.floor(x / 0.16 + phase)
        tone = np.sin(plank * 37.7) * 0.10 + 0.05 * np.sin(9.0 * z + 5.0 * plank)
        gap = _edge(np.abs(np.mod(x / 0.16 + phase, 1) - 0.5) - 0.47, 40)
        base = 0.35 * third + np.array([112.0, 76.0, 44.0])
        colour = base * (1.0 + tone - 0.45 * gap)[..., None]
    elif look.floor == "tiles":
        even = np.mod(np.floor(x / 0.4 + phase) + np.floor(z / 0.4), 2)
        colour = 0.5 * third + 60.0 + 40.0 * even[..., None]
    else:
        rough = 5.0 * np.sin(23 * x + 7 * z) * np.sin(31 * z - 5 * x)
        colour = 0.30 * third + 88.0 + rough[..., None]
    dark = 0.45 if look.backdrop in ("stage", "club") else 1.0
    near = np.clip((z - WALL) / 2.0, 0, 1)[..., None]
    return (dark * colour * (0.72 + 0.28 * near)).astype(np.float32)
