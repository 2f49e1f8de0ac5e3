"""Frechet distance between the synthetic images and the real targets, over pretrained features.

Called FID only with the network that FID is defined by; any other network gives a "Frechet distance" under its own
id, and the two never share a column. Definition: Heusel et al. 2017, eq. 6. The papers do not say which images were
compared; this follows spec: systems 7 (synthetic against the corresponding real images, N stated).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import linalg
from scipy.special import stdtrit

from benchmark.errors import BenchError
from benchmark.metrics import images as over
from benchmark.protocols import ItemScores
from benchmark.stats import LEVEL, Interval

if TYPE_CHECKING:
    from benchmark.protocols import Exam

FID = "inception-2015-12-05"
GROUPS = 20  # deletions behind the jackknife interval
FEW = 50  # below this many images the value is mostly bias
FLOOR_SEED = 0


class FrechetDistance:
    """Registry name "frechet". One whole-set score with a jackknife interval.

    For the row of real targets it is the distance between two random halves of them: what a perfect method would still
    show, at half of N.
    """

    name = "frechet"

    def score(self, exam: Exam, images: np.ndarray) -> list[ItemScores]:
        """images uint8 (N, H, W, 3). Raises BenchError for other sizes than the targets' and for too few images."""
        over.require_same_shape(exam, images)
        network = over.network(exam.config.eval.frechet)
        real = over.pooled(network, exam.targets, exam.config.eval.batch)
        notes: dict[str, Any] = {"weights_sha256": network.weights_sha256, "against": "the targets"}
        if exam.reference:
            order = np.random.default_rng(FLOOR_SEED).permutation(len(real))
            half = len(real) // 2
            fake, real = real[order[:half]], real[order[half : 2 * half]]
            notes["against"] = "the floor: two random halves of the targets"
        else:
            fake = over.pooled(network, images, exam.config.eval.batch)
        notes |= {"N": len(fake), "N_reference": len(real), "interval": f"delete-group jackknife, {GROUPS} groups"}
        if len(fake) < FEW:
            notes["warning"] = f"N={len(fake)} is below {FEW}: mostly small-sample bias"
        interval = frechet_interval(fake, real)
        is_fid = network.protocol == FID
        return [
            ItemScores(
                metric=f"{'fid' if is_fid else 'frechet'}[{network.protocol},{network.pooled_side},N={len(fake)}]",
                title="FID" if is_fid else "Frechet distance",
                better="lower",
                values=[interval.value],
                whole_set=True,
                low=None if math.isnan(interval.low) else interval.low,
                high=None if math.isnan(interval.high) else interval.high,
                notes=notes,
            )
        ]


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|mean_a - mean_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) of features (N_a, D) and (N_b, D), in float64.

    Covariances divide by N - 1. Never complex, never negative, exactly 0 for equal arrays. Raises BenchError for fewer
    than two rows or a value that is not finite.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if min(len(a), len(b)) < 2:
        raise BenchError(f"Frechet distance: {len(a)} and {len(b)} images; at least 2 of each are needed")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise BenchError("Frechet distance: a feature is NaN or infinite; look at the images that were scored")
    if np.array_equal(a, b):
        return 0.0
    gap = a.mean(axis=0) - b.mean(axis=0)
    centred_a, centred_b = _centred(a), _centred(b)
    spread = np.sum(centred_a**2) + np.sum(centred_b**2)
    value = float(gap @ gap + spread - 2 * trace_of_root(centred_a, centred_b))
    rounding = 1e-13 * float(spread)
    return value if value > rounding else 0.0


def trace_of_root(a: np.ndarray, b: np.ndarray) -> float:
    """tr((A^T A B^T B)^(1/2)) of factors A (N_a, D) and B (N_b, D): the sum of the singular values of A B^T.

    With more rows than columns on both sides the eigenvalues of L^T (B^T B) L, L L^T = A^T A, are cheaper; where A^T A
    is singular, and where only one side is tall, a tall factor is replaced by its triangular one.
    """
    columns = a.shape[1]
    if min(len(a), len(b)) > columns:
        try:
            lower = linalg.cholesky(a.T @ a, lower=True)
        except linalg.LinAlgError:
            pass
        else:
            eigenvalues = linalg.eigvalsh(lower.T @ (b.T @ b) @ lower)
            return float(np.sqrt(np.maximum(eigenvalues, 0.0)).sum())
    short_a, short_b = (linalg.qr(f, mode="r")[0][:columns] if len(f) > columns else f for f in (a, b))
    return float(linalg.svdvals(short_a @ short_b.T).sum())


def frechet_interval(a: np.ndarray, b: np.ndarray, level: float = LEVEL, groups: int = GROUPS) -> Interval:
    """The distance with a delete-group jackknife interval; row i of both sets is one item (N, D).

    A bootstrap repeats images, which shrinks the covariances and shifts this statistic upwards by more than its spread;
    leaving out a group at a time repeats nothing. The interval says how much the value at this N depends on which items
    were drawn; the bias of a Frechet distance at finite N is not in it. Ends are NaN for fewer than 4 items.
    """
    value = frechet_distance(a, b)
    items = len(a)
    if items < 4 or len(b) != items:
        return Interval(value, math.nan, math.nan)
    groups = min(groups, items)
    group = np.random.default_rng(0).permutation(items) % groups
    left = np.array([frechet_distance(a[group != g], b[group != g]) for g in range(groups)])
    error = math.sqrt((groups - 1) / groups * np.sum((left - left.mean()) ** 2))
    half = float(stdtrit(groups - 1, (1 + level) / 2)) * error
    return Interval(value, max(value - half, 0.0), value + half)


def _centred(features: np.ndarray) -> np.ndarray:
    return (features - features.mean(axis=0)) / math.sqrt(len(features) - 1)
