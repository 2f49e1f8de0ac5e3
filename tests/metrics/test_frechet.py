"""Frechet distance against pytorch-fid, arbitrary precision and the rules a distance obeys."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_fid.fid_score import calculate_frechet_distance

from benchmark.errors import BenchError
from benchmark.features import FeatureNetwork
from benchmark.metrics import images as over
from benchmark.metrics.frechet import FrechetDistance, frechet_distance, frechet_interval, trace_of_root
from benchmark.protocols import Exam


def features(rows: int, columns: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, columns)) @ rng.normal(size=(columns, columns)) + rng.normal(size=columns)


def by_pytorch_fid(a: np.ndarray, b: np.ndarray) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it calls an option of sqrtm that SciPy 1.18 drops
        moments = (a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))
        return float(calculate_frechet_distance(*moments))


@pytest.mark.parametrize(("rows_a", "rows_b", "columns"), [(300, 300, 24), (400, 60, 32), (33, 200, 32)])
def test_equals_pytorch_fid_at_full_rank(rows_a: int, rows_b: int, columns: int) -> None:
    a, b = features(rows_a, columns, 1), features(rows_b, columns, 2)
    assert frechet_distance(a, b) == pytest.approx(by_pytorch_fid(a, b), rel=1e-9)


@pytest.mark.parametrize(("rows_a", "rows_b"), [(3, 4), (4, 12), (12, 3), (6, 6)])
def test_equals_fifty_digits_below_full_rank(rows_a: int, rows_b: int) -> None:
    a, b = features(rows_a, 6, 1), features(rows_b, 6, 2)
    with mpmath.workdps(50):
        centred = [mpmath.matrix((x - x.mean(0)).tolist()) for x in (a, b)]
        (m, n) = (c.T * c / (c.rows - 1) for c in centred)
        eigenvalues = mpmath.eig(m * n, left=False, right=False)
        root = mpmath.fsum(mpmath.sqrt(abs(mpmath.re(e))) for e in eigenvalues if abs(e) > mpmath.mpf(10) ** -25)
        trace = mpmath.fsum(m[i, i] + n[i, i] for i in range(6))
        gap = mpmath.fsum(mpmath.mpf(d) ** 2 for d in a.mean(0) - b.mean(0))
        expected = float(gap + trace - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-10)


def test_gaussians_along_axes_by_hand() -> None:
    # deviations 1, 2 against 3, 1 and means 0 against (1, 0): 1 + (1-3)^2 + (2-1)^2
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * np.sqrt(3 / 4)  # covariance 1 when divided by N - 1
    assert frechet_distance(corners * [1, 2], corners * [3, 1] + [1, 0]) == pytest.approx(6.0)


def test_a_feature_that_never_fires_is_no_trouble() -> None:
    a, b = features(90, 10, 1), features(80, 10, 2)
    dead = [np.insert(x, 4, 0.0, axis=1) for x in (a, b)]
    assert frechet_distance(*dead) == pytest.approx(frechet_distance(a, b), rel=1e-9)


def test_both_routes_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = features(90, 20, 1), features(80, 20, 2)
    by_cholesky = trace_of_root(a, b)

    def refuse(*_: object, **__: object) -> None:
        raise np.linalg.LinAlgError

    monkeypatch.setattr("benchmark.metrics.frechet.linalg.cholesky", refuse)
    assert trace_of_root(a, b) == pytest.approx(by_cholesky, rel=1e-10)


sizes = st.tuples(st.integers(2, 12), st.integers(2, 12), st.integers(1, 8), st.integers(0, 10**6))


@settings(max_examples=60, deadline=None)
@given(sizes)
def test_rules_of_a_distance(size: tuple[int, int, int, int]) -> None:
    rows_a, rows_b, columns, seed = size
    a, b = features(rows_a, columns, seed), features(rows_b, columns, seed + 1)
    scale = float(np.sum(a**2) + np.sum(b**2))
    value = frechet_distance(a, b)
    assert value >= 0
    assert frechet_distance(a, a.copy()) == 0
    assert frechet_distance(b, a) == pytest.approx(value, abs=1e-7 * scale)
    order = np.random.default_rng(seed).permutation(rows_a)
    assert frechet_distance(a[order], b) == pytest.approx(value, abs=1e-7 * scale)
    assert frechet_distance(a + 5, b + 5) == pytest.approx(value, abs=1e-7 * (scale + 25 * columns))


def test_shift_alone_gives_its_square() -> None:
    a = features(40, 5, 0)
    assert frechet_distance(a, a + np.arange(5)) == pytest.approx(0 + 1 + 4 + 9 + 16)


def test_refuses_one_image_and_nan() -> None:
    a = features(5, 3, 0)
    with pytest.raises(BenchError, match="at least 2"):
        frechet_distance(a[:1], a)
    with pytest.raises(BenchError, match="NaN"):
        frechet_distance(a, np.where(a == a[0, 0], np.nan, a))


def test_interval_is_centred_on_the_value_and_knows_its_limits() -> None:
    a, b = features(60, 8, 1), features(60, 8, 2)
    interval = frechet_interval(a, b)
    assert interval.value == frechet_distance(a, b)
    assert 0 <= interval.low < interval.value < interval.high
    assert np.isnan(frechet_interval(a[:3], b[:3]).low)


@pytest.mark.slow
def test_coverage_of_the_interval() -> None:
    """It holds the mean value at this N in 92 to 99 % of 300 simulated test sets; a bootstrap's in none of 20."""
    items, columns = 96, 64
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(columns, columns)) / np.sqrt(columns)

    def pair() -> tuple[np.ndarray, np.ndarray]:
        real = rng.normal(size=(items, columns))
        return real + 0.6 * rng.normal(size=(items, columns)) @ mix + 0.2, real

    truth = float(np.mean([frechet_distance(*pair()) for _ in range(1000)]))
    assert 0.92 <= np.mean([not frechet_interval(*pair()).excludes(truth) for _ in range(300)]) <= 0.99
    for _ in range(20):
        a, b = pair()
        resampled = [frechet_distance(a[d], b[d]) for d in rng.integers(0, items, size=(60, items))]
        assert np.quantile(resampled, 0.025) > truth


# --- the metric -------------------------------------------------------------------------------------------------------


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
