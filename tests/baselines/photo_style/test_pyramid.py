"""The image as layers: an exact adjoint, the same minimum, fewer steps."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from baselines.photo_style import lbfgs
from baselines.photo_style.pyramid import Pyramid, minimise


@pytest.mark.parametrize("size", [(16, 16), (9, 18), (36, 64), (5, 40), (33, 47)])
def test_the_adjoint_is_the_adjoint(size: tuple[int, int]) -> None:
    source = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, *size, generator=source, dtype=torch.float64)
    pyramid = Pyramid(images)
    layers = torch.randn(2, sum(pyramid.counts), generator=source, dtype=torch.float64)
    assert pyramid.image(layers).shape == images.shape
    there = (pyramid.image(layers) * images).sum((1, 2, 3))
    torch.testing.assert_close(there, (layers * pyramid.adjoint(images)).sum(1))


def test_layers_are_enlarged_bilinearly() -> None:
    images = torch.zeros(1, 2, 14, 14, dtype=torch.float64)
    pyramid = Pyramid(images)
    assert pyramid.sizes == [(14, 14), (7, 7)]
    coarse = torch.rand(1, 2, 7, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = pyramid.image(torch.cat([images.flatten(1), coarse.flatten(1)], 1))
    wanted = F.interpolate(coarse, size=(14, 14), mode="bilinear")
    torch.testing.assert_close(found[..., 1:-1, 1:-1], wanted[..., 1:-1, 1:-1])  # at the border it fades to 0


def recolour(x: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
    """Smoothness, which is steep for fine detail, and a weak wish for every pixel's colour."""
    wanted = torch.linspace(-1, 1, x.shape[-1]).expand_as(x)
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        rough = x.diff(dim=-1).square().sum((1, 2, 3)) + x.diff(dim=-2).square().sum((1, 2, 3))
        value = rough + 0.002 * (x - wanted).square().sum((1, 2, 3))
        (gradient,) = torch.autograd.grad(value.sum(), x)
    return value.detach(), gradient


def test_it_reaches_the_same_minimum_in_fewer_steps() -> None:
    start = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    image, value = minimise(recolour, start, 400)
    torch.testing.assert_close(value, lbfgs.minimise(recolour, start, 400)[1], rtol=1e-3, atol=0)
    torch.testing.assert_close(recolour(image, None)[0], value)
    assert bool((minimise(recolour, start, 15)[1] < lbfgs.minimise(recolour, start, 30)[1]).all())


def test_no_iterations_change_nothing() -> None:
    start = torch.randn(1, 3, 16, 24)
    assert torch.equal(minimise(recolour, start, 0)[0], start)
