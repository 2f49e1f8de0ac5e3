"""PG2's two generators and its discriminator.

    G = PoseGuided(18, 256, 256)         # (N, 3, 256, 256), (N, 18, 256, 256) -> (N, 3, 256, 256), not bounded
    D = Critic(256, 256)                 # (N, 3, 256, 256) -> logits (N,)

Layer lists as in the published 256 px code (spec: systems 6); the parameter counts are tests. No generator has a norm
or a tanh; every convolution but the last is followed by ReLU, the fully connected layers by nothing.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SMALLEST = 8  # px: shorter side of the map in front of the fully connected layers
CRITIC_WIDTHS = (1, 2, 4, 8, 8)


def levels_at(height: int, width: int) -> int:
    """Levels of the coarse generator: halvings plus one, down to 8 px or as far as both sides halve evenly.

    6 at 256 px, 4 at 64, 5 at 144x256.
    """
    halvings = int(math.log2(max(1, min(height, width) // SMALLEST)))
    while height % 2**halvings or width % 2**halvings:
        halvings -= 1
    return halvings + 1


class CoarseGenerator(nn.Module):
    """G1: encoder with identity blocks, a fully connected waist, decoder with skips (PG2 sec 3.1).

    (N, in_channels, H, W) -> (N, 3, H, W). H and W are fixed when built and multiples of 2 ** (levels - 1).
    """

    def __init__(
        self, in_channels: int, height: int, width: int, features: int = 128, latent: int = 64, levels: int = 6
    ) -> None:
        super().__init__()
        self.waist = (features, height // 2 ** (levels - 1), width // 2 ** (levels - 1))
        area = self.waist[1] * self.waist[2]
        widths = [features * (level + 1) for level in range(levels)]
        self.first = _conv(in_channels, features)
        self.encoder = nn.ModuleList(TwoConvs(channels, channels) for channels in widths)
        self.downs = nn.ModuleList(_conv(channels, channels + features, stride=2) for channels in widths[:-1])
        self.squeeze = nn.Linear(widths[-1] * area, latent)
        self.spread = nn.Linear(latent, features * area)
        arriving = [features, *reversed(widths[:-1])]  # channels that come up to a level, coarse to fine
        joined = [below + across for below, across in zip(arriving, reversed(widths), strict=True)]
        self.decoder = nn.ModuleList(TwoConvs(channels, channels) for channels in joined)
        self.ups = nn.ModuleList(
            _conv(channels, up, kernel=1) for channels, up in zip(joined[:-1], arriving[1:], strict=True)
        )
        self.last = nn.Conv2d(joined[-1], 3, 3, padding=1)
        self.apply(_init_generator)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        skips = []
        for level, block in enumerate(self.encoder):
            x = x + block(x)
            skips.append(x)
            if level < len(self.downs):
                x = self.downs[level](x)
        x = self.spread(self.squeeze(x.flatten(1))).unflatten(1, self.waist)
        for level, block in enumerate(self.decoder):
            x = torch.cat([x, skips.pop()], 1)
            x = x + block(x)
            if level < len(self.ups):
                x = F.interpolate(self.ups[level](x), scale_factor=2.0)  # 1x1 px: doubling first would give the same
        return self.last(x)


class RefiningGenerator(nn.Module):
    """G2: a small U-Net whose answer is added to the coarse picture (PG2 sec 3.2); (N, 6, H, W) -> (N, 3, H, W).

    Its last layer starts at zero, so that the method gives the coarse picture until the second stage has begun.
    """

    def __init__(self, features: int = 128, levels: int = 4) -> None:
        super().__init__()
        widths = [features * (level + 1) for level in range(levels)]
        arriving = [features, *widths[:-1]]
        self.first = _conv(6, features)
        self.encoder = nn.ModuleList(TwoConvs(a, b) for a, b in zip(arriving, widths, strict=True))
        self.downs = nn.ModuleList(_conv(channels, channels, stride=2) for channels in widths[:-1])
        below = [widths[-1], *[features] * (levels - 1)]
        self.decoder = nn.ModuleList(TwoConvs(a + b, features) for a, b in zip(below, reversed(widths), strict=True))
        self.last = nn.Conv2d(features, 3, 3, padding=1)
        self.apply(_init_generator)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(x)
            skips.append(x)
            if level < len(self.downs):
                x = self.downs[level](x)
        for level, block in enumerate(self.decoder):
            x = F.interpolate(x, scale_factor=2.0) if level else x
            x = block(torch.cat([x, skips.pop()], 1))
        return self.last(x)


class PoseGuided(nn.Module):
    """Both stages: photo (N, 3, H, W) in [-1, 1] and joint maps (N, J, H, W) in {-1, 1} -> (N, 3, H, W)."""

    def __init__(
        self, joints: int, height: int, width: int, features: int = 128, latent: int = 64, levels: int = 6
    ) -> None:
        super().__init__()
        self.coarse = CoarseGenerator(3 + joints, height, width, features, latent, levels)
        self.refine = RefiningGenerator(features, min(levels, max(2, levels - 2)))

    def forward(self, photo: Tensor, maps: Tensor) -> Tensor:
        coarse = self.coarse(torch.cat([photo, maps], 1))
        return coarse + self.refine(torch.cat([coarse, photo], 1))


class Critic(nn.Module):
    """DCGAN's discriminator: five halvings, batch norm, one logit per image; (N, 3, H, W) -> (N,)."""

    def __init__(self, height: int, width: int, ndf: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for number, factor in enumerate(CRITIC_WIDTHS):
            layers.append(nn.Conv2d(channels, ndf * factor, 5, 2, 2))
            layers += [nn.BatchNorm2d(ndf * factor)] if number else []
            layers.append(nn.LeakyReLU(0.2))
            channels = ndf * factor
        shrink = 2 ** len(CRITIC_WIDTHS)
        area = -(-height // shrink) * -(-width // shrink)
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * area, 1))
        self.apply(_init_critic)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).squeeze(1)


class TwoConvs(nn.Sequential):
    """Two 3x3 convolutions with ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(_conv(in_channels, out_channels), _conv(out_channels, out_channels))


def _conv(in_channels: int, out_channels: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2), nn.ReLU())


def _init_generator(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        _no_bias(module)


def _init_critic(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        _no_bias(module)


def _no_bias(layer: nn.Conv2d | nn.Linear) -> None:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
