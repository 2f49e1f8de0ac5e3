"""From drawn frames to tensors: the training stream (`TrainingPairs`) and single batches (`collate`)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.data.pairs import Draw, PairSampler
from benchmark.data.source import Frame
from benchmark.data.store import FrameStore

if TYPE_CHECKING:
    import torch

    from benchmark.protocols import Sample


@dataclass(frozen=True)
class Mirror:
    """How a task mirrors its labels and its joints left to right."""

    label: Callable[[np.ndarray], np.ndarray]  # (C, H, W) -> (C, H, W)
    joints: Callable[[np.ndarray, int], np.ndarray]  # (J, 2) px, width in px -> (J, 2)


class TrainingPairs:
    """`benchmark.protocols.Pairs`: batch `step` of seed `seed` is always the same, whoever asks and whenever."""

    def __init__(
        self, store: FrameStore, train: PairSampler, preview: PairSampler, batch: int, seed: int, mirror: Mirror
    ) -> None:
        self._store, self._train, self._preview, self._batch, self._seed = store, train, preview, batch, seed
        self._mirror, self._part = mirror, slice(None)
        self.height, self.width = store.source.height, store.source.width
        self.label_channels = store.label(train.draw(np.random.default_rng(0)).target).shape[0]

    def batch(self, step: int) -> Sample:
        """The batch of one training step, counted from 0."""
        rng = np.random.default_rng([self._seed, 0x5A3, step])
        return collate(self._store, [self._train.draw(rng) for _ in range(self._batch)][self._part], self._mirror)

    def share(self, rank: int, count: int) -> TrainingPairs:
        """Part `rank` of `count` of every batch, for one of several processes; only its own items are prepared."""
        own, size = copy.copy(self), self._batch // count
        own._part = slice(rank * size, (rank + 1) * size)
        return own

    def preview(self) -> Sample:
        """Eight fixed items: half of them drawn as in training, never mirrored."""
        rng = np.random.default_rng([self._seed, 0x9E7])
        draws = [self._preview.draw(rng) for _ in range(8)]
        return collate(self._store, [Draw(d.target, d.exemplar, d.consistent, d.same, d.other, False) for d in draws])


def collate(store: FrameStore, draws: Sequence[Draw], mirror: Mirror | None = None) -> Sample:
    """Stack draws into a `Sample` of float32 tensors: labels [0, 1], photos [-1, 1]; `mirror` serves mirrored draws."""
    import torch

    from benchmark.protocols import Sample

    def photos(frames: Sequence[Frame]) -> torch.Tensor:
        stack = [store.image(f)[:, ::-1] if d.flip else store.image(f) for f, d in zip(frames, draws, strict=True)]
        return to_signed(np.stack(stack))

    def labels(frames: Sequence[Frame]) -> torch.Tensor:
        stack = []
        for frame, draw in zip(frames, draws, strict=True):
            label = store.label(frame)
            stack.append(mirror.label(label) if draw.flip and mirror else label)
        return torch.from_numpy(np.stack(stack)).float().div_(255.0)

    def joints() -> torch.Tensor:
        stack = []
        for draw in draws:
            points = store.joints(draw.target)
            stack.append(mirror.joints(points, store.source.width) if draw.flip and mirror else points)
        return torch.from_numpy(np.stack(stack))

    targets, exemplars = [d.target for d in draws], [d.exemplar for d in draws]
    return Sample(
        x=labels(targets),
        z=photos(targets),
        I=photos(exemplars),
        F_I=labels(exemplars),
        consistent=torch.tensor([d.consistent for d in draws]),
        C=photos([d.same for d in draws]),
        D=photos([d.other for d in draws]),
        joints=joints(),
    )


def to_signed(images: np.ndarray) -> torch.Tensor:
    """uint8 (N, H, W, 3) -> float32 (N, 3, H, W) in [-1, 1]."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float().div_(127.5).sub_(1.0)


def to_bytes(images: torch.Tensor) -> np.ndarray:
    """float (N, 3, H, W) in [-1, 1] -> uint8 (N, H, W, 3), rounded."""
    import torch

    scaled = images.detach().float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
