"""Local affine maps and the joint bilateral filter, pixel by pixel."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

from baselines.photo_style.smoothing import RIDGE, apply_affine, bilateral, local_affine, smooth


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_maps_equal_least_squares_pixel_by_pixel() -> None:
    content, output = noise(0, 1, 3, 5, 6), noise(1, 1, 3, 5, 6)
    ours = local_affine(content, output)[0].numpy()
    for y, x in itertools.product(range(5), range(6)):
        window = np.s_[:, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        colours = content[0].numpy()[window].reshape(3, -1).T
        design = np.hstack([colours, np.ones((len(colours), 1))])
        penalty = np.diag([RIDGE, RIDGE, RIDGE, 0.0])
        wanted = output[0].numpy()[window].reshape(3, -1).T
        plain = np.linalg.solve(design.T @ design + penalty, design.T @ wanted).T  # (3, 4)
        np.testing.assert_allclose(ours[:, :, y, x], plain, atol=1e-8)


def test_bilateral_equals_the_sum_written_out() -> None:
    maps, guide, radius, spread = noise(2, 2, 4, 5, 6), noise(3, 2, 3, 5, 6), 2, 0.4
    ours = bilateral(maps, guide, radius, spread)
    for n, y, x in itertools.product(range(2), range(5), range(6)):
        total, weights = torch.zeros(4, dtype=torch.float64), 0.0
        for dy, dx in itertools.product(range(-radius, radius + 1), repeat=2):
            if 0 <= y + dy < 5 and 0 <= x + dx < 6:
                unlike = (guide[n, :, y, x] - guide[n, :, y + dy, x + dx]).square().sum()
                near = (dy**2 + dx**2) / (2 * (radius / 3) ** 2)
                weight = torch.exp(-near - unlike / (2 * spread**2))
                total, weights = total + weight * maps[n, :, y + dy, x + dx], weights + weight
        torch.testing.assert_close(ours[n, :, y, x], total / weights)


def test_a_recolouring_survives_and_noise_does_not() -> None:
    content = noise(4, 1, 3, 24, 24)
    content[..., 12:] *= 0.2
    matrix = torch.tensor([[0.6, 0.2, 0.0], [0.0, 0.9, 0.1], [0.3, 0.0, 0.5]], dtype=torch.float64)
    recoloured = torch.einsum("oc,nchw->nohw", matrix, content) + 0.1
    torch.testing.assert_close(smooth(content, recoloured, 4, 0.3), recoloured, atol=0.01, rtol=0)
    flat = torch.full_like(content, 0.5)
    noisy = flat + 0.2 * (noise(5, 1, 3, 24, 24) - 0.5)
    assert float((smooth(flat, noisy, 8, 0.1) - 0.5).std()) < 0.2 * float(noisy.std())


def test_an_affine_map_is_applied() -> None:
    maps = torch.zeros(1, 3, 4, 2, 2)
    maps[:, 0, 1], maps[:, 2, 3] = 2.0, 0.25
    colours = torch.full((1, 3, 2, 2), 0.1)
    expected = torch.tensor([0.2, 0.0, 0.25]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    torch.testing.assert_close(apply_affine(maps, colours), expected)
