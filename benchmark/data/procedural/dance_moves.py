"""How dancers move: eight families of moves, mixed and blended into one smooth stretch of dance.

    states = dance(shape, rng, frames=24)      # one DanceSemantics a frame, STEP seconds apart

Every channel of the body is a mean and two sines, of the bar and of its octave; a family is a table of such channels.
A dancer picks three families, dances them for a few beats each in a manner of their own, and turns.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmark.data.procedural.dance_types import Arm, BodyShape, DanceSemantics, Leg

STEP = 0.11  # seconds between frames
BODY = ("dip", "jump", "sway", "hip_roll", "hip_turn", "lean", "side", "twist", "nod", "look", "tilt")
ARM = ("lift", "forward", "roll", "elbow", "wrist")
LEG = ("out", "ahead", "up", "turnout", "point")
CHANNELS = (*BODY, *(f"arm {n}" for n in ARM), *(f"leg {n}" for n in LEG))
# Angles are written in degrees below; lengths are leg lengths.
_LENGTHS = {"dip", "jump", "sway", "leg out", "leg ahead", "leg up"}
_UNIT = np.array([1.0 if name in _LENGTHS else np.pi / 180 for name in CHANNELS])

Wave = tuple[float, ...]  # mean, amplitude and phase (turns) of the bar's sine, amplitude and phase of its octave
# (how far the left side runs behind the right in turns: arms, legs), channels
Family = tuple[tuple[float, float], Mapping[str, Wave]]

FAMILIES: dict[str, Family] = {
    "two-step": (
        (0.5, 0.5),
        {
            "dip": (0.05, 0, 0, 0.03, 0), "sway": (0, 0.11, 0.25), "hip_roll": (0, 7, 0.25), "side": (0, 7, 0.75),
            "twist": (0, 12, 0), "tilt": (0, 8, 0.2), "look": (0, 18, 0.1),
            "arm lift": (35, 22, 0), "arm forward": (45, 20, 0), "arm elbow": (85, 30, 0.2), "arm roll": (-10, 25, 0.3),
            "leg out": (0.12, 0.10, 0.0), "leg up": (-0.03, 0.11, 0.75), "leg turnout": (15,),
        },
    ),
    "wave": (
        (0.5, 0.5),
        {
            "dip": (0.05, 0, 0, 0.03, 0.3), "sway": (0, 0.14, 0), "hip_roll": (0, 10, 0), "side": (0, 16, 0.5),
            "tilt": (0, 12, 0.4), "look": (0, 25, 0),
            "arm lift": (95, 45, 0), "arm forward": (8, 12, 0.2), "arm elbow": (28, 22, 0.3), "arm roll": (50, 40, 0.2),
            "arm wrist": (0, 30, 0.45), "leg out": (0.18, 0.03, 0), "leg turnout": (22,), "leg up": (-0.05, 0.07, 0.25),
        },
    ),
    "jacks": (
        (0.0, 0.0),
        {
            "dip": (0.07, 0.05, 0.3), "jump": (-0.02, 0.09, 0.6), "nod": (0, 8, 0),
            "arm lift": (95, 65, 0), "arm elbow": (22, 15, 0.3), "arm forward": (10,), "arm roll": (40,),
            "leg out": (0.17, 0.15, 0), "leg turnout": (18,), "leg point": (20,),
        },
    ),
    "disco": (
        (0.5, 0.5),
        {
            "dip": (0.06, 0, 0, 0.035, 0), "sway": (0, 0.13, 0.25), "hip_roll": (0, 12, 0.25), "hip_turn": (0, 14, 0),
            "twist": (0, 18, 0.5), "side": (0, 9, 0.75), "look": (0, 30, 0.05), "nod": (-6,),
            "arm lift": (95, 65, 0), "arm forward": (20, 20, 0.5), "arm elbow": (45, 40, 0.5), "arm roll": (20, 55, 0),
            "leg out": (0.15, 0.05, 0), "leg turnout": (20,), "leg up": (-0.05, 0.08, 0.5), "leg point": (25,),
        },
    ),
    "ballet": (
        (0.12, 0.5),
        {
            "dip": (0.02, 0.02, 0.1), "side": (0, 10, 0), "lean": (4, 8, 0.25), "look": (0, 30, 0.1), "nod": (-6,),
            "twist": (0, 10, 0.2), "arm lift": (112, 50, 0), "arm forward": (25, 18, 0.1), "arm elbow": (30, 12, 0.2),
            "arm roll": (40, 20, 0.1), "arm wrist": (12, 15, 0.3),
            "leg out": (0.10, 0.10, 0.5), "leg ahead": (-0.05, 0.30, 0.5), "leg up": (-0.10, 0.42, 0.5),
            "leg turnout": (38,), "leg point": (55,),
        },
    ),
    "running man": (
        (0.5, 0.5),
        {
            "dip": (0.09, 0, 0, 0.035, 0.2), "lean": (9, 0, 0, 5, 0), "twist": (0, 14, 0.5), "nod": (0, 0, 0, 9, 0.2),
            "arm lift": (48, 25, 0.5), "arm forward": (85, 15, 0), "arm elbow": (88, 25, 0.5), "arm roll": (0, 10, 0),
            "leg ahead": (0.02, 0.22, 0), "leg up": (-0.02, 0.28, 0.07), "leg out": (0.03,), "leg turnout": (8,),
            "leg point": (25,),
        },
    ),
    "low": (
        (0.5, 0.5),
        {
            "dip": (0.20, 0.05, 0, 0.05, 0), "sway": (0, 0.17, 0), "lean": (14, 6, 0.2), "side": (0, 10, 0.5),
            "twist": (0, 26, 0.1), "look": (0, 25, 0.6), "nod": (4, 0, 0, 8, 0.4),
            "arm lift": (68, 28, 0), "arm forward": (52, 38, 0.1), "arm elbow": (70, 50, 0.35),
            "arm roll": (30, 50, 0.2), "arm wrist": (0, 25, 0.4), "leg out": (0.27, 0.05, 0), "leg turnout": (34,),
            "leg up": (-0.06, 0.08, 0.25),
        },
    ),
    "salsa": (
        (0.5, 0.5),
        {
            "dip": (0.04, 0, 0, 0.02, 0), "sway": (0, 0.10, 0.25), "hip_roll": (0, 15, 0.25), "hip_turn": (0, 18, 0),
            "twist": (0, 20, 0.5), "tilt": (0, 6, 0.3), "look": (0, 14, 0),
            "arm lift": (34, 14, 0), "arm forward": (35, 20, 0.5), "arm elbow": (98, 18, 0.5), "arm roll": (10, 22, 0),
            "leg ahead": (0, 0.20, 0), "leg up": (-0.03, 0.09, 0.25), "leg out": (0.02, 0.03, 0.5),
            "leg turnout": (18,), "leg point": (20,),
        },
    ),
}  # fmt: skip


def dance(shape: BodyShape, rng: np.random.Generator, frames: int) -> list[DanceSemantics]:
    """`frames` successive states of one dancer."""
    time = STEP * np.arange(frames)
    picked = [FAMILIES[name] for name in rng.permutation(list(FAMILIES))[:3]]
    bar = rng.uniform(1.9, 2.5)  # seconds: four beats at 96 to 126 a minute
    phase = time / bar * rng.choice([1.0, 2.0], p=[0.55, 0.45]) + rng.uniform()
    shares = _shares(time / bar + rng.uniform(), len(picked))
    values = sum(
        share[:, None] * _values(lags, _manner(waves, rng), phase)
        for share, (lags, waves) in zip(shares, picked, strict=True)
    )
    return _states(shape, values * _UNIT, _path(time, rng))


def _shares(bars: np.ndarray, families: int) -> np.ndarray:
    """Weight of each family at each time (families, T): 0.8 bars each in turn, blended over the last third."""
    turn = bars / 0.8
    place = np.floor(turn).astype(int)
    late = np.clip((turn - place - 0.65) / 0.35, 0.0, 1.0)
    late = late * late * (3.0 - 2.0 * late)
    each = np.arange(families)[:, None]
    return (place % families == each) * (1.0 - late) + ((place + 1) % families == each) * late


def _manner(waves: Mapping[str, Wave], rng: np.random.Generator) -> np.ndarray:
    """A dancer's own version of a family: (channels, 5)."""
    table = np.zeros((len(CHANNELS), 5))
    for row, name in zip(table, CHANNELS, strict=True):
        wave = waves.get(name, ())
        row[: len(wave)] = wave
    table[:, [1, 3]] *= np.clip(rng.normal(1.0, 0.2, (len(CHANNELS), 2)), 0.4, 1.5)
    table[:, [2, 4]] += rng.normal(0.0, 0.03, (len(CHANNELS), 2))
    table[:, 0] += rng.normal(0.0, np.where(_UNIT == 1.0, 0.01, 3.0))
    return table


def _values(lags: tuple[float, float], table: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Channel values of the right and the left side at each phase: (2, T, channels)."""
    lag = np.repeat([0.0, *lags], [len(BODY), len(ARM), len(LEG)])
    turns = phase[None, :, None] - np.stack([0 * lag, lag])[:, None, :]
    mean, bar, bar_phase, octave, octave_phase = table.T
    return (
        mean
        + bar * np.sin(2 * np.pi * (turns + bar_phase))
        + octave * np.sin(2 * np.pi * (2 * turns + octave_phase))
    )  # fmt: skip


def _path(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where the dancer goes and faces: (T, 3) x, z, heading, with a full spin now and then."""
    rate, phase = rng.uniform(0.6, 1.4, 3), rng.uniform(0, 2 * np.pi, 3)
    x, z, heading = (np.sin(rate[k] * time + phase[k]) for k in range(3))
    heading = rng.uniform(0.3, 0.9) * heading + rng.normal(0.0, 0.5)
    start = rng.uniform(0.0, 4.0)
    while start < time[-1]:
        part = np.clip((time - start) / rng.uniform(1.1, 1.5), 0.0, 1.0)
        heading = heading + rng.choice([-1.0, 1.0]) * 2 * np.pi * part * part * (3.0 - 2.0 * part)
        start += rng.uniform(2.5, 6.0)
    return np.stack([rng.uniform(0.05, 0.22) * x, rng.uniform(0.05, 0.2) * z - 0.05, heading], axis=1)


def _states(shape: BodyShape, values: np.ndarray, path: np.ndarray) -> list[DanceSemantics]:
    """Channel values of both sides (2, T, channels) and the path (T, 3) as states."""
    n, m = len(BODY), len(BODY) + len(ARM)
    states = []
    for right, left, (x, z, heading) in zip(*values.tolist(), path.tolist(), strict=True):
        body = dict(zip(BODY, right[:n], strict=True))
        body["jump"] = max(body["jump"], 0.0)
        arms, legs = (Arm(*right[n:m]), Arm(*left[n:m])), (Leg(*right[m:]), Leg(*left[m:]))
        states.append(DanceSemantics(shape, x, z, heading, **body, arms=arms, legs=legs))
    return states
