"""The interval of a Frechet distance: influences against brute force, coverage, and what stands beside it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.metrics.fid.distance import frechet_distance, frechet_of_moments
from benchmark.metrics.fid.interval import frechet_floor, frechet_infinity, frechet_interval, influences, of_sample
from benchmark.metrics.fid.moments import Moments
from benchmark.stats import Interval
from tests.metrics.fid.test_distance import features


def test_interval_is_centred_on_the_value_and_knows_its_limits() -> None:
    a, b = features(60, 8, 1), features(60, 8, 2)
    interval = frechet_interval(a, b)
    assert interval.value == frechet_distance(a, b)
    assert 0 <= interval.low < interval.value < interval.high
    assert np.isnan(frechet_interval(a[:3], b[:3]).low)


@pytest.mark.slow
def test_coverage_of_the_interval() -> None:
    """It holds the mean value at this N in 92 to 99 % of 200 simulated test sets; a bootstrap's in none of 20."""
    items, columns = 96, 64
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(columns, columns)) / np.sqrt(columns)

    def pair() -> tuple[np.ndarray, np.ndarray]:
        real = rng.normal(size=(items, columns))
        return real + 0.6 * rng.normal(size=(items, columns)) @ mix + 0.2, real

    truth = float(np.mean([frechet_distance(*pair()) for _ in range(400)]))
    assert 0.92 <= np.mean([not frechet_interval(*pair()).excludes(truth) for _ in range(200)]) <= 0.99
    for _ in range(20):
        a, b = pair()
        resampled = [frechet_distance(a[d], b[d]) for d in rng.integers(0, items, size=(60, items))]
        assert np.quantile(resampled, 0.025) > truth


def weighted_distance(a: np.ndarray, weights: np.ndarray, b: np.ndarray) -> float:
    """The distance with items of `a` (N, D) weighted (N,), covariance scaled as N - 1 scales it."""
    share = weights / weights.sum()
    mean = share @ a
    about = a - mean
    covariance = (about * share[:, None]).T @ about * len(a) / (len(a) - 1)
    return frechet_of_moments(Moments(mean, covariance), b)


@pytest.mark.parametrize(("rows_a", "rows_b", "columns"), [(40, 50, 6), (40, 9, 12), (7, 6, 12)])
def test_influences_are_derivatives_by_weight(rows_a: int, rows_b: int, columns: int) -> None:
    a, b = features(rows_a, columns, 1), features(rows_b, columns, 2)
    of_a, of_b = influences(a, b)
    assert of_a is not None and of_b is not None
    step = 1e-4
    for first, second, found in ((a, b, of_a), (b, a, of_b)):
        for item in (0, 3, 5):
            up, down = np.ones(len(first)), np.ones(len(first))
            up[item] += step
            down[item] -= step
            slope = (weighted_distance(first, up, second) - weighted_distance(first, down, second)) / (2 * step)
            assert found[item] / len(first) == pytest.approx(slope, rel=1e-5, abs=1e-7 * np.abs(found).max())


def test_a_side_known_by_moments_has_no_influence_and_changes_no_other() -> None:
    a, b = features(40, 6, 1), features(50, 6, 2)
    of_a, of_b = influences(a, Moments.of(b))
    expected, _ = influences(a, b)
    assert of_b is None and of_a is not None and expected is not None
    np.testing.assert_allclose(of_a, expected, rtol=1e-8, atol=1e-8)
    assert frechet_interval(a, Moments.of(b), paired=False).low < frechet_distance(a, b)


def test_pairs_that_share_their_content_are_surer() -> None:
    real = features(80, 8, 1)
    fake = real + 0.3 * features(80, 8, 2) / 8
    paired, apart = (frechet_interval(fake, real, paired=paired) for paired in (True, False))
    assert paired.value == apart.value and paired.high - paired.low < 0.5 * (apart.high - apart.low)


def test_infinity_takes_the_bias_out() -> None:
    rng = np.random.default_rng(0)
    truth = 20 * 0.1**2  # equal covariances, means 0.1 apart in 20 dimensions
    pairs = [(rng.normal(size=(300, 20)), rng.normal(size=(300, 20)) + 0.1) for _ in range(30)]
    bias = np.mean([frechet_distance(*pair) for pair in pairs]) - truth
    left = np.mean([frechet_infinity(*pair, paired=False) for pair in pairs]) - truth
    assert bias > truth and abs(left) < 0.2 * bias


def test_floor_is_the_same_every_time_and_above_zero() -> None:
    real = features(60, 8, 1)
    assert frechet_floor(real) == frechet_floor(real.copy()) > 0


def test_of_a_sample_the_width_shrinks_as_the_root() -> None:
    assert of_sample(Interval(5, 4, 7), 10, share=0.25) == Interval(10, 9.5, 11)
