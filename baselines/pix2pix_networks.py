"""pix2pix's U-Net and its 70x70 PatchGAN.

    G = UNet(15, depth=8)                # (N, 15, H, W) -> (N, 3, H, W) in (-1, 1)
    D = LogitPatchGAN(18)                # (N, 18, 256, 256) -> logits (N, 1, 30, 30)

Layer lists as in the published PyTorch code (spec: systems 6); the parameter counts are tests. Its batch norm runs on
batches of one, at test too. `_norm` is that for any batch size: every image by its own statistics.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmark.errors import BenchError
from models.networks import ScoreConv

WIDEST = 8  # times the first layer's width
DROPOUT_FROM = 4  # levels from this one to the last but the innermost drop half of their values


class UNet(nn.Module):
    """`depth` halvings down and as many doublings up, each level handed across to its mirror (pix2pix sec 3.2.1).

    (N, in_channels, H, W) -> (N, out_channels, H, W) in (-1, 1), for any H, W of at least 2 ** depth px: a side that
    does not halve evenly is rounded down and gets its size back on the way up.
    """

    def __init__(self, in_channels: int, out_channels: int = 3, ngf: int = 64, depth: int = 8) -> None:
        super().__init__()
        self.depth = depth
        widths = [ngf * min(2**level, WIDEST) for level in range(depth)]
        self.downs = nn.ModuleList([_halve(in_channels, ngf)])
        self.ups = nn.ModuleList([Up(2 * ngf, out_channels, outermost=True)])
        for level, (narrow, wide) in enumerate(pairwise(widths), start=1):
            innermost = level == depth - 1
            # The innermost map may be 1x1 px: nothing to take statistics of.
            norm = [] if innermost else [_norm(wide)]
            self.downs.append(nn.Sequential(nn.LeakyReLU(0.2), _halve(narrow, wide), *norm))
            dropout = level >= DROPOUT_FROM and not innermost
            self.ups.append(Up(wide if innermost else 2 * wide, narrow, dropout=dropout))
        self.apply(_init)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if min(height, width) < 2**self.depth:
            raise BenchError(
                f"image of {height}x{width}: a U-Net of depth {self.depth} needs sides of at least {2**self.depth} px; "
                "change data.size or method.pix2pix.depth"
            )
        maps = [x]
        for down in self.downs:
            maps.append(down(maps[-1]))
        x = maps[-1]
        for level in reversed(range(self.depth)):
            given = x if level == self.depth - 1 else torch.cat([maps[level + 1], x], 1)
            x = self.ups[level](given, maps[level].shape[-2:])
        return x.tanh()


class Up(nn.Module):
    """ReLU, transposed 4x4 convolution to a given size, norm, dropout of a half where asked for."""

    def __init__(self, in_channels: int, out_channels: int, dropout: bool = False, outermost: bool = False) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=outermost)
        self.norm = nn.Identity() if outermost else _norm(out_channels)
        self.dropout = nn.Dropout(0.5) if dropout else nn.Identity()

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        return self.dropout(self.norm(self.conv(x.relu(), output_size=size)))


class LogitPatchGAN(nn.Module):
    """Judges overlapping patches, 70x70 px at n_layers = 3 (pix2pix sec 3.2.2), with padding 1.

    (N, in_channels, H, W) -> logits (N, 1, h, w): 30x30 for 256x256 px. Both sides must be at least 3 * 2 ** n_layers.
    """

    def __init__(self, in_channels: int, ndf: int = 64, n_layers: int = 3) -> None:
        super().__init__()
        self.smallest = 3 * 2**n_layers  # two convolutions of stride 1 take a pixel each, and one must be left
        widths = [ndf * min(2**layer, WIDEST) for layer in range(n_layers + 1)]
        layers: list[nn.Module] = [nn.Conv2d(in_channels, ndf, 4, 2, 1), nn.LeakyReLU(0.2)]
        for number, (narrow, wide) in enumerate(pairwise(widths), start=1):
            stride = 2 if number < n_layers else 1
            layers += [nn.Conv2d(narrow, wide, 4, stride, 1, bias=False), _norm(wide), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, ScoreConv(widths[-1], 1, 4, padding=1))
        self.apply(_init)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if min(height, width) < self.smallest:
            raise BenchError(
                f"image of {height}x{width}: this discriminator needs sides of at least {self.smallest} px "
                "(3 * 2 ** networks.n_layers); change data.size or networks.n_layers"
            )
        return self.layers(x)


def _halve(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=False)


def _norm(channels: int) -> nn.GroupNorm:
    """Batch norm of a batch of one: mean and deviation per image and channel, then a gain and shift per channel."""
    return nn.GroupNorm(channels, channels)


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.GroupNorm):
        nn.init.normal_(module.weight, 1.0, 0.02)
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.GroupNorm) and module.bias is not None:
        nn.init.zeros_(module.bias)
