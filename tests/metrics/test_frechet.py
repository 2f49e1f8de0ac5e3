"""The `frechet` metric of a run: its names, its floor, what it remembers and refuses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from benchmark.errors import BenchError
from benchmark.features import FeatureNetwork
from benchmark.metrics import images as over
from benchmark.metrics.frechet import FrechetDistance
from benchmark.protocols import Exam
from tests.metrics.fid.test_distance import by_pytorch_fid


class MeanColour(FeatureNetwork):
    """A stand-in under the Inception's protocol: three numbers per image."""

    name = protocol = "inception-2015-12-05"
    weights_sha256, pooled_side = "0" * 64, 299

    def __init__(self) -> None:
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1), requires_grad=False)

    def pooled(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(2, 3))


def test_embedded_network_is_never_called_fid(make_exam: Callable[..., Exam]) -> None:
    exam = make_exam(items=6)
    [score] = FrechetDistance().score(exam, exam.exemplars)
    assert score.metric == "frechet[efficientnet-lite0-57934424,224,N=6]"
    assert score.title == "Frechet distance" and score.whole_set and score.better == "lower"
    assert score.values[0] is not None and score.values[0] > 0
    assert score.low is not None and score.high is not None and score.low <= score.values[0] <= score.high
    assert score.notes["N"] == 6 and "small-sample" in score.notes["warning"]


def test_fid_only_under_the_inception(make_exam: Callable[..., Exam], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(over, "network", lambda name: MeanColour())
    exam = make_exam(items=50)
    [score] = FrechetDistance().score(exam, exam.exemplars)
    assert (score.metric, score.title) == ("fid[inception-2015-12-05,299,N=50]", "FID")
    assert "warning" not in score.notes
    a, b = (x.reshape(50, -1, 3).mean(1) / 127.5 - 1 for x in (exam.exemplars, exam.targets))
    assert score.values[0] == pytest.approx(by_pytorch_fid(a, b), rel=1e-4)


def test_targets_score_zero_and_the_reference_row_shows_the_floor(
    make_exam: Callable[..., Exam], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over, "network", lambda name: MeanColour())
    exam = make_exam(items=20)
    [score] = FrechetDistance().score(exam, exam.targets)
    assert score.values == [0.0]
    [floor] = FrechetDistance().score(dataclasses.replace(exam, reference=True), exam.targets)
    assert floor.metric.endswith("N=10]") and "floor" in floor.notes["against"]
    assert floor.values[0] is not None and floor.values[0] > 0
    assert floor == FrechetDistance().score(dataclasses.replace(exam, reference=True), exam.targets)[0]


def test_wrong_size_is_one_line(make_exam: Callable[..., Exam]) -> None:
    exam = make_exam()
    for images in (exam.targets[:, :16], exam.targets[:-1], exam.targets.astype(np.float32)):
        with pytest.raises(BenchError, match="images to score"):
            FrechetDistance().score(exam, images)


def test_target_features_are_computed_once(make_exam: Callable[..., Exam], monkeypatch: pytest.MonkeyPatch) -> None:
    network, seen = MeanColour(), []
    monkeypatch.setattr(over, "network", lambda name: network)
    monkeypatch.setattr(network, "protocol", "counting")
    original = network.pooled
    monkeypatch.setattr(network, "pooled", lambda images: seen.append(len(images)) or original(images))
    exam = make_exam(seed=11)
    FrechetDistance().score(exam, exam.exemplars)
    FrechetDistance().score(exam, exam.exemplars[::-1])
    assert sum(seen) == 3 * len(exam.items)
