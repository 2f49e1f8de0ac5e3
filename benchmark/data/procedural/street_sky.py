"""The sky: gradient, sun and its halo, clouds, stars and moon."""

from __future__ import annotations

import numpy as np

from benchmark.data.procedural import street_noise as noise
from benchmark.data.procedural.street_types import StreetStyle


def sky(style: StreetStyle, slope_x: np.ndarray, slope_y: np.ndarray) -> np.ndarray:
    """Colour of the sky along rays (x, y, 1), float32 (H, W, 3); slopes (W,) and (H,)."""
    x, y = np.broadcast_arrays(slope_x[None, :], np.maximum(slope_y, 0.0)[:, None])
    length = np.sqrt(x * x + y * y + 1.0)
    up = y / length
    zenith, horizon = np.array(style.zenith, np.float32), np.array(style.horizon, np.float32)
    colour = horizon + (1.0 - np.exp(-3.4 * up))[..., None] * (zenith - horizon)
    towards = np.clip((x * style.sun[0] + y * style.sun[1] + style.sun[2]) / length, 0, 1)
    light = np.array(style.sun_light, np.float32)
    if style.time != "night":
        colour += (0.5 * towards**8 + 0.8 * towards**90)[..., None] * light * (0.55 if style.time == "daytime" else 1.0)
        colour += np.clip((towards - 0.9985) * 1500, 0, 1)[..., None] * light * 2.2
    elif style.clouds < 0.6:
        star = noise.at(noise.white(), 900 * x + style.seed % 97, 900 * y)
        colour += (np.clip((star - 0.9965) * 300, 0, 1) * np.clip(4 * up, 0, 1))[..., None] * 0.55
    return _clouds(style, colour, x, y, towards)


def _clouds(style: StreetStyle, colour: np.ndarray, x: np.ndarray, y: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """A layer of clouds above a flat earth: they crowd towards the horizon."""
    if style.clouds < 0.03:
        return colour
    far = 26.0 / (y + 0.16)
    offset = style.seed % 251
    density = noise.smooth(noise.cloudy(), far + offset, x * far * 0.8 + offset)
    edge = 1.0 - style.clouds
    thick = np.clip((density - edge) * 3.2 + (style.clouds > 0.9), 0, 1) * np.clip(y * 14, 0.0, 1)
    bright = np.clip(1.25 - 1.1 * (density - edge) + 0.6 * towards**6 * (style.clouds < 0.9), 0, 1.3)
    if style.clouds > 0.9:  # a closed sky: only its folds show
        bright = 0.15 + 0.85 * density
    light, shade = np.array(style.cloud_light, np.float32), np.array(style.cloud_shade, np.float32)
    cloud = shade + bright[..., None] * (light - shade)
    return colour + thick[..., None] * (cloud - colour)
