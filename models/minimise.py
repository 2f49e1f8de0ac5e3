"""One network's update: backward into its parameters alone, gradients of micro-batches and processes joined, Adam.

    minimise = Minimiser(accelerator, networks, optimizers, ranks, micro_batches=1)
    minimise(loss, "G")      # called by a trainer's step
    minimise.finish()        # called by the loop when the step has ended

Why no DistributedDataParallel: it needs one backward pass through all parameters, here each pass reaches one network's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from benchmark.config import TrainConfig
from models.ranks import Ranks


class Minimise(Protocol):
    """Minimise `loss` over one of the trainer's networks: backward into that network's parameters only, then its Adam.

    Other networks are thereby frozen, at no cost: their weight gradients are never computed. The graph stays alive, so
    that one forward pass of a discriminator serves both the generator's loss and its own.
    """

    def __call__(self, loss: Tensor, network: str) -> None: ...


class Minimiser:
    """`Minimise` over micro-batches and processes.

    With micro-batches, gradients add up and the network's Adam steps when the last one calls. With several processes
    each update is a meeting: one that has nothing to minimise (a method that leaves pairs out) waits in `finish` and
    takes over the others' mean gradient, so that all keep the same weights.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        networks: Mapping[str, nn.Module],
        optimizers: Mapping[str, Optimizer],
        ranks: Ranks,
        micro_batches: int = 1,
    ) -> None:
        self.accelerator, self.optimizers = accelerator, optimizers
        self.ranks, self.micro_batches = ranks, micro_batches
        self.parameters = {name: list(network.parameters()) for name, network in networks.items()}
        self.last = True  # whether the running micro-batch is the last of its step
        self._waiting: dict[str, None] = {}  # networks with gradients and no update yet, in the order of their calls

    def __call__(self, loss: Tensor, network: str) -> None:
        with torch.autocast(loss.device.type, enabled=False):
            share = loss if self.micro_batches == 1 else loss / self.micro_batches
            self.accelerator.backward(share, inputs=self.parameters[network], retain_graph=True)
            self._waiting[network] = None
            if self.last:
                self._update(network)

    def finish(self) -> None:
        """Update what still waits, and follow the other processes until none has anything left to update."""
        for network in list(self._waiting):
            self._update(network)
        while self.ranks.count > 1:
            network_of_others, active = self._meet(None)
            if network_of_others is None:
                return
            self._apply(network_of_others, active)

    def _update(self, network: str) -> None:
        agreed, active = self._meet(network)
        if agreed != network:
            raise RuntimeError(f"one process updates {network} where another updates {agreed}")
        del self._waiting[network]
        self._apply(network, active)

    def _meet(self, network: str | None) -> tuple[str | None, int]:
        """What the processes update next, and how many of them have gradients for it."""
        names = list(self.parameters)
        votes = [vote for vote in self.ranks.votes(0 if network is None else names.index(network) + 1) if vote]
        return (names[max(votes) - 1] if votes else None), len(votes)

    def _apply(self, network: str, active: int) -> None:
        parameters = self.parameters[network]
        if self.ranks.count > 1:
            for parameter in parameters:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
            self.ranks.average([p.grad for p in parameters if p.grad is not None], active)
        self.optimizers[network].step()
        self.optimizers[network].zero_grad()


def make_adam(network: nn.Module, config: TrainConfig) -> Adam:
    """The Adam of one network."""
    betas = (config.beta1, config.beta2)
    return Adam(network.parameters(), lr=config.lr, betas=betas, weight_decay=config.weight_decay, fused=True)


def set_rate(optimizers: Mapping[str, Optimizer], rate: float) -> None:
    """The learning rate of every network from now on."""
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] = rate


def learning_rate(step: int, config: TrainConfig) -> float:
    """The rate of one step by the rule `config.decay`.

    "linear": constant for `steps` steps, then falling over `decay_steps` (pix2pixSC sec 4.1; spec: systems 1.2).
    "halve": half of it after every `halve_every` steps (MUNIT; spec: systems 3). "none": constant.
    """
    if config.decay == "halve":
        return config.lr * 0.5 ** (step // config.halve_every)
    passed = max(0, step - config.steps)
    return config.lr * (1 - passed / config.decay_steps) if passed and config.decay == "linear" else config.lr
