"""Joints that OpenPose found elsewhere: `openpose-json:FOLDER`, one JSON file per video frame.

Files are found as `benchmark.data.frame_files` says: FOLDER/clip_000000000012_keypoints.json, as OpenPose names them,
or any name with the frame number in FOLDER/clip. Read are

    {"people": [{"pose_keypoints_2d": [...]}]}   OpenPose's file, 18 (COCO) or 25 (BODY_25) joints
    [x, y, c, x, y, c, ...]                      the official pix2pixSC code's flat list, 18 joints (spec: systems 1.6)

in px of the video frame, whose upper left pixel has its centre at 0, 0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.dropped import BadInput
from benchmark.data.frame_files import files_of
from benchmark.errors import BenchError
from benchmark.labelers.openpose18 import NAMES
from benchmark.labelers.pose.people import Moment, Person, box_of, openpose_joints

SURE = 0.01  # confidence above which the official code takes a joint (spec: systems 1.6)
BODY_25 = (*NAMES[:8], "mid_hip", *NAMES[8:], *("foot",) * 6)


class OpenPoseJson:
    """`benchmark.labelers.pose.PeopleFinder` that looks up instead of looking."""

    name = "openpose-json"
    protocol = "openpose-json"

    def __init__(self, folder: str = "") -> None:
        if not folder or not Path(folder).is_dir():
            raise BenchError(f"--detector openpose-json:{folder}: give the folder of JSON files after the colon")
        self._folder = Path(folder)
        self._video, self._files = "", dict[int, Path]()  # of the video in hand

    def people(self, image: np.ndarray, moment: Moment | None = None) -> list[Person]:
        """Everybody in the frame's file; BadInput when there is no file, or one that cannot be read."""
        if moment is None:
            raise BenchError("openpose-json: looks up video frames and finds nobody in other pictures")
        path = self.files(moment.video).get(moment.frame)
        if path is None:
            raise BadInput("no joint file")
        return read_people(path, image.shape)

    def files(self, video: str) -> dict[int, Path]:
        """The JSON files of a video by frame number."""
        if video != self._video:
            self._video, self._files = video, files_of(self._folder, video, ".json")
        return self._files


def read_people(path: Path, shape: tuple[int, ...]) -> list[Person]:
    """People with at least one sure joint inside the frame of `shape` (H, W, ...)."""
    try:
        tree = json.loads(path.read_bytes())
        rows = [tree] if _flat(tree) else [_keypoints(person) for person in tree["people"]]
        people = [_person(np.array(row, np.float64).reshape(-1, 3), shape) for row in rows]
    except (ValueError, TypeError, KeyError, OSError):
        raise BadInput("unreadable joint file") from None
    return [person for person in people if person is not None]


def _flat(tree: Any) -> bool:
    return isinstance(tree, list)


def _keypoints(person: dict[str, Any]) -> list[float]:
    return person["pose_keypoints_2d" if "pose_keypoints_2d" in person else "pose_keypoints"]


def _person(rows: np.ndarray, shape: tuple[int, ...]) -> Person | None:
    """rows (18 or 25, 3): x, y, confidence; not found is 0, 0, 0."""
    if len(rows) not in (len(NAMES), len(BODY_25)):
        raise BadInput("joint file with another number of joints")
    names = NAMES if len(rows) == len(NAMES) else BODY_25
    points, sure = rows[:, :2], rows[:, 2]
    # The official code leaves out a limb without x too. Coordinates beyond the frame belong to another picture size.
    seen = (sure > SURE) & (points[:, 0] > 0) & np.isfinite(points).all(axis=1)
    if (points[seen] > np.array([shape[1], shape[0]])).any():
        raise BadInput("joints outside the frame")
    joints = openpose_joints(names, points, seen)
    if np.isnan(joints).all():
        return None
    return Person(joints, box_of(joints), float(np.clip(sure, 0, 1).mean()))
