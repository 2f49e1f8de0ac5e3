"""What lies between the street and the picture: reflections on wet ground, glow of lamps, rain, snow, the lens.

All of it works on the finished image at its own size, float32 (H, W, 3), about 0..1.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from benchmark.data.procedural import street_noise as noise
from benchmark.data.procedural.street_types import StreetStyle


def reflect(style: StreetStyle, image: np.ndarray, ground: np.ndarray, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Wet ground mirrors what stands behind it: every column is folded at the foot of the nearest thing above.

    `ground` bool (H, W); x, z (H, W) metres of the ground there, for puddles.
    """
    height, width = ground.shape
    rows = np.arange(height, dtype=np.float32)[:, None]
    foot = np.maximum.accumulate(np.where(ground, -1.0, rows), axis=0)
    foot = cv2.blur(foot.astype(np.float32), (max(1, width // 48), 1))
    ripple = (noise.at(noise.white(), 3 * x, 1.5 * z) - 0.5) * 0.035 * height
    from_row = np.clip(2 * foot - rows + ripple, 0, height - 1).astype(np.float32)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), (height, width))
    mirrored = cv2.remap(image, columns.copy(), from_row, cv2.INTER_LINEAR)
    mirrored = cv2.GaussianBlur(mirrored, (0, 0), sigmaX=width / 420, sigmaY=height / 55)
    puddle = np.clip(2.6 * noise.at(noise.cloudy(), 1.9 * x + 3, 0.7 * z) - 0.85, 0.0, 1.0)
    grazing = np.clip(1.35 - 0.9 * (rows - foot) / height, 0.3, 1.0)
    share = (ground * style.wet * grazing * (0.3 + 0.5 * puddle))[..., None].astype(np.float32)
    return image * (1.0 - 0.75 * share) + mirrored * share


def bloom(style: StreetStyle, image: np.ndarray, glow: np.ndarray) -> np.ndarray:
    """Lamps shine into the air around them, in bad weather more."""
    if style.lamps <= 0:
        return image
    height, width = glow.shape[:2]
    haze = 1.0 + 0.8 * style.rain + 0.5 * style.flakes + 0.8 * (style.weather == "foggy")
    tight = cv2.GaussianBlur(glow, (0, 0), width / 130 + 0.3)
    small = cv2.resize(glow, (max(8, width // 4), max(6, height // 4)), interpolation=cv2.INTER_AREA)
    wide = cv2.resize(cv2.GaussianBlur(small, (0, 0), width / 110 + 0.4), (width, height))
    return image + style.lamps * (0.5 * tight + 0.75 * haze * wide)


@lru_cache(maxsize=128)
def _streaks(seed: int, height: int, width: int) -> np.ndarray:
    """Rain against the sky: coverage float32 (H, W, 1)."""
    rng = np.random.default_rng([seed, 1])
    layer = np.zeros((height * 2, width * 2), np.uint8)
    slant = rng.uniform(-0.3, 0.3)
    for _ in range(230):
        x, y = rng.uniform(0, 2 * width), rng.uniform(-0.2, 1) * 2 * height
        length = rng.uniform(0.05, 0.2) * 2 * height
        end = (int((x + slant * length) * 16), int((y + length) * 16))
        cv2.line(layer, (int(x * 16), int(y * 16)), end, int(rng.uniform(60, 190)), 1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(layer, (0, 0), max(0.35, width / 420))
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_AREA)[..., None].astype(np.float32) / 255.0


@lru_cache(maxsize=128)
def _flakes(seed: int, height: int, width: int) -> np.ndarray:
    """Falling snow, small far away and large and soft close by: coverage float32 (H, W, 1)."""
    rng = np.random.default_rng([seed, 2])
    total = np.zeros((height * 2, width * 2), np.uint8)
    for count, size, blur in ((420, 0.0042, 0.0012), (110, 0.0085, 0.0028), (14, 0.02, 0.009)):
        layer = np.zeros_like(total)
        for _ in range(count):
            centre = (int(rng.uniform(0, 2 * width) * 16), int(rng.uniform(0, 2 * height) * 16))
            radius = int(max(0.5, rng.uniform(0.5, 1.1) * size * width) * 16)
            cv2.circle(layer, centre, radius, int(rng.uniform(120, 255)), -1, cv2.LINE_AA, 4)
        total = np.maximum(total, cv2.GaussianBlur(layer, (0, 0), blur * 2 * width + 0.3))
    return cv2.resize(total, (width, height), interpolation=cv2.INTER_AREA)[..., None].astype(np.float32) / 255.0


def fall(style: StreetStyle, image: np.ndarray) -> np.ndarray:
    """Rain streaks or snow flakes between the camera and the street."""
    height, width = image.shape[:2]
    light = np.array(style.horizon, np.float32)
    if style.rain > 0:
        bright = np.minimum(0.12 + 1.1 * light, 1.0)
        image = image + 0.42 * style.rain * _streaks(style.seed, height, width) * (bright - 0.55 * image)
    if style.flakes > 0:
        bright = np.minimum(0.3 + 1.1 * light, 1.0)
        image = image + 0.85 * style.flakes * _flakes(style.seed, height, width) * (bright - image)
    return image


def develop(style: StreetStyle, image: np.ndarray) -> np.ndarray:
    """White balance, vignette and the film's shoulder -> uint8 (H, W, 3)."""
    height, width = image.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    image = image * np.array(style.balance, np.float32)
    image *= (1.0 - 0.16 * (0.6 * x * x + 0.7 * y * y)).astype(np.float32)[..., None]
    knee, room = 0.78, 0.22
    over = np.maximum(image, knee)
    image = np.minimum(image, knee) + room * (1.0 - room / (over - knee + room))
    return np.clip(image * 255.0 + 0.5, 0, 255).astype(np.uint8)
