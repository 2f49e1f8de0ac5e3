"""The feature cache answers for its own key only, and a file that cannot be used is one line, whenever that shows."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.metrics.fid.cache import FeatureCache


def test_rows_are_found_again_under_their_key_alone(tmp_path: Path) -> None:
    row = np.arange(4, dtype=np.float32)
    with FeatureCache(tmp_path, "network a") as cache:
        cache.put({"picture": row})
    with FeatureCache(tmp_path, "network a") as cache, FeatureCache(tmp_path, "network b") as other:
        np.testing.assert_array_equal(cache.get("picture"), row)
        assert other.get("picture") is None


def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    with FeatureCache(tmp_path, "key") as cache:
        path = cache.path
        with sqlite3.connect(path) as behind:
            behind.execute("DROP TABLE features")
        behind.close()
        with pytest.raises(BenchError, match=r"cannot be used as a feature cache: no such table.*--no-cache"):
            cache.get("picture")
        with pytest.raises(BenchError, match="cannot be used as a feature cache: no such table"):
            cache.put({"picture": np.ones(4)})
    path.write_bytes(b"no database at all, but long enough to look like one" * 20)
    with pytest.raises(BenchError, match=f"{path.name}: cannot be used as a feature cache: file is not a database"):
        FeatureCache(tmp_path, "key")
    (tmp_path / "file").touch()
    with pytest.raises(BenchError, match="cannot be used as a feature cache"):
        FeatureCache(tmp_path / "file", "key")
