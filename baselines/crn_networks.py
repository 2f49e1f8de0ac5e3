"""CRN's cascade of refinement modules.

    G = CascadedRefinement(20, height=256, width=512)     # (N, 20, 256, 512) -> (N, 9, 3, 256, 512): nine answers

Layer list as in the published 256p code (spec: systems 6); the parameter count is a test.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.errors import BenchError

COARSEST = 4  # px: the least shorter side of the first module's map
FINE = 2  # modules, counted from the last, of half the width


def cascade_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Map sizes (h, w) of the modules, coarse to fine: halved, rounded up, while the shorter side has 4 px or more.

    256x512 gives the official seven sizes from 4x8 on, 144x256 six from 5x8 on.
    """
    if min(height, width) < COARSEST:
        raise BenchError(f"image of {height}x{width}: CRN needs sides of at least {COARSEST} px; change data.size")
    sizes = [(height, width)]
    while min(side / 2 ** len(sizes) for side in (height, width)) >= COARSEST:
        sizes.append((-(-height // 2 ** len(sizes)), -(-width // 2 ** len(sizes))))
    return sizes[::-1]


class CascadedRefinement(nn.Module):
    """Every module sees the label at its own size and the features of the module before (CRN sec 3.1).

    (N, label_channels, H, W) -> (N, images, 3, H, W), around [-1, 1] but not bounded. H and W are fixed when built.
    """

    def __init__(self, label_channels: int, height: int, width: int, features: int = 1024, images: int = 9) -> None:
        super().__init__()
        self.sizes = cascade_sizes(height, width)
        self.images = images
        coarse = max(0, len(self.sizes) - FINE)
        widths = [features] * coarse + [features // 2] * (len(self.sizes) - coarse)
        self.stages = nn.ModuleList(
            RefinementModule(label_channels + before, after)
            for before, after in zip([0, *widths[:-1]], widths, strict=True)
        )
        self.colours = nn.Conv2d(widths[-1], 3 * images, 1)
        self.apply(_init)

    def forward(self, label: Tensor) -> Tensor:
        if tuple(label.shape[-2:]) != self.sizes[-1]:
            raise BenchError(
                f"image of {label.shape[-2]}x{label.shape[-1]}: this CRN was built for "
                f"{self.sizes[-1][0]}x{self.sizes[-1][1]} (data.size)"
            )
        features = None
        for size, stage in zip(self.sizes, self.stages, strict=True):
            given = [F.interpolate(label, size, mode="area")]
            if features is not None:
                given.append(F.interpolate(features, size, mode="bilinear", align_corners=True))
            features = stage(torch.cat(given, 1))
        return self.colours(features).unflatten(1, (self.images, 3))


class RefinementModule(nn.Sequential):
    """Two 3x3 convolutions, each with layer norm and leaky ReLU; (N, in_channels, h, w) -> (N, features, h, w).

    The norm takes one mean and deviation per item and a gain and shift per channel: a group norm with one group.
    """

    def __init__(self, in_channels: int, features: int) -> None:
        layers: list[nn.Module] = []
        for channels in (in_channels, features):
            layers += [
                nn.Conv2d(channels, features, 3, padding=1, bias=False),
                nn.GroupNorm(1, features),
                nn.LeakyReLU(0.2),
            ]
        super().__init__(*layers)


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
