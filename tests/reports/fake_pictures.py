"""The pictures of a fake run, and the points on them: small cartoons, drawn from a pose and a look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmark.run.results import MethodRow
from benchmark.run.seen import write_points


def write_pictures(
    folder: Path,
    rng: np.random.Generator,
    names: Sequence[str],
    side: int,
    seeds: Sequence[int],
    methods: Sequence[MethodRow],
    truth: bool,
) -> None:
    """What was asked and shown, and what each method made of it: the first forgets the look, others part of it."""
    poses, looks = rng.random((len(names), 4)), 0.25 + 0.7 * rng.random((len(names), 9))
    other = np.roll(looks, 1, axis=0)
    average = looks.mean(0)
    for i, item in enumerate(names):
        exam = {
            "label": _face(rng, poses[i], np.array([0, 0, 0, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9]), side),
            "exemplar": _face(rng, poses[i - 1], looks[i], side),
            "target": _face(rng, poses[i], other[i], side),
            "truth": _face(rng, poses[i], looks[i], side),
        }
        for what, picture in exam.items():
            if what != "truth" or truth:
                _save(picture, folder / "images" / "_exam" / what / f"{item}.png")
        for k, method in enumerate(methods):
            look = average if k == 0 else looks[i] * (1 - 0.12 * k) + average * 0.12 * k
            made = {"real": exam["target"], "copy-exemplar": exam["exemplar"]}.get(method.name)
            for seed in seeds:
                picture = made or _face(rng, poses[i], look, side, blur=6 + 2 * k)
                _save(picture, folder / "images" / method.name / str(seed) / f"{item}.png")


def write_rings(
    folder: Path,
    rng: np.random.Generator,
    names: Sequence[str],
    side: int,
    seeds: Sequence[int],
    methods: Sequence[MethodRow],
) -> None:
    """A ring of asked points for every item, and what a detector made of them; it misses every tenth face."""
    turn = np.arange(12) * math.pi / 6
    ring = side / 2 + 0.3 * side * np.stack([np.cos(turn), 1.2 * np.sin(turn)], axis=1)  # (12, 2)
    asked = ring + rng.normal(0, side / 40, (len(names), 1, 2))
    write_points(folder / "images" / "_exam" / "points.jsonl", names, asked)
    for method in methods:
        for seed in seeds:
            found = asked + rng.normal(0, side / 60, asked.shape)
            found[::10] = np.nan
            write_points(folder / "cells" / method.name / str(seed) / "points.jsonl", names, found)


def _face(rng: np.random.Generator, pose: np.ndarray, look: np.ndarray, side: int, blur: float = 0.0) -> Image.Image:
    """A small cartoon: `pose` (4,) moves it, `look` (9,) colours it."""
    big = 4 * side
    colour = [tuple(int(255 * c) for c in look[i : i + 3]) for i in (0, 3, 6)]
    image = Image.new("RGB", (big, big), colour[0])
    draw = ImageDraw.Draw(image)
    x, y, mouth, turn = (pose - 0.5) * big * np.array([0.2, 0.15, 0.2, 0.2])
    cx, cy, r = big / 2 + x, big * 0.54 + y, big * 0.27
    draw.ellipse((cx - 1.15 * r, cy - 1.45 * r, cx + 1.15 * r, cy + 0.9 * r), fill=colour[1])
    draw.ellipse((cx - r, cy - 1.15 * r, cx + r, cy + 1.3 * r), fill=colour[2])
    for s in (-1, 1):
        draw.ellipse(
            (cx + s * 0.42 * r + turn - 0.1 * r, cy - 0.3 * r, cx + s * 0.42 * r + turn + 0.1 * r, cy - 0.1 * r),
            fill=(30, 24, 22),
        )
    draw.ellipse(
        (cx - 0.4 * r + turn, cy + 0.55 * r, cx + 0.4 * r + turn, cy + 0.66 * r + abs(mouth)), fill=(150, 50, 50)
    )
    small = np.asarray(image.resize((side, side), Image.Resampling.LANCZOS), np.float32)
    return Image.fromarray(np.clip(small + rng.normal(0, blur, small.shape), 0, 255).astype(np.uint8))


def _save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
