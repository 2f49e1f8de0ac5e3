"""Do raters agree more than by chance?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.errors import BenchError
from benchmark.stats.bootstrap import RESAMPLES, statistic_interval
from benchmark.stats.interval import LEVEL, Interval


def krippendorff_alpha(ratings: ArrayLike, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL) -> Interval:
    """Krippendorff's alpha for categories without an order, with its percentile bootstrap interval over units.

    ratings (R, U): rater by unit, any numbers standing for categories, NaN where a rater did not judge a unit. 1 is
    perfect agreement, 0 that of chance, below 0 less than chance. Units with fewer than two ratings take no part
    (Krippendorff 2004, ch. 11).

    Raises BenchError where alpha is undefined: no unit has two ratings, or every rating is the same.
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:
        raise BenchError(f"agreement: expected raters by units, got shape {table.shape}")
    pairable = table[:, (~np.isnan(table)).sum(axis=0) >= 2]
    categories = np.unique(pairable[~np.isnan(pairable)])
    if pairable.shape[1] == 0:
        raise BenchError("agreement: no unit was judged by two raters")
    if len(categories) < 2:
        raise BenchError("agreement: every rating is the same, so there is nothing to agree on beyond chance")
    counts = (pairable[..., None] == categories).sum(axis=0)  # (U, C)
    return statistic_interval(_coincidences(counts), _alpha, resamples, seed, level)[0]


def _coincidences(counts: np.ndarray) -> np.ndarray:
    """(U, C) -> (U, C, C): pairs of ratings of each unit by category, each unit weighing as much as it has ratings."""
    pairs = counts[:, :, None] * counts[:, None, :] - np.eye(counts.shape[1]) * counts[:, None, :]
    found: np.ndarray = pairs / (counts.sum(axis=1) - 1)[:, None, None]
    return found


def _alpha(total: np.ndarray) -> np.ndarray:
    """Coincidences (..., C, C) -> alpha (..., 1); NaN where only one category is left."""
    marginal = total.sum(axis=-1)  # (..., C)
    n = marginal.sum(axis=-1)
    observed = n - np.trace(total, axis1=-2, axis2=-1)
    expected = n**2 - (marginal**2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alpha: np.ndarray = 1 - (n - 1) * observed / np.where(expected > 1e-9 * n**2, expected, np.nan)
    return alpha[..., None]
