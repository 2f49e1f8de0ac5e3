"""Minimise over an image as a sum of coarse and fine layers: the colours of regions settle in a few steps.

    image, value = minimise(objective, start, iterations=100)

L-BFGS sees the change of the image as a pyramid, image = start + z_0 + up(z_1 + up(z_2 + ...)), in which one number of
a coarse layer moves many pixels at once. Pixel by pixel it first follows the steep, fine directions; this way the same
value takes two to four times fewer steps (tests/benchmarks/photo_style.py). The minimum is the same.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from baselines.photo_style import lbfgs

SMALLEST = 8  # px: a side below this is not halved again


class Pyramid:
    """The layers of images (N, C, H, W), each half the size of the one before, as one vector per image."""

    def __init__(self, like: Tensor) -> None:
        self.channels = like.shape[1]
        self.sizes = [(like.shape[2], like.shape[3])]
        while min(self.sizes[-1]) >= SMALLEST:
            self.sizes.append((self.sizes[-1][0] // 2, self.sizes[-1][1] // 2))
        self.counts = [self.channels * height * width for height, width in self.sizes]
        tent = like.new_tensor([0.25, 0.75, 0.75, 0.25])
        self.kernel = (tent[:, None] * tent).expand(self.channels, 1, 4, 4).contiguous()

    def image(self, layers: Tensor) -> Tensor:
        """(N, sum of all layers' values) -> (N, C, H, W): every layer enlarged bilinearly, all added."""
        parts = [
            part.view(-1, self.channels, *size)
            for part, size in zip(layers.split(self.counts, 1), self.sizes, strict=True)
        ]
        image = parts[-1]
        for part in reversed(parts[:-1]):
            odd = (part.shape[2] % 2, part.shape[3] % 2)
            image = part + F.conv_transpose2d(image, self.kernel, None, 2, 1, odd, self.channels)
        return image

    def adjoint(self, gradient: Tensor) -> Tensor:
        """The gradient by the image (N, C, H, W) -> the gradient by the layers, as `image` takes them."""
        parts = [gradient]
        for _ in self.sizes[1:]:
            parts.append(F.conv2d(parts[-1], self.kernel, None, 2, 1, 1, self.channels))
        return torch.cat([part.flatten(1) for part in parts], 1)


def minimise(objective: lbfgs.Objective, start: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """As `lbfgs.minimise`, for images (N, C, H, W)."""
    pyramid = Pyramid(start)

    def by_layers(x: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        value, gradient = objective((start if rows is None else start[rows]) + pyramid.image(x), rows)
        return value, pyramid.adjoint(gradient)

    layers, value = lbfgs.minimise(by_layers, start.new_zeros(len(start), sum(pyramid.counts)), iterations)
    return start + pyramid.image(layers), value
