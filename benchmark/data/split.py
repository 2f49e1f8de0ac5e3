"""Which frames train, which test (spec: systems 1.4): by video where there are enough of them, by time where not.

By video, after a seeded shuffle: a fifth validation, a fifth test, the rest training; test has one video at least.
The paper counts images, this counts videos: with few videos of unequal length a fifth of the images may be no video
at all. By time, as the paper does for dance (pix2pixSC sec 4.2): the first half of every video trains, its second
half tests. A split by video needs two videos a side or no pair of different styles can be drawn, hence the
threshold of "auto".
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmark.errors import BenchError

SPLITS = ("auto", "video", "time")
ENOUGH_VIDEOS = 6


@dataclass(frozen=True)
class Part:
    """Rows `start` to `stop` (exclusive) of a video's kept frames."""

    clip: str
    video: str
    split: str
    start: int
    stop: int


def split_videos(lengths: dict[str, int], how: str, seed: int) -> tuple[str, list[Part]]:
    """Split videos (id -> kept frames, at least 2 each): the way it was done ("video" or "time") and the parts, by id.

    Raises:
        BenchError: `how` is "video" and there is only one.
    """
    if how == "auto":
        how = "video" if len(lengths) >= ENOUGH_VIDEOS else "time"
    if how == "time":
        return how, [part for video, length in sorted(lengths.items()) for part in _halves(video, length)]
    if len(lengths) < 2:
        raise BenchError("--split video: only one video gave frames; use --split time")
    order = sorted(lengths)
    random.Random(seed).shuffle(order)
    fifth = len(order) // 5
    split = dict.fromkeys(order, "train")
    split.update(dict.fromkeys(order[:fifth], "val"))
    split.update(dict.fromkeys(order[fifth : fifth + max(fifth, 1)], "test"))
    return how, [Part(video, video, split[video], 0, lengths[video]) for video in sorted(lengths)]


def _halves(video: str, length: int) -> list[Part]:
    middle = length // 2
    return [Part(f"{video}.1", video, "train", 0, middle), Part(f"{video}.2", video, "test", middle, length)]
