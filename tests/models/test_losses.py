"""Every loss against a slow restatement of its formula."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from benchmark.errors import BenchError
from models.losses import SemanticConsistency, feature_matching, lsgan
from tests.models.tiny import TinyFeatures

HD = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1]


def slow_distance(reading: str, got: list[Tensor], wanted: list[Tensor], consistent: bool) -> float:
    """One item, layers as (C, H, W), by the words of spec: systems 0."""
    total = 0.0
    for layer, (a, b) in enumerate(zip(got, wanted, strict=True)):
        differences = [abs(p - q) for p, q in zip(a.flatten().tolist(), b.flatten().tolist(), strict=True)]
        written, elements = sum(differences), len(differences)
        if reading == "official":
            total += 10 * HD[layer] * written / elements + (20 * written / elements if consistent else 0)
        elif reading == "paper_eq6":
            total += 10 * (1 if consistent else HD[layer]) * written / elements
        elif reading == "paper_eq6_literal":
            total += 10 * (1 if consistent else 1 / elements) * written
        else:
            total += 10 * HD[layer] * written / elements
    return total


@pytest.mark.parametrize("reading", ["official", "paper_eq6", "paper_eq6_literal", "pix2pixhd"])
def test_semantic_consistency_weighs_every_item_by_its_own_flag(reading: str) -> None:
    features = TinyFeatures().double()
    fake, real = torch.rand(2, 3, 3, 16, 16, dtype=torch.float64).mul(2).sub(1)
    flags = torch.tensor([True, False, True])
    items = [
        slow_distance(
            reading,
            [layer[n] for layer in features.loss_layers(fake)],
            [layer[n] for layer in features.loss_layers(real)],
            bool(flags[n]),
        )
        for n in range(3)
    ]
    loss = SemanticConsistency(features, reading)(fake, real, flags)
    assert loss.item() == pytest.approx(sum(items) / 3, rel=1e-5)


def test_official_effective_weights() -> None:
    """The list that spec: systems 0 gives for lambda_2: means of 1 in every layer pick the weights out."""

    class Unit:
        def loss_layers(self, images: Tensor) -> list[Tensor]:
            return [images[:, :1, :1, :1] * keep for keep in torch.eye(5)[self.layer]]

        layer = 0

    unit, zeros = Unit(), torch.zeros(1, 3, 4, 4)
    for unit.layer, (loose, tight) in enumerate(
        zip([0.3125, 0.625, 1.25, 2.5, 10], [20.3125, 20.625, 21.25, 22.5, 30], strict=True)
    ):
        semantic = SemanticConsistency(unit, "official")
        assert semantic(zeros + 1, zeros, torch.tensor([False])).item() == pytest.approx(loose)
        assert semantic(zeros + 1, zeros, torch.tensor([True])).item() == pytest.approx(tight)


def test_semantic_gradient_reaches_the_fake_only() -> None:
    fake, real = torch.rand(2, 1, 3, 16, 16).requires_grad_(), torch.rand(1, 3, 16, 16, requires_grad=True)
    SemanticConsistency(TinyFeatures(), "paper_eq6")(fake[0], real, torch.tensor([True])).backward()
    assert fake.grad is not None and fake.grad.abs().sum() > 0
    assert real.grad is None


def test_small_images_are_resized_and_large_ones_are_not() -> None:
    features, flags = TinyFeatures(), torch.tensor([True])
    fake, real = torch.rand(2, 1, 3, 16, 24)
    plain = SemanticConsistency(features, "pix2pixhd")
    wide = [F.interpolate(i, size=(32, 32), mode="bilinear", align_corners=False) for i in (fake, real)]
    resized = SemanticConsistency(features, "pix2pixhd", resize_below=32)(fake, real, flags)
    torch.testing.assert_close(resized, plain(*wide, flags))
    untouched = SemanticConsistency(features, "pix2pixhd", resize_below=16)(fake, real, flags)
    torch.testing.assert_close(untouched, plain(fake, real, flags))
    assert not torch.isclose(resized, untouched)


def test_unknown_reading_names_the_nearest() -> None:
    with pytest.raises(BenchError, match="did you mean 'paper_eq6'"):
        SemanticConsistency(TinyFeatures(), "paper_eq7")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=12), st.sampled_from([0.0, 1.0]))
def test_lsgan_is_the_mean_square(scores: list[float], target: float) -> None:
    expected = sum((s - target) ** 2 for s in scores) / len(scores)
    assert lsgan(torch.tensor(scores), target).item() == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("n_layers", [2, 3])
def test_feature_matching(n_layers: int) -> None:
    shapes = [[(2, 3, 5 - s, 4)] * (n_layers + 1) + [(2, 1, 3, 3)] for s in range(2)]  # the last is the score
    fake = [[torch.randn(shape, requires_grad=True) for shape in scale] for scale in shapes]
    real = [[torch.randn(shape, requires_grad=True) for shape in scale] for scale in shapes]
    expected = 0.0
    for scale in range(2):
        for layer in range(n_layers + 1):
            pairs = zip(fake[scale][layer].flatten().tolist(), real[scale][layer].flatten().tolist(), strict=True)
            differences = [abs(a - b) for a, b in pairs]
            expected += 4 / (n_layers + 1) / 2 * sum(differences) / len(differences)
    loss = feature_matching(fake, real)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert fake[0][0].grad is not None and fake[0][-1].grad is None
    assert all(layer.grad is None for scale in real for layer in scale)
