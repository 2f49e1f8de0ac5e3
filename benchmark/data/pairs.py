"""Pair sampling: which exemplar goes with which target, and who their partners are (pix2pixSC sec 3.3; spec: systems
1.4).

A draw is four frames and a flag. A = target z with its label x; B = exemplar I; C = a partner of B's style; D = a
partner of another style; `consistent` = whether B was drawn as having A's style. With probability `consistent_share`
B lies in the window around A (A itself included, as in the official code), otherwise it comes from elsewhere. C lies
in the window around B. D is drawn until its clip differs from C's. A file of manual labels overrules all of this.

Every draw depends on (seed, step, position in the batch) alone, so a resumed training sees exactly the batches it
would have.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from benchmark.config import PairsConfig
from benchmark.data.consistency import ConsistencyLabels
from benchmark.data.source import Clip, Frame
from benchmark.errors import BenchError, nearest

UNITS = ("frames", "positions")
INCONSISTENT = ("other-clip", "any-frame")
ATTEMPTS = 1000  # redraws before concluding that no partner exists


@dataclass(frozen=True)
class Draw:
    """One training sample as frames. `flip` mirrors all four."""

    target: Frame  # A
    exemplar: Frame  # B
    consistent: bool
    same: Frame  # C
    other: Frame  # D
    flip: bool


class PairSampler:
    """Draws pairs from the clips of one split.

    Raises BenchError when the split has no clips, when nothing inconsistent can be drawn from it (one clip only), or
    when an option has no such value.
    """

    def __init__(self, clips: tuple[Clip, ...], config: PairsConfig, labels: ConsistencyLabels | None = None) -> None:
        if config.unit not in UNITS:
            raise BenchError(f"pairs.unit: unknown unit {config.unit!r}{nearest(config.unit, UNITS)}")
        if config.inconsistent not in INCONSISTENT:
            raise BenchError(
                f"pairs.inconsistent: no such rule {config.inconsistent!r}{nearest(config.inconsistent, INCONSISTENT)}"
            )
        if not 0.0 <= config.consistent_share <= 1.0:
            raise BenchError(f"pairs.consistent_share: a probability from 0 to 1, got {config.consistent_share}")
        if config.window < 0:
            raise BenchError(f"pairs.window: at least 0, got {config.window}")
        self._clips = {clip.id: clip for clip in clips if len(clip)}
        if not self._clips:
            raise BenchError("pairs: the split has no frames to draw from")
        self._frames = [Frame(clip.id, i) for clip in self._clips.values() for i in range(len(clip))]
        self._config = config
        self._labels = labels or ConsistencyLabels()

    def draw(self, rng: np.random.Generator) -> Draw:
        """One training sample."""
        target = self._any(rng)
        exemplar, consistent = self.exemplar(target, rng)
        same = self._near(exemplar, rng)
        other = self._other_style(same, exemplar, rng)
        return Draw(target, exemplar, consistent, same, other, self._config.flip and bool(rng.random() < 0.5))

    def exemplar(self, target: Frame, rng: np.random.Generator, share: float | None = None) -> tuple[Frame, bool]:
        """An exemplar for `target` and whether it counts as consistent; `share` overrides `consistent_share`."""
        if rng.random() < (self._config.consistent_share if share is None else share):
            return self._near(target, rng), True
        if self._config.inconsistent == "any-frame":
            frame = self._any(rng)
            implied = frame.clip == target.clip
        else:
            frame = self._other_clip(target, rng)
            implied = False
        verdict = self._labels.verdict(target, frame)
        return frame, implied if verdict is None else verdict

    def _any(self, rng: np.random.Generator) -> Frame:
        return self._frames[int(rng.integers(len(self._frames)))]

    def _near(self, frame: Frame, rng: np.random.Generator) -> Frame:
        """A frame of the same clip within the window (possibly `frame` itself), never one labelled inconsistent by
        hand.
        """
        low, high = self._window(frame)
        for _ in range(ATTEMPTS):
            found = Frame(frame.clip, int(rng.integers(low, high)))
            if self._labels.verdict(frame, found) is not False:
                return found
        return frame

    def _window(self, frame: Frame) -> tuple[int, int]:
        times, reach = self._clips[frame.clip].times, self._config.window
        if self._config.unit == "positions":
            return max(0, frame.index - reach), min(len(times), frame.index + reach + 1)
        centre = times[frame.index]
        return bisect_left(times, centre - reach), bisect_right(times, centre + reach)

    def _other_clip(self, frame: Frame, rng: np.random.Generator) -> Frame:
        for _ in range(ATTEMPTS):
            found = self._any(rng)
            if found.clip != frame.clip:
                return found
        raise BenchError(f"pairs: no clip but {frame.clip} to draw an inconsistent exemplar from; prepare more clips")

    def _other_style(self, same: Frame, exemplar: Frame, rng: np.random.Generator) -> Frame:
        for _ in range(ATTEMPTS):
            found = self._other_clip(same, rng)
            if self._labels.verdict(exemplar, found) is not True and self._labels.verdict(same, found) is not True:
                return found
        raise BenchError(f"pairs: the consistency labels leave no partner of another style for clip {exemplar.clip}")


@dataclass(frozen=True)
class Item:
    """One test item: draw `label`'s landmarks in `exemplar`'s style."""

    id: str
    label: Frame
    exemplar: Frame
    consistent: bool


def test_items(sampler: PairSampler, clips: tuple[Clip, ...], count: int, share: float, seed: int) -> list[Item]:
    """The exam: `count` items whose targets run through the clips evenly, each frame at most once; fewer where
    frames run out.
    """
    rng = np.random.default_rng([seed, 0x17E5])
    queues = [[Frame(clip.id, int(i)) for i in rng.permutation(len(clip))] for clip in clips if len(clip)]
    order: list[Frame] = []
    while len(order) < count and any(queues):
        for k in rng.permutation(len(queues)):
            if queues[k] and len(order) < count:
                order.append(queues[k].pop())
    items = []
    for i, target in enumerate(order):
        exemplar, consistent = sampler.exemplar(target, rng, share)
        items.append(Item(f"{i:04d}", target, exemplar, consistent))
    return items
