"""MUNIT small enough for tests at 32 px."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from baselines.munit.method import Munit, MunitTrainer
from benchmark.protocols import Sample
from tests.models.tiny import LABELS, SIZE, RandomPairs, setup

TABLE = {"dim": 4, "mlp_dim": 8, "n_res": 2, "disc_dim": 4, "disc_layers": 3}

Seen = dict[str, tuple[Tensor, list[Tensor]]]


class FourPairs(RandomPairs):
    """The same four pairs at every step: two places of a disc in each of two styles, each shown by the other place.

    Targets and exemplars are the same four photos, as both come from one distribution in real training: a discriminator
    that only met other exemplars would rightly call every target a fake.
    """

    def batch(self, step: int) -> Sample:
        labels, photos = discs()
        other_place = [1, 0, 3, 2]
        exemplars = photos[other_place]
        always = torch.ones(4, dtype=torch.bool)
        return Sample(labels, photos, exemplars, labels[other_place], always, photos, photos.roll(2, 0))


def discs() -> tuple[Tensor, Tensor]:
    """A disc left and right in style 0, then in style 1: labels (4, LABELS, SIZE, SIZE), photos (4, 3, SIZE, SIZE)."""
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    centres = torch.tensor([10, 22, 10, 22])[:, None, None]
    inside = ((rows - 16) ** 2 + (columns - centres) ** 2 < 36).float()[:, None]  # (4, 1, SIZE, SIZE)
    disc = torch.tensor([[0.8, -0.6, 0.2], [-0.7, 0.5, 0.9]]).repeat_interleave(2, 0)[..., None, None]
    ground = torch.tensor([[-0.8, -0.2, 0.6], [0.9, -0.5, -0.4]]).repeat_interleave(2, 0)[..., None, None]
    return inside.expand(-1, LABELS, -1, -1), inside * disc + (1 - inside) * ground


def make(cls: type[Munit], name: str, table: dict[str, Any] | None = None, **train: Any) -> Munit:
    return cls(setup(name, tables={name: TABLE | (table or {})}, **train))


def gradients(trainer: MunitTrainer, sample: Sample) -> tuple[dict[str, Tensor], Seen]:
    """One step without optimisers: the losses it logs, and what it minimises with its gradients, by network."""
    seen: Seen = {}

    def minimise(loss: Tensor, network: str) -> None:
        parameters = list(trainer.networks[network].parameters())
        seen[network] = loss.detach(), list(torch.autograd.grad(loss, parameters, retain_graph=True))

    torch.manual_seed(5)
    return trainer.step(sample, 0, minimise), seen


def drawn(sample: Sample, style_dim: int = 8) -> tuple[Tensor, Tensor]:
    """The styles that a step of `gradients` draws, a's first."""
    torch.manual_seed(5)
    return torch.randn(len(sample), style_dim), torch.randn(len(sample), style_dim)


def copies(trainer: MunitTrainer) -> dict[str, Any]:
    return {name: copy.deepcopy(network) for name, network in trainer.networks.items()}


def assert_same(seen: tuple[Tensor, list[Tensor]], expected: Tensor, network: nn.Module) -> None:
    """Value and all gradients; a parameter that a loss does not reach has none in either."""
    torch.testing.assert_close(seen[0], expected.detach(), rtol=1e-5, atol=1e-6)
    plain = torch.autograd.grad(expected, list(network.parameters()), retain_graph=True)
    for ours, wanted in zip(seen[1], plain, strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-3, atol=1e-5)


def mean_abs(a: Tensor, b: Tensor) -> Tensor:
    """The plain L1 of the papers."""
    return (a - b).abs().sum() / a.numel()


def squares(scores: list[Tensor], target: float) -> Tensor:
    """Least-squares GAN loss, scale by scale."""
    total = torch.zeros(())
    for score in scores:
        total = total + ((score - target) ** 2).sum() / score.numel()
    return total
