"""The batched L-BFGS: it minimises, rows are independent, and nothing ever becomes worse or NaN."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from baselines.photo_style.lbfgs import minimise


class Quadratic:
    """0.5 (x - c)^T A (x - c) per row, rows of very different stiffness; counts evaluations per row."""

    def __init__(self, rows: int = 3, size: int = 12) -> None:
        source = torch.Generator().manual_seed(0)
        root = torch.randn(rows, size, size, generator=source, dtype=torch.float64)
        scale = 10.0 ** torch.arange(rows, dtype=torch.float64)[:, None, None]
        self.matrix = scale * (root @ root.transpose(1, 2) + torch.eye(size))
        self.centre = torch.randn(rows, size, generator=source, dtype=torch.float64)
        self.calls = torch.zeros(rows, dtype=torch.long)

    def __call__(self, x: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        chosen = torch.arange(len(self.centre)) if rows is None else rows
        self.calls[chosen] += 1
        away = x - self.centre[chosen]
        gradient = (self.matrix[chosen] @ away[..., None])[..., 0]
        return 0.5 * (away * gradient).sum(1), gradient


def test_it_finds_the_minimum_of_every_row() -> None:
    problem = Quadratic()
    x, value = minimise(problem, torch.zeros(3, 12, dtype=torch.float64), 150)
    torch.testing.assert_close(x, problem.centre, atol=1e-6, rtol=0)
    assert float(value.max()) < 1e-9


def rosenbrock(x: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        value = (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(1)
        (gradient,) = torch.autograd.grad(value.sum(), x)
    return value.detach(), gradient


def test_it_follows_a_curved_valley() -> None:
    start = torch.tensor([[-1.2, 1.0, 1.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    x, _ = minimise(rosenbrock, start, 200)
    torch.testing.assert_close(x, torch.ones(2, 3, dtype=torch.float64), atol=1e-4, rtol=0)


def test_values_fall_with_every_step() -> None:
    start = torch.tensor([[-1.2, 1.0], [3.0, -2.0]], dtype=torch.float64)
    values = torch.stack([minimise(rosenbrock, start, count)[1] for count in range(25)])
    assert bool((values.diff(dim=0) <= 0).all()) and bool((values[-1] < 0.1 * values[0]).all())


def test_rows_do_not_depend_on_each_other() -> None:
    starts = torch.tensor([[-1.2, 1.0], [3.0, -2.0], [0.5, 40.0]], dtype=torch.float64)
    together, _ = minimise(rosenbrock, starts, 15)
    apart = torch.cat([minimise(rosenbrock, start[None], 15)[0] for start in starts])
    assert torch.equal(together, apart)


def test_nothing_not_finite_is_ever_kept() -> None:
    """A cliff of NaN beside the minimum, and a row that is NaN from the start."""

    def cliff(x: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        gradient = 2 * (x - 1)
        value = ((x - 1) ** 2).sum(1)
        beyond = (x > 1.001).any(1)
        return torch.where(beyond, torch.nan, value), torch.where(beyond[:, None], torch.inf, gradient)

    start = torch.tensor([[-50.0, 0.9], [0.0, 0.0], [5.0, 0.0]])
    x, value = minimise(cliff, start, 50)
    assert bool(x.isfinite().all()) and torch.equal(x[2], start[2])
    assert float(value[:2].max()) < 0.01 and bool(value[2].isnan())


def test_a_row_at_its_minimum_rests_and_is_not_evaluated() -> None:
    problem = Quadratic()
    start = torch.zeros(3, 12, dtype=torch.float64)
    start[1] = problem.centre[1]
    x, _ = minimise(problem, start, 40)
    assert torch.equal(x[1], problem.centre[1])
    assert problem.calls[1] < 15 < problem.calls[0]


@pytest.mark.parametrize("iterations", [0, 3])
def test_the_start_is_not_written_to(iterations: int) -> None:
    start = torch.tensor([[-1.2, 1.0]])
    x, _ = minimise(rosenbrock, start, iterations)
    assert torch.equal(start, torch.tensor([[-1.2, 1.0]])) and torch.equal(x, start) == (iterations == 0)
