"""Preparing dance videos: a square around one dancer, 18 joints, DensePose's part maps where they are given.

The joints come from a people finder (`benchmark.labelers.pose`), the part maps from a folder of DensePose's IUV images,
one per video frame and of its size, named as `benchmark.data.frame_files` says (clip_000000000012_IUV.png).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from PIL import Image

from benchmark.data.body_crop import BodyCropper, PersonTracker, in_crop
from benchmark.data.boxes import Box, cut, resized
from benchmark.data.dropped import BadInput
from benchmark.data.frame_files import files_of, fingerprint
from benchmark.data.prepare_face import check_crop
from benchmark.data.prepare_video import Cut
from benchmark.errors import BenchError
from benchmark.labelers.pose import Moment, PeopleFinder, Person, get_people_finder
from benchmark.labelers.pose.openpose_json import OpenPoseJson
from benchmark.labelers.pose_label import PARTS

LARGEST = 1024  # px


@dataclass(frozen=True)
class DanceSettings:
    """`benchmark.data.prepare_video.Settings` of dancers. `parts`: folder of IUV images, "" for none."""

    task: ClassVar[str] = "dance"
    nobody: ClassVar[str] = "nobody"
    auto_split: ClassVar[str] = "time"  # pix2pixSC sec 4.2: the first half of every video trains, its second half tests

    size: int = 256
    every: int = 1
    detector: str = "keypoint-rcnn"
    min_crop: int = 128
    outside: str = "fit"
    parts: str = ""

    def check(self) -> None:
        check_crop(self.size, LARGEST, self.every, self.min_crop, self.outside)
        if self.parts and not Path(self.parts).is_dir():
            raise BenchError(f"--parts {self.parts}: not a folder; give the folder of DensePose's IUV images")

    def cutter(self) -> DanceCutter:
        return DanceCutter(self, get_people_finder(self.detector))

    def inputs(self, video: str) -> str:
        joints = self.detector.removeprefix("openpose-json:")
        folders = [(joints, ".json")] if joints != self.detector else []
        folders += [(self.parts, ".png")] if self.parts else []
        return " ".join(fingerprint(Path(folder), video, suffix) for folder, suffix in folders)


class DanceCutter:
    """`benchmark.data.prepare_video.Cutter` of dancers."""

    def __init__(self, settings: DanceSettings, finder: PeopleFinder) -> None:
        self._settings, self._finder = settings, finder
        self.protocol = finder.protocol

    def follow(self, video: str) -> DanceFollower:
        return DanceFollower(self._settings, self._finder, video)


class DanceFollower:
    """`benchmark.data.prepare_video.Follower` of one dancer. A dancer among others is kept, and noted."""

    def __init__(self, settings: DanceSettings, finder: PeopleFinder, video: str) -> None:
        self._settings, self._finder, self._video = settings, finder, video
        self._tracker = PersonTracker()
        self._cropper = BodyCropper(settings.min_crop, settings.outside)
        self._parts = files_of(Path(settings.parts), video, ".png") if settings.parts else None

    def cut(self, number: int, frame: np.ndarray) -> Cut:
        people = self._finder.people(frame, Moment(self._video, number))
        joints = self._tracker.choose(people).joints
        box, size = self._cropper.box(joints, frame.shape), self._settings.size
        return Cut(
            resized(cut(frame, box), (size, size)),
            in_crop(joints, box, size),
            self._part_map(number, frame.shape, box),
            self._notes(people),
        )

    def _notes(self, people: list[Person]) -> tuple[str, ...]:
        several = ("several people",) if len(people) > 1 else ()
        return (*several, "suddenly elsewhere, perhaps somebody else") if self._tracker.leapt else several

    def strays(self, last: int) -> Counter[str]:
        joint_files = self._finder.files(self._video) if isinstance(self._finder, OpenPoseJson) else {}
        given = {"joint file": joint_files, "part map": self._parts or {}}
        beyond = {f"{kind} without a frame": sum(n > last for n in files) for kind, files in given.items()}
        return Counter({reason: count for reason, count in beyond.items() if count})

    def _part_map(self, number: int, frame_shape: tuple[int, ...], box: Box) -> np.ndarray | None:
        if self._parts is None:
            return None
        if number not in self._parts:
            raise BadInput("no part map")
        parts = read_parts(self._parts[number])
        if parts.shape[:2] != frame_shape[:2]:
            raise BadInput("part map of another size than the frame")
        x0, y0, x1, y1 = box
        return scaled_parts(parts[y0:y1, x0:x1], self._settings.size)


def read_parts(path: Path) -> np.ndarray:
    """DensePose's IUV image -> uint8 (H, W, 3): part 0..24, U, V. BadInput when it is none.

    The tool writes them with OpenCV, so the part number is the file's blue (spec: systems 1.6).
    """
    try:
        with Image.open(path) as file:
            parts = np.asarray(file.convert("RGB"))[..., ::-1]
    except (OSError, SyntaxError):
        raise BadInput("unreadable part map") from None
    if parts[..., 0].max() > PARTS:
        raise BadInput(f"part map with parts above {PARTS}")
    return parts


def scaled_parts(parts: np.ndarray, size: int) -> np.ndarray:
    """A part map (H, W, 3) at (size, size, 3); each pixel takes its nearest one, since parts have no mean."""
    if parts.shape[:2] == (size, size):
        return np.ascontiguousarray(parts)
    return cv2.resize(np.ascontiguousarray(parts), (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
