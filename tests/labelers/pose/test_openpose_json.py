"""OpenPose's files and the flat list of the official code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmark.data.dropped import BadInput
from benchmark.errors import BenchError
from benchmark.labelers.openpose18 import NAMES
from benchmark.labelers.pose import Moment, get_people_finder
from benchmark.labelers.pose.openpose_json import read_people
from tests.data.dance_maker import figure, flat, openpose_text

FRAME = (240, 320, 3)
# OpenPose's BODY_25, from its documentation.
BODY_25 = (
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip", "RHip", "RKnee",
    "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar", "LBigToe", "LSmallToe", "LHeel", "RBigToe",
    "RSmallToe", "RHeel",
)  # fmt: skip


def write(folder: Path, tree: object) -> Path:
    path = folder / "ann_000000000003_keypoints.json"
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    return path


@pytest.mark.parametrize("key", ["pose_keypoints_2d", "pose_keypoints"])
def test_standard_file(tmp_path: Path, key: str) -> None:
    joints = figure(100, 50)
    joints[4] = np.nan
    (person,) = read_people(write(tmp_path, {"people": [{key: flat(joints)}]}), FRAME)
    np.testing.assert_array_equal(person.joints, joints)
    np.testing.assert_array_equal(person.box, [*np.nanmin(joints, axis=0), *np.nanmax(joints, axis=0)])


def test_flat_list(tmp_path: Path) -> None:
    (person,) = read_people(write(tmp_path, flat(figure(10, 20))), FRAME)
    np.testing.assert_array_equal(person.joints, figure(10, 20))


def test_body_25_by_its_documented_order(tmp_path: Path) -> None:
    row = [value for index in range(25) for value in (10 + index, 20 + index, 0.9)]
    (person,) = read_people(write(tmp_path, {"people": [{"pose_keypoints_2d": row}]}), FRAME)
    for name, point in zip(NAMES, person.joints, strict=True):
        short = name.replace("right_", "R").replace("left_", "L")
        wanted = next(i for i, documented in enumerate(BODY_25) if documented.lower() == short.lower())
        np.testing.assert_array_equal(point, (10 + wanted, 20 + wanted))


def test_unsure_joints_are_not_seen(tmp_path: Path) -> None:
    row = flat(figure(100, 50))
    row[2], row[5] = 0.01, 0.011  # nose, neck
    (person,) = read_people(write(tmp_path, row), FRAME)
    assert np.isnan(person.joints[0]).all() and np.isfinite(person.joints[1]).all()


def test_nobody_and_several(tmp_path: Path) -> None:
    assert read_people(write(tmp_path, openpose_text()), FRAME) == []
    assert read_people(write(tmp_path, [0.0] * 54), FRAME) == []
    assert len(read_people(write(tmp_path, openpose_text(figure(0, 0), figure(100, 0))), FRAME)) == 2


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ("{", "unreadable joint file"),
        ("", "unreadable joint file"),
        ({"persons": []}, "unreadable joint file"),
        ({"people": [{}]}, "unreadable joint file"),
        ({"people": [{"pose_keypoints_2d": ["a"] * 54}]}, "unreadable joint file"),
        ({"people": [{"pose_keypoints_2d": [1.0] * 53}]}, "unreadable joint file"),
        ({"people": [{"pose_keypoints_2d": [1.0] * 51}]}, "another number of joints"),
        ([1.0] * 75 + [400.0, 100.0, 0.5], "another number of joints"),
        ([400.0, 100.0, 0.5] * 18, "joints outside the frame"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, tree: object, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_people(write(tmp_path, tree), FRAME)


def test_frames_are_looked_up(tmp_path: Path) -> None:
    write(tmp_path, flat(figure(10, 20)))
    finder = get_people_finder(f"openpose-json:{tmp_path}")
    photo = np.zeros(FRAME, np.uint8)
    assert len(finder.people(photo, Moment("ann.mp4", 3))) == 1
    for moment in (Moment("ann.mp4", 2), Moment("bob.mp4", 3)):
        with pytest.raises(BadInput, match="no joint file"):
            finder.people(photo, moment)
    with pytest.raises(BenchError, match="finds nobody in other pictures"):
        finder.people(photo)
