"""The network behind the shipped labelers of rendered dancers and streets: a small U-Net, and joints read off its maps.

Trained by scripts/train_procedural_labeler.py, used by `benchmark.labelers.procedural_pose` and
`benchmark.labelers.parsing.procedural`.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.labelers.openpose18 import JOINTS


class UNet(nn.Module):
    """Photo -> one map per output and features, at `1 / stride` of the photo's size.

    Three more halvings, after which a cell has seen most of a 64 px picture; sizes need not be multiples of anything.
    """

    def __init__(self, outputs: int, widths: tuple[int, ...], stride: int) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.first = _block(3, widths[0], stride)
        self.down = nn.ModuleList(nn.Sequential(_block(a, b, stride=2), _block(b, b)) for a, b in pairs)
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.join = nn.ModuleList(_block(a, a) for a, _ in pairs)
        self.out = nn.Conv2d(widths[0], outputs, 1)

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """photos (N, 3, H, W) in [0, 1] -> maps (N, outputs, h, w), their features (N, C, h, w), the coarsest ones."""
        levels = [self.first(photos - 0.5)]
        for down in self.down:
            levels.append(down(levels[-1]))
        up = levels[-1]
        for skip, narrow, join in zip(levels[-2::-1], self.narrow[::-1], self.join[::-1], strict=True):
            up = join(skip + F.interpolate(narrow(up), skip.shape[2:], mode="bilinear", align_corners=False))
        return self.out(up), up, levels[-1]


class PoseNet(nn.Module):
    """64 px photo -> 18 heat maps, whether each joint can be seen, and whether there is anybody at all."""

    def __init__(self) -> None:
        super().__init__()
        widths = (24, 48, 64, 96)
        self.body = UNet(JOINTS, widths, stride=2)
        self.seen = nn.Conv1d(JOINTS * widths[0], JOINTS, 1, groups=JOINTS)  # a linear map for each joint
        self.presence = nn.Linear(widths[-1], 1)

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """photos (N, 3, 64, 64) in [0, 1] -> heat logits (N, 18, 32, 32), seen logits (N, 18), presence logit (N,)."""
        heat, features, coarse = self.body(photos)
        where = heat.flatten(2).softmax(dim=2)  # (N, 18, P)
        there = torch.einsum("njp,ncp->njc", where, features.flatten(2))  # what a joint's surroundings look like
        seen = self.seen(there.flatten(1)[:, :, None])[:, :, 0]
        return heat, seen, self.presence(coarse.mean(dim=(2, 3)))[:, 0]


def peaks(heat: Tensor, radius: int = 2) -> Tensor:
    """Heat logits (N, J, h, w) -> points (N, J, 2), x and y as fractions of the sides, between the cells.

    The centre of mass of a (2 radius + 1)-cell window around the largest cell: a second peak, the other leg, does not
    pull the point away from the first.
    """
    height, width = heat.shape[2:]
    flat = heat.flatten(2)
    best = flat.argmax(dim=2, keepdim=True)  # (N, J, 1)
    y, x = (
        grid.flatten().to(heat.dtype)
        for grid in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    )
    near = ((x - best % width).abs() <= radius) & ((y - best // width).abs() <= radius)  # (N, J, P)
    weight = flat.masked_fill(~near, -torch.inf).softmax(dim=2)
    return torch.stack([((weight * x).sum(2) + 0.5) / width, ((weight * y).sum(2) + 0.5) / height], dim=2)


def _block(channels: int, to: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, to, 3, stride, padding=1, bias=False), nn.BatchNorm2d(to), nn.ReLU(inplace=True)
    )
