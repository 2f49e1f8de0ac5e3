"""How the speed benchmarks time: variants in turns on one machine, and what the machine can do at most.

seconds = in_turns({"plain": f, "ours": g}, rounds=7)["ours"].cpu      # one value per round
flops = matrix_product_peak(torch.float32)                              # floating-point operations per CPU second
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch


@dataclass
class Timings:
    """Seconds of one variant, a value per round."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


def in_turns(variants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timings]:
    """Time the variants one after the other, `rounds` times, so that a busy machine hurts all alike."""
    found = {name: Timings() for name in variants}
    for _ in range(rounds):
        for name, variant in variants.items():
            cpu, wall = time.process_time(), time.perf_counter()
            variant()
            found[name].cpu.append(time.process_time() - cpu)
            found[name].wall.append(time.perf_counter() - wall)
    return found


def ratio(slow: list[float], fast: list[float]) -> float:
    """How many times faster: the ratio of the medians."""
    return statistics.median(slow) / statistics.median(fast)


def matrix_product_peak(dtype: torch.dtype, side: int = 1024) -> float:
    """Floating-point operations per CPU second of the best of many square matrix products.

    A type without instructions on this machine is tried once on a small matrix: it can be hundreds of times slower.
    """
    best = _product(dtype, 128, 3)
    return max(best, _product(dtype, side, 9)) if best > 1e10 else best


def _product(dtype: torch.dtype, side: int, times: int) -> float:
    a, b = (torch.randn(side, side).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(times):
        began = time.process_time()
        torch.mm(a, b)
        seconds.append(time.process_time() - began)
    return 2 * side**3 / min(seconds)
