"""LEPE against the worked numbers of the spec and a plain restatement."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.metrics.lepe import IMAGE_CAP, JOINT_CAP, LabelEndpointError, endpoint_error, joint_error, missing_share
from benchmark.protocols import Exam


def by_the_script(result: np.ndarray, target: np.ndarray) -> float:
    """The official rule at 256 px, one image, in words turned to loops."""
    if np.isnan(result).any() or np.isnan(target).any():
        return 10 / 256
    errors = [min(float(np.hypot(*(p - q))), 1000.0) for p, q in zip(result, target, strict=True)]
    return min(sum(errors) / len(errors), 10.0) / 256


def test_equals_the_script_at_256() -> None:
    rng = np.random.default_rng(0)
    target = rng.uniform(0, 256, size=(40, 68, 2))
    result = target + rng.normal(0, 1, size=target.shape) * rng.uniform(0, 15, size=(40, 1, 1))
    result[3], target[4], result[5, 10] = np.nan, np.nan, 1e6
    expected = [by_the_script(r, t) for r, t in zip(result, target, strict=True)]
    assert len(set(expected)) > 20
    assert endpoint_error(result, target, 256) == pytest.approx(expected, abs=1e-12)


def test_table_2_in_pixels() -> None:
    target = np.zeros((3, 68, 2))
    shift = np.array([1.28, 2.176, 50.0])[:, None, None] * np.array([1.0, 0.0])
    assert endpoint_error(target + shift, target, 256) == pytest.approx([0.0050, 0.0085, 10 / 256])


@pytest.mark.parametrize("side", [32, 64, 512])
def test_scales_with_the_image(side: int) -> None:
    rng = np.random.default_rng(1)
    target = rng.uniform(0, 256, size=(20, 68, 2))
    result = target + rng.normal(0, 1, size=target.shape) * rng.uniform(0, 15, size=(20, 1, 1))
    scaled = endpoint_error(result * side / 256, target * side / 256, side)
    assert scaled == pytest.approx(endpoint_error(result, target, 256), abs=1e-12)


def test_scores_and_failures(make_exam: Callable[..., Exam], detector: object) -> None:
    exam = make_exam(items=5, side=64)
    images = exam.targets.copy()
    images[1, 0, 0, 0] = 2  # found 2 px to the right
    images[2, 0, 0, 0] = 200  # found far away: capped
    images[3, 0, 0, 0] = 255  # not found
    exam.targets[4, 0, 0, 0] = 255  # the target's points are not found
    lepe, failures, asked = LabelEndpointError().score(exam, images)
    assert asked.seen is not None and asked.seen.shape == exam.target_landmarks.shape and lepe.seen is None
    assert np.isnan(asked.seen).any(axis=(1, 2)).tolist() == [False, False, False, True, False]
    assert lepe.metric == "lepe[pixel-68[test],64px]" and lepe.title == "LEPE"
    assert lepe.values == pytest.approx([0, 2 / 64, IMAGE_CAP, IMAGE_CAP, IMAGE_CAP])
    assert failures.values == [0, 0, 0, 1, 1] and failures.metric == "lepe-failures[pixel-68[test],64px]"
    assert (lepe.notes["failures_result"], lepe.notes["failures_target"]) == (1, 1)
    assert asked.metric == "lepe-asked[pixel-68[test],64px]"
    assert asked.values == pytest.approx([0, 2 / 64, IMAGE_CAP, IMAGE_CAP, 0], abs=1e-7)


def test_the_target_itself_is_perfect(make_exam: Callable[..., Exam], detector: object) -> None:
    exam = make_exam(reference=True)
    assert LabelEndpointError().score(exam, exam.targets)[0].values == [0.0] * 8


def test_targets_are_searched_once_for_all_methods(make_exam: Callable[..., Exam], detector: object) -> None:
    exam = make_exam(seed=21)
    for method in range(3):
        images = exam.targets.copy()
        images[:, 5, 5] = method
        LabelEndpointError().score(exam, images)
    assert detector.calls == 4  # type: ignore[attr-defined]


def test_wrong_size_is_one_line(make_exam: Callable[..., Exam], detector: object) -> None:
    exam = make_exam()
    with pytest.raises(BenchError, match="images to score"):
        LabelEndpointError().score(exam, exam.targets[:, :, :16])


def pose_in_words(result: np.ndarray, target: np.ndarray, side: int) -> tuple[float, float]:
    """The rule for poses, one image, turned to loops: error and share of joints not found."""
    errors, missing = [], 0
    for p, q in zip(result, target, strict=True):
        if np.isnan(q).any():
            continue  # the target does not show it
        missed = bool(np.isnan(p).any())
        missing += missed
        errors.append(0.1 if missed else min(float(np.hypot(*(p - q))) / side, 0.1))
    return (sum(errors) / len(errors), missing / len(errors)) if errors else (0.1, 1.0)


def test_poses_equal_the_rule_in_words() -> None:
    rng = np.random.default_rng(3)
    target = rng.uniform(0, 64, size=(60, 18, 2))
    result = target + rng.normal(0, 1, size=target.shape) * rng.uniform(0, 8, size=(60, 1, 1))
    target[rng.random((60, 18)) < 0.3] = np.nan
    result[rng.random((60, 18)) < 0.3] = np.nan
    result[5], target[6] = np.nan, np.nan
    expected = np.array([pose_in_words(r, t, 64) for r, t in zip(result, target, strict=True)])
    assert joint_error(result, target, 64) == pytest.approx(expected[:, 0], abs=1e-12)
    assert missing_share(result, target) == pytest.approx(expected[:, 1], abs=1e-12)
    assert expected[5].tolist() == pytest.approx([0.1, 1]) and expected[6].tolist() == [0.1, 1]
    assert len(set(expected[:, 0])) > 40


def test_a_hidden_joint_costs_nothing_however_it_is_shown() -> None:
    target, result = np.zeros((1, 18, 2)), np.full((1, 18, 2), 1.0)
    target[0, 9:] = np.nan
    shown = joint_error(result, target, 64)
    result[0, 9:] = np.nan
    assert joint_error(result, target, 64) == shown == pytest.approx([np.sqrt(2) / 64])


class PoseInPixels:
    """18 joints, of which joint j is not seen where pixel (1, j) is 255; nobody where the first pixel is."""

    name, protocol = "pixel-pose", "pixel-18[test]"

    def detect(self, images: np.ndarray) -> np.ndarray:
        joints = np.repeat(np.arange(36, dtype=np.float32).reshape(1, 18, 2), len(images), axis=0)
        joints[..., 0] += images[:, 0, 0, 0, None]
        joints[(images[:, 1, :18, 0] == 255) | (images[:, 0, 0, 0, None] == 255)] = np.nan
        return joints


def test_pose_scores_and_failures(make_exam: Callable[..., Exam], monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.labelers import landmarks

    monkeypatch.setattr(landmarks, "get_detector", lambda name: PoseInPixels())
    exam = make_exam(items=4, side=64)
    exam.targets[:, 1, :18, 0] = 0
    joints = np.repeat(np.arange(36, dtype=np.float32).reshape(1, 18, 2), 4, axis=0)
    joints[:, 17] = np.nan  # the label hides an ear
    exam = dataclasses.replace(exam, target_landmarks=joints)
    images = exam.targets.copy()
    images[1, 0, 0, 0] = 2  # 2 px to the right
    images[2, 1, 4:13, 0] = 255  # half of the joints not found
    images[3, 0, 0, 0] = 255  # nobody
    lepe, failures, asked, missing = LabelEndpointError().score(exam, images)
    assert lepe.values == pytest.approx([0, 2 / 64, JOINT_CAP / 2, JOINT_CAP])
    assert asked.values == pytest.approx([0, 2 / 64, JOINT_CAP * 9 / 17, JOINT_CAP])
    assert failures.values == [0, 0, 0, 1] and missing.values == [0, 0, 0.5, 1]
    assert missing.metric == "lepe-missing[pixel-18[test],64px]" and lepe.notes["cap"] == JOINT_CAP


def test_a_detector_of_other_points_is_one_line(make_exam: Callable[..., Exam], detector: object) -> None:
    exam = dataclasses.replace(make_exam(), target_landmarks=np.zeros((8, 18, 2), np.float32))
    with pytest.raises(BenchError, match=r"eval\.detector: pixel finds 68 points, the label has 18"):
        LabelEndpointError().score(exam, exam.targets)
