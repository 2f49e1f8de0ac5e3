"""Bradley and Terry's model: how strong each method is, from who was preferred to whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, stdtrit

from benchmark.errors import BenchError
from benchmark.stats.crossed import codes, crossed_covariance
from benchmark.stats.interval import LEVEL, Interval


def bradley_terry(
    winners: Sequence[str],
    losers: Sequence[str],
    items: ArrayLike,
    raters: ArrayLike,
    level: float = LEVEL,
) -> dict[str, Interval]:
    """Strength of every method, best first, by maximum likelihood: method a is preferred to b with probability
    1 / (1 + exp(b - a)); the strengths sum to zero.

    Vote v preferred winners[v] to losers[v]; items[v] and raters[v], by any label, say what it was about and whose it
    was. The intervals are clustered both ways as in `crossed_rate`, to which those of two methods come down.

    Raises BenchError for lists of unequal length, fewer than two items or raters, and where the votes put no finite
    number on a method, since some methods were never, not even through others, preferred to the rest.
    """
    names = sorted({*winners, *losers})
    number = {name: place for place, name in enumerate(names)}
    won, lost = (np.array([number[name] for name in side], dtype=np.int64) for side in (winners, losers))
    (item, item_count), (rater, rater_count) = codes(items), codes(raters)
    if not won.shape == lost.shape == item.shape == rater.shape or (won == lost).any():
        raise BenchError("votes: each needs a winner, another loser, an item and a rater")
    fewer = min(item_count, rater_count)
    if fewer < 2:
        raise BenchError(f"votes: {item_count} items by {rater_count} raters; an interval needs two of each")
    _require_one_scale(names, won, lost)
    strength = _maximum_likelihood(won, lost, len(names))
    error = _standard_errors(strength, won, lost, item, rater)
    half = float(stdtrit(fewer - 1, (1 + level) / 2)) * error
    order = np.argsort(-strength, kind="stable")
    return {names[k]: Interval(*(float(strength[k] + side * half[k]) for side in (0, -1, 1))) for k in order}


def _require_one_scale(names: list[str], won: np.ndarray, lost: np.ndarray) -> None:
    """A finite maximum exists only if every method beats every other one, be it through others (Ford 1957)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    beats = coo_matrix((np.ones(len(won)), (won, lost)), shape=(len(names),) * 2)
    groups, group = connected_components(beats, directed=True, connection="strong")
    if groups > 1:
        apart = [name for name, of in zip(names, group, strict=True) if of != group[0]]
        raise BenchError(
            f"votes: no common scale: between {', '.join(apart)} and the rest all votes go one way, or there are none"
        )


def _maximum_likelihood(won: np.ndarray, lost: np.ndarray, count: int) -> np.ndarray:
    """Strengths (count,) that sum to zero. The last one is held at zero on the way, as only differences matter."""
    from scipy.optimize import minimize

    design = _design(won, lost, count)[:, :-1]

    def loss(strength: np.ndarray) -> tuple[float, np.ndarray]:
        gap = design @ strength
        return float(np.logaddexp(0, -gap).sum()), -design.T @ expit(-gap)

    def curvature(strength: np.ndarray) -> np.ndarray:
        p = expit(design @ strength)
        return (design * (p * (1 - p))[:, None]).T @ design

    start = np.zeros(count - 1)
    found = minimize(loss, start, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-9 * len(won)}).x
    strength = np.append(found, 0.0)
    return strength - strength.mean()


def _standard_errors(
    strength: np.ndarray, won: np.ndarray, lost: np.ndarray, items: np.ndarray, raters: np.ndarray
) -> np.ndarray:
    """(M,): the sandwich of the information and the crossed covariance of the scores, at least that of independence."""
    design = _design(won, lost, len(strength))
    p = expit(design @ strength)
    bread = np.linalg.pinv((design * (p * (1 - p))[:, None]).T @ design)
    meats = crossed_covariance(design * (1 - p)[:, None], items, raters)
    crossed, independent = (np.diag(bread @ meat @ bread) for meat in meats)
    return np.sqrt(np.maximum(crossed, independent))


def _design(won: np.ndarray, lost: np.ndarray, count: int) -> np.ndarray:
    """(V, M): 1 at the winner, -1 at the loser."""
    return np.eye(count)[won] - np.eye(count)[lost]
