"""The Frechet distance against pytorch-fid, torch-fidelity, arbitrary precision and the rules a distance obeys."""

from __future__ import annotations

import warnings

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_fid.fid_score import calculate_frechet_distance

from benchmark.errors import BenchError
from benchmark.metrics.fid.distance import frechet_distance, frechet_of_moments, trace_of_root
from benchmark.metrics.fid.moments import Moments


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

    monkeypatch.setattr("benchmark.metrics.fid.distance.linalg.cholesky", refuse)
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


@pytest.mark.parametrize(("rows_a", "rows_b", "columns"), [(300, 300, 24), (400, 60, 32)])
def test_equals_torch_fidelity_at_full_rank(rows_a: int, rows_b: int, columns: int) -> None:
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    a, b = features(rows_a, columns, 1), features(rows_b, columns, 2)
    statistics = [fid_features_to_statistics(torch.from_numpy(x)) for x in (a, b)]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert frechet_distance(a, b) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize(("rows_a", "rows_b"), [(90, 80), (90, 12), (12, 90), (9, 7)])
def test_moments_give_what_features_give(rows_a: int, rows_b: int) -> None:
    """On one side or both, of full rank or not."""
    a, b = features(rows_a, 20, 1), features(rows_b, 20, 2)
    known = frechet_distance(a, b)
    for pair in ((Moments.of(a), Moments.of(b)), (a, Moments.of(b)), (Moments.of(a), b)):
        assert frechet_of_moments(*pair) == pytest.approx(known, rel=1e-7)


def test_a_doubled_feature_is_not_taken_for_full_rank() -> None:
    a, b = (np.insert(x, 3, x[:, 5], axis=1) for x in (features(90, 10, 1), features(80, 10, 2)))
    with mpmath.workdps(40):
        m, n = (mpmath.matrix(np.cov(x, rowvar=False).tolist()) for x in (a, b))
        eigenvalues = mpmath.eig(m * n, left=False, right=False)
        root = mpmath.fsum(mpmath.sqrt(abs(mpmath.re(e))) for e in eigenvalues if abs(e) > 1e-9)
        gap = float(np.sum((a.mean(0) - b.mean(0)) ** 2))
        expected = gap + float(mpmath.fsum(m[i, i] + n[i, i] for i in range(11)) - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)


def test_moments_equal_to_themselves_are_at_zero() -> None:
    moments = Moments.of(features(12, 20, 1))
    assert frechet_of_moments(moments, Moments(moments.mean.copy(), moments.covariance.copy())) == 0.0


def test_moments_of_another_width_are_refused() -> None:
    with pytest.raises(BenchError, match="20 and 19 values"):
        frechet_of_moments(Moments.of(features(30, 20, 1)), features(30, 19, 1))
