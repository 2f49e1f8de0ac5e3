"""Draw dancers and their dances: identity by (seed, index), one clip each.

    states, look = sample_clip(seed=0, index=12, frames=24)

Every number comes from `numpy.random.default_rng` seeded with integers, so that all processes draw the same dancers.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from benchmark.data.procedural.dance_moves import dance
from benchmark.data.procedural.dance_types import (
    BACKDROPS,
    FLOORS,
    PATTERNS,
    RGB,
    BodyShape,
    DancerLook,
    DanceSemantics,
    Garment,
    Vec3,
)
from benchmark.data.procedural.face_sample import DARK_HAIR, DYED_HAIR, FAIR_HAIR, IRISES, SKINS

SOFT_HAIR = ("long", "ponytail", "bun", "bob", "afro", "short")
HARD_HAIR = ("short", "buzz", "bald", "afro", "long", "bun")
LEATHER: tuple[RGB, ...] = ((28, 28, 30), (235, 234, 230), (120, 74, 44), (150, 30, 36), (40, 60, 120))


def sample_clip(seed: int, index: int, frames: int) -> tuple[list[DanceSemantics], DancerLook]:
    """`frames` successive states of dancer `index` of the world `seed`, and the appearance they share."""
    shape, look = sample_dancer(seed, index)
    return dance(shape, np.random.default_rng([seed, index, 12]), frames), look


def sample_dancer(seed: int, index: int) -> tuple[BodyShape, DancerLook]:
    """Dancer `index` of the world `seed`. The same pair of integers gives the same dancer everywhere."""
    rng = np.random.default_rng([seed, index, 11])
    soft = float(rng.uniform())  # one latent behind build, hair and clothes, so that dancers look plausible
    build = {f.name: float(np.clip(rng.normal(), -2.0, 2.0)) for f in fields(BodyShape)}
    for name, lean in (("height", -1.4), ("shoulders", -1.4), ("hips", 1.2), ("muscle", -1.2), ("bust", 3.0)):
        build[name] = float(np.clip(build[name] + lean * (soft - 0.5), -2.2, 2.2))
    return BodyShape(**build), _look(rng, soft > 0.5)


def _pick(rng: np.random.Generator, choices: Sequence, weights: Sequence[float] | None = None):
    share = None if weights is None else np.asarray(weights, float) / np.sum(weights)
    return choices[int(rng.choice(len(choices), p=share))]


def _near(rng: np.random.Generator, colour: RGB, amount: float = 5.0) -> RGB:
    return tuple(float(np.clip(c + rng.normal(0.0, amount), 6, 250)) for c in colour)  # type: ignore[return-value]


def _mix(a: RGB, b: RGB, share: float) -> RGB:
    return tuple(float(p + (q - p) * share) for p, q in zip(a, b, strict=True))  # type: ignore[return-value]


def _dye(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> RGB:
    colour = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(*saturation), rng.uniform(*value))
    return tuple(255.0 * c for c in colour)  # type: ignore[return-value]


def _garment(rng: np.random.Generator, plain: float, loose: float, gloss: float = 0.0) -> Garment:
    vivid = rng.uniform() < 0.6
    colour = _dye(rng, (0.45, 0.95), (0.35, 0.95)) if vivid else _dye(rng, (0.0, 0.2), (0.10, 0.95))
    accent = _dye(rng, (0.0, 0.9), (0.1, 1.0))
    pattern = "plain" if rng.uniform() < plain else _pick(rng, PATTERNS[1:])
    return Garment(colour, accent, pattern, loose, gloss)


def _lamp(rng: np.random.Generator) -> tuple[Vec3, Vec3, Vec3]:
    """Direction of the lamp, its colour, and the colour of the shade."""
    turn, height = rng.uniform(-1.1, 1.1), rng.uniform(0.55, 1.15)
    towards = (np.sin(turn) * np.cos(height), np.sin(height), np.cos(turn) * np.cos(height))
    warmth = rng.uniform(-1.0, 1.0)
    key = rng.uniform(0.70, 0.95) * np.array([1.0 + 0.10 * warmth, 1.0, 1.0 - 0.12 * warmth])
    shade = rng.uniform(0.34, 0.52) * np.array([1.0 - 0.07 * warmth, 1.0, 1.0 + 0.09 * warmth])
    direction, lamp, ambient = (tuple(float(v) for v in row) for row in (towards, key, shade))
    return direction, lamp, ambient  # type: ignore[return-value]


def _look(rng: np.random.Generator, soft: bool) -> DancerLook:
    tone = float(rng.uniform())
    place = tone * (len(SKINS) - 1.001)
    skin = _near(rng, _mix(SKINS[int(place)], SKINS[int(place) + 1], place % 1.0), 3.5)
    natural = _pick(rng, DARK_HAIR if tone > 0.45 or rng.uniform() < 0.4 else FAIR_HAIR)
    hair = _near(rng, _pick(rng, DYED_HAIR) if rng.uniform() < 0.08 else natural)
    lips = _mix(skin, _pick(rng, ((176, 60, 70), (200, 40, 60), (150, 50, 80))), 0.6 if soft else 0.35)
    top = _garment(rng, 0.35, float(_pick(rng, (0.006, 0.012, 0.024))))
    skirt = float(rng.uniform(0.22, 0.48)) if soft and rng.uniform() < 0.4 else 0.0
    wide = float(_pick(rng, (0.005, 0.014, 0.030), (1.3, 1.0, 0.9)))
    bottom = _garment(rng, 0.6, float(rng.uniform(0.04, 0.14)) if skirt else wide)
    if rng.uniform() < 0.25:  # jeans, or black
        bottom = Garment(_near(rng, _pick(rng, ((52, 72, 112), (28, 28, 32)))), bottom.accent, "plain", bottom.loose)
    if skirt and rng.uniform() < 0.5:  # a dress
        bottom = Garment(top.colour, top.accent, top.pattern, bottom.loose)
    cover = float(_pick(rng, (0.0, 0.0, 0.94))) if skirt else float(_pick(rng, (0.96, 0.96, 0.80, 0.45, 0.28)))
    shoe = _near(rng, _pick(rng, LEATHER)) if rng.uniform() < 0.6 else _dye(rng, (0.4, 0.9), (0.4, 0.95))
    lamp, key, ambient = _lamp(rng)
    place_name = _pick(rng, BACKDROPS)
    dim = 0.8 if place_name in ("stage", "club") else 0.35
    rim = tuple(dim * c / 255.0 for c in _dye(rng, (0.1, 0.8) if dim > 0.5 else (0.0, 0.3), (0.7, 1.0)))
    return DancerLook(
        skin=skin,
        lips=lips,
        iris=_pick(rng, IRISES[:3] if tone > 0.5 else IRISES),
        hair=hair,
        hair_style=_pick(
            rng, SOFT_HAIR if soft else HARD_HAIR, (3, 3, 1.5, 2, 1, 1.5) if soft else (4, 2, 1, 1, 0.7, 0.5)
        ),
        beard=0.0 if soft or rng.uniform() < 0.6 else float(rng.uniform(0.3, 1.0)),
        cap=_pick(rng, ("none", "beanie", "cap"), (8, 1, 1)),
        cap_colour=_dye(rng, (0.1, 0.9), (0.12, 0.9)),
        top=top,
        sleeve=float(_pick(rng, (0.0, 0.24, 0.30, 0.45, 0.98), (2, 2, 3, 1.2, 3))),
        hem=float(_pick(rng, (0.175, 0.07, -0.03), (1.6, 2, 3))) if soft else float(_pick(rng, (0.04, -0.03, -0.075))),
        neckline=float(rng.uniform(0.02, 0.10)) if soft else float(rng.uniform(0.0, 0.05)),
        bottom=bottom,
        leg_cover=cover,
        skirt=skirt,
        shoe=shoe,
        sole=_near(rng, _pick(rng, ((240, 240, 236), (30, 30, 32), (196, 150, 96)), (3, 1, 0.7))),
        sock=_pick(rng, (skin, (236, 236, 232), (34, 34, 38))),
        backdrop=place_name,
        floor="concrete" if place_name == "park" else _pick(rng, FLOORS),
        backdrop_colours=(
            _dye(rng, (0.05, 0.55), (0.25, 0.9)),
            _dye(rng, (0.2, 0.85), (0.4, 1.0)),
            _dye(rng, (0.0, 0.6), (0.2, 0.9)),
        ),
        light=lamp,
        light_colour=key,
        ambient=ambient,
        rim=rim,  # type: ignore[arg-type]
        seed=int(rng.integers(2**31)),
    )
