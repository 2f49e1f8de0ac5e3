"""How sure a Frechet distance is: its interval over items, its value at infinite N, and the floor of a perfect method.

    frechet_interval(a, b, paired=True)     # bootstrap over items of the linearised distance
    frechet_infinity(a, b, paired=True)     # Chong and Forsyth 2020: extrapolated in 1 / N
    frechet_floor(real)                     # two random halves of the real set

A bootstrap of the distance itself fails: it repeats images, which shrinks the covariances and shifts the value upwards
by more than its spread. So every item's influence on the distance is computed first, in closed form, and these are
resampled: one singular value decomposition in place of hundreds of distances, and nothing shifts.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import linalg

from benchmark.metrics.fid.distance import centred, factor, frechet_distance, frechet_of_moments
from benchmark.metrics.fid.moments import Moments
from benchmark.stats import LEVEL, Interval, mean_interval

METHOD = "bootstrap over items of their influences"
POINTS = 8  # set sizes, from half to all, behind the extrapolation
SEED = 0

Side = np.ndarray | Moments  # features (N, D), or moments alone: then the side counts as known exactly


def frechet_interval(a: Side, b: Side, paired: bool = True, level: float = LEVEL) -> Interval:
    """The distance with its interval. `paired`: row i of both sets is one item and is drawn together.

    It says how much the value at this N depends on which items were drawn; the bias of a Frechet distance at finite N
    is not in it. Without pairs the two sets' errors add in quadrature. Ends are NaN for fewer than 4 items.
    """
    value = frechet_of_moments(a, b)
    if min((len(s) for s in (a, b) if isinstance(s, np.ndarray)), default=0) < 4:
        return Interval(value, math.nan, math.nan)
    found = [values for values in influences(a, b) if values is not None]
    if paired and len(found) == 2:
        found = [found[0] + found[1]]
    spreads = [mean_interval(values, level=level) for values in found]
    below = math.hypot(*(spread.value - spread.low for spread in spreads))
    above = math.hypot(*(spread.high - spread.value for spread in spreads))
    return Interval(value, max(value - below, 0.0), value + above)


def of_sample(found: Interval, value: float, share: float) -> Interval:
    """The interval around `value` of all items, from `found` over a sample of this share of them: width as root N."""
    below, above = ((end - found.value) * math.sqrt(share) for end in (found.low, found.high))
    return Interval(value, max(value + below, 0.0), value + above)


def influences(a: Side, b: Side) -> tuple[np.ndarray | None, np.ndarray | None]:
    """How much each item moves the distance, (N_a,) and (N_b,), about 0; None for a side known by moments only.

    The derivative with respect to an item's weight (the infinitesimal jackknife, Efron 1982), times N. With factors
    F of the covariances and F_a F_b^T = U S V^T, item i of a adds 2 (x_i - m_a).(m_a - m_b)
    + |x_i - m_a|^2 N_a / (N_a - 1) - N_a (U S U^T)_ii, and item j of b the same with V and the means turned.
    """
    factors = [factor(s.covariance) if isinstance(s, Moments) else centred(s) for s in (a, b)]
    (basis_a, core_a), (basis_b, core_b) = map(_short, factors)
    left, values, right = linalg.svd(core_a @ core_b.T, full_matrices=False)
    means = [s.mean if isinstance(s, Moments) else s.mean(axis=0) for s in (a, b)]
    found: list[np.ndarray | None] = []
    for side, own, other, basis, vectors in zip(
        (a, b), means, means[::-1], (basis_a, basis_b), (left, right.T), strict=True
    ):
        if isinstance(side, Moments):
            found.append(None)
            continue
        about, unbiased = side - own, len(side) / (len(side) - 1)
        root = np.square(vectors if basis is None else basis @ vectors) @ values  # diagonal of U S U^T
        moved = 2 * about @ (own - other) + unbiased * np.square(about).sum(axis=1) - len(side) * root
        found.append(moved - moved.mean())
    return found[0], found[1]


def _short(tall: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """F = Q R with R no taller than wide; Q is None where F is short already."""
    return linalg.qr(tall, mode="economic") if len(tall) > tall.shape[1] else (None, tall)


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
    return frechet_distance(*random_halves(real))


def random_halves(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint halves of a set (N, D), the same every time; of an odd N one row is left out."""
    order = np.random.default_rng(SEED).permutation(len(rows))
    half = len(rows) // 2
    return rows[order[:half]], rows[order[half : 2 * half]]


def _first(side: Side, share: float, seed: int) -> Side:
    if isinstance(side, Moments):
        return side
    return side[np.random.default_rng(seed).permutation(len(side))[: round(share * len(side))]]
