"""What a data source must be: clips of frames with labels, whatever they come from.

A source is a rendered world (`benchmark.data.procedural`) or a prepared folder of real photos
(`benchmark.data.prepared`). Everything downstream (pair sampling, methods, metrics) sees only this. Arrays are NumPy;
torch is not needed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np


class Frame(NamedTuple):
    """One frame: which clip, and its position in that clip (0-based list position, not the video's frame number)."""

    clip: str
    index: int  # type: ignore[assignment]  # shadows tuple.index, which nobody calls on a frame


@dataclass(frozen=True)
class Clip:
    """A run of frames of one style (one person, one clip).

    `times` are the frame numbers in the original video, ascending, one per list position: the pair sampler's window is
    given either in list positions or in these frame numbers.
    """

    id: str
    split: str  # "train" | "val" | "test"
    times: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.times)


class Source(Protocol):
    """A data set of one task at one image size.

    A source that knows what each pixel shows (streets) also has `parser`, the registry name of the scene parser to
    score its pictures with, and `parsing(frame)`: uint8 (H, W) train ids of `benchmark.labelers.cityscapes`, 255 =
    unknown.
    """

    name: str
    height: int
    width: int
    detector: str  # registry name of the landmark detector that suits these pictures; "" where a label has no points
    fingerprint: str  # sha256 (hex) that changes whenever any pixel or landmark would
    clips: tuple[Clip, ...]

    def image(self, frame: Frame) -> np.ndarray:
        """Photo, uint8 (H, W, 3) RGB."""

    def landmarks(self, frame: Frame) -> np.ndarray:
        """Points of the label, float32 (68, 2) x, y in pixels of `image`; pixel centres at integers."""

    def label(self, frame: Frame) -> np.ndarray:
        """F(.) of the frame, uint8 (C, H, W), 255 meaning 1.0."""

    def truth(self, label_of: Frame, style_of: Frame) -> np.ndarray | None:
        """The true answer: `style_of`'s appearance with exactly `label_of`'s landmarks, uint8 (H, W, 3). None for
        real photos.
        """

    def regions(self, label_of: Frame, style_of: Frame) -> dict[str, np.ndarray] | None:
        """Boolean (H, W) masks of the true answer: "foreground" (the person) and "face" (inside the face outline).
        None for real photos.
        """
