"""Draw people and their motion: identity by (seed, index), one short clip each.

    bone, appearance = sample_person(seed=0, index=12)
    states, appearance = sample_clip(seed=0, index=12, frames=12)

Every number comes from `numpy.random.default_rng` seeded with integers, so that all processes draw the same people.
"""

from __future__ import annotations

import colorsys
from dataclasses import fields

import numpy as np

from benchmark.data.procedural.face_types import (
    BACKDROPS,
    COLLARS,
    PATTERNS,
    RGB,
    BoneShape,
    FaceAppearance,
    FaceSemantics,
    Vec3,
)

SKINS: tuple[RGB, ...] = (
    (244, 206, 178), (238, 194, 164), (232, 186, 152), (217, 168, 128), (196, 142, 102), (166, 113, 78), (130, 86, 60),
    (98, 64, 47), (72, 48, 38),
)  # fmt: skip
DARK_HAIR: tuple[RGB, ...] = ((26, 22, 22), (40, 28, 24), (58, 38, 28))
FAIR_HAIR: tuple[RGB, ...] = (
    (88, 58, 38),
    (122, 82, 50),
    (168, 122, 72),
    (214, 176, 112),
    (150, 68, 34),
    (186, 88, 44),
)
DYED_HAIR: tuple[RGB, ...] = ((150, 30, 50), (60, 80, 150), (120, 60, 140), (216, 120, 150), (60, 130, 120))
IRISES: tuple[RGB, ...] = ((74, 46, 28), (94, 62, 36), (120, 92, 48), (92, 112, 72), (88, 124, 158), (112, 130, 140))
FRAMES: tuple[RGB, ...] = ((22, 22, 24), (84, 50, 30), (150, 118, 60), (140, 30, 40), (40, 70, 130), (150, 152, 158))
SOFT_STYLES = (
    "bob",
    "bob-fringe",
    "long-straight",
    "long-wavy",
    "long-fringe",
    "bun",
    "ponytail",
    "curly-long",
    "afro",
    "crop",
)
HARD_STYLES = ("bald", "balding", "buzz", "crop", "side-part", "quiff", "slick-back", "afro", "long-straight", "bun")
KEY_EVERY = 2.2  # frames between independent key states: a clip covers its whole range, yet neighbours are related


def sample_person(seed: int, index: int) -> tuple[BoneShape, FaceAppearance]:
    """Return identity `index` of the world `seed`. The same pair of integers gives the same person everywhere."""
    rng = np.random.default_rng([seed, index, 1])
    softness = float(rng.uniform())  # one latent behind hair, beard, make-up and jaw, so that people look plausible
    bone = {f.name: float(np.clip(rng.normal(), -2.2, 2.2)) for f in fields(BoneShape)}
    bone["jaw_width"] -= 1.2 * (softness - 0.5)
    bone["upper_lip"] += 0.8 * (softness - 0.5)
    return BoneShape(**bone), _appearance(rng, softness)


def sample_clip(seed: int, index: int, frames: int) -> tuple[list[FaceSemantics], FaceAppearance]:
    """Return `frames` successive states of one person and the appearance they share.

    Motion is smooth (splined between key states) but fast: yaw to +-40 degrees, pitch and roll to +-20, scale +-15 %.
    """
    bone, appearance = sample_person(seed, index)
    rng = np.random.default_rng([seed, index, 2])
    keys = _key_states(rng, int(np.ceil(frames / KEY_EVERY)) + 3)
    times = rng.uniform(0.0, 1.0) + np.arange(frames) / KEY_EVERY
    names = list(keys)
    table = np.stack([keys[name] for name in names], axis=1)  # (keys, channels)
    low = np.floor(times).astype(int)
    blend = (times - low)[:, None]
    blend = blend * blend * (3.0 - 2.0 * blend)
    values = table[low] * (1.0 - blend) + table[low + 1] * blend  # (frames, channels)
    return [FaceSemantics(bone, **{n: float(v) for n, v in zip(names, row, strict=True)}) for row in values], appearance


def _key_states(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    def spread(limit: float) -> np.ndarray:
        return limit * rng.uniform(-1.0, 1.0, count)

    def sometimes(chance: float) -> np.ndarray:
        return np.where(rng.uniform(size=count) < chance, rng.uniform(0.4, 1.0, count), rng.uniform(0.0, 0.12, count))

    degree = np.pi / 180.0
    both = spread(0.8)
    blink = sometimes(0.18)
    mouth_open = sometimes(0.45)
    return {
        "yaw": spread(40 * degree),
        "pitch": spread(20 * degree),
        "roll": spread(20 * degree),
        "scale": 1.0 + spread(0.15),
        "shift_x": spread(0.09),
        "shift_y": spread(0.06),
        "blink_left": blink,
        "blink_right": np.where(rng.uniform(size=count) < 0.12, 1.0 - blink, blink),
        "brow_left": np.clip(both + spread(0.25), -1, 1),
        "brow_right": np.clip(both + spread(0.25), -1, 1),
        "furrow": sometimes(0.25),
        "smile": np.clip(rng.normal(0.25, 0.6, count), -0.8, 1.0),
        "mouth_open": mouth_open,
        "pucker": sometimes(0.2) * (1.0 - 0.5 * mouth_open),
    }


def _pick(rng: np.random.Generator, choices: tuple, weights: tuple | None = None):
    share = None if weights is None else np.asarray(weights, float) / np.sum(weights)
    return choices[int(rng.choice(len(choices), p=share))]


def _mix(first: RGB, second: RGB, share: float) -> RGB:
    return tuple(float(a + (b - a) * share) for a, b in zip(first, second, strict=True))  # type: ignore[return-value]


def _jitter(rng: np.random.Generator, colour: RGB, amount: float) -> RGB:
    return tuple(float(np.clip(c + rng.normal(0.0, amount), 8, 250)) for c in colour)  # type: ignore[return-value]


def _vivid(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> RGB:
    colour = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(*saturation), rng.uniform(*value))
    return tuple(255.0 * c for c in colour)  # type: ignore[return-value]


def _hair_colour(rng: np.random.Generator, tone: float, age: float) -> RGB:
    natural = _pick(rng, DARK_HAIR) if tone > 0.45 or rng.uniform() < 0.35 else _pick(rng, FAIR_HAIR)
    if rng.uniform() < 0.05:
        natural = _pick(rng, DYED_HAIR)
    grey = np.clip((age - 0.45) / 0.4, 0.0, 1.0) * rng.uniform(0.5, 1.0)
    return _jitter(rng, _mix(natural, _pick(rng, ((228, 226, 222), (150, 148, 146))), float(grey)), 5)


def _lamp(rng: np.random.Generator) -> tuple[Vec3, Vec3, float]:
    turn = rng.uniform(-1.25, 1.25)
    height = rng.uniform(-0.15, 0.9)
    direction = np.array([np.sin(turn) * np.cos(height), -np.sin(height), np.cos(turn) * np.cos(height)])
    warmth = rng.uniform(-1.0, 1.0)
    bright = rng.uniform(0.88, 1.2)
    colour = bright * np.array([1.0 + 0.11 * warmth, 1.0 + 0.01 * warmth, 1.0 - 0.11 * warmth])
    strength = float(rng.uniform(0.35, 0.95))
    return tuple(map(float, direction)), tuple(map(float, colour)), strength  # type: ignore[return-value]


def _appearance(rng: np.random.Generator, softness: float) -> FaceAppearance:
    soft = softness > 0.5
    age = float(rng.beta(1.3, 1.7))
    tone = float(rng.uniform())
    place = tone * (len(SKINS) - 1.001)
    skin = _jitter(rng, _mix(SKINS[int(place)], SKINS[int(place) + 1], place % 1.0), 3.5)
    hair = _hair_colour(rng, tone, age)
    style = _pick(rng, SOFT_STYLES if soft else HARD_STYLES)
    make_up = float(rng.uniform(0.25, 1.0)) if soft and rng.uniform() < 0.75 else 0.0
    natural_lips = _mix(skin, (176, 74, 76), 0.42)
    lips = _mix(natural_lips, _pick(rng, ((190, 30, 50), (150, 30, 70), (214, 90, 110), (120, 40, 50))), 0.85 * make_up)
    beard = (
        "none"
        if soft
        else _pick(rng, ("none", "stubble", "moustache", "goatee", "short", "full"), (3, 2, 1.2, 1.2, 2, 1.6))
    )
    glasses = _pick(rng, ("none", "round", "square", "aviator", "cat-eye", "rimless"), (9, 1.5, 2, 1, 0.8, 1))
    tinted = glasses != "none" and rng.uniform() < 0.3
    lens = _pick(rng, ((30, 30, 36), (86, 54, 30), (40, 66, 60), (150, 90, 120)))
    light, light_colour, strength = _lamp(rng)
    hat = _pick(rng, ("none", "beanie"), (12, 1))
    colours = (
        _vivid(rng, (0.1, 0.75), (0.12, 0.95)),
        _vivid(rng, (0.05, 0.7), (0.15, 0.98)),
        _vivid(rng, (0.1, 0.8), (0.3, 1.0)),
    )
    return FaceAppearance(
        skin=skin,
        blush=float(rng.uniform(0.15, 0.6) + 0.4 * make_up),
        freckles=float(rng.uniform(0.3, 1.0)) if tone < 0.45 and rng.uniform() < 0.3 else 0.0,
        age=age,
        hair_style=style,
        hair=hair,
        hair_volume=float(rng.uniform(0.6, 1.4)),
        brow=_mix(hair, (30, 24, 22), 0.35),
        brow_thickness=float(rng.uniform(0.6, 1.1) if soft else rng.uniform(0.8, 1.5)),
        iris=_pick(rng, IRISES[:3]) if tone > 0.5 else _pick(rng, IRISES),
        glasses=glasses,
        frame=_jitter(rng, _pick(rng, FRAMES), 6),
        lens=lens if tinted else (235, 242, 248),
        lens_tint=float(rng.uniform(0.45, 0.8)) if tinted else 0.07,
        beard=beard,
        beard_colour=_mix(hair, (60, 40, 30), 0.15),
        lips=_jitter(rng, lips, 4),
        eye_shadow=_vivid(rng, (0.3, 0.7), (0.25, 0.6)),
        make_up=make_up,
        earrings=_pick(rng, ("none", "stud", "hoop"), (3, 1, 1.2)) if soft else "none",
        hat=hat,
        hat_colour=_vivid(rng, (0.1, 0.8), (0.15, 0.8)),
        clothes=_vivid(rng, (0.05, 0.85), (0.1, 0.95)),
        clothes_accent=_vivid(rng, (0.0, 0.8), (0.1, 1.0)),
        collar=_pick(rng, COLLARS),
        pattern=_pick(rng, PATTERNS, (3, 1, 1, 0.7)),
        backdrop=_pick(rng, BACKDROPS),
        backdrop_colours=colours,
        light=light,
        light_colour=light_colour,
        light_strength=strength,
        gaze=(float(rng.uniform(-1.2, 1.2)), float(rng.uniform(-0.7, 0.7)), float(rng.uniform(3.0, 6.0))),
        seed=int(rng.integers(2**31)),
    )
