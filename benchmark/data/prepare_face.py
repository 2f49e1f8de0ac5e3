"""Preparing face videos: the official crop around the face with its 68 landmarks (spec: systems 1.5)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from benchmark.data.face_crop import CROP, OUTSIDE, FaceFinder, FaceTracker, crop_box, cut_face
from benchmark.data.prepare_video import Cut
from benchmark.errors import BenchError, nearest


@dataclass(frozen=True)
class FaceSettings:
    """`benchmark.data.prepare_video.Settings` of faces."""

    task: ClassVar[str] = "face"
    nobody: ClassVar[str] = "no face"
    auto_split: ClassVar[str] = "auto"

    size: int = 256
    every: int = 1
    detector: str = "dlib"
    min_crop: int = 128
    outside: str = "fit"

    def check(self) -> None:
        check_crop(self.size, CROP, self.every, self.min_crop, self.outside)

    def cutter(self) -> FaceCutter:
        return FaceCutter(self, finder_for(self.detector))

    def inputs(self, video: str) -> str:
        return ""


class FaceCutter:
    """`benchmark.data.prepare_video.Cutter` of faces."""

    def __init__(self, settings: FaceSettings, finder: FaceFinder) -> None:
        self._settings, self._finder = settings, finder
        self.protocol = finder.protocol

    def follow(self, video: str) -> FaceFollower:
        return FaceFollower(self._settings, self._finder)


class FaceFollower:
    """`benchmark.data.prepare_video.Follower` of one face."""

    def __init__(self, settings: FaceSettings, finder: FaceFinder) -> None:
        self._settings, self._finder = settings, finder
        self._tracker = FaceTracker(finder, smallest=settings.min_crop / 2)

    def cut(self, number: int, frame: np.ndarray) -> Cut:
        s = self._settings
        box = crop_box(self._tracker.find(frame), frame.shape, s.min_crop, s.outside)
        return Cut(*cut_face(frame, box, self._finder, s.size))

    def strays(self, last: int) -> Counter[str]:
        return Counter()


def finder_for(name: str) -> FaceFinder:
    """The landmark detector `name`, which must be able to search whole frames; BenchError otherwise."""
    from benchmark.labelers.landmarks import get_detector

    detector = get_detector(name)
    if not hasattr(detector, "faces"):
        raise BenchError(f"--detector {name}: reads face crops and cannot find faces in video frames; use dlib")
    return cast(FaceFinder, detector)


def check_crop(size: int, largest: int, every: int, min_crop: int, outside: str) -> None:
    """BenchError that names the option of `bench data prepare` with a value that cannot be."""
    if not 16 <= size <= largest:
        raise BenchError(f"--size {size}: must lie between 16 and {largest}")
    for option, number in (("--every", every), ("--min-crop", min_crop)):
        if number < 1:
            raise BenchError(f"{option} {number}: must be 1 or more")
    if outside not in OUTSIDE:
        raise BenchError(f"--outside {outside}: unknown{nearest(outside, OUTSIDE)}")
