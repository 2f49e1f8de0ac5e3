"""KID, the kernel distance of two sets of features: unbiased at any N, so it stands beside every FID.

    kernel_distance(a, b)         # features (N_a, D) and (N_b, D)

Binkowski et al. 2018: the unbiased estimate of MMD^2 with the kernel (x.y / D + 1)^3. The tools average it over random
subsets of 1,000; here the subsets are all rows, or disjoint blocks of at most 2,000, which is the same expectation with
less noise and no seed. The interval is a leave-one-out jackknife, in closed form from the kernel's row sums.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from benchmark.errors import BenchError
from benchmark.stats import LEVEL, Interval

BLOCK = 2_000  # rows of each side in one kernel matrix: 32 MB


@dataclass(frozen=True)
class KernelDistance(Interval):
    """MMD^2 and its interval, over `subsets` disjoint blocks of about `subset_size` rows. May lie below 0."""

    subsets: int
    subset_size: int


def kernel_distance(
    a: np.ndarray, b: np.ndarray, paired: bool = False, block: int = BLOCK, level: float = LEVEL
) -> KernelDistance:
    """Of features a (N_a, D) and b (N_b, D). `paired`: row i of both is one item, left out together.

    Raises BenchError for fewer than three rows on a side.
    """
    if min(len(a), len(b)) < 3:
        raise BenchError(f"KID: {len(a)} and {len(b)} images; at least 3 of each are needed")
    subsets = math.ceil(max(len(a), len(b)) / block)
    subsets = min(subsets, min(len(a), len(b)) // 3)
    # every n-th row, so that folders sorted by subject do not make blocks of one subject each
    parts = [_block(a[start::subsets], b[start::subsets], paired) for start in range(subsets)]
    value = sum(mmd for mmd, _ in parts) / subsets
    error = math.sqrt(sum(variance for _, variance in parts)) / subsets
    half = float(ndtri((1 + level) / 2)) * error
    return KernelDistance(value, value - half, value + half, subsets, min(len(a), len(b)) // subsets)


def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(x.y / D + 1)^3 of every x in a (N, D) with every y in b (M, D): (N, M)."""
    return (a @ b.T / a.shape[1] + 1) ** 3


def _block(a: np.ndarray, b: np.ndarray, paired: bool) -> tuple[float, float]:
    """MMD^2 and its jackknife variance."""
    n, m = len(a), len(b)
    within_a, total_a = _within(a)
    within_b, total_b = _within(b)
    across = kernel(a, b)
    rows, columns, total = across.sum(axis=1), across.sum(axis=0), float(across.sum())
    value = total_a / (n * (n - 1)) + total_b / (m * (m - 1)) - 2 * total / (n * m)
    without_a = (total_a - 2 * within_a) / ((n - 1) * (n - 2))  # (n,)
    without_b = (total_b - 2 * within_b) / ((m - 1) * (m - 2))  # (m,)
    if paired:
        rest = (total - rows - columns + across.diagonal()) / (n - 1) ** 2
        return value, _jackknife(without_a + without_b - 2 * rest)
    variance_a = _jackknife(without_a - 2 * (total - rows) / ((n - 1) * m))
    variance_b = _jackknife(without_b - 2 * (total - columns) / (n * (m - 1)))
    return value, variance_a + variance_b


def _within(features: np.ndarray) -> tuple[np.ndarray, float]:
    """Row sums (N,) of a set's own kernel without its diagonal, and their sum."""
    matrix = kernel(features, features)
    rows = matrix.sum(axis=1) - matrix.diagonal()
    return rows, float(rows.sum())


def _jackknife(values: np.ndarray) -> float:
    return float((len(values) - 1) / len(values) * np.sum((values - values.mean()) ** 2))
