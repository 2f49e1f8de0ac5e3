"""Eye patches: where the windows lie, what is compared, what a failure is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from benchmark.errors import BenchError
from benchmark.features import load_features
from benchmark.metrics.eye_patch import EYES, EyePatchDistance, patches
from benchmark.protocols import Exam, TaskInfo


def test_window_is_centred_and_stays_inside() -> None:
    image = np.arange(20 * 30 * 3, dtype=np.int64).reshape(1, 20, 30, 3)
    middle = patches(image, np.array([[14.5, 9.5]]), 6)[0]
    assert np.array_equal(middle, image[0, 7:13, 12:18])
    odd = patches(image, np.array([[14.0, 9.0]]), 5)[0]
    assert np.array_equal(odd, image[0, 7:12, 12:17])
    for centre, expected in (((-3.0, 1.0), image[0, :6, :6]), ((29.0, 40.0), image[0, 14:, 24:])):
        assert np.array_equal(patches(image, np.array([centre]), 6)[0], expected)


def test_equals_the_formula(make_exam: Callable[..., Exam], detector: object) -> None:
    exam = make_exam(items=4, side=64)
    [score] = EyePatchDistance().score(exam, exam.targets)
    points = detector.detect(exam.targets)  # type: ignore[attr-defined]
    network = load_features("efficientnet-lite0")
    expected = []
    for item in range(4):
        total = 0.0
        for eye in EYES:
            x, y = points[item, eye].mean(axis=0)
            left, top = (min(max(round(float(c) - 5.5), 0), 64 - 12) for c in (x, y))
            maps = []
            for photo in (exam.targets[item], exam.exemplars[item]):
                crop = torch.from_numpy(photo[top : top + 12, left : left + 12].copy()).permute(2, 0, 1)[None]
                maps.append(network.layers(F.interpolate(crop / 127.5 - 1, (56, 56), mode="bilinear")))
            weights = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1)
            total += sum(w * float((a - b).abs().mean()) for w, a, b in zip(weights, *maps, strict=True))
        expected.append(total / 2)
    assert score.values == pytest.approx(expected, rel=1e-4)
    assert score.metric == "eye-patch[efficientnet-lite0-57934424,pixel-68[test],12to56px]"


def test_paper_size_is_50_to_224(make_exam: Callable[..., Exam], detector: object) -> None:
    exam = make_exam(items=1, side=256, truths=False)
    [score] = EyePatchDistance().score(exam, exam.exemplars)
    assert score.metric.endswith(",50to224px]")
    assert score.values == [0.0]


def test_failures_are_none_and_leave_the_rest_alone(make_exam: Callable[..., Exam], detector: object) -> None:
    exam = make_exam(items=4)
    whole = EyePatchDistance().score(exam, exam.targets)[0].values
    images = exam.targets.copy()
    images[1, 0, 0, 0] = 255
    exam.exemplars[2, 0, 0, 0] = 255
    [score] = EyePatchDistance().score(exam, images)
    assert [v is None for v in score.values] == [False, True, True, False]
    assert [score.values[0], score.values[3]] == pytest.approx([whole[0], whole[3]], rel=1e-4)
    assert (score.notes["N"], score.notes["failures"]) == (2, 2) and score.failure


def test_nothing_found_at_all(make_exam: Callable[..., Exam], detector: object) -> None:
    exam = make_exam(items=2)
    images = np.full_like(exam.targets, 255)
    assert EyePatchDistance().score(exam, images)[0].values == [None, None]


def test_other_points_than_a_faces_are_refused(make_exam: Callable[..., Exam], monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighteen joints have no 36th: the windows would lie in a corner of the picture."""

    class Joints:
        protocol = "joints-18[test]"

        def detect(self, images: np.ndarray) -> np.ndarray:
            return np.zeros((len(images), 18, 2), np.float32)

    monkeypatch.setattr("benchmark.labelers.landmarks.get_detector", lambda name: Joints())
    exam = make_exam(items=2)
    with pytest.raises(BenchError, match="needs 68 landmarks, the detector finds 18"):
        EyePatchDistance().score(exam, exam.targets)
    assert EyePatchDistance.refuses(TaskInfo("dance", 3, 64, 64, joints=18)) == "needs the 68 landmarks of a face"
    assert EyePatchDistance.refuses(TaskInfo("face", 15, 64, 64, joints=68)) is None
