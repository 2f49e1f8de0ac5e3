"""Weights kept beside those in training: their moving average, and the best ones so far by a metric.

shadows = Shadows(generator, config)
shadows.update(step)                       # after every step
with shadows.worn(): ...                   # the generator shows the average for a while
shadows.consider(evaluation, done)         # after an evaluation
shadows.put_on()                           # at the end: what the method shall synthesize with
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.config import TrainConfig
from benchmark.errors import BenchError
from benchmark.protocols import Evaluation


class Best(nn.Module):
    """A copy of a network's weights with the value that they reached."""

    value: Tensor
    step: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.weights = copy.deepcopy(network).requires_grad_(False)
        self.register_buffer("value", torch.tensor(math.nan, dtype=torch.float64))
        self.register_buffer("step", torch.tensor(0))


class Shadows:
    """The average (`train.ema`) and the best weights (`train.keep_best`) of one network, as far as they are asked for.

    Both are modules, so that a checkpoint holds them as it holds networks, and a resumed fit has them to the bit.
    """

    def __init__(self, network: nn.Module | None, config: TrainConfig) -> None:
        if network is None and (config.ema or config.keep_best):
            raise BenchError("train.ema, train.keep_best: this method names no generator whose weights could be kept")
        self.network, self.decay = network, config.ema
        self.average = copy.deepcopy(network).requires_grad_(False) if network is not None and config.ema else None
        self.best = Best(network) if network is not None and config.keep_best else None

    @property
    def networks(self) -> dict[str, nn.Module]:
        """What a checkpoint shall hold."""
        found = {"ema": self.average, "best": self.best}
        return {name: module for name, module in found.items() if module is not None}

    @torch.no_grad()
    def begin(self) -> None:
        """Set out from the network's present weights."""
        best = None if self.best is None else self.best.weights
        for module in (self.average, best):
            if module is not None and self.network is not None:
                module.load_state_dict(self.network.state_dict())

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take one finished step, counted from 0, into the average.

        The decay rises to its value as (1 + step) / (10 + step), so that a short training's average is not made of the
        random weights it began with. Running statistics are the newest.
        """
        if self.average is None or self.network is None:
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - decay)
        for mine, its in zip(self.average.buffers(), self.network.buffers(), strict=True):
            mine.copy_(its)

    @contextmanager
    def worn(self) -> Iterator[None]:
        """The network with its averaged weights, if there are any, for the length of a `with`."""
        if self.average is None or self.network is None:
            yield
            return
        own = {key: value.clone() for key, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.average.state_dict())
        try:
            yield
        finally:
            self.network.load_state_dict(own)

    @torch.no_grad()
    def consider(self, evaluation: Evaluation, done: int) -> None:
        """Keep the weights evaluated after `done` steps if they are the best so far; a tie keeps the older."""
        if self.best is None or self.network is None or not math.isfinite(evaluation.value):
            return
        before = self.best.value.item()
        sign = -1 if evaluation.better == "lower" else 1
        if math.isnan(before) or sign * evaluation.value > sign * before:
            shown = self.network if self.average is None else self.average
            self.best.weights.load_state_dict(shown.state_dict())
            self.best.value.fill_(evaluation.value)
            self.best.step.fill_(done)

    def put_on(self) -> None:
        """Give the network the weights that were kept for it: the best, else the average, else its own."""
        if self.network is None:
            return
        if self.best is not None and self.best.step.item():
            self.network.load_state_dict(self.best.weights.state_dict())
        elif self.average is not None:
            self.network.load_state_dict(self.average.state_dict())

    def kept(self) -> dict[str, Any] | None:
        """The step and the value of the best weights; None where none were kept."""
        if self.best is None or not self.best.step.item():
            return None
        return {"step": int(self.best.step.item()), "value": self.best.value.item()}
