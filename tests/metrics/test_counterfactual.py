"""Distances to the true answer against scikit-image and plain sums."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from benchmark.errors import BenchError
from benchmark.features import load_features
from benchmark.metrics.counterfactual import CounterfactualDistance, ssim_map
from benchmark.protocols import Exam, ItemScores

FEATURES = "counterfactual-features[efficientnet-lite0-57934424]"


def scored(exam: Exam, images: np.ndarray) -> dict[str, ItemScores]:
    return {score.metric: score for score in CounterfactualDistance().score(exam, images)}


def near(truths: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(3).normal(0, 20, truths.shape)
    return np.clip(truths + noise, 0, 255).astype(np.uint8)


def test_whole_image_equals_scikit_image(make_exam: Callable[..., Exam]) -> None:
    exam = make_exam(items=3, side=40)
    images = near(exam.truths)
    found = scored(exam, images)
    for n, (image, truth) in enumerate(zip(images, exam.truths, strict=True)):
        assert found["counterfactual-psnr[whole]"].values[n] == pytest.approx(peak_signal_noise_ratio(truth, image))
        ssim = structural_similarity(
            truth, image, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=2, data_range=255
        )
        assert found["counterfactual-ssim[whole]"].values[n] == pytest.approx(ssim, abs=1e-9)
        assert found["counterfactual-l1[whole]"].values[n] == pytest.approx(
            np.mean(np.abs(image / 127.5 - truth / 127.5))
        )


def test_a_region_counts_its_own_pixels_only(make_exam: Callable[..., Exam]) -> None:
    exam = make_exam(items=2)
    images = exam.truths.copy()
    images[:, :8] = 255 - images[:, :8]  # above both regions
    found = scored(exam, images)
    assert found["counterfactual-l1[whole]"].values[0] > 0.1
    for region in ("foreground", "face"):
        assert found[f"counterfactual-l1[{region}]"].values == [0.0, 0.0]
        assert found[f"counterfactual-psnr[{region}]"].values == pytest.approx([58.92] * 2, abs=0.01)


def test_region_values_by_plain_sums(make_exam: Callable[..., Exam]) -> None:
    exam = make_exam(items=2, side=40)
    images = near(exam.truths)
    found = scored(exam, images)
    for n in range(2):
        mask = exam.regions["face"][n]
        a, b = images[n][mask].astype(float), exam.truths[n][mask].astype(float)
        assert found["counterfactual-l1[face]"].values[n] == pytest.approx(np.abs(a - b).mean() / 127.5)
        mse = np.square(a - b).mean()
        assert found["counterfactual-psnr[face]"].values[n] == pytest.approx(10 * np.log10(255**2 / mse))
        _, full = structural_similarity(
            exam.truths[n], images[n], gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            channel_axis=2, data_range=255, full=True,
        )  # fmt: skip
        assert mask[:5].sum() + mask[-5:].sum() + mask[:, :5].sum() + mask[:, -5:].sum() == 0
        assert found["counterfactual-ssim[face]"].values[n] == pytest.approx(full[mask].mean(), abs=1e-9)


def test_feature_distance_is_the_mean_over_five_layers(make_exam: Callable[..., Exam]) -> None:
    exam = make_exam(items=4)
    images = near(exam.truths)
    network = load_features("efficientnet-lite0")
    a, b = (network.layers(torch.from_numpy(x).permute(0, 3, 1, 2) / 127.5 - 1) for x in (images, exam.truths))
    expected = np.mean([(p - q).abs().mean(dim=(1, 2, 3)).numpy() for p, q in zip(a, b, strict=True)], axis=0)
    assert scored(exam, images)[FEATURES].values == pytest.approx(expected, rel=1e-4)


def test_the_truth_itself(make_exam: Callable[..., Exam]) -> None:
    exam = make_exam()
    found = scored(exam, exam.truths)
    assert found["counterfactual-l1[whole]"].values == [0.0] * 8
    assert found["counterfactual-ssim[face]"].values == pytest.approx([1.0] * 8)
    assert found[FEATURES].values == [0.0] * 8
    assert found["counterfactual-l1[whole]"].better == "lower"
    assert found["counterfactual-ssim[whole]"].better == found["counterfactual-psnr[whole]"].better == "higher"


def test_an_empty_region_is_none(make_exam: Callable[..., Exam]) -> None:
    exam = make_exam(items=2)
    exam.regions["face"][1] = False
    for kind in ("l1", "psnr", "ssim"):
        score = scored(exam, exam.targets)[f"counterfactual-{kind}[face]"]
        assert score.values[0] is not None and score.values[1] is None
        assert score.failure and score.notes["N"] == 1


def test_real_photos_have_no_truth(make_exam: Callable[..., Exam]) -> None:
    exam = make_exam(truths=False)
    assert CounterfactualDistance().score(exam, exam.targets) == []


def test_truth_without_regions_gives_the_whole_only(make_exam: Callable[..., Exam]) -> None:
    exam = dataclasses.replace(make_exam(), regions=None)
    whole = {f"counterfactual-{kind}[whole]" for kind in ("l1", "psnr", "ssim")}
    assert set(scored(exam, exam.targets)) == whole | {FEATURES}


def test_refuses_other_sizes_and_tiny_images(make_exam: Callable[..., Exam]) -> None:
    exam = make_exam()
    with pytest.raises(BenchError, match="images to score"):
        CounterfactualDistance().score(exam, exam.targets[:, :16])
    with pytest.raises(BenchError, match="smaller than its window"):
        ssim_map(exam.targets[0, :8, :8], exam.targets[0, :8, :8])
