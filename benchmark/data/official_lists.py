"""Reader of the official code's training lists: one sample a line, eight paths joined by `&` (spec: systems 1.4).

    for sample in read_official_list(Path("train_list.txt")): sample.target.image, sample.consistent

The eight paths are label and image of A (target), B (exemplar: label first, as for the others), C (partner of B's
style) and D (partner of another style).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import BenchError

_ROLES = ("A", "B", "C", "D")
_FACE_NAME = re.compile(r"__Mr_(?P<video>.+?)__1__a\.\d+\.[A-Za-z]+$")


@dataclass(frozen=True)
class Item:
    """One photo and the file its label is drawn from (landmark CSV, pose `png|json`, class map)."""

    label: str
    image: str


@dataclass(frozen=True)
class OfficialSample:
    """One line of a list; `consistent` says whether target and exemplar come from one video."""

    target: Item  # A
    exemplar: Item  # B
    partner: Item  # C
    other: Item  # D
    consistent: bool


def video_of(image: str) -> str:
    """The video of an official face crop, from its name `__Mr_<video>__1__a.<frame>.jpg`; ValueError if it has none."""
    match = _FACE_NAME.search(image.replace("/", "__"))
    if not match:
        raise ValueError(f"{image!r} is not named like __Mr_<video>__1__a.<frame>.jpg")
    return match["video"]


def read_official_list(path: Path, video: Callable[[str], str] = video_of) -> list[OfficialSample]:
    """Read a list file; `video` names the video of an image path, which decides `consistent` as the official code does.

    Raises:
        BenchError: the file is missing or empty, or a line (named by its number) does not hold eight paths, an
        empty path,
            or an image whose video cannot be told.
    """
    if not path.is_file():
        raise BenchError(f"{path}: no such list file")
    lines = path.read_text().splitlines()
    samples = [_sample(path, number, line, video) for number, line in enumerate(lines, start=1) if line.strip()]
    if not samples:
        raise BenchError(f"{path}: holds no samples; expected lines of 8 paths joined by '&'")
    return samples


def _sample(path: Path, number: int, line: str, video: Callable[[str], str]) -> OfficialSample:
    fields = [field.strip() for field in line.split("&")]
    if len(fields) != 2 * len(_ROLES):
        raise BenchError(f"{path}: line {number}: {len(fields)} paths; expected 8 (label & image of A B C D)")
    for position, field in enumerate(fields):
        if not field:
            kind = ("label", "image")[position % 2]
            raise BenchError(f"{path}: line {number}: the {kind} path of {_ROLES[position // 2]} is empty")
    target, exemplar, partner, other = (Item(fields[i], fields[i + 1]) for i in range(0, 8, 2))
    try:
        consistent = video(target.image) == video(exemplar.image)
    except ValueError as error:
        raise BenchError(f"{path}: line {number}: {error}") from None
    return OfficialSample(target, exemplar, partner, other, consistent)
