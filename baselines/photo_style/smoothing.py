"""Undo what style transfer did to the detail of a photo: local affine colour maps, smoothed along the photo's edges.

    photo = smooth(content, output, radius=15, spread=0.01)

For every pixel the affine map of colours that best takes the content's 3x3 neighbourhood to the output's; these maps
are averaged by a joint bilateral filter guided by the content, and applied to the content (spec: systems 5).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

RIDGE = 1e-3  # on the three colour terms, over sums of squares of colours in [0, 1]


def smooth(content: Tensor, output: Tensor, radius: int, spread: float) -> Tensor:
    """content, output (N, 3, H, W) in [0, 1] -> the same shape, not clipped. `radius` px, `spread` in colour units."""
    return apply_affine(bilateral(local_affine(content, output), content, radius, spread), content)


def local_affine(content: Tensor, output: Tensor) -> Tensor:
    """(N, 3, 4, H, W): at each pixel the matrix M with M (colour, 1) = output over its 3x3 neighbourhood.

    Least squares with RIDGE on the colour terms; neighbourhoods end at the image's border. The offset is free of the
    ridge, so it drops out when colours are taken from their means.
    """
    n, _, height, width = content.shape
    both = torch.cat([content, output], 1)  # (N, 6, H, W)
    products = (content[:, :, None] * both[:, None]).flatten(1, 2)  # (N, 18, H, W)
    count = _sums(torch.ones_like(content[:, :1]))
    means = _sums(both) / count
    moments = _sums(products).view(n, 3, 6, height, width)
    spreads = moments - count[:, None] * means[:, :3, None] * means[:, None]
    spreads = spreads.permute(0, 3, 4, 1, 2)  # (N, H, W, 3, 6)
    ridge = RIDGE * torch.eye(3, dtype=content.dtype, device=content.device)
    colour = torch.linalg.solve(spreads[..., :3] + ridge, spreads[..., 3:])  # (N, H, W, content colour, output colour)
    colour = colour.permute(0, 4, 3, 1, 2)  # (N, 3, 3, H, W)
    offset = means[:, 3:] - (colour * means[:, None, :3]).sum(2)
    return torch.cat([colour, offset[:, :, None]], 2)


def bilateral(maps: Tensor, guide: Tensor, radius: int, spread: float) -> Tensor:
    """Average maps (N, ..., H, W) over (2 radius + 1)^2 px where the guide (N, 3, H, W) has about the same colour.

    Weights: Gaussians of the distance, sigma radius / 3, and of the colour's Euclidean distance, sigma `spread`.
    """
    flat = maps.flatten(1, -3)  # (N, K, H, W)
    total, weights = flat.clone(), torch.ones_like(guide[:, :1])
    steps = [(dy, dx) for dy in range(radius + 1) for dx in range(-radius, radius + 1) if (dy, dx) > (0, 0)]
    for dy, dx in steps:
        here, there = _ends((dy, dx), *guide.shape[-2:])
        near = math.exp(-(dy**2 + dx**2) / (2 * (radius / 3) ** 2))
        unlike = (guide[here] - guide[there]).square_().sum(1, keepdim=True)
        alike = unlike.mul_(-1 / (2 * spread**2)).exp_().mul_(near)  # (N, 1, h, w)
        total[here].addcmul_(flat[there], alike)
        total[there].addcmul_(flat[here], alike)
        weights[here] += alike
        weights[there] += alike
    return (total / weights).view_as(maps)


def apply_affine(maps: Tensor, colours: Tensor) -> Tensor:
    """maps (N, 3, 4, H, W) of colours (N, 3, H, W) -> (N, 3, H, W)."""
    return (maps[:, :, :3] * colours[:, None]).sum(2) + maps[:, :, 3]


def _sums(images: Tensor) -> Tensor:
    """Sum over each pixel's 3x3 neighbourhood inside the image."""
    return 9 * F.avg_pool2d(images, 3, stride=1, padding=1)


Slices = tuple[slice, slice, slice, slice]


def _ends(offset: tuple[int, int], height: int, width: int) -> tuple[Slices, Slices]:
    """Where pairs of pixels one step (dy >= 0, dx) apart begin and end, as indices of an (N, C, height, width)."""
    dy, dx = offset
    left, right = max(-dx, 0), max(dx, 0)
    here = slice(0, max(height - dy, 0)), slice(left, max(width - right, left))
    there = slice(dy, max(height, dy)), slice(right, max(width - left, right))
    return (slice(None), slice(None), *here), (slice(None), slice(None), *there)
