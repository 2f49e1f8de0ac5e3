"""The processes that train one network together: each takes its share of every batch, gradients are averaged.

    ranks = Ranks()                                        # once torch.distributed is set up; alone where it is not
    pairs = ranks.share(pairs, batch=8, micro_batches=1)   # this process's items of every batch, none twice
    ranks.average(gradients, ranks.count)

What processes decide (who updates what, whether to stop) travels over gloo between their CPUs, so that no accelerator
is ever waited for; gradients travel as accelerate set it up (gloo on CPU, nccl on CUDA).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from benchmark.errors import BenchError
from benchmark.protocols import Pairs, Sample


class Ranks:
    """This process among those that train together; every method is a meeting that all of them must attend."""

    def __init__(self) -> None:
        together = dist.is_available() and dist.is_initialized()
        self.rank, self.count = (dist.get_rank(), dist.get_world_size()) if together else (0, 1)
        self._control: Any = dist.new_group(backend="gloo") if self.count > 1 else None
        self._seed = torch.initial_seed()

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share(self, pairs: Pairs, batch: int, micro_batches: int) -> Pairs:
        """The items of every batch that are this process's. BenchError where they do not part evenly."""
        if batch % (self.count * micro_batches):
            parts = f"{self.count} devices x train.accumulate = {micro_batches}"
            raise BenchError(f"train.batch: {batch} items cannot be shared evenly by {parts}; choose a multiple")
        if self.count == 1:
            return pairs
        own = getattr(pairs, "share", None)  # which prepares nobody else's items
        shared: Pairs = own(self.rank, self.count) if own else _Share(pairs, self.rank, self.count)
        return shared

    def reseed(self, step: int) -> None:
        """Give each process its own random numbers, from seed and step alone. Alone, the one stream goes on."""
        if self.count > 1:
            sequence = np.random.SeedSequence([self._seed, step, self.rank])
            torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> 1))

    def average(self, tensors: Sequence[Tensor], over: int) -> None:
        """Replace each tensor by its sum over the processes divided by `over`, in one message."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1).float() for tensor in tensors])
        dist.all_reduce(flat)
        parts = flat.div_(over).split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def votes(self, code: int) -> list[int]:
        """What each process says."""
        if self.count == 1:
            return [code]
        heard = [torch.zeros(1, dtype=torch.int64) for _ in range(self.count)]
        dist.all_gather(heard, torch.tensor([code]), group=self._control)
        return [int(value) for value in heard]

    def any(self, asked: bool) -> bool:
        """Whether one of them says so."""
        return any(self.votes(int(asked)))

    def gather(self, value: Any) -> list[Any]:
        """What each process holds, for the first; the others get their own back."""
        if self.count == 1:
            return [value]
        heard: list[Any] | None = [None] * self.count if self.first else None
        dist.gather_object(value, heard, group=self._control)
        return [value] if heard is None else heard

    def same(self, value: Any) -> Any:
        """The first process's value."""
        if self.count == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, group=self._control)
        return box[0]


class _Share:
    """Part `rank` of `count` of another stream's batches."""

    def __init__(self, pairs: Pairs, rank: int, count: int) -> None:
        self.label_channels, self.height, self.width = pairs.label_channels, pairs.height, pairs.width
        self.preview = pairs.preview
        self._pairs, self._rank, self._count = pairs, rank, count

    def batch(self, step: int) -> Sample:
        return parts(self._pairs.batch(step), self._count)[self._rank]


def parts(sample: Sample, count: int) -> list[Sample]:
    """The batch in `count` equal parts, in order."""
    if count == 1:
        return [sample]
    size = len(sample) // count
    cut: Any = {name: [None] * count if v is None else v.split(size) for name, v in vars(sample).items()}
    return [replace(sample, **{name: column[i] for name, column in cut.items()}) for i in range(count)]
