"""Photos for pose -> dance: a square round the surest person. Photos come without DensePose, so those channels are
empty.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmark import registry
from benchmark.data.body_crop import body_box, in_crop, require_joints
from benchmark.data.boxes import cut, resized
from benchmark.data.dropped import BadInput, Dropped
from benchmark.data.photos.reading import MIN_CROP, Reading, middle_box, read_photo
from benchmark.errors import BenchError
from benchmark.labelers.openpose18 import JOINTS
from benchmark.labelers.pose import get_people_finder
from benchmark.labelers.pose_label import pose_label
from benchmark.protocols import TaskInfo

ENDINGS = ("_keypoints.json", ".json")  # what OpenPose writes beside a photo of that name


class DancePhotos:
    """`PhotoReader`. `openpose-json` reads the file that lies beside each photo; with `as_is` the photo is the crop."""

    option, usual = "detector", "keypoint-rcnn"
    note = "photos have no part maps: label channels 0 to 2 are empty"

    def __init__(self, detector: Any, info: TaskInfo, as_is: bool) -> None:
        self._detector, self._size, self._as_is = detector, info.width, as_is
        self.protocol = str(detector.protocol)

    @staticmethod
    def labeler(name: str, argument: str) -> Any:
        if name == "openpose-json":
            if argument:
                raise BenchError(f"--detector {name}:{argument}: takes no folder here; put NAME.json beside each photo")
            return JointFiles()
        known = registry.get("labelers", name)
        if not hasattr(known, "detect"):
            raise BenchError(f"--detector {name}: finds no joints; take {DancePhotos.usual}")
        if hasattr(known, "people"):
            return get_people_finder(f"{name}:{argument}")
        if argument:
            raise BenchError(f"--detector {name}:{argument}: {name} takes nothing after the colon")
        return known()

    def read(self, path: Path) -> Reading:
        photo = read_photo(path)
        joints, people = self._find(path, photo)
        if np.isnan(joints).all():
            raise BadInput("nobody")
        require_joints(joints)
        box = middle_box(photo, (1, 1)) if self._as_is else body_box(joints, photo.shape)
        if box[2] - box[0] < min(MIN_CROP, self._size):
            raise Dropped("too small")
        points = in_crop(joints, box, self._size)
        parts = np.zeros((self._size, self._size, 3), np.uint8)
        note = f"{people} people, the surest was taken" if people > 1 else ""
        image = resized(cut(photo, box), (self._size, self._size))
        return Reading(image, points, partial(pose_label, points, parts), note)

    def _find(self, path: Path, photo: np.ndarray) -> tuple[np.ndarray, int]:
        """Joints (18, 2) px of the surest person, and of how many where the detector tells."""
        if isinstance(self._detector, JointFiles):
            found = self._detector.people(path, photo.shape)
        elif hasattr(self._detector, "people"):
            found = self._detector.people(photo)
        else:
            joints = self._detector.detect(photo[None])[0]
            if joints.shape != (JOINTS, 2):
                raise BenchError(f"--detector {self._detector.name}: finds {len(joints)} points, a body has {JOINTS}")
            return joints, 1
        if not found:
            raise BadInput("nobody")
        return max(found, key=lambda person: person.score).joints, len(found)


class JointFiles:
    """OpenPose's answers in files beside the photos."""

    name = protocol = "openpose-json"

    def people(self, path: Path, shape: tuple[int, ...]) -> list[Any]:
        """Everybody in the file of a photo; BadInput where there is none, or one that cannot be read."""
        from benchmark.labelers.pose.openpose_json import read_people

        for ending in ENDINGS:
            beside = path.with_name(path.stem + ending)
            if beside.is_file():
                return list(read_people(beside, shape))
        raise BadInput(f"no {path.stem}.json beside it")
