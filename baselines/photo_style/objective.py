"""What photo style transfer minimises, for a batch of independent images (spec: systems 5).

    targets = Targets.of(layers, pictures, style_weight=100, content_weight=5)
    value, gradient = Energy(targets, graph)(images)           # (N,), (N, 3, H, W)

style:    weight * mean(m) * MSE(Gram of the image in m, Gram of the style picture in its own m), over masks and layers
content:  weight * MSE of the content map
graph:    total variation and matting, a quadratic form with an analytic gradient (matting.py)
All that depends on the two pictures alone is computed once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from baselines.photo_style.layers import Layers
from baselines.photo_style.matting import Graph


@dataclass(frozen=True)
class Pictures:
    """What a transfer is given: photos (N, 3, H, W) in [-1, 1], and each one's own masks (N, M, H, W) in [0, 1]."""

    content: Tensor
    style: Tensor
    content_masks: Tensor
    style_masks: Tensor

    def __len__(self) -> int:
        return len(self.content)


@dataclass(frozen=True)
class LayerStyle:
    """One layer's masks and the Grams they should give."""

    masks: Tensor  # (N, M, h, w) squared and normalised: what the Gram weighs each place with
    grams: Tensor  # (N, M, C, C)
    shares: Tensor  # (N, M) factor of each mask's squared error

    def __getitem__(self, rows: Tensor) -> LayerStyle:
        return LayerStyle(self.masks[rows], self.grams[rows], self.shares[rows])

    def loss(self, features: Tensor) -> Tensor:
        """features (N, C, h, w) -> (N,)."""
        errors = (masked_grams(features, self.masks) - self.grams).square().sum((2, 3))  # (N, M)
        return (self.shares * errors).sum(1)


@dataclass(frozen=True)
class Targets:
    """Everything the two pictures fix."""

    layers: Layers
    styles: tuple[LayerStyle, ...]
    content: Tensor
    content_weight: float

    @classmethod
    @torch.no_grad()
    def of(cls, layers: Layers, pictures: Pictures, style_weight: float, content_weight: float) -> Targets:
        """Run both photos through the network once."""
        _, wanted = layers.maps(pictures.content)
        styles, _ = layers.maps(pictures.style)
        sizes = [(s.shape[-2], s.shape[-1]) for s in styles]
        here = layers.carry(pictures.content_masks, sizes)
        there = layers.carry(pictures.style_masks, sizes)
        built = []
        for features, mask, style_mask, scale in zip(styles, here, there, layers.style_scales, strict=True):
            channels = features.shape[1]
            weights, style_weights = (scale**2 * normalised(m, channels) for m in (mask, style_mask))
            shares = style_weight * mask.mean((2, 3)) / channels**2
            built.append(LayerStyle(weights, masked_grams(features, style_weights), shares))
        return cls(layers, tuple(built), wanted, layers.content_scale**2 * content_weight)

    def __getitem__(self, rows: Tensor) -> Targets:
        return Targets(self.layers, tuple(s[rows] for s in self.styles), self.content[rows], self.content_weight)

    def loss(self, images: Tensor) -> Tensor:
        """Style and content terms of images (N, 3, H, W) in [-1, 1] -> (N,)."""
        maps, content = self.layers.maps(images)
        total = self.content_weight * (content - self.content).square().flatten(1).mean(1)
        for target, features in zip(self.styles, maps, strict=True):
            total = total + target.loss(features)
        return total


@dataclass(frozen=True)
class Energy:
    """The whole objective; `graph` is scaled for images in [-1, 1]."""

    targets: Targets
    graph: Graph

    def __call__(self, x: Tensor, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Values (n,) and gradients at images x (n, 3, H, W), which are `rows` (n,) of the batch; None for all."""
        targets, graph = (self.targets, self.graph) if rows is None else (self.targets[rows], self.graph[rows])
        with torch.enable_grad():
            variable = x.detach().requires_grad_()
            value = targets.loss(variable)
            (gradient,) = torch.autograd.grad(value.sum(), variable)
        energy, energy_gradient = graph.energy(x)
        return value.detach() + energy, gradient + energy_gradient


def normalised(masks: Tensor, channels: int) -> Tensor:
    """Masks (N, M, h, w) as a Gram's weights: m^2 / (C h w mean(m)); an empty mask stays empty."""
    mass = channels * masks.sum((2, 3), keepdim=True)
    return masks.square() / mass.clamp_min(torch.finfo(masks.dtype).tiny)


def masked_grams(features: Tensor, weights: Tensor) -> Tensor:
    """F diag(w_m) F^T for every mask: features (N, C, h, w), weights (N, M, h, w) -> (N, M, C, C)."""
    return _MaskedGrams.apply(features.flatten(2).contiguous(), weights.flatten(2))


class _MaskedGrams(torch.autograd.Function):
    """All masks by one matrix product forward and one backward; autograd's own backward would take two and a sum.

    In planes, not channels-last: the full-size layer has three channels, and as rows of three they are 5 times slower.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, weights: Tensor) -> Tensor:
        """(N, C, P), (N, M, P) -> (N, M, C, C)."""
        weighted = (features[:, None] * weights[:, :, None]).flatten(1, 2)  # (N, M C, P)
        ctx.save_for_backward(weighted)
        grams = weighted @ features.transpose(1, 2)  # (N, M C, C)
        return grams.unflatten(1, (weights.shape[1], features.shape[1]))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Of a symmetric product: twice the symmetric part of the incoming gradient times the weighted features."""
        (weighted,) = ctx.saved_tensors
        (grad,) = gradients
        return (grad + grad.transpose(2, 3)).flatten(1, 2).transpose(1, 2) @ weighted, None
