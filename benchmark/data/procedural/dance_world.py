"""The procedural dance world as a data source: clips by dancer, exact joints and parts, and the true answers.

world = ProceduralDance(identities=200, frames=24, size=64, label_fn=pose_label)
world.truth(label_of=Frame("dance-00003.2", 2), style_of=Frame("dance-00007.2", 0))   # uint8 (64, 64, 3)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from benchmark.data.procedural.dance import (
    RENDERER_VERSION,
    DancerLook,
    DanceSemantics,
    densepose,
    joints,
    regions,
    render,
    sample_clip,
)
from benchmark.data.source import Clip, Frame
from benchmark.data.split import Part, split_videos
from benchmark.errors import BenchError

LabelFn = Callable[[np.ndarray, np.ndarray], np.ndarray]
PREFIX = "dance-"


class ProceduralDance:
    """`benchmark.data.source.Source` over rendered dancers.

    Split by time, as the paper splits its dance videos (pix2pixSC sec 4.2): the first half of every dancer's clip
    (`dance-00012.1`) trains, the second (`dance-00012.2`) tests. A style is a dancer in one place, so the two halves
    share it; pairs are only drawn within a split. `label_fn` turns joints (18, 2) and DensePose (H, W, 3) into the
    label, uint8 (C, H, W).
    """

    name = "procedural-dance"
    detector = "procedural-pose"

    def __init__(self, identities: int, frames: int, size: int, seed: int = 0, *, label_fn: LabelFn) -> None:
        for field, value, least in (("identities", identities, 2), ("frames", frames, 2), ("size", size, 16)):
            if value < least:
                raise BenchError(f"procedural dance: {field} = {value} is too small; the least is {least}")
        self.height = self.width = size
        self._frames, self._seed, self._label_fn = frames, seed, label_fn
        _, parts = split_videos({f"{PREFIX}{i:05d}": frames for i in range(identities)}, "time", seed)
        self._parts: dict[str, Part] = {part.clip: part for part in parts}
        self.clips = tuple(Clip(part.clip, part.split, tuple(range(part.start, part.stop))) for part in parts)
        self.fingerprint = self._fingerprint(identities)

    def image(self, frame: Frame) -> np.ndarray:
        """Picture, uint8 (H, W, 3) RGB."""
        return render(*self._state(frame), self.height)

    def landmarks(self, frame: Frame) -> np.ndarray:
        """Exact joints, float32 (18, 2) x, y in pixels; NaN where hidden."""
        return joints(self._state(frame)[0], self.height)

    def densepose(self, frame: Frame) -> np.ndarray:
        """Exact body parts, uint8 (H, W, 3): part 0..24, U and V as 0..255."""
        return densepose(self._state(frame)[0], self.height)

    def label(self, frame: Frame) -> np.ndarray:
        """F(.), uint8 (C, H, W), 255 meaning 1.0."""
        return self._label_fn(self.landmarks(frame), self.densepose(frame))

    def truth(self, label_of: Frame, style_of: Frame) -> np.ndarray:
        """G*(x, I): the appearance of `style_of` in the body and pose of `label_of`, uint8 (H, W, 3)."""
        return render(self._state(label_of)[0], self._state(style_of)[1], self.height)

    def regions(self, label_of: Frame, style_of: Frame) -> dict[str, np.ndarray]:
        """Mask (H, W) of the true answer: "foreground", the dancer."""
        return regions(self._state(label_of)[0], self._state(style_of)[1], self.height)

    def _state(self, frame: Frame) -> tuple[DanceSemantics, DancerLook]:
        part = self._parts.get(frame.clip)
        if part is None:
            raise BenchError(f"{frame.clip}: no such clip; this world has {self.clips[0].id} to {self.clips[-1].id}")
        length = part.stop - part.start
        if not 0 <= frame.index < length:
            raise BenchError(
                f"{frame.clip}: frame {frame.index} does not exist; this clip has frames 0 to {length - 1}"
            )
        states, look = _clip(self._seed, int(part.video.removeprefix(PREFIX)), self._frames)
        return states[part.start + frame.index], look

    def _fingerprint(self, identities: int) -> str:
        known = repr((self.name, RENDERER_VERSION, identities, self._frames, self.height, self._seed))
        frame = Frame(self.clips[0].id, 0)
        digest = hashlib.sha256(known.encode())
        for part in (self.image(frame), self.landmarks(frame), self.densepose(frame)):
            digest.update(part.tobytes())
        return digest.hexdigest()


@lru_cache(maxsize=32)
def _clip(seed: int, index: int, frames: int) -> tuple[list[DanceSemantics], DancerLook]:
    return sample_clip(seed, index, frames)
