"""The variance of what is summed over votes that share items and raters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def codes(labels: ArrayLike) -> tuple[np.ndarray, int]:
    """Labels (V,) of any kind as numbers 0..K-1, and K."""
    known, numbers = np.unique(np.asarray(labels), return_inverse=True)
    return numbers.reshape(np.shape(labels)), len(known)


def crossed_covariance(scores: np.ndarray, items: np.ndarray, raters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariance (K, K) of the sum of scores (V, K), each vote's share in an estimating equation, twice: clustered by
    item and by rater, and as if votes were independent.

    The first is items + raters - (items x raters), each the sum of squared cluster sums; the two main terms carry the
    factor K / (K - 1) for few clusters (Cameron, Gelbach and Miller 2011; spec: studies 6). With few clusters it can
    fall below the second, or below zero: take the larger.
    """
    both = items * (raters.max() + 1) + raters
    crossed = _clustered(scores, items, few=True) + _clustered(scores, raters, few=True) - _clustered(scores, both)
    return crossed, scores.T @ scores


def _clustered(scores: np.ndarray, cluster: np.ndarray, few: bool = False) -> np.ndarray:
    _, cluster = np.unique(cluster, return_inverse=True)
    count = int(cluster.max()) + 1
    sums = np.stack([np.bincount(cluster, column, count) for column in scores.T], axis=1)  # (count, K)
    return (sums.T @ sums) * (count / (count - 1) if few else 1.0)
