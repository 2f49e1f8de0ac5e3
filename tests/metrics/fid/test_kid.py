"""KID against torch-fidelity and its plain definition, and its interval against simulation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.errors import BenchError
from benchmark.metrics.fid.kid import kernel_distance
from tests.metrics.fid.test_distance import features


@pytest.mark.parametrize("rows", [40, 3])
def test_equals_torch_fidelity_with_one_subset_of_everything(rows: int) -> None:
    from torch_fidelity.metric_kid import kid_features_to_metric

    a, b = features(rows, 6, 1), features(rows, 6, 2)
    options = {"kid_subsets": 1, "kid_subset_size": rows, "kid_kernel": "poly", "rng_seed": 0, "verbose": False}
    kernel = {"kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1.0}
    theirs = kid_features_to_metric(torch.from_numpy(a), torch.from_numpy(b), **options, **kernel)
    found = kernel_distance(a, b)
    assert found.value == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-9)
    assert (found.subsets, found.subset_size) == (1, rows)


def plain(a: np.ndarray, b: np.ndarray) -> float:
    """The unbiased estimate, one pair of items at a time."""

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / len(x) + 1) ** 3)

    within = [np.mean([k(x, y) for i, x in enumerate(s) for j, y in enumerate(s) if i != j]) for s in (a, b)]
    return float(within[0] + within[1] - 2 * np.mean([k(x, y) for x in a for y in b]))


@pytest.mark.parametrize("paired", [True, False])
def test_interval_is_the_leave_one_out_jackknife(paired: bool) -> None:
    a, b = features(9, 4, 1), features(9 if paired else 7, 4, 2)
    found = kernel_distance(a, b, paired=paired)
    assert found.value == pytest.approx(plain(a, b))

    def variance(left: list[float]) -> float:
        return (len(left) - 1) / len(left) * float(np.sum((np.array(left) - np.mean(left)) ** 2))

    if paired:
        expected = variance([plain(np.delete(a, i, 0), np.delete(b, i, 0)) for i in range(9)])
    else:
        expected = variance([plain(np.delete(a, i, 0), b) for i in range(9)])
        expected += variance([plain(a, np.delete(b, i, 0)) for i in range(7)])
    assert found.high - found.value == pytest.approx(1.959964 * np.sqrt(expected), rel=1e-5)


def test_blocks_have_the_same_expectation_and_use_every_row() -> None:
    a, b = features(100, 4, 1), features(90, 4, 2)
    found = kernel_distance(a, b, block=30)
    parts = [plain(a[s::4], b[s::4]) for s in range(4)]
    assert (found.subsets, found.subset_size) == (4, 22)
    assert found.value == pytest.approx(np.mean(parts))


def test_coverage() -> None:
    rng = np.random.default_rng(0)

    def pair() -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(size=(80, 10)), 1.2 * rng.normal(size=(80, 10)) + 0.2

    truth = np.mean([kernel_distance(*pair()).value for _ in range(1000)])
    assert 0.92 <= np.mean([not kernel_distance(*pair()).excludes(float(truth)) for _ in range(300)]) <= 0.98


def test_two_rows_are_too_few() -> None:
    with pytest.raises(BenchError, match="at least 3"):
        kernel_distance(features(2, 4, 1), features(9, 4, 1))
