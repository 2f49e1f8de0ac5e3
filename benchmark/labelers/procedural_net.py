"""The network of the procedural labeler: 64 px photo -> 68 points and whether there is a face at all.

Trained by scripts/train_procedural_labeler.py, used by `benchmark.labelers.procedural`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.labelers.ibug68 import POINTS

INPUT = 64  # px
_GRID = 16  # cells a side of the feature map the points are read from
_MARGIN = 2  # cells around it: a jaw may end outside the photo


class LandmarkNet(nn.Module):
    """A small convolutional encoder with one skip; points are the centres of mass of 68 heat maps (soft-argmax)."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.to_16 = nn.Sequential(
            _block(3, width, stride=2),
            _block(width, width),
            _block(width, 2 * width, stride=2),
            _block(2 * width, 2 * width),
        )
        self.to_8 = nn.Sequential(_block(2 * width, 3 * width, stride=2), _block(3 * width, 3 * width))
        self.to_4 = nn.Sequential(_block(3 * width, 3 * width, stride=2), _block(3 * width, 3 * width))
        self.narrow = nn.Conv2d(3 * width, 2 * width, 1)
        self.join = _block(2 * width, 3 * width)
        self.heat = nn.Conv2d(3 * width, POINTS, 1)
        with torch.no_grad():
            self.heat.weight.mul_(8)  # flat heat maps put every point in the middle and learn slowly from there
        self.presence = nn.Linear(3 * width, 1)
        cells = (torch.arange(_GRID + 2 * _MARGIN) - _MARGIN + 0.5) / _GRID
        self.register_buffer("cells", cells, persistent=False)

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        """photos (N, 3, 64, 64) in [0, 1] -> points (N, 68, 2) as fractions of the side, presence logit (N,)."""
        fine = self.to_16(photos - 0.5)  # (N, 2w, 16, 16)
        middle = self.to_8(fine)  # (N, 3w, 8, 8)
        coarse = self.to_4(middle)  # (N, 3w, 4, 4)
        presence = self.presence(coarse.mean(dim=(2, 3)))[:, 0]
        middle = middle + functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
        where = functional.interpolate(self.narrow(middle), scale_factor=2.0, mode="bilinear", align_corners=False)
        joined = self.join(functional.pad(fine + where, (_MARGIN,) * 4, mode="replicate"))
        heat = self.heat(joined)  # (N, 68, 20, 20)
        weight = heat.flatten(2).softmax(dim=2).unflatten(2, heat.shape[2:])
        x = (weight.sum(dim=2) * self.cells).sum(dim=2)
        y = (weight.sum(dim=3) * self.cells).sum(dim=2)
        return torch.stack([x, y], dim=2), presence


def _block(channels: int, to: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, to, 3, stride, padding=1, bias=False), nn.BatchNorm2d(to), nn.ReLU(inplace=True)
    )
