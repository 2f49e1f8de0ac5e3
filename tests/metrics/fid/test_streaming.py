"""FID inside a training loop: updates, merges and resets give what all images at once give."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.errors import BenchError
from benchmark.metrics.fid import FrechetInceptionDistance
from benchmark.metrics.fid.distance import frechet_distance
from benchmark.metrics.fid.protocols import get
from tests.metrics.fid.conftest import Thumbnail


def images(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, 16, 16), generator=generator, dtype=torch.uint8)


REAL, FAKE = images(60, 1), images(55, 2)


def metric(**options: object) -> FrechetInceptionDistance:
    return FrechetInceptionDistance(network=Thumbnail(), **options)  # type: ignore[arg-type]


def expected() -> float:
    a, b = (Thumbnail().vectors(get("pytorch-fid").prepare(x)).double().numpy() for x in (REAL, FAKE))
    return frechet_distance(a, b)


@pytest.mark.parametrize("batch", [60, 7])
def test_batches_add_up(batch: int) -> None:
    fid = metric()
    for real, side in ((True, REAL), (False, FAKE)):
        for part in side.split(batch):
            fid.update(part, real=real)
    assert fid.compute() == pytest.approx(expected(), rel=1e-6)
    result = fid.result()
    assert result["N"] == {"real": 60, "fake": 55} and result["fid"]["value"] == fid.compute()
    assert result["fid"]["low"] < result["fid"]["value"] < result["fid"]["high"]
    assert result["protocol"] == "pytorch-fid,thumbnail" and result["kid"]["subsets"] == 1


def test_merging_two_processes_is_seeing_it_all() -> None:
    one, two = metric(), metric()
    for fid, part in ((one, slice(0, 30)), (two, slice(30, None))):
        fid.update(REAL[part], real=True)
        fid.update(FAKE[part], real=False)
    one.merge(two)
    assert one.compute() == pytest.approx(expected(), rel=1e-6)
    with pytest.raises(BenchError, match="cannot be merged"):
        one.merge(metric(protocol="torchmetrics"))
    with pytest.raises(BenchError, match=r"bfloat16 preview .* cannot be merged"):
        one.merge(metric(preview=True))


def test_reset_can_keep_the_real_side() -> None:
    fid = metric()
    fid.update(REAL, real=True)
    fid.update(REAL, real=False)
    assert fid.compute() == 0.0
    fid.reset(real=False)
    fid.update(FAKE, real=False)
    assert fid.compute() == pytest.approx(expected(), rel=1e-6)
    fid.reset()
    assert fid.real.count == fid.fake.count == 0


def test_normalized_images_count_as_the_picture_they_would_be_saved_as() -> None:
    plain, signed = metric(), metric(normalized=True)
    plain.update(REAL, real=True)
    signed.update(REAL / 127.5 - 1, real=True)
    np.testing.assert_array_equal(plain.real.sample, signed.real.sample)


def test_what_is_not_images_is_refused() -> None:
    fid = metric()
    with pytest.raises(BenchError, match=r"should be \(N, 3, H, W\)"):
        fid.update(REAL[0], real=True)
    with pytest.raises(BenchError, match="normalized=True"):
        fid.update(REAL.float(), real=True)
    with pytest.raises(BenchError, match="float in"):
        metric(normalized=True).update(REAL, real=True)
    fid.update(REAL[:49], real=True)
    for ask in (fid.compute, fid.result):
        with pytest.raises(BenchError, match="49 real images"):
            ask()
    with pytest.raises(BenchError, match="0 real images"):
        metric().result()
