"""Which pairs of frames to mark by hand: those that training draws, each once, by seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmark.config import PairsConfig
from benchmark.data.pairs import PairSampler
from benchmark.data.source import Clip, Frame
from benchmark.errors import BenchError, nearest

DRAWN = ("both", "consistent", "inconsistent")
MOST_DRAWS = 50  # for each pair wanted; then there are no more of them

Pair = tuple[Frame, Frame]


def draw_pairs(
    clips: tuple[Clip, ...], config: PairsConfig, count: int, drawn: str = "both", seed: int = 0
) -> list[Pair]:
    """`count` different pairs of different frames, or as many as there are.

    drawn: "consistent" (of one clip, within the window), "inconsistent" (of two clips: what the paper had marked by
    hand), or "both" in the proportion of `config.consistent_share`, so that a labeller cannot go by the kind of pair.
    """
    if drawn not in DRAWN:
        raise BenchError(f"--drawn: no such choice {drawn!r}{nearest(drawn, DRAWN)}")
    if count < 1:
        raise BenchError(f"--pairs: at least 1, got {count}")
    share = {"both": config.consistent_share, "consistent": 1.0, "inconsistent": 0.0}[drawn]
    if share < 1 and len(clips) < 2:
        raise BenchError("--drawn: there is one clip only; give --drawn consistent")
    sampler = PairSampler(clips, replace(config, consistent_share=share, labels=""))
    rng = np.random.default_rng([seed, 0xBA1])
    found: dict[frozenset[Frame], Pair] = {}
    for _ in range(MOST_DRAWS * count):
        pair = sampler.draw(rng)
        if pair.target != pair.exemplar:
            found.setdefault(frozenset((pair.target, pair.exemplar)), (pair.target, pair.exemplar))
        if len(found) == count:
            break
    if not found:
        raise BenchError("--drawn: the clips have no two frames near enough to each other; raise pairs.window")
    return list(found.values())
