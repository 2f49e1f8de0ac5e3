"""Weather and time of day as numbers, and the palette of a scene.

    style = sample_style(seed=0, index=3, weather="rainy", time="night")

Two styles of one weather and time share light, sky, haze, wetness and snow up to small changes; the sun's direction,
the clouds and the palette of houses, cars and clothes are each scene's own.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from benchmark.data.procedural.street_types import RGB, StreetStyle
from benchmark.errors import BenchError, nearest


@dataclass(frozen=True)
class _Hour:
    """Light of a cloudless sky."""

    height: tuple[float, float]  # degrees of the sun over the horizon
    aside: float  # degrees that the sun may stand beside the street ahead
    sun: RGB
    sky: RGB
    ground: RGB
    zenith: RGB
    horizon: RGB
    cloud_light: RGB
    cloud_shade: RGB
    overcast: RGB  # the sky when clouds close it
    lamps: float
    windows: float


@dataclass(frozen=True)
class _Weather:
    cover: tuple[float, float]  # clouds
    sun: float  # share of sunlight that is left
    fog: float  # metres
    dim: float = 1.0
    wet: float = 0.0
    snow: float = 0.0
    rain: float = 0.0
    flakes: float = 0.0


HOURS = {
    "daytime": _Hour(
        (28, 58), 150, (1.3, 1.18, 0.98), (0.74, 0.79, 0.88), (0.46, 0.44, 0.4),
        (0.2, 0.42, 0.8), (0.72, 0.84, 0.95), (1.0, 1.0, 1.0), (0.72, 0.76, 0.82), (0.78, 0.81, 0.85), 0.0, 0.04,
    ),
    "dawn/dusk": _Hour(
        (4, 9), 22, (1.5, 0.78, 0.34), (0.56, 0.47, 0.56), (0.3, 0.22, 0.2),
        (0.2, 0.25, 0.5), (1.0, 0.62, 0.32), (1.0, 0.62, 0.42), (0.42, 0.33, 0.45), (0.6, 0.52, 0.58), 0.55, 0.24,
    ),
    "night": _Hour(
        (30, 60), 150, (0.05, 0.06, 0.1), (0.1, 0.115, 0.17), (0.06, 0.055, 0.06),
        (0.012, 0.018, 0.05), (0.1, 0.085, 0.1), (0.1, 0.09, 0.11), (0.03, 0.03, 0.05), (0.075, 0.07, 0.085), 1.0, 0.27,
    ),
}  # fmt: skip
WEATHERS = {
    "clear": _Weather((0.0, 0.16), 1.0, 700.0),
    "partly cloudy": _Weather((0.42, 0.56), 0.85, 600.0),
    "overcast": _Weather((0.95, 1.0), 0.06, 330.0),
    "rainy": _Weather((1.0, 1.0), 0.0, 120.0, dim=0.72, wet=1.0, rain=1.0),
    "snowy": _Weather((1.0, 1.0), 0.05, 105.0, dim=1.02, wet=0.12, snow=0.9, flakes=1.0),
    "foggy": _Weather((1.0, 1.0), 0.0, 32.0, dim=0.95, wet=0.2),
}
TOWNS = {  # hue, saturation, value around which the houses of a town lie
    "brick": ((0.03, 0.52, 0.58), (0.06, 0.4, 0.68), (0.09, 0.2, 0.78)),
    "plaster": ((0.11, 0.28, 0.88), (0.08, 0.3, 0.84), (0.14, 0.12, 0.92)),
    "concrete": ((0.6, 0.05, 0.62), (0.1, 0.06, 0.7), (0.58, 0.12, 0.5)),
    "harbour": ((0.57, 0.3, 0.72), (0.98, 0.34, 0.72), (0.14, 0.35, 0.86)),
}
CAR_PAINTS = (
    (0.88, 0.88, 0.88), (0.62, 0.64, 0.67), (0.09, 0.09, 0.1), (0.3, 0.32, 0.35), (0.6, 0.08, 0.08), (0.1, 0.2, 0.5),
    (0.14, 0.32, 0.22), (0.72, 0.6, 0.38), (0.85, 0.66, 0.1), (0.4, 0.1, 0.14), (0.16, 0.4, 0.55),
)  # fmt: skip


def sample_style(seed: int, index: int, weather: str, time: str) -> StreetStyle:
    """The appearance of scene `index` under a condition.

    Raises BenchError for a weather or time that cannot be drawn ("undefined").
    """
    if weather not in WEATHERS:
        raise BenchError(f"street.groups: weather {weather!r} cannot be rendered{nearest(weather, WEATHERS)}")
    if time not in HOURS:
        raise BenchError(f"street.groups: time of day {time!r} cannot be rendered{nearest(time, HOURS)}")
    rng = np.random.default_rng([seed, 0x57F, index])
    hour, air = HOURS[time], WEATHERS[weather]
    cover = float(rng.uniform(*air.cover))
    closed = max(0.0, (cover - 0.6) / 0.4)  # 0 below 60 % cover, 1 when shut
    grey = np.array(hour.overcast) * air.dim
    if weather == "snowy":
        grey = grey * [0.98, 1.0, 1.04]
    sky_light = _mix(np.array(hour.sky), (0.45 * np.array(hour.sky) + 0.75 * grey), closed) * air.dim
    horizon = _mix(np.array(hour.horizon), grey, closed)
    bounce = 1.0 + 1.4 * air.snow  # snow throws the light back up
    return StreetStyle(
        weather=weather,
        time=time,
        seed=int(rng.integers(1 << 30)),
        sun=_direction(rng, hour),
        sun_light=_rgb(np.array(hour.sun) * air.sun),
        sky_light=_rgb(sky_light * rng.uniform(0.94, 1.06)),
        ground_light=_rgb(np.array(hour.ground) * bounce * air.dim),
        zenith=_rgb(_mix(np.array(hour.zenith), grey * 0.86, closed)),
        horizon=_rgb(horizon * rng.uniform(0.96, 1.04)),
        clouds=cover,
        cloud_light=_rgb(_mix(np.array(hour.cloud_light), grey * 1.08, closed)),
        cloud_shade=_rgb(_mix(np.array(hour.cloud_shade), grey * 0.84, closed)),
        fog=float(air.fog * rng.uniform(0.85, 1.15) * (1.5 if time == "night" else 1.0)),
        fog_colour=_rgb(_mix(horizon, grey, 0.6) if air.fog < 200 else horizon * 0.97),
        wet=air.wet,
        snow=float(air.snow * rng.uniform(0.95, 1.05)),
        rain=air.rain,
        flakes=air.flakes,
        lamps=max(hour.lamps, 0.3 * (air.rain + air.flakes) * (time == "daytime") + 0.2 * (weather == "foggy")),
        windows=float(np.clip(hour.windows + 0.12 * closed * (time != "night"), 0, 1)),
        **_palette(rng),
    )


def _palette(rng: np.random.Generator) -> dict:
    town = TOWNS[str(rng.choice(list(TOWNS)))]
    facades = [_near(rng, *town[i % 3], spread=(0.02, 0.06, 0.07)) for i in range(6)]
    paints = [_jitter(rng, CAR_PAINTS[int(i)], 0.05) for i in rng.choice(len(CAR_PAINTS), 7, p=_CAR_SHARES)]
    cloths = [_near(rng, rng.random(), rng.uniform(0.1, 0.7), rng.uniform(0.15, 0.8), (0, 0, 0)) for _ in range(9)]
    green = rng.uniform(0.2, 0.33)
    leaves = [_near(rng, green, 0.55, 0.38, (0.025, 0.08, 0.06)) for _ in range(3)]
    grey = rng.uniform(0.3, 0.4)
    paving = rng.uniform(0.5, 0.64)
    return {
        "facades": tuple(facades),
        "paints": tuple(paints),
        "cloths": tuple(cloths),
        "leaves": tuple(leaves),
        "grass": _near(rng, 0.24, 0.5, 0.46, (0.03, 0.08, 0.05)),
        "asphalt": _jitter(rng, (grey, grey, grey * 1.02), 0.01),
        "paving": _jitter(rng, (paving, paving * 0.97, paving * 0.93), 0.02),
        "balance": _rgb(1.0 + rng.normal(0, 0.015, 3)),
    }


_CAR_SHARES = np.array([5, 5, 5, 4, 2, 2, 1, 1, 0.6, 1, 1]) / 27.6


def _direction(rng: np.random.Generator, hour: _Hour) -> tuple[float, float, float]:
    height = np.radians(rng.uniform(*hour.height))
    aside = np.radians(rng.uniform(0.25, 1.0) * hour.aside * rng.choice([-1, 1]))
    x, y, z = np.cos(height) * np.sin(aside), np.sin(height), np.cos(height) * np.cos(aside)
    return float(x), float(y), float(z)


def _mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    return a + share * (b - a)


def _near(rng: np.random.Generator, hue: float, saturation: float, value: float, spread) -> RGB:
    h, s, v = np.array([hue, saturation, value]) + rng.uniform(-1, 1, 3) * spread
    return colorsys.hsv_to_rgb(float(h % 1.0), float(np.clip(s, 0, 1)), float(np.clip(v, 0, 1)))


def _jitter(rng: np.random.Generator, colour: RGB, spread: float) -> RGB:
    return _rgb(np.clip(np.array(colour) + rng.uniform(-spread, spread, 3), 0, 1))


def _rgb(colour: np.ndarray) -> RGB:
    red, green, blue = (float(v) for v in colour)
    return red, green, blue
