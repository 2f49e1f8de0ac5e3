"""Bootstrap intervals of means and of whole-set scores, and the paired test that goes with them.

mean_interval(values)             # values (N,) over items, or (S, N) over seeds and items
statistic_interval(matrices, f)   # a score of the whole set, from what each item adds to it
paired_difference(ours, theirs)   # difference of means on the same items, with its interval and p
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from benchmark.errors import BenchError
from benchmark.stats.interval import LEVEL, Difference, Interval

RESAMPLES = 2000
FLIPS = 9999  # random sign flips behind a p value: the smallest p is 1/10000
EXACT_ITEMS = 13  # up to this many items all 2^N sign patterns are fewer than FLIPS, so they are all tried


def mean_interval(values: ArrayLike, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL) -> Interval:
    """Mean with its percentile bootstrap interval.

    `values` is (N,) over items, or (S, N) over training seeds and items. With seeds, rows and columns are drawn
    independently (the pigeonhole bootstrap, Owen 2007), so that seeds sharing an easy item, and items sharing a lucky
    seed, do not count as independent. NaN marks a missing value and takes no part. Percentiles are a little narrow
    below about 30 items, and with two or three seeds the spread between seeds is understated; say N and S beside them.

    Raises BenchError when there is no value at all.
    """
    table = _table(values)
    means = _bootstrap_means(table, resamples, np.random.default_rng(seed))
    return percentile_interval(float(np.nanmean(table)), means, level)


def statistic_interval(
    parts: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> list[Interval]:
    """`statistic` of the sum of `parts` over items, each value with its percentile bootstrap interval over items.

    parts (N, ...): what each item adds, e.g. its confusion matrix; statistic: sums (..., same shape) -> (..., K). For
    scores of a whole set that are no mean over items. A resample on which a value is undefined (NaN) takes no part.

    Raises BenchError when the statistic of the whole set is undefined.
    """
    flat = parts.reshape(len(parts), -1).astype(np.float64)
    value = statistic(parts.sum(axis=0))
    if np.isnan(value).any():
        raise BenchError("statistics: the score of the whole set is undefined (0 / 0)")
    rng = np.random.default_rng(seed)
    sums = (_counts(rng, n, len(flat)) @ flat for n in _chunks(resamples, len(flat) + flat.shape[1]))
    draws = np.concatenate([statistic(total.reshape(-1, *parts.shape[1:])) for total in sums])  # (R, K)
    return [percentile_interval(float(v), draw[~np.isnan(draw)], level) for v, draw in zip(value, draws.T, strict=True)]


def paired_difference(
    a: ArrayLike, b: ArrayLike, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL, flips: int = FLIPS
) -> Difference:
    """Paired comparison of two methods on the same items (and seeds): a and b are both (N,) or both (S, N).

    The interval is `mean_interval` of a - b. The p value is that of the sign-flip permutation test over items, on
    differences averaged over seeds: exact for at most 13 items, else from `flips` random patterns with the usual +1, so
    it is never 0. It speaks of new items and these seeds; the interval also of new seeds. A pair with a NaN on either
    side takes no part.
    """
    first, second = _table(a), _table(b)
    if first.shape != second.shape:
        raise BenchError(f"paired comparison: {first.shape} and {second.shape} values are not the same seeds and items")
    difference = _table(first - second)
    present = difference[:, ~np.isnan(difference).all(axis=0)]
    per_item = np.nanmean(present, axis=0)
    interval = mean_interval(difference, resamples, seed, level)
    p = sign_flip_p(per_item, flips, seed)
    return Difference(interval.value, interval.low, interval.high, p=p, items=len(per_item))


def sign_flip_p(differences: np.ndarray, flips: int = FLIPS, seed: int = 0) -> float:
    """Two-sided p of "differences (N,) are symmetric around 0", by flipping signs."""
    count = len(differences)
    sum_seen = abs(float(differences.sum()))
    threshold = sum_seen - 1e-12 * float(np.abs(differences).sum())  # a tie must not be lost to rounding
    if count <= EXACT_ITEMS:
        patterns = (np.arange(2**count)[:, None] >> np.arange(count)) & 1  # (2^N, N)
        return float(np.mean(np.abs((1 - 2 * patterns) @ differences) >= threshold))
    rng = np.random.default_rng(seed)
    extreme = 0
    for size in _chunks(flips, count):
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(size, count), dtype=np.int8)
        extreme += int(np.count_nonzero(np.abs(signs @ differences) >= threshold))
    return (1 + extreme) / (1 + flips)


def percentile_interval(value: float, samples: np.ndarray, level: float = LEVEL) -> Interval:
    """`value` with the central `level` of bootstrap samples."""
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


def _table(values: ArrayLike) -> np.ndarray:
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))  # (S, N)
    if table.ndim != 2:
        raise BenchError(f"statistics: expected values over items, or over seeds and items, got shape {table.shape}")
    if not (~np.isnan(table)).any():
        raise BenchError("statistics: no value to take a mean of")
    return table


def _bootstrap_means(table: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Means (at most `resamples`,) of tables whose rows and columns were drawn with replacement."""
    seeds, items = table.shape
    present = ~np.isnan(table)
    if seeds == 1:
        row = table[0, present[0]]
        return np.concatenate([row[_draws(rng, n, len(row))].mean(axis=1) for n in _chunks(resamples, len(row))])
    filled = np.where(present, table, 0.0)
    means = []
    for n in _chunks(resamples, items):
        rows, columns = _counts(rng, n, seeds), _counts(rng, n, items)  # (n, S), (n, N)
        weight = ((rows @ present) * columns).sum(axis=1)
        total = ((rows @ filled) * columns).sum(axis=1)
        means.append(total[weight > 0] / weight[weight > 0])  # a draw of only missing values says nothing
    return np.concatenate(means)


def _draws(rng: np.random.Generator, rows: int, count: int) -> np.ndarray:
    return rng.integers(0, count, size=(rows, count), dtype=np.int32)


def _counts(rng: np.random.Generator, rows: int, count: int) -> np.ndarray:
    """How often each of `count` things was drawn, per row: (rows, count) float."""
    offsets = np.arange(rows, dtype=np.int64)[:, None] * count
    flat = np.bincount((_draws(rng, rows, count) + offsets).ravel(), minlength=rows * count)
    return flat.reshape(rows, count).astype(np.float64)


def _chunks(total: int, width: int, budget: int = 2_000_000) -> list[int]:
    """Row counts that add up to `total`, each at most `budget` numbers wide: memory stays flat in N."""
    step = max(1, budget // max(width, 1))
    return [min(step, total - start) for start in range(0, total, step)]
