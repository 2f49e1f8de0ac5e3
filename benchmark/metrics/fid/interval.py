"""How sure a Frechet distance is: its interval over items, its value at infinite N, and the floor of a perfect method.

frechet_interval(a, b, paired=True)     # delete-group jackknife
frechet_infinity(a, b, paired=True)     # Chong and Forsyth 2020: extrapolated in 1 / N
frechet_floor(real)                     # two random halves of the real set
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from benchmark.metrics.fid.distance import frechet_distance, frechet_of_moments
from benchmark.metrics.fid.moments import Moments
from benchmark.stats import LEVEL, Interval

GROUPS = 20  # deletions behind the jackknife interval
POINTS = 8  # set sizes, from half to all, behind the extrapolation
SEED = 0

Side = np.ndarray | Moments  # features (N, D), or moments alone: then the side counts as known exactly


def frechet_interval(a: Side, b: Side, paired: bool = True, level: float = LEVEL, groups: int = GROUPS) -> Interval:
    """The distance with a delete-group jackknife interval. `paired`: row i of both sets is one item.

    A bootstrap repeats images, which shrinks the covariances and shifts this statistic upwards by more than its spread;
    leaving out a group at a time repeats nothing. The interval says how much the value at this N depends on which items
    were drawn; the bias of a Frechet distance at finite N is not in it. Without pairs the two sets' variances add. Ends
    are NaN for fewer than 4 items.
    """
    value = frechet_of_moments(a, b)
    rows = [len(s) for s in (a, b) if isinstance(s, np.ndarray)]
    if not rows or min(rows) < 4:
        return Interval(value, math.nan, math.nan)
    groups = min(groups, *rows)
    if paired and isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        group = _groups(len(a), groups)
        variance = _variance([frechet_distance(a[group != g], b[group != g]) for g in range(groups)])
    else:
        variance = 0.0
        if isinstance(a, np.ndarray):
            group = _groups(len(a), groups)
            variance += _variance([frechet_of_moments(a[group != g], b) for g in range(groups)])
        if isinstance(b, np.ndarray):
            group = _groups(len(b), groups)
            variance += _variance([frechet_of_moments(a, b[group != g]) for g in range(groups)])
    half = float(stdtrit(groups - 1, (1 + level) / 2)) * math.sqrt(variance)
    return Interval(value, max(value - half, 0.0), value + half)


def frechet_infinity(a: Side, b: Side, paired: bool = True) -> float:
    """The intercept of a line through the distances at half to all of the items, against 1 / N.

    Both sets shrink together (a side known by its moments stays): the bias of both is taken out. The line is a good
    one where N is well above the number of dimensions; below that it still over-states.
    """
    share = 1 / np.linspace(2, 1, POINTS)  # even steps in 1 / N
    found = [frechet_of_moments(_first(a, s, 0), _first(b, s, 0 if paired else 1)) for s in share]
    return float(np.polynomial.Polynomial.fit(1 / share, found, 1).convert().coef[0])


def frechet_floor(real: np.ndarray) -> float:
    """The distance between two random halves of a set (N, D): what a perfect method would show at N / 2."""
    order = np.random.default_rng(SEED).permutation(len(real))
    half = len(real) // 2
    return frechet_distance(real[order[:half]], real[order[half : 2 * half]])


def _first(side: Side, share: float, seed: int) -> Side:
    if isinstance(side, Moments):
        return side
    return side[np.random.default_rng(seed).permutation(len(side))[: round(share * len(side))]]


def _groups(items: int, groups: int) -> np.ndarray:
    return np.random.default_rng(SEED).permutation(items) % groups


def _variance(left: list[float]) -> float:
    """Of a statistic, from its values with one group left out."""
    values = np.array(left)
    return float((len(values) - 1) / len(values) * np.sum((values - values.mean()) ** 2))
