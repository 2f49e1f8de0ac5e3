"""Joints of other sets as OpenPose-18."""

from __future__ import annotations

import numpy as np

from benchmark.labelers.openpose18 import NAMES
from benchmark.labelers.pose.keypoint_rcnn import COCO_17
from benchmark.labelers.pose.mediapipe_pose import BLAZEPOSE
from benchmark.labelers.pose.people import Person, box_of, openpose_joints, surest

# COCO-17 index of every OpenPose-18 joint, as many converters have it; -1 is the neck.
FROM_COCO = (0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
FROM_BLAZEPOSE = (0, -1, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)


def test_every_coco_joint_finds_its_place_and_the_neck_is_between_the_shoulders() -> None:
    points = np.random.default_rng(0).uniform(0, 99, (17, 2))
    joints = openpose_joints(COCO_17, points, np.ones(17, bool))
    for index, source in enumerate(FROM_COCO):
        expected = (points[5] + points[6]) / 2 if source < 0 else points[source]
        np.testing.assert_allclose(joints[index], expected, rtol=1e-6)


def test_every_blazepose_joint_finds_its_place() -> None:
    assert {NAMES.index(name): source for source, name in BLAZEPOSE.items()} == {
        index: source for index, source in enumerate(FROM_BLAZEPOSE) if source >= 0
    }


def test_no_neck_without_both_shoulders() -> None:
    seen = np.ones(17, bool)
    seen[COCO_17.index("left_shoulder")] = False
    joints = openpose_joints(COCO_17, np.ones((17, 2)), seen)
    missing = {NAMES[i] for i in np.flatnonzero(np.isnan(joints).any(axis=1))}
    assert missing == {"left_shoulder", "neck"}


def test_the_surest_person_of_each_photo() -> None:
    people = [Person(np.full((18, 2), value, np.float32), np.zeros(4), value) for value in (0.2, 0.9, 0.5)]
    photos = np.zeros((2, 4, 4, 3), np.uint8)
    photos[1] = 1
    joints = surest(lambda photo: people if photo.any() else [], photos)
    assert joints.shape == (2, 18, 2) and joints.dtype == np.float32
    assert np.isnan(joints[0]).all() and (joints[1] == np.float32(0.9)).all()


def test_box_leaves_out_what_is_not_seen() -> None:
    joints = np.full((18, 2), np.nan)
    joints[[3, 7]] = (4, 9), (6, 1)
    np.testing.assert_array_equal(box_of(joints), (4, 1, 6, 9))
