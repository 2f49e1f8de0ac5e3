"""Shards of a folder, joined, are the folder: whatever their number, and also where rows have turned into moments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.metrics.fid.compare import compare
from benchmark.metrics.fid.distance import frechet_distance, frechet_of_moments
from benchmark.metrics.fid.extract import Extracted
from benchmark.metrics.fid.moments import FeatureSet
from benchmark.metrics.fid.shards import Asked, extract_shard, joined, split
from tests.metrics.fid.conftest import Thumbnail


def part(rows: np.ndarray) -> Extracted:
    found = Extracted(FeatureSet(), [str(row[0]) for row in rows], Counter({(8, 8): len(rows)}), cached=1)
    found.features.add(rows)
    return found


@pytest.mark.parametrize("keep", [10_000, 40])  # rows stay; rows of some shards, or only of the whole, become moments
@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_any_number_of_shards_gives_one_distance(count: int, keep: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FeatureSet.__init__, "__defaults__", (keep,))
    rng = np.random.default_rng(0)
    sets = [rng.normal(3.0, 1.0 + side, (150, 16)).astype(np.float32) for side in range(2)]
    whole = []
    for rows in sets:
        found = joined([part(rows[piece]) for piece in np.array_split(np.arange(150), count)])
        assert found.digests == [str(row[0]) for row in rows] and found.sizes == {(8, 8): 150} and found.cached == count
        assert found.features.count == 150
        if keep < 150:
            assert found.features.all_rows is None and len(found.features.sample) == keep
        else:
            np.testing.assert_array_equal(found.features.all_rows, rows.astype(np.float64))
        whole.append(found.features)
    value = frechet_of_moments(whole[0].moments, whole[1].moments)
    assert value == pytest.approx(frechet_distance(*(rows.astype(np.float64) for rows in sets)), rel=1e-10)


@pytest.mark.parametrize(("pictures", "count"), [(10, 1), (10, 3), (3, 8), (1, 1)])
def test_a_split_loses_nothing_and_is_even(pictures: int, count: int, draw: Callable[..., Path]) -> None:
    names = list(range(pictures))
    parts = split(names, count)  # type: ignore[arg-type]
    assert [name for piece in parts for name in piece] == names
    sizes = [len(piece) for piece in parts]
    assert len(parts) == min(count, pictures) and max(sizes) - min(sizes) <= 1


def test_a_comparison_over_shards_is_the_comparison(thumbnail: Thumbnail, draw: Callable[..., Path]) -> None:
    real, fake = draw("real", 60, seed=1), draw("fake", 60, seed=2)
    asked: list[Asked] = []

    def shards(pictures, found, progress) -> Extracted:
        asked.append(found)
        return joined([extract_shard(piece, found, workers=1) for piece in split(pictures, 4)])

    assert compare(real, fake, cache=False, shards=shards) == compare(real, fake, cache=False)
    assert asked == [Asked("pytorch-fid", cache=False)] * 2
    (real / "even" / "000.png").write_bytes(b"")
    with pytest.raises(BenchError, match=r"even/000\.png: is empty"):
        compare(real, fake, shards=shards)
