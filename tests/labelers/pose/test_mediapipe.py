"""MediaPipe is no dependency of the tests and its weights need a network: a stand-in with its interface answers."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.labelers.openpose18 import NAMES
from benchmark.labelers.pose import get_people_finder
from benchmark.labelers.pose import mediapipe_pose as adapter


class Mark(NamedTuple):
    x: float
    y: float
    visibility: float


# 33 points as shares of the photo's sides, in a plain line. A foot is hidden.
MARKS = [Mark(0.54 - 0.004 * i, 0.28 + 0.012 * i, 0.99) for i in range(33)]
MARKS[28] = Mark(0.65, 0.66, 0.31)
MARKS[15] = Mark(1.02, 0.5, 0.9)  # a hand that reaches out of the photo


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[list[Mark]]]:
    """People of the photos to come."""
    queue: list[list[list[Mark]]] = []

    class PoseLandmarker:
        @staticmethod
        def create_from_options(options: Any) -> PoseLandmarker:
            assert options.num_poses > 1 and Path(options.base_options.model_asset_path).is_file()
            return PoseLandmarker()

        def detect(self, picture: Any) -> Any:
            assert picture.image_format == "SRGB" and picture.data.flags["C_CONTIGUOUS"]
            return types.SimpleNamespace(pose_landmarks=queue.pop(0))

        def close(self) -> None: ...

    vision = types.SimpleNamespace(PoseLandmarker=PoseLandmarker, PoseLandmarkerOptions=types.SimpleNamespace)
    root, tasks = types.ModuleType("mediapipe"), types.ModuleType("mediapipe.tasks")
    python = types.ModuleType("mediapipe.tasks.python")
    root.Image, root.ImageFormat = types.SimpleNamespace, types.SimpleNamespace(SRGB="SRGB")  # type: ignore[attr-defined]
    python.BaseOptions, python.vision = types.SimpleNamespace, vision  # type: ignore[attr-defined]
    for module in (root, tasks, python):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    weights = tmp_path / "pose.task"
    weights.write_bytes(b"weights")
    monkeypatch.setattr(adapter.weights, "require", lambda name: weights)
    return queue


def test_shares_become_pixels_and_unseen_joints_nan(answers: list[Any]) -> None:
    answers.append([MARKS])
    (person,) = get_people_finder("mediapipe").people(np.zeros((1920, 1088, 3), np.uint8))
    np.testing.assert_allclose(person.joints[0], (0.54 * 1088 - 0.5, 0.28 * 1920 - 0.5), rtol=1e-5)
    missing = {NAMES[i] for i in np.flatnonzero(np.isnan(person.joints).any(axis=1))}
    assert missing == {"right_ankle", "left_wrist"}
    np.testing.assert_allclose(person.joints[1], (person.joints[2] + person.joints[5]) / 2, rtol=1e-6)


def test_detect_takes_the_surest_and_leaves_empty_photos_empty(answers: list[Any]) -> None:
    faint = [Mark(mark.x / 2, mark.y / 2, 0.6) for mark in MARKS]
    hidden = [Mark(mark.x, mark.y, 0.1) for mark in MARKS]
    answers += [[faint, MARKS], [], [hidden]]
    joints = get_people_finder("mediapipe").detect(np.zeros((3, 100, 100, 3), np.uint8))  # type: ignore[attr-defined]
    np.testing.assert_allclose(joints[0, 0], (53.5, 27.5), rtol=1e-5)
    assert np.isnan(joints[1:]).all()


def test_missing_library_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(BenchError, match=r"pip install 'exemplar-bench\[mediapipe\]'"):
        get_people_finder("mediapipe")
