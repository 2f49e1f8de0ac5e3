"""Features that were computed before, found again by what they depend on and nothing else.

    with FeatureCache(folder(), key) as cache:
        vector = cache.get(sha256_of_file)       # float32 (D,) or None
        cache.put({sha256_of_file: vector})

One SQLite file per key. The key holds the sha256 of the network's weights, the protocol and its version and the
precision, so a cache never answers for another network. Put it elsewhere with $BENCH_FEATURES; delete it at will.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np

from benchmark.errors import BenchError


def folder() -> Path:
    """$BENCH_FEATURES, else ~/.cache/exemplar-bench/features."""
    chosen = os.environ.get("BENCH_FEATURES")
    return Path(chosen) if chosen else Path.home() / ".cache" / "exemplar-bench" / "features"


class FeatureCache:
    """Feature rows by sha256 of the image file. Safe for several threads and processes at once."""

    def __init__(self, where: Path, key: str) -> None:
        self.path = where / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.sqlite"
        self._one = threading.Lock()
        with self._told():
            where.mkdir(parents=True, exist_ok=True)
            self._rows = sqlite3.connect(self.path, timeout=60, check_same_thread=False)
            with self._rows:
                self._rows.execute("CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY)")
                self._rows.execute("INSERT OR IGNORE INTO about VALUES (?)", (key,))
                self._rows.execute("CREATE TABLE IF NOT EXISTS features (sha256 TEXT PRIMARY KEY, row BLOB)")
            found = [row for (row,) in self._rows.execute("SELECT key FROM about")]
        if found != [key]:
            raise BenchError(f"{self.path}: belongs to {found}, not to {key!r}; delete it")

    def __enter__(self) -> FeatureCache:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._rows.close()

    def get(self, sha256: str) -> np.ndarray | None:
        """float32 (D,), or None when this image has not been seen."""
        with self._one, self._told():
            found = self._rows.execute("SELECT row FROM features WHERE sha256 = ?", (sha256,)).fetchone()
        return None if found is None else np.frombuffer(found[0], dtype=np.float32)

    def put(self, rows: Mapping[str, np.ndarray]) -> None:
        """Store float32 rows by sha256, all of them or none."""
        with self._one, self._told(), self._rows:
            self._rows.executemany(
                "INSERT OR REPLACE INTO features VALUES (?, ?)",
                [(sha256, np.ascontiguousarray(row, dtype=np.float32).tobytes()) for sha256, row in rows.items()],
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A full disk, a damaged or a locked file is one line."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise BenchError(
                f"{self.path}: cannot be used as a feature cache: {error}; --no-cache does without"
            ) from error
