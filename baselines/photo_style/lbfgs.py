"""L-BFGS over a batch of independent problems at once.

    x = minimise(objective, start, iterations=100)

Every row of the batch has its own curvature, its own step length and its own end; rows share nothing but the calls of
`objective`, so that a row's path does not depend on its neighbours (up to the rounding of batched kernels). A trial
step that does not lower the value, or is not finite, is shortened for the rows concerned alone; a row that cannot be
lowered any more rests where it is. What is returned is therefore always finite and never above the start.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

import torch
from torch import Tensor

SUFFICIENT = 1e-4  # Armijo: share of the promised decrease that a step must bring
TRIES = 6  # trial steps before a row gives up its direction
FIRST_MOVE = 0.03  # root mean square change of a first step, before anything is known about the curvature
TINY = 1e-30


class Objective(Protocol):
    def __call__(self, x: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        """Values (n,) and gradients (n, ...) at x (n, ...), which are rows `rows` (n,) of the batch, None for all."""


def minimise(objective: Objective, start: Tensor, iterations: int, memory: int = 8) -> tuple[Tensor, Tensor]:
    """At most `iterations` steps from `start` (N, ...) -> the points reached (N, ...) and their values (N,).

    A row whose value at `start` is not finite is returned unchanged.
    """
    x = start.detach().clone()
    value, gradient = objective(x, None)
    history = _History(value, memory)
    active = _usable(value, gradient)
    for _ in range(iterations):
        if not bool(active.any()):
            break
        direction = history.direction(gradient)
        slope = _dot(gradient, direction)
        uphill = ~(slope < 0)  # NaN too
        if bool((uphill & active).any()):
            history.forget(uphill)
            direction = torch.where(_wide(uphill, x), _first_move(gradient), direction)
            slope = torch.where(uphill, _dot(gradient, direction), slope)
        active &= slope < 0  # not at a minimum
        before = x, gradient
        x, value, gradient, moved = _search(objective, x, value, gradient, direction, slope, active)
        active &= moved | history.known  # a row stuck along plain steepest descent rests
        history.forget(~moved)
        history.add(x - before[0], gradient - before[1])
    return x, value


def _search(
    objective: Objective, x: Tensor, value: Tensor, gradient: Tensor, direction: Tensor, slope: Tensor, active: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Backtracking per row: new x, value, gradient and which rows moved; those that did not are as they were."""
    length = torch.ones_like(value)
    moved = torch.zeros_like(active)
    rows = active.nonzero()[:, 0]
    for attempt in range(TRIES):
        everyone = len(rows) == len(x)
        trial = x[rows] + _wide(length[rows], x) * direction[rows]
        found, found_gradient = objective(trial, None if everyone else rows)
        allowed = value[rows] + SUFFICIENT * length[rows] * slope[rows]
        good = _usable(found, found_gradient) & (found <= allowed) & (found < value[rows])
        if attempt == 0 and everyone and bool(good.all()):
            return trial, found, found_gradient, good  # the usual case, without a copy
        if attempt == 0:
            x, value, gradient = x.clone(), value.clone(), gradient.clone()
        kept = rows[good]
        x[kept], value[kept], gradient[kept], moved[kept] = trial[good], found[good], found_gradient[good], True
        shorter = _interpolated(value[rows], found, slope[rows], length[rows])
        rows = rows[~good]
        if len(rows) == 0:
            break
        length[rows] = shorter[~good]
    return x, value, gradient, moved


def _interpolated(value: Tensor, found: Tensor, slope: Tensor, length: Tensor) -> Tensor:
    """The minimum of the parabola through value, slope and the trial, kept within 0.1 to 0.5 of the trial's length."""
    share = -slope * length / (2 * (found - value - slope * length))
    return length * torch.nan_to_num(share, nan=0.1).clamp(0.1, 0.5)


class _History:
    """The last steps and gradient changes of every row; a row without usable curvature has a zero pair."""

    def __init__(self, rows: Tensor, memory: int) -> None:
        self.pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=memory)  # s, y (N, D), 1 / s.y (N,) or 0
        self.scale = torch.zeros_like(rows)  # s.y / y.y of each row's last usable pair, 0 before the first

    @property
    def known(self) -> Tensor:
        """Which rows have curvature, (N,)."""
        return self.scale > 0

    def add(self, step: Tensor, change: Tensor) -> None:
        """The step taken, (N, ...), and what it did to the gradient."""
        s, y = step.flatten(1), change.flatten(1)
        curvature, square = _dot(s, y), _dot(y, y)
        usable = (curvature > 1e-10 * square) & (square > 0)
        self.pairs.append((s, y, torch.where(usable, 1 / curvature, 0.0)))
        self.scale = torch.where(usable, curvature / square, self.scale)

    def forget(self, rows: Tensor) -> None:
        """Drop the curvature of `rows` (N,) bool."""
        if bool(rows.any()):
            self.pairs = deque(((s, y, inverse.where(~rows, 0.0)) for s, y, inverse in self.pairs), self.pairs.maxlen)
            self.scale = self.scale.where(~rows, 0.0)

    def direction(self, gradient: Tensor) -> Tensor:
        """Minus the inverse Hessian's estimate times the gradient, the two-loop recursion for all rows at once."""
        q, shares = gradient.flatten(1).clone(), []
        for s, y, inverse in reversed(self.pairs):
            share = inverse * _dot(s, q)
            q.addcmul_(y, share[:, None], value=-1)
            shares.append(share)
        q *= self.scale.where(self.known, _first_length(gradient))[:, None]
        for (s, y, inverse), share in zip(self.pairs, reversed(shares), strict=True):
            q.addcmul_(s, (share - inverse * _dot(y, q))[:, None])
        return q.neg_().view_as(gradient)


def _first_move(gradient: Tensor) -> Tensor:
    return -_wide(_first_length(gradient), gradient) * gradient


def _first_length(gradient: Tensor) -> Tensor:
    """What a gradient is multiplied by for a step of root mean square FIRST_MOVE."""
    mean_square = gradient.flatten(1).square().mean(1)
    return FIRST_MOVE * mean_square.clamp_min(TINY).rsqrt()


def _usable(value: Tensor, gradient: Tensor) -> Tensor:
    return value.isfinite() & gradient.flatten(1).isfinite().all(1)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """(N, ...), (N, ...) -> (N,)."""
    return torch.linalg.vecdot(a.flatten(1), b.flatten(1))


def _wide(rows: Tensor, like: Tensor) -> Tensor:
    """(N,) shaped to multiply `like` (N, ...)."""
    return rows.view(-1, *[1] * (like.dim() - 1))
