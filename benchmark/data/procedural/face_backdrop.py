"""Backgrounds out of focus: painted small and enlarged, so that they look the same at every size."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from benchmark.data.procedural.face_types import RGB

COARSE = 48  # canvas of the blurred scene; nothing in it is sharp


def _scene(kind: str, palette: tuple[RGB, RGB, RGB], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed + 4)
    first, second, third = (np.asarray(c, np.float32) for c in palette)
    y, x = np.mgrid[0:COARSE, 0:COARSE].astype(np.float32) / COARSE - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.clip(0.5 + np.cos(angle) * x + np.sin(angle) * y, 0, 1)[..., None]
    base = first * (1 - slope) + second * slope if kind != "plain" else first * (1.12 - 0.5 * (x**2 + y**2))[..., None]
    picture = np.ascontiguousarray(np.clip(base, 0, 255).astype(np.uint8))
    sigma = 1.0
    if kind == "room":
        for _ in range(7):
            a, b = rng.integers(-8, COARSE, 2), rng.integers(8, 30, 2)
            shade = (first, second, third)[rng.integers(3)] * rng.uniform(0.4, 1.2)
            cv2.rectangle(picture, a.tolist(), (a + b).tolist(), np.clip(shade, 0, 255).tolist(), -1)
        sigma = 1.4
    elif kind == "bokeh":
        picture = (picture * 0.45).astype(np.uint8)
        lamps = np.stack([second, third])[rng.integers(2, size=16)] * rng.uniform(0.5, 1.3, (16, 1))
        places, radii = rng.integers(0, COARSE, (16, 2)).tolist(), rng.integers(2, 7, size=16).tolist()
        for place, radius, lamp in zip(places, radii, np.clip(lamps, 0, 255).tolist(), strict=True):
            glow = np.zeros_like(picture)
            cv2.circle(glow, place, radius, lamp, -1, cv2.LINE_AA)
            picture = cv2.addWeighted(picture, 1.0, glow, 0.55, 0)
        sigma = 0.6
    elif kind == "foliage":
        green = np.array([70, 120, 50], np.float32)
        tints = np.stack([second, third])[rng.integers(2, size=120)]
        colours = np.clip((0.6 * green + 0.4 * tints) * rng.uniform(0.3, 1.4, (120, 1)), 0, 255).tolist()
        places, shapes = rng.integers(0, COARSE, (120, 2)).tolist(), rng.integers(1, 6, (120, 2)).tolist()
        for place, shape, turn, leaf in zip(places, shapes, rng.integers(180, size=120).tolist(), colours, strict=True):
            cv2.ellipse(picture, place, shape, turn, 0, 360, leaf, -1)
        sigma = 1.1
    elif kind == "window":
        wall = np.clip(first * 0.6, 0, 255).tolist()
        picture[:] = np.asarray(wall, np.uint8)
        left = int(rng.integers(-6, 26))
        for row in range(2):
            for column in range(2):
                corner = (left + 13 * column, 3 + 17 * row)
                cv2.rectangle(
                    picture, corner, (corner[0] + 11, corner[1] + 15), np.clip(second * 0.5 + 130, 0, 255).tolist(), -1
                )
        cv2.rectangle(picture, (0, 40), (COARSE, COARSE), np.clip(third * 0.5, 0, 255).tolist(), -1)
        sigma = 1.0
    return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


@lru_cache(maxsize=16)
def backdrop(kind: str, colours: tuple[RGB, RGB, RGB], seed: int, side: int) -> np.ndarray:
    """The background, uint8 (side, side, 3), the same array for every frame of a clip: copy it before painting."""
    picture = cv2.resize(_scene(kind, colours, seed), (side, side), interpolation=cv2.INTER_CUBIC)
    picture.flags.writeable = False
    return picture
