"""The plain reference that the speed benchmarks compare with: pix2pixSC's work as the official code is specified.

    step = PlainStep(trainer, sample)        # copies the trainer's networks; step() -> losses

Spec: systems 1.1 to 1.3. PyTorch's own instance norm and per-tensor Adam, float32, contiguous maps; every discriminator
pass on its own; the weight gradients of D and SD are computed in G's backward pass and thrown away; three perceptual
losses of two passes each. Of these the always-on and the consistent-only one look at the same two images, and the third
("guide": fake against exemplar) weighs 0. The Gram terms, also of weight 0, are left out: they cost little.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor, nn
from torch import cat as join
from torch.optim import Adam

from benchmark.protocols import Sample
from models.losses import FINE_TO_COARSE
from models.networks import ImageConv, InstanceNorm, ScoreConv
from models.style_consistent import StyleConsistentTrainer

EVEN = (1.0,) * len(FINE_TO_COARSE)


class PlainNorm(nn.Module):
    """What `nn.InstanceNorm2d` calls."""

    def forward(self, x: Tensor) -> Tensor:
        return F.instance_norm(x)


def plain_networks(networks: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Copies with PyTorch's own layers and the same weights."""
    return {name: plain(network) for name, network in networks.items()}


def plain(network: nn.Module) -> nn.Module:
    """One such copy."""
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, InstanceNorm):
                setattr(module, name, PlainNorm())
            elif isinstance(child, ScoreConv | ImageConv):
                setattr(module, name, _direct(child))
    return network


def _direct(conv: nn.Conv2d) -> nn.Conv2d:
    side, padding = conv.kernel_size[0], conv.padding[0]
    assert isinstance(padding, int)
    made = nn.Conv2d(conv.in_channels, conv.out_channels, side, padding=padding)
    made.load_state_dict(conv.state_dict())
    return made


class PlainStep:
    """One training step, weights `official`. `idle=False` leaves out the passes that change nothing: one perceptual
    loss of two passes, which is less work than the official code does.
    """

    def __init__(self, trainer: StyleConsistentTrainer, sample: Sample, idle: bool = True) -> None:
        self.networks, self.sample, self.idle = plain_networks(trainer.networks), sample, idle
        self.features = trainer.method.features()
        config = trainer.method.setup.config.train
        self.optimizers = {
            name: Adam(net.parameters(), lr=config.lr, betas=(config.beta1, config.beta2), foreach=False)
            for name, net in self.networks.items()
        }

    def __call__(self) -> dict[str, float]:
        s, g, d, sd = self.sample, *(self.networks[name] for name in ("G", "D", "SD"))
        fake = g(join([s.x, s.F_I, s.I], 1))
        losses = {
            "G_gan": mse(d(join([s.x, fake], 1))[-1], 1),
            "G_style": mse(sd(join([fake, s.I], 1))[-1], 1),
            "G_semantic": self._semantic(fake),
            "D": 0.5 * (mse(d(join([s.x, fake.detach()], 1))[-1], 0) + mse(d(join([s.x, s.z], 1))[-1], 1)),
            "SD": 0.5
            * (
                mse(sd(join([fake.detach(), s.I], 1))[-1], 0)
                + mse(sd(join([s.C, s.I], 1))[-1], 1)
                + mse(sd(join([s.D, s.I], 1))[-1], 0)
            ),
        }
        totals = (losses["G_gan"] + 10 * losses["G_style"] + losses["G_semantic"], losses["D"], losses["SD"])
        for total, optimizer in zip(totals, self.optimizers.values(), strict=True):
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
        return {name: value.item() for name, value in losses.items()}

    def _semantic(self, fake: Tensor) -> Tensor:
        s, same = self.sample, self.sample.consistent.float()
        if not self.idle:
            both = [10 * fine + 20 * same for fine in FINE_TO_COARSE]
            return self._perceptual(fake, s.z, both)
        always = self._perceptual(fake, s.z, [10 * fine for fine in FINE_TO_COARSE])
        return always + self._perceptual(fake, s.z, [20 * same for _ in EVEN]) + 0 * self._perceptual(fake, s.I, EVEN)

    def _perceptual(self, fake: Tensor, wanted: Tensor, weights: Sequence[Tensor | float]) -> Tensor:
        total = fake.new_zeros(())
        layers = zip(weights, self.features.loss_layers(fake), self.features.loss_layers(wanted), strict=True)
        for weight, a, b in layers:
            total = total + (weight * (a - b.detach()).abs().mean((1, 2, 3))).mean()
        return total


def mse(score: Tensor, target: float) -> Tensor:
    """Mean of (score - target)^2."""
    return (score - target).square().mean()
