"""Nearest neighbour with colour transfer, an example-guided method without a network.

    bench run --task face --methods nearest --preset demo

`fit` keeps photos of the training set with a coarse copy of their label maps. `synthesize` takes the photo whose
label is nearest (mean squared difference of the coarse maps) and moves its colours onto the exemplar's with the
linear map that carries one mean and covariance into the other (Monge-Kantorovich; Pitie and Kokaram 2007).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from benchmark.errors import BenchError
from benchmark.protocols import FitReport

if TYPE_CHECKING:
    from benchmark.protocols import FitRun, MethodSetup, Pairs, TaskInfo

INDEX = "index.npz"
FLOOR = 1e-4  # smallest variance of a colour direction: a flat photo must not divide by zero


@dataclass(frozen=True)
class Options:
    """Table `[method.nearest]`."""

    entries: int = 512  # photos in the index
    grid: int = 16  # side of the coarse label maps

    def __post_init__(self) -> None:
        for key in ("entries", "grid"):
            if getattr(self, key) < 1:
                raise BenchError(f"method.nearest.{key}: expected at least 1, got {getattr(self, key)}")


class NearestExemplar:
    """See the module; `benchmark.protocols.Method` says what the suite calls and when."""

    title: ClassVar[str] = "Nearest neighbour"
    reference: ClassVar[bool] = False

    def __init__(self, setup: MethodSetup) -> None:
        self.options = setup.config.options(setup.name, Options)
        self.labels = torch.empty(0)  # (M, C * grid * grid)
        self.photos = torch.empty(0)  # (M, 3, H, W) in [-1, 1]

    @classmethod
    def refuses(cls, task: TaskInfo) -> str | None:
        return None  # any label map will do; a method that cannot do a task says why

    def parameters_count(self) -> int:
        return 0  # nothing here is trained by gradient

    def fit(self, pairs: Pairs, run: FitRun) -> FitReport:
        """Collect targets and exemplars of the training stream, each with its label."""
        began, labels, photos, held, step = time.perf_counter(), [], [], 0, 0
        while held < self.options.entries and not (run.deadline and step and time.monotonic() > run.deadline):
            sample = pairs.batch(step)
            for label, photo in ((sample.x, sample.z), (sample.F_I, sample.I)):
                labels.append(self.coarse(label))
                photos.append(photo)
                held += len(photo)
            step += 1
        self.labels = torch.cat(labels)[: self.options.entries]
        self.photos = torch.cat(photos)[: self.options.entries]
        return FitReport(steps=0, seconds=time.perf_counter() - began, finished=held >= self.options.entries)

    def synthesize(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741 - the protocol's name
        """(N, C, H, W) in [0, 1] and (N, 3, H, W) in [-1, 1] -> (N, 3, H, W) in [-1, 1]."""
        distance = torch.cdist(self.coarse(x), self.labels)  # (N, M)
        return recolour(self.photos[distance.argmin(dim=1)], I)

    def coarse(self, label: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C * grid * grid)."""
        return adaptive_avg_pool2d(label, self.options.grid).flatten(1)

    def save(self, folder: Path) -> None:
        photos = ((self.photos + 1) * 127.5).round().to(torch.uint8)
        np.savez_compressed(folder / INDEX, labels=self.labels.numpy(), photos=photos.numpy())

    def load(self, folder: Path) -> None:
        with np.load(folder / INDEX) as index:
            self.labels = torch.from_numpy(index["labels"])
            self.photos = torch.from_numpy(index["photos"]).float() / 127.5 - 1


def recolour(photos: Tensor, style: Tensor) -> Tensor:
    """`photos` with the colour mean and covariance of `style`, both (N, 3, H, W); clipped to [-1, 1]."""
    pixels, (mean, spread) = photos.flatten(2), _statistics(photos)
    goal_mean, goal_spread = _statistics(style)
    root, inverse = _power(spread, 0.5), _power(spread, -0.5)
    transfer = inverse @ _power(root @ goal_spread @ root, 0.5) @ inverse  # (N, 3, 3)
    return (transfer @ (pixels - mean) + goal_mean).clamp(-1, 1).view_as(photos)


def _statistics(photos: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (N, 3, 1) and covariance (N, 3, 3) of the colours."""
    pixels = photos.flatten(2)
    mean = pixels.mean(dim=2, keepdim=True)
    centred = pixels - mean
    return mean, centred @ centred.transpose(1, 2) / pixels.shape[2] + FLOOR * torch.eye(3)


def _power(matrices: Tensor, exponent: float) -> Tensor:
    """A power of symmetric positive matrices (N, 3, 3)."""
    values, vectors = torch.linalg.eigh(matrices)
    return vectors @ torch.diag_embed(values.clamp_min(1e-12) ** exponent) @ vectors.transpose(1, 2)
