"""Keypoint R-CNN: its answers as people, the real network with random weights, and weights that are not its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.errors import BenchError
from benchmark.labelers.openpose18 import NAMES
from benchmark.labelers.pose import get_people_finder, keypoint_rcnn
from benchmark.labelers.pose.keypoint_rcnn import KeypointRCNN, people_of


def answer(scores: list[float]) -> dict[str, np.ndarray]:
    """In torchvision's shape, with random places: third keypoint number 1, heat map peaks well above the least."""
    count = len(scores)
    points = np.random.default_rng(0).uniform(0, 64, (count, 17, 3)).astype(np.float32)
    points[..., 2] = 1
    boxes = np.tile(np.array([1.5, 2.5, 30.5, 60.5], np.float32), (count, 1))
    return {
        "scores": np.array(scores, np.float32),
        "boxes": boxes,
        "keypoints": points,
        "keypoints_scores": np.full((count, 17), 8.0, np.float32),
    }


def test_unsure_people_and_joints_are_left_out() -> None:
    given = answer([0.99, 0.72, 0.5])
    given["keypoints_scores"][0, keypoint_rcnn.COCO_17.index("left_wrist")] = 1.9
    people = people_of(given)
    assert [round(person.score, 2) for person in people] == [0.99, 0.72]
    missing = np.flatnonzero(np.isnan(people[0].joints).any(axis=1))
    assert [NAMES[i] for i in missing] == ["left_wrist"]
    np.testing.assert_allclose(people[0].joints[0], given["keypoints"][0, 0, :2] - 0.5)
    np.testing.assert_array_equal(people[0].box, (1, 2, 30, 60))


@pytest.fixture(scope="module")
def network() -> Any:
    from torchvision.models.detection import keypointrcnn_resnet50_fpn

    torch.manual_seed(0)
    small = {"min_size": 64, "max_size": 96, "box_detections_per_img": 3, "rpn_post_nms_top_n_test": 8}
    return keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None, **small)


def test_the_real_network_runs(network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keypoint_rcnn, "PERSON_SCORE", 0.0)
    monkeypatch.setattr(keypoint_rcnn, "JOINT_SCORE", -1e9)
    finder = KeypointRCNN(network=network)
    photo = np.random.default_rng(0).integers(0, 256, (90, 60, 3), dtype=np.uint8)
    people = finder.people(photo)
    assert people and all(np.isfinite(person.joints).all() for person in people)
    for person in people:
        assert person.joints.shape == (18, 2) and (person.joints > -1).all() and (person.joints < (61, 91)).all()
    joints = finder.detect(np.stack([photo, photo]))
    assert joints.shape == (2, 18, 2)
    np.testing.assert_array_equal(joints[0], max(people, key=lambda p: p.score).joints)


def test_nobody_is_a_row_of_nan(network: Any) -> None:
    assert np.isnan(KeypointRCNN(network=network).detect(np.zeros((1, 64, 64, 3), np.uint8))).all()


def test_published_weights_are_loaded_strictly(network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keypointrcnn.pth"
    path.write_bytes(b"stands for 236 MB")
    states = [network.state_dict(), {"weight": torch.zeros(1)}]
    monkeypatch.setattr(keypoint_rcnn.weights, "require", lambda name: path)
    monkeypatch.setattr(keypoint_rcnn.weights, "load_torch", lambda path: states.pop(0))
    finder = get_people_finder("keypoint-rcnn")
    assert finder.protocol.startswith("keypoint-rcnn-18[") and len(finder.protocol) == len("keypoint-rcnn-18[") + 9
    with pytest.raises(BenchError, match="not the weights of torchvision's keypointrcnn_resnet50_fpn"):
        get_people_finder("keypoint-rcnn")


def test_missing_weights_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(BenchError, match="bench weights fetch keypoint-rcnn"):
        get_people_finder("keypoint-rcnn")
