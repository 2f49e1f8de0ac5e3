"""Random weights that every FID tool can load, a stand-in network, and folders of pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark import inception
from benchmark.features import FeatureNetwork, Inception
from benchmark.metrics.fid.protocols import FoundNetwork


@pytest.fixture(scope="session")
def state() -> dict[str, torch.Tensor]:
    """The untrained weights called "random-0"."""
    return inception.random_state(0)


@pytest.fixture(scope="session")
def network(state: dict[str, torch.Tensor]) -> FeatureNetwork:
    """Our Inception around them."""
    found = Inception(inception.build(state))
    found.protocol, found.weights_sha256 = "untrained-random-0", inception.state_sha256(state)
    return found.eval()


class Thumbnail(FeatureNetwork):
    """Twelve numbers per image, quickly: the mean colours of its quarters."""

    protocol, weights_sha256, pooled_side = "thumbnail", "7" * 64, 299

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1), requires_grad=False)
        self.loads = 0
        self.batches: list[int] = []  # appending is safe from several threads, adding to a number is not

    def found(self, *_: object) -> FoundNetwork:
        """In place of `protocols.find_network`."""
        return FoundNetwork(self.protocol, self.weights_sha256, torch.device("cpu"), self.load)

    def load(self) -> FeatureNetwork:
        self.loads += 1
        return self

    @property
    def seen(self) -> int:
        return sum(self.batches)

    def vectors(self, resized: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(resized))
        return torch.nn.functional.adaptive_avg_pool2d(resized, 2).flatten(1) * self.scale


@pytest.fixture
def thumbnail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Thumbnail:
    """Every protocol uses this network, and features are cached in a folder of the test."""
    found = Thumbnail()
    monkeypatch.setattr("benchmark.metrics.fid.protocols.find_network", found.found)
    monkeypatch.setenv("BENCH_FEATURES", str(tmp_path / "features"))
    return found


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of pictures: draw("real", 60)."""

    def write(name: str, count: int, seed: int = 0, size: tuple[int, int] = (20, 20), start: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        for index in range(start, start + count):
            path = tmp_path / name / ("even" if index % 2 == 0 else "odd") / f"{index:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)).save(path)
        return tmp_path / name

    return write
