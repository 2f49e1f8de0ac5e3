"""The procedural street world as a data source: drives through 13 kinds of weather and light, exact labels, and the
true answer for every pair.

    world = ProceduralStreets(scenes=130, frames=12, size=64, groups=config.street.groups)
    world.truth(label_of=Frame("street-test-clear-night", 2), style_of=Frame("street-test-rainy-daytime", 0))

A style here is a group of scenes, so a clip of this source holds all scenes of one group within a split: pairs drawn
within a clip are consistent, as the paper's street pairs of one group are. Its frames take the scenes in turn (frame
p shows scene p mod S at moment p div S), so that a window around a frame holds other scenes of the same weather and
time rather than the same street a moment later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from benchmark.data.procedural.street import (
    RENDERER_VERSION,
    Layout,
    Scene,
    StreetStyle,
    look,
    paint,
    sample_scene,
    sample_style,
)
from benchmark.data.procedural.street_geometry import SKY_ID, View
from benchmark.data.source import Clip, Frame
from benchmark.errors import BenchError
from benchmark.labelers.street_label import street_label

SPLITS = ("val", "test", "train")


class _Shown(NamedTuple):
    scene: int
    moment: int
    group: tuple[str, str]


def picture_height(width: int) -> int:
    """9/16 of the width, to the nearest multiple of 4: 144 for 256, 36 for 64."""
    return 4 * int(width * 9 / 64 + 0.5)


class ProceduralStreets:
    """`benchmark.data.source.Source` over rendered drives.

    Split by scene (spec: systems 1.4): after a seeded shuffle the first 20 % are val, the next 20 % test, the rest
    train. Within a split the groups take the scenes in turn.
    """

    name = "procedural-streets"
    detector = ""  # a street has no points
    parser = "procedural-street"

    def __init__(self, scenes: int, frames: int, size: int, groups: Sequence[tuple[str, str]], seed: int = 0) -> None:
        for field, value, least in (("identities", scenes, 3), ("frames", frames, 1), ("size", size, 32)):
            if value < least:
                raise BenchError(f"procedural streets: {field} = {value} is too small; the least is {least}")
        if size % 4:
            raise BenchError(f"procedural streets: size = {size} is no multiple of 4; the nearest is {4 * (size // 4)}")
        for group in groups:
            sample_style(seed, 0, *group)  # refuses what cannot be drawn before anything is
        self.height, self.width = picture_height(size), size
        self._frames, self._seed = frames, seed
        fold = max(1, round(0.2 * scenes))
        shuffled = np.random.default_rng([seed, scenes]).permutation(scenes).tolist()
        parts = dict(zip(SPLITS, (shuffled[:fold], shuffled[fold : 2 * fold], shuffled[2 * fold :]), strict=True))
        self._scenes: dict[str, tuple[tuple[str, str], list[int]]] = {}
        clips = []
        for split, numbers in parts.items():
            for place, group in enumerate(groups[: len(numbers)]):
                clip = Clip(_name(split, group), split, tuple(range(len(numbers[place :: len(groups)]) * frames)))
                self._scenes[clip.id] = (group, numbers[place :: len(groups)])
                clips.append(clip)
        self.clips = tuple(clips)
        self.fingerprint = self._fingerprint(repr((scenes, tuple(groups))))

    def image(self, frame: Frame) -> np.ndarray:
        """Picture, uint8 (H, W, 3) RGB."""
        return self.truth(frame, frame)

    def landmarks(self, frame: Frame) -> np.ndarray:
        """A street has none: float32 (0, 2)."""
        self._shown(frame)
        return np.zeros((0, 2), np.float32)

    def label(self, frame: Frame) -> np.ndarray:
        """F(.), uint8 (20, H, W), 255 meaning 1.0."""
        return street_label(self.parsing(frame))

    def parsing(self, frame: Frame) -> np.ndarray:
        """Train ids, uint8 (H, W), exact."""
        return self._view(frame).labels()

    def instances(self, frame: Frame) -> np.ndarray:
        """int32 (H, W): below 1000 a train id (stuff), else train id * 1000 + k (spec: systems 2)."""
        return self._view(frame).instances()

    def truth(self, label_of: Frame, style_of: Frame) -> np.ndarray:
        """G*(x, I): weather, light and palette of `style_of` over the layout of `label_of`, uint8 (H, W, 3)."""
        return paint(self._view(label_of), self.style(style_of))

    def regions(self, label_of: Frame, style_of: Frame) -> dict[str, np.ndarray]:
        """Mask (H, W) of the true answer: "foreground" is everything but sky."""
        return {"foreground": self.parsing(label_of) != SKY_ID}

    def style(self, frame: Frame) -> StreetStyle:
        """The appearance of a frame's scene."""
        shown = self._shown(frame)
        return sample_style(self._seed, shown.scene, *shown.group)

    def _shown(self, frame: Frame) -> _Shown:
        if frame.clip not in self._scenes:
            raise BenchError(f"{frame.clip}: no such clip; this world has {self.clips[0].id} to {self.clips[-1].id}")
        group, scenes = self._scenes[frame.clip]
        if not 0 <= frame.index < len(scenes) * self._frames:
            last = len(scenes) * self._frames - 1
            raise BenchError(f"{frame.clip}: frame {frame.index} does not exist; this clip has frames 0 to {last}")
        moment, place = divmod(frame.index, len(scenes))
        return _Shown(scenes[place], moment, group)

    def _view(self, frame: Frame) -> View:
        shown = self._shown(frame)
        return _view(self._seed, shown.scene, self._frames, shown.moment, self.height, self.width)

    def _fingerprint(self, world: str) -> str:
        known = repr((self.name, RENDERER_VERSION, world, self._frames, self.height, self.width, self._seed))
        frame = Frame(self.clips[0].id, 0)
        digest = hashlib.sha256(known.encode())
        digest.update(self.image(frame).tobytes())
        digest.update(self.instances(frame).tobytes())
        return digest.hexdigest()


def _name(split: str, group: tuple[str, str]) -> str:
    return "-".join(("street", split, *group)).replace("/", "-").replace(" ", "-")


@lru_cache(maxsize=64)
def _scene(seed: int, index: int, frames: int) -> Scene:
    return sample_scene(seed, index, frames)


@lru_cache(maxsize=8)  # picture, label and regions of a frame are asked for one after the other
def _view(seed: int, scene: int, frames: int, moment: int, height: int, width: int) -> View:
    return look(Layout(_scene(seed, scene, frames), moment), height, width)
