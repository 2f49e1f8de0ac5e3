"""The matting Laplacian and total variation as graphs, against brute force, pymatting and autograd."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from baselines.photo_style.matting import Graph, matting_graph, total_variation_graph


def photos(count: int, height: int, width: int) -> Tensor:
    """Smooth colours with a flat corner, in which a window's covariance is 0, and a grey stripe."""
    source = torch.Generator().manual_seed(0)
    images = torch.rand(count, 3, height, width, generator=source, dtype=torch.float64)
    images[:, :, :4, :4] = 0.25
    images[:, :, -1] = images[:, :1, -1]
    return images


def dense(graph: Graph, height: int, width: int) -> np.ndarray:
    """The operator's matrix (N, P, P), column by column."""
    unit = torch.eye(height * width, dtype=graph.weights.dtype).view(-1, 1, height, width)
    columns = [graph.apply(u[None].expand(len(graph.weights), -1, -1, -1)).flatten(1) for u in unit]
    return torch.stack(columns, 2).numpy()


def brute_force(image: np.ndarray, epsilon: float) -> np.ndarray:
    """Levin et al. 2008, eq. 12, window by window; image (3, H, W)."""
    _, height, width = image.shape
    laplacian = np.zeros((height * width, height * width))
    for y, x in itertools.product(range(1, height - 1), range(1, width - 1)):
        window = [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        colours = np.array([image[:, a, b] for a, b in window])
        centred = colours - colours.mean(0)
        inverse = np.linalg.inv(centred.T @ centred / 9 + epsilon / 9 * np.eye(3))
        places = [a * width + b for a, b in window]
        laplacian[np.ix_(places, places)] += np.eye(9) - (1 + centred @ inverse @ centred.T) / 9
    return laplacian


def test_it_equals_brute_force() -> None:
    images = photos(2, 7, 9)
    ours = dense(matting_graph(images, 1e-4), 7, 9)
    for matrix, image in zip(ours, images.numpy(), strict=True):
        np.testing.assert_allclose(matrix, brute_force(image, 1e-4), atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_symmetric_with_rows_that_sum_to_zero(dtype: torch.dtype) -> None:
    (matrix,) = dense(matting_graph(photos(1, 6, 8).to(dtype)), 6, 8)
    assert np.array_equal(matrix, matrix.T) and np.abs(matrix).max() > 0.1
    assert np.abs(matrix.sum(1)).max() < 20 * np.finfo(matrix.dtype).eps * np.abs(matrix).max()
    assert np.linalg.eigvalsh(matrix.astype(float)).min() > -1e-5


def test_a_constant_is_left_alone_exactly() -> None:
    assert not matting_graph(photos(1, 9, 9).float()).apply(torch.full((1, 3, 9, 9), 0.7)).any()


def test_an_affine_map_of_the_colours_costs_nothing() -> None:
    images = photos(1, 8, 8)
    turned = torch.einsum("oc,nchw->nohw", torch.tensor([[0.2, 0.5, -1.0]], dtype=torch.float64), images) + 0.3
    graph = matting_graph(images)
    noise = torch.rand(1, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert float(graph.energy(turned)[0]) < 1e-4 * float(graph.energy(noise)[0])


def test_energy_and_gradient_equal_autograds() -> None:
    images = photos(2, 7, 6)
    graph = matting_graph(images)
    matrices = torch.from_numpy(dense(graph, 7, 6))
    values = torch.rand(2, 3, 7, 6, dtype=torch.float64, requires_grad=True)
    columns = values.flatten(2).transpose(1, 2)  # (N, P, 3)
    plain = (columns * (matrices @ columns)).sum((1, 2))
    (gradient,) = torch.autograd.grad(plain.sum(), values)
    energy, ours = graph.energy(values.detach())
    torch.testing.assert_close(energy, plain.detach())
    torch.testing.assert_close(ours, gradient)


def test_total_variation() -> None:
    images = photos(2, 5, 7)
    plain = 0.5 * (images.diff(dim=2).square().sum((1, 2, 3)) + images.diff(dim=3).square().sum((1, 2, 3)))
    torch.testing.assert_close(total_variation_graph(images).energy(images)[0], plain)


def test_graphs_add_scale_and_pick() -> None:
    images = photos(3, 6, 6)
    a, b = matting_graph(images), total_variation_graph(images)
    both = (a + b * 2.0)[torch.tensor([2, 0])]
    values = photos(3, 6, 6).flip(3)
    expected = (a.energy(values)[0] + 2 * b.energy(values)[0])[[2, 0]]
    torch.testing.assert_close(both.energy(values[[2, 0]])[0], expected)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_equals_pymatting() -> None:
    pytest.importorskip("pymatting", reason="its first import compiles for a minute")
    from pymatting import cf_laplacian

    image = photos(1, 12, 10)
    theirs = cf_laplacian(image[0].permute(1, 2, 0).numpy().copy(), epsilon=1e-5, radius=1).toarray()
    np.testing.assert_allclose(dense(matting_graph(image, 1e-5), 12, 10)[0], theirs, atol=1e-9)
