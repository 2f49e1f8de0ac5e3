"""Streamed statistics: any split, order and merge gives what one pass over everything gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import BenchError
from benchmark.metrics.fid.moments import FeatureSet, Moments
from tests.metrics.fid.test_distance import features


def streamed(rows: np.ndarray, cuts: list[int], keep: int) -> FeatureSet:
    found = FeatureSet(keep)
    for part in np.split(rows, sorted(cuts)):
        found.add(part)
    return found


def same_moments(found: Moments, rows: np.ndarray) -> None:
    assert found.count == len(rows)
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-10)
    expected = np.cov(rows, rowvar=False)
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())


splits = st.lists(st.integers(0, 60), max_size=5)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 60), splits, st.integers(2, 80), st.integers(0, 10**6))
def test_any_batches_give_the_moments_of_all(count: int, cuts: list[int], keep: int, seed: int) -> None:
    rows = features(count, 5, seed) + 1000  # far from 0: a sum of squares would lose the digits asked for
    found = streamed(rows, [min(cut, count) for cut in cuts], keep)
    same_moments(found.moments, rows)
    assert (found.all_rows is not None) == (count <= keep)
    if found.all_rows is not None:
        np.testing.assert_array_equal(found.all_rows, rows)


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(4)), st.integers(3, 90), st.integers(0, 10**6))
def test_merging_in_any_order_gives_the_same(order: list[int], keep: int, seed: int) -> None:
    rows = features(61, 4, seed)
    parts = np.array_split(rows, 4)
    found = FeatureSet(keep)
    for index in order:
        other = FeatureSet(keep)
        other.add(parts[index][:7])
        other.add(parts[index][7:])
        found.merge(other)
    same_moments(found.moments, rows)
    whole = streamed(rows, [20], keep).sample
    assert {row.tobytes() for row in found.sample} == {row.tobytes() for row in whole}
    assert len(found.sample) == min(keep, 61)


def test_merged_moments() -> None:
    a, b = features(9, 4, 1), features(30, 4, 2)
    same_moments(Moments.of(a).merged(Moments.of(b)), np.concatenate([a, b]))
    with pytest.raises(BenchError, match="unknown number"):
        Moments.of(a).merged(Moments(b.mean(axis=0), np.cov(b, rowvar=False)))


def test_what_is_merged_in_stays_as_it_was() -> None:
    rows = features(40, 4, 1)
    one, other = streamed(rows[:20], [], keep=5), streamed(rows[20:], [10], keep=5)
    one.merge(other)
    same_moments(other.moments, rows[20:])
    same_moments(one.moments, rows)


def test_nan_another_width_and_a_lone_image_are_refused() -> None:
    found = FeatureSet()
    found.add(np.ones((1, 3)))
    with pytest.raises(BenchError, match="at least 2"):
        _ = found.moments
    with pytest.raises(BenchError, match="NaN"):
        found.add(np.array([[1.0, np.nan, 2.0]]))
    with pytest.raises(BenchError, match="4 values cannot join features of 3"):
        found.add(np.ones((1, 4)))
    assert found.count == 1
