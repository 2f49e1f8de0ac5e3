"""Tiny stand-ins for tests of the trained methods: a random feature network, endless random pairs, a 32 px setup."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from benchmark.config import from_dict
from benchmark.protocols import MethodSetup, Sample, TaskInfo

SIZE, LABELS = 32, 2


class TinyFeatures(nn.Module):
    """Five random, frozen stages; counts how often it ran."""

    weights_sha256 = "tiny"

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(7)
            self.stages = nn.ModuleList(nn.Conv2d(3 if i == 0 else 4, 4, 3, 1 if i == 0 else 2, 1) for i in range(5))
        self.requires_grad_(False)
        self.calls = 0

    def loss_layers(self, images: Tensor) -> list[Tensor]:
        self.calls += 1
        outputs = []
        for stage in self.stages:
            images = stage(images).relu()
            outputs.append(images)
        return outputs


class RandomPairs:
    """Noise for photos and labels; half of every batch is consistent."""

    label_channels, height, width = LABELS, SIZE, SIZE

    def __init__(self, batch: int = 2) -> None:
        self.size = batch

    def batch(self, step: int) -> Sample:
        source = torch.Generator().manual_seed(step)

        def noise(channels: int) -> Tensor:
            return torch.rand(self.size, channels, SIZE, SIZE, generator=source)

        x, f_i = noise(LABELS), noise(LABELS)
        z, i, c, d = (noise(3) * 2 - 1 for _ in range(4))
        return Sample(x, z, i, f_i, torch.arange(self.size) % 2 == 0, c, d)

    def preview(self) -> Sample:
        return self.batch(10**6)


def setup(
    name: str = "pix2pixsc", features: Any = None, seed: int = 0, tables: dict[str, Any] | None = None, **train: Any
) -> MethodSetup:
    """A method setup at 32 px with 4 filters; `train` overrides the schedule, `tables` are the [method.*] tables."""
    schedule = {"steps": 4, "decay_steps": 2, "batch": 2, "log_every": 2, "grid_every": 100, "checkpoint_every": 2}
    tree = {
        "networks": {"ngf": 4, "ndf": 4, "n_downsample": 2, "n_blocks": 1, "n_layers": 2},
        "loss": {"resize_below": 0},
        "train": {**schedule, **train},
        "method": tables or {},
    }
    task = TaskInfo("face", LABELS, SIZE, SIZE)
    return MethodSetup(name, task, from_dict(tree), seed, features if features is not None else TinyFeatures())
