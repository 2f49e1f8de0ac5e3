"""Intervals and tests against SciPy, hand-worked values and simulated coverage."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from benchmark import stats
from benchmark.errors import BenchError


def sample(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2.0, size=shape)


def assert_close(a: stats.Interval, b: stats.Interval) -> None:
    assert dataclasses.astuple(a) == pytest.approx(dataclasses.astuple(b), abs=1e-12)


def test_interval_of_a_mean_equals_scipys_percentile_bootstrap() -> None:
    values = sample(120)
    ours = stats.mean_interval(values, resamples=20_000)
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    error = values.std() / np.sqrt(len(values))
    assert ours.value == values.mean()
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * error)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * error)


def test_interval_is_the_same_for_the_same_seed() -> None:
    assert stats.mean_interval(sample(50), seed=3) == stats.mean_interval(sample(50), seed=3)
    assert stats.mean_interval(sample(50), seed=3) != stats.mean_interval(sample(50), seed=4)


def test_missing_values_take_no_part() -> None:
    values = sample(40)
    holed = np.insert(values, [3, 20, 40], np.nan)
    assert_close(stats.mean_interval(holed), stats.mean_interval(values))
    table = np.stack([holed, holed])
    assert stats.mean_interval(table).value == pytest.approx(values.mean())


def test_one_seed_as_a_table_is_the_same_as_a_list() -> None:
    assert stats.mean_interval(sample(40)[None]) == stats.mean_interval(sample(40))


def test_seeds_that_disagree_widen_the_interval() -> None:
    items = sample(200)
    agreeing = stats.mean_interval(np.stack([items] * 4))
    disagreeing = stats.mean_interval(np.stack([items + shift for shift in (-1.0, -0.3, 0.3, 1.0)]))
    assert disagreeing.value == pytest.approx(agreeing.value)
    # four seeds of mean 0 and mean square 0.545 add 0.545 / 4 to the variance of the mean
    expected = 2 * 1.96 * np.sqrt(items.var() / 200 + 0.545 / 4)
    assert disagreeing.high - disagreeing.low == pytest.approx(expected, rel=0.1)


def test_repeating_a_seed_adds_no_certainty() -> None:
    items = sample(200)
    once, often = stats.mean_interval(items), stats.mean_interval(np.stack([items] * 5))
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.1)


def test_no_values_is_an_error() -> None:
    for empty in ([], [np.nan, np.nan]):
        with pytest.raises(BenchError, match="no value"):
            stats.mean_interval(empty)
    with pytest.raises(BenchError, match="shape"):
        stats.mean_interval(np.zeros((2, 2, 2)))


@pytest.mark.parametrize("items", [7, 12])
def test_p_of_few_items_equals_scipys_exact_permutation_test(items: int) -> None:
    differences = np.random.default_rng(items).normal(0.4, 1.0, size=items)
    exact = scipy_stats.permutation_test(
        (differences, np.zeros(items)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert stats.paired_difference(differences, np.zeros(items)).p == pytest.approx(exact.pvalue, abs=1e-12)


def test_p_of_many_items_agrees_with_the_t_test() -> None:
    rng = np.random.default_rng(5)
    a = rng.normal(size=300)
    b = a + rng.normal(0.08, 0.6, size=300)
    ours = stats.paired_difference(a, b)
    assert ours.p == pytest.approx(scipy_stats.ttest_rel(a, b).pvalue, abs=0.01)
    assert ours.items == 300
    assert ours.value == pytest.approx(a.mean() - b.mean())


def test_p_is_never_zero_and_one_without_a_difference() -> None:
    a = sample(100)
    assert stats.paired_difference(a, a + 10).p == pytest.approx(1 / (stats.FLIPS + 1))
    same = stats.paired_difference(a, a)
    assert (same.p, same.value, same.low, same.high) == (1.0, 0.0, 0.0, 0.0)


def test_pairs_with_a_missing_side_take_no_part() -> None:
    a, b = sample(30), sample(30, seed=1)
    whole = stats.paired_difference(a, b)
    holed = stats.paired_difference(np.append(a, [1.0, np.nan]), np.append(b, [np.nan, 5.0]))
    assert_close(holed, whole)


def test_unequal_shapes_cannot_be_paired() -> None:
    with pytest.raises(BenchError, match="same seeds and items"):
        stats.paired_difference(sample(5), sample(6))


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = sample(3, 60), sample(3, 60, seed=1)
    whole = stats.paired_difference(a[0], b[0])
    table = stats.mean_interval(a)
    original = stats.bootstrap._chunks
    monkeypatch.setattr(stats.bootstrap, "_chunks", lambda total, width: original(total, width, budget=30_000))
    assert stats.paired_difference(a[0], b[0]).p == pytest.approx(whole.p, abs=0.01)
    assert stats.mean_interval(a).low == pytest.approx(table.low, abs=0.05)


def test_holm_by_hand() -> None:
    # sorted 0.005 0.01 0.03 0.04 times 4 3 2 1 = 0.02 0.03 0.06 0.04, made monotone: 0.02 0.03 0.06 0.06
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([0.9, 0.6]) == [1.0, 1.0]
    assert stats.holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_holm_keeps_order_and_lies_between_raw_and_bonferroni(p: list[float], random: object) -> None:
    adjusted = stats.holm(p)
    for raw, new in zip(p, adjusted, strict=True):
        assert raw <= new <= min(1.0, raw * len(p)) + 1e-15
    ranked = [new for _, new in sorted(zip(p, adjusted, strict=True))]
    assert ranked == sorted(ranked)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 96), (48, 96), (10, 10), (1, 1)])
def test_wilson_equals_scipy(successes: int, trials: int) -> None:
    ours = stats.wilson(successes, trials)
    theirs = scipy_stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert ours.low <= ours.value <= ours.high


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_rate(successes: int, trials: int) -> None:
    with pytest.raises(BenchError, match="not a rate"):
        stats.wilson(successes, trials)


def test_speed() -> None:
    """2000 resamples of 500 items in 50 ms; the best of five, for the machine may be busy with something else."""
    values, times = sample(500), []
    for _ in range(5):
        began = time.process_time()
        stats.mean_interval(values, resamples=2000)
        times.append(time.process_time() - began)
    assert min(times) < 0.05


@pytest.mark.slow
def test_coverage_over_items() -> None:
    """95 % intervals hold the true mean in 93 to 97 % of 2,000 simulated test sets of 100 skewed scores."""
    rng = np.random.default_rng(0)
    hits = [not stats.mean_interval(rng.gamma(4.0, size=100), 1000).excludes(4.0) for _ in range(2000)]
    assert 0.93 <= np.mean(hits) <= 0.97


@pytest.mark.slow
def test_coverage_over_crossed_seeds_and_items() -> None:
    """Ten seeds by 100 items with effects of both: 93 to 97 % of 1,500 simulations."""
    rng = np.random.default_rng(1)

    def covered() -> bool:
        table = rng.normal(0, 1, (1, 100)) + rng.normal(0, 0.15, (10, 1)) + rng.normal(0, 1, (10, 100))
        return not stats.mean_interval(table, 600).excludes(0.0)

    assert 0.93 <= np.mean([covered() for _ in range(1500)]) <= 0.97


def test_statistic_interval_of_a_mean_is_the_mean_interval() -> None:
    values = np.random.default_rng(0).normal(size=60)
    parts = np.stack([values, np.ones(60)], axis=1)
    found = stats.statistic_interval(parts, lambda total: (total[..., 0] / total[..., 1])[..., None], resamples=20_000)
    plain = stats.mean_interval(values, resamples=20_000)
    assert found[0].value == pytest.approx(plain.value)
    assert (found[0].low, found[0].high) == pytest.approx((plain.low, plain.high), abs=0.02)


def test_statistic_interval_leaves_out_resamples_on_which_it_is_undefined() -> None:
    parts = np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])  # two of three items say nothing

    def ratio(total: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return (total[..., 0] / total[..., 1])[..., None]

    assert stats.statistic_interval(parts, ratio) == [stats.Interval(1.0, 1.0, 1.0)]
    with pytest.raises(BenchError, match="undefined"):
        stats.statistic_interval(parts * 0, ratio)
