"""The procedural face world as a data source: clips by identity, exact landmarks, and the true answer for every pair.

world = ProceduralFaces(identities=600, frames=12, size=64, label_fn=face_label)
world.truth(label_of=Frame("face-00003", 2), style_of=Frame("face-00007", 0))   # uint8 (64, 64, 3)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from benchmark.data.procedural.face import (
    RENDERER_VERSION,
    FaceAppearance,
    FaceSemantics,
    landmarks,
    regions,
    render,
    sample_clip,
)
from benchmark.data.source import Clip, Frame
from benchmark.errors import BenchError

LabelFn = Callable[[np.ndarray, int], np.ndarray]
PREFIX = "face-"


class ProceduralFaces:
    """`benchmark.data.source.Source` over rendered people.

    Split by identity (spec: systems 1.4): after a seeded shuffle the first 20 % are val, the next 20 % test, the rest
    train.
    `label_fn` turns landmarks (68, 2) float32 and the image side into the label, uint8 (C, H, W).
    """

    name = "procedural-faces"
    detector = "procedural"

    def __init__(self, identities: int, frames: int, size: int, seed: int = 0, *, label_fn: LabelFn) -> None:
        for field, value, least in (("identities", identities, 3), ("frames", frames, 1), ("size", size, 16)):
            if value < least:
                raise BenchError(f"procedural faces: {field} = {value} is too small; the least is {least}")
        self.height = self.width = size
        self._frames, self._seed, self._label_fn = frames, seed, label_fn
        order = np.random.default_rng([seed, identities]).permutation(identities)
        fold = max(1, round(0.2 * identities))
        place = np.empty(identities, int)
        place[order] = np.arange(identities)
        times = tuple(range(frames))
        self.clips = tuple(Clip(f"{PREFIX}{i:05d}", _split(int(place[i]), fold), times) for i in range(identities))
        self._index = {clip.id: i for i, clip in enumerate(self.clips)}
        self.fingerprint = self._fingerprint(identities)

    def image(self, frame: Frame) -> np.ndarray:
        """Picture, uint8 (H, W, 3) RGB."""
        return render(*self._state(frame), self.height)

    def landmarks(self, frame: Frame) -> np.ndarray:
        """Exact points, float32 (68, 2) x, y in pixels."""
        return landmarks(self._state(frame)[0], self.height)

    def label(self, frame: Frame) -> np.ndarray:
        """F(.), uint8 (C, H, W), 255 meaning 1.0."""
        return self._label_fn(self.landmarks(frame), self.height)

    def truth(self, label_of: Frame, style_of: Frame) -> np.ndarray:
        """G*(x, I): the appearance of `style_of` under the semantics of `label_of`, uint8 (H, W, 3)."""
        return render(self._state(label_of)[0], self._state(style_of)[1], self.height)

    def regions(self, label_of: Frame, style_of: Frame) -> dict[str, np.ndarray]:
        """Masks (H, W) of the true answer: "foreground" and "face"."""
        return regions(self._state(label_of)[0], self._state(style_of)[1], self.height)

    def _state(self, frame: Frame) -> tuple[FaceSemantics, FaceAppearance]:
        if frame.clip not in self._index:
            raise BenchError(f"{frame.clip}: no such clip; this world has {self.clips[0].id} to {self.clips[-1].id}")
        states, look = _clip(self._seed, self._index[frame.clip], self._frames)
        if not 0 <= frame.index < len(states):
            raise BenchError(
                f"{frame.clip}: frame {frame.index} does not exist; this clip has frames 0 to {len(states) - 1}"
            )
        return states[frame.index], look

    def _fingerprint(self, identities: int) -> str:
        probe = self.clips[0].id
        known = repr((self.name, RENDERER_VERSION, identities, self._frames, self.height, self._seed))
        frame = Frame(probe, 0)
        digest = hashlib.sha256(known.encode())
        digest.update(self.image(frame).tobytes())
        digest.update(self.landmarks(frame).tobytes())
        return digest.hexdigest()


def _split(place: int, fold: int) -> str:
    return "val" if place < fold else "test" if place < 2 * fold else "train"


@lru_cache(maxsize=32)
def _clip(seed: int, index: int, frames: int) -> tuple[list[FaceSemantics], FaceAppearance]:
    return sample_clip(seed, index, frames)
