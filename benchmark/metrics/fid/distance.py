"""The Frechet distance of two Gaussians in float64, by the cheapest route that is exact. Never `sqrtm`.

    frechet_distance(features_a, features_b)      # from features (N_a, D) and (N_b, D)
    frechet_of_moments(moments_a, moments_b)      # from means and covariances; either may be a features array

    d^2 = |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))          Heusel et al. 2017, eq. 6

With C_a = F_a^T F_a and C_b = F_b^T F_b the trace of the root is the sum of the singular values of F_a F_b^T, whatever
the factors: centred features where images are fewer than dimensions, a Cholesky factor where they are more, and
eigenvectors whose eigenvalues stand above rounding where a covariance is singular.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import linalg

from benchmark.errors import BenchError
from benchmark.metrics.fid.moments import Moments

ROUNDING = 1e-13  # of the total variance: a distance below this cannot be told from 0
PIVOT = 1e-12  # of a dimension's variance: what the dimensions before it leave unexplained, to count as full rank
RANK = 1e-13  # eigenvalues below this share of the largest are rounding


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The squared distance of features (N_a, D) and (N_b, D), covariances divided by N - 1.

    Never complex, never negative, exactly 0 for equal arrays. Raises BenchError for fewer than two rows or a value that
    is not finite.
    """
    a, b = _checked(a), _checked(b)
    if np.array_equal(a, b):
        return 0.0
    factor_a, factor_b = centred(a), centred(b)
    spread = float(np.vdot(factor_a, factor_a) + np.vdot(factor_b, factor_b))
    return _distance(a.mean(axis=0) - b.mean(axis=0), spread, trace_of_root(factor_a, factor_b))


def frechet_of_moments(a: Moments | np.ndarray, b: Moments | np.ndarray) -> float:
    """As `frechet_distance`, where one side or both is known by its moments only."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return frechet_distance(a, b)
    mean_a, trace_a = _mean_and_trace(a)
    mean_b, trace_b = _mean_and_trace(b)
    if mean_a.shape != mean_b.shape:
        raise BenchError(f"Frechet distance: features of {len(mean_a)} and {len(mean_b)} values cannot be compared")
    if isinstance(a, Moments) and isinstance(b, Moments):
        if np.array_equal(a.mean, b.mean) and np.array_equal(a.covariance, b.covariance):
            return 0.0
        root = _root_of_covariances(a.covariance, b.covariance)
    else:
        factors = [factor(s.covariance) if isinstance(s, Moments) else centred(_checked(s)) for s in (a, b)]
        root = trace_of_root(*factors)
    return _distance(mean_a - mean_b, trace_a + trace_b, root)


def trace_of_root(a: np.ndarray, b: np.ndarray) -> float:
    """tr((A^T A B^T B)^(1/2)) of factors A (N_a, D) and B (N_b, D): the sum of the singular values of A B^T.

    With more rows than columns on both sides the eigenvalues of L^T (B^T B) L, L L^T = A^T A, are cheaper; where A^T A
    is singular, and where only one side is tall, a tall factor is replaced by its triangular one. A dimension in which
    one side does not vary adds nothing and is left out.
    """
    varies = a.any(axis=0) & b.any(axis=0)
    if not varies.all():
        a, b = a[:, varies], b[:, varies]
    columns = a.shape[1]
    if min(len(a), len(b)) > columns:
        lower = _cholesky(a.T @ a)
        if lower is not None:
            return _root_by_cholesky(lower, b.T @ b)
    short_a, short_b = (linalg.qr(f, mode="r")[0][:columns] if len(f) > columns else f for f in (a, b))
    return float(linalg.svdvals(short_a @ short_b.T).sum())


def centred(features: np.ndarray) -> np.ndarray:
    """Features (N, D) about their mean, over sqrt(N - 1): the factor of their covariance."""
    about = features - features.mean(axis=0)
    about /= math.sqrt(len(features) - 1)
    return about


def _distance(gap: np.ndarray, spread: float, root: float) -> float:
    value = float(gap @ gap + spread - 2 * root)
    return value if value > ROUNDING * spread else 0.0


def _root_of_covariances(a: np.ndarray, b: np.ndarray) -> float:
    """Cholesky of whichever covariance has full rank, else eigenvectors of both."""
    for one, other in ((a, b), (b, a)):
        lower = _cholesky(one)
        if lower is not None:
            return _root_by_cholesky(lower, other)
    return trace_of_root(_eigenfactor(a), _eigenfactor(b))


def _root_by_cholesky(lower: np.ndarray, other: np.ndarray) -> float:
    product, _ = linalg.lapack.dsygst(other, lower, itype=2, lower=1)  # L^T C L, of which it fills the lower half
    eigenvalues = linalg.eigvalsh(product, lower=True, overwrite_a=True, check_finite=False)
    return float(np.sqrt(np.maximum(eigenvalues, 0.0)).sum())


def _cholesky(covariance: np.ndarray) -> np.ndarray | None:
    """L with L L^T = C, or None where C is singular to working precision and L would be noise."""
    try:
        lower = linalg.cholesky(covariance, lower=True)
    except linalg.LinAlgError:
        return None
    full_rank = bool((lower.diagonal() ** 2 > PIVOT * covariance.diagonal()).all())
    return lower if full_rank else None


def factor(covariance: np.ndarray) -> np.ndarray:
    """F with F^T F = C."""
    lower = _cholesky(covariance)
    return _eigenfactor(covariance) if lower is None else lower.T


def _eigenfactor(covariance: np.ndarray) -> np.ndarray:
    """F (rank, D) with F^T F = C but for eigenvalues that are rounding."""
    values, vectors = linalg.eigh(covariance)
    kept = values > RANK * values[-1]
    return (vectors[:, kept] * np.sqrt(values[kept])).T


def _mean_and_trace(side: Moments | np.ndarray) -> tuple[np.ndarray, float]:
    """Of one side: (D,) and the total variance."""
    if isinstance(side, Moments):
        return side.mean, float(np.trace(side.covariance))
    features = _checked(side)
    about = centred(features)
    return features.mean(axis=0), float(np.vdot(about, about))


def _checked(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    if len(features) < 2:
        raise BenchError(f"Frechet distance: {len(features)} images in a set; at least 2 of each are needed")
    if not np.isfinite(features).all():
        raise BenchError("Frechet distance: a feature is NaN or infinite; look at the images that were scored")
    return features
