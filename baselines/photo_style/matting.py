"""Quadratic smoothness of an image as a graph over its 5x5 neighbourhoods: the matting Laplacian and total variation.

    graph = matting_graph(content)                     # content (N, 3, H, W) in [0, 1]
    L_V = graph.apply(V)                               # V (N, C, H, W) -> L V
    energy, gradient = graph.energy(V)                 # sum over channels of V^T L V, and 2 L V

The closed-form matting Laplacian (Levin et al. 2008, 3x3 windows; spec: systems 5) joins a pixel only to the 24 around
it. A `Graph` holds the weight of each such edge once, so the operator is symmetric and its rows sum to zero by
construction, in float32 too, and applying it is 12 shifted differences on any device, with no sparse matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Steps (dy, dx) from a pixel to those of its 24 neighbours that follow it in reading order.
OFFSETS = tuple((dy, dx) for dy in range(3) for dx in range(-2, 3) if (dy, dx) > (0, 0))
WINDOW = tuple((dy, dx) for dy in range(3) for dx in range(3))


@dataclass(frozen=True)
class Graph:
    """`weights[n, k, y, x]` (N, 12, H, W) joins pixel (y, x) to (y, x) + OFFSETS[k]; 0 where that is outside."""

    weights: Tensor

    def __add__(self, other: Graph) -> Graph:
        return Graph(self.weights + other.weights)

    def __mul__(self, factor: float) -> Graph:
        return Graph(self.weights * factor)

    def __getitem__(self, rows: Tensor) -> Graph:
        return Graph(self.weights[rows])

    def apply(self, images: Tensor) -> Tensor:
        """L V: (N, C, H, W) -> the same shape. Row i of L V is the sum over neighbours j of w_ij (V_i - V_j)."""
        pixels, weights = images.flatten(2), self.weights.flatten(2)  # (N, C, P), (N, 12, P)
        result = torch.zeros_like(pixels)
        for k, (dy, dx) in enumerate(OFFSETS):
            step = dy * images.shape[-1] + dx  # in reading order; a step over the border meets a weight of 0
            flow = pixels[..., :-step] - pixels[..., step:]
            flow *= weights[:, k, None, :-step]
            result[..., :-step] += flow
            result[..., step:] -= flow
        return result.view(images.shape)

    def energy(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Sum over channels of V^T L V, (N,), and its gradient 2 L V, (N, C, H, W)."""
        applied = self.apply(images)
        return (images * applied).flatten(1).sum(1), applied.mul_(2)


def total_variation_graph(images: Tensor) -> Graph:
    """Half the sum of squared differences to the right and the lower neighbour, for images shaped (N, C, H, W)."""
    weights = images.new_zeros(images.shape[0], len(OFFSETS), *images.shape[-2:])
    weights[:, OFFSETS.index((0, 1)), :, :-1] = 0.5
    weights[:, OFFSETS.index((1, 0)), :-1] = 0.5
    return Graph(weights)


def matting_graph(images: Tensor, epsilon: float = 1e-7) -> Graph:
    """The matting Laplacian of images (N, 3, H, W) in [0, 1], H and W at least 3.

    Edge weights are minus the off-diagonal entries of L: (1 + (I_i - mu)^T (Sigma + eps/9)^-1 (I_j - mu)) / 9 summed
    over the 3x3 windows that hold both pixels. Computed in float64, returned in the images' type.
    """
    height, width = images.shape[-2] - 2, images.shape[-1] - 2  # windows
    colours = images.double()
    pixels = torch.stack([colours[..., y : y + height, x : x + width] for y, x in WINDOW], 1)  # (N, 9, 3, h, w)
    white = _whiten(pixels - pixels.mean(1, keepdim=True), epsilon)
    weights = colours.new_zeros(images.shape[0], len(OFFSETS), *images.shape[-2:])
    for i, (y, x) in enumerate(WINDOW):
        for j, (y_j, x_j) in enumerate(WINDOW[i + 1 :], start=i + 1):
            affinity = (1 + (white[:, i] * white[:, j]).sum(1)) / len(WINDOW)  # (N, h, w)
            weights[:, OFFSETS.index((y_j - y, x_j - x)), y : y + height, x : x + width] += affinity
    return Graph(weights.to(images.dtype))


def _whiten(centred: Tensor, epsilon: float) -> Tensor:
    """Z with Z_i . Z_j = X_i^T (Sigma + eps/9)^-1 X_j for the 9 centred colours X of each window, (N, 9, 3, h, w).

    Cholesky's method written out for 3x3: as exact as LAPACK's where a window is flat (the closed-form inverse is not)
    and without a call per window.
    """
    count = centred.shape[1]
    factor: dict[tuple[int, int], Tensor] = {}
    white: list[Tensor] = []
    for row in range(3):
        rest = centred[:, :, row]  # (N, 9, h, w)
        for column in range(row + 1):
            covariance = (centred[:, :, row] * centred[:, :, column]).mean(1)
            if row == column:
                covariance = covariance + epsilon / count
            for k in range(column):
                covariance = covariance - factor[row, k] * factor[column, k]
            factor[row, column] = covariance.sqrt() if row == column else covariance / factor[column, column]
        for k in range(row):
            rest = rest - factor[row, k][:, None] * white[k]
        white.append(rest / factor[row, row][:, None])
    return torch.stack(white, 2)
