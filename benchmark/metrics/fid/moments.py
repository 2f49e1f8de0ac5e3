"""Count, mean and scatter of features in float64, streamed and mergeable, in memory that does not grow with N.

    features = FeatureSet()
    features.add(batch)                    # (n, D), as often as needed
    features.merge(other)                  # from another process or machine, in any order
    features.all_rows, features.moments    # rows up to `keep`, moments always

Merging follows Chan, Golub and LeVeque 1979: scatters are about each part's own mean, so nothing cancels.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from benchmark.errors import BenchError

KEEP = 10_000  # rows held: 80 MB of 2048 float32 values, 160 MB of float64
CHUNK = 2_048  # rows folded into the moments at once


@dataclass(frozen=True)
class Moments:
    """What a Gaussian needs: mean (D,) and covariance (D, D), divided by N - 1. `count` is None where nobody said."""

    mean: np.ndarray
    covariance: np.ndarray
    count: int | None = None

    @staticmethod
    def of(features: np.ndarray) -> Moments:
        """Of features (N, D), N at least 2."""
        count, mean, scatter = _sums(features)
        return Moments(mean, scatter / (count - 1), count)

    def merged(self, other: Moments) -> Moments:
        """Of both sets together; both counts must be known."""
        if self.count is None or other.count is None:
            raise BenchError("statistics of an unknown number of images cannot be merged")
        parts = [(m.count, m.mean, m.covariance * (m.count - 1)) for m in (self, other) if m.count is not None]
        count, mean, scatter = _merge(parts[0], parts[1])
        return Moments(mean, scatter / (count - 1), count)


Sums = tuple[int, np.ndarray, np.ndarray]  # count, mean (D,), scatter about it (D, D)


class FeatureSet:
    """The features of one set of images as they come.

    Up to `keep` rows all of them stay, in the order of arrival. Beyond that they turn into moments, and what stays is a
    sample of `keep` rows chosen by the hash of their values: the same sample whatever the order of arrival or merging.
    """

    def __init__(self, keep: int = KEEP) -> None:
        self.keep, self.count = keep, 0
        self._parts: list[np.ndarray] = []  # rows not in `_sums`, or the sample once `_sums` is there
        self._keys: np.ndarray | None = None
        self._sums: Sums | None = None
        self._pending: list[np.ndarray] = []

    def add(self, features: np.ndarray) -> None:
        """Rows (n, D). Raises BenchError for a NaN or infinite value and for another D than before.

        What is float32 is held as that, which loses nothing; all arithmetic is in float64.
        """
        features = np.array(features, dtype=np.float32 if features.dtype == np.float32 else np.float64, ndmin=2)
        if not np.isfinite(features).all():
            raise BenchError("a feature is NaN or infinite; look at the images that were scored")
        known = self._width()
        if known is not None and features.shape[1] != known:
            raise BenchError(f"features of {features.shape[1]} values cannot join features of {known}")
        if not len(features):
            return
        self.count += len(features)
        if self._sums is None:
            self._parts.append(features)
            if self.count > self.keep:
                self._overflow()
            return
        self._pending.append(features)
        if sum(len(part) for part in self._pending) >= CHUNK:
            self._fold()

    def merge(self, other: FeatureSet) -> None:
        """Take in everything another set has seen; the other stays as it is."""
        if other._sums is None:
            for part in other._parts:
                self.add(part)
            return
        self._overflow()
        theirs, pending = other._sums, other._pending
        self._sums = theirs if self._sums is None else _merge(self._sums, theirs)
        self.count += theirs[0]
        self._sample(other._parts[0])
        for part in pending:
            self.add(part)

    @property
    def all_rows(self) -> np.ndarray | None:
        """Every row (N, D) in the order of arrival, or None where there were more than `keep`."""
        return None if self._sums is not None else self._rows().astype(np.float64)

    @property
    def sample(self) -> np.ndarray:
        """Every row, or a sample of `keep` of them."""
        self._fold()
        return self._rows().astype(np.float64)

    @property
    def moments(self) -> Moments:
        """Of all rows, at least 2."""
        if self.count < 2:
            raise BenchError(f"{self.count} images in a set; at least 2 are needed")
        self._fold()
        count, mean, scatter = self._sums or _fold_rows(None, self._rows())
        return Moments(mean, scatter / (count - 1), count)

    def _width(self) -> int | None:
        return self._parts[0].shape[1] if self._parts else None

    def _rows(self) -> np.ndarray:
        if len(self._parts) != 1:
            self._parts = [np.concatenate(self._parts)] if self._parts else [np.empty((0, 0))]
        return self._parts[0]

    def _overflow(self) -> None:
        """Turn kept rows into moments and a sample."""
        if self._sums is None and self.count:
            rows, self._parts = self._rows(), []
            self._sums = _fold_rows(None, rows)
            self._sample(rows)

    def _fold(self) -> None:
        if self._sums is not None and self._pending:
            rows, self._pending = np.concatenate(self._pending), []
            self._sums = _fold_rows(self._sums, rows)
            self._sample(rows)

    def _sample(self, rows: np.ndarray) -> None:
        """Keep the rows of smallest hash among those kept and these."""
        keys = np.array([int.from_bytes(hashlib.blake2b(row, digest_size=8).digest()) for row in rows], dtype=np.uint64)
        if self._keys is not None and self._parts:
            keys, rows = np.concatenate([self._keys, keys]), np.concatenate([self._parts[0], rows])
        smallest = np.argsort(keys, kind="stable")[: self.keep]
        self._keys, self._parts = keys[smallest], [rows[smallest]]


def _fold_rows(sums: Sums | None, rows: np.ndarray) -> Sums:
    for start in range(0, len(rows), CHUNK):
        part = _sums(rows[start : start + CHUNK])
        sums = part if sums is None else _merge(sums, part)
    assert sums is not None
    return sums


def _sums(rows: np.ndarray) -> Sums:
    rows = rows.astype(np.float64)
    mean = rows.mean(axis=0)
    about = rows - mean
    return len(rows), mean, about.T @ about


def _merge(a: Sums, b: Sums) -> Sums:
    count, gap = a[0] + b[0], b[1] - a[1]
    share = b[0] / count
    return count, a[1] + gap * share, a[2] + b[2] + np.outer(gap, gap) * (a[0] * share)
