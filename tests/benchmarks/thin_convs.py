"""Forward plus backward of a thin convolution: PyTorch's form against the one that models/networks.py computes.

    python -m tests.benchmarks.thin_convs

CPU milliseconds, the least of many short trials in turns: short enough to fall between the work of a busy machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from models.networks import ImageConv, ScoreConv

SHAPES = ((16, 2, 64), (24, 8, 64), (16, 2, 128), (16, 1, 256), (64, 1, 128))  # filters, batch, pixels


def trial(layer: nn.Module, images: torch.Tensor) -> Callable[[], object]:
    upstream = torch.randn_like(layer(images))
    return lambda: torch.autograd.grad(layer(images), [images, *layer.parameters()], upstream)


def least(trials: dict[str, Callable[[], object]], times: int) -> dict[str, float]:
    best = dict.fromkeys(trials, float("inf"))
    for _ in range(times):
        for name, run in trials.items():
            began = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - began)
    return best


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for filters, batch, size in SHAPES:
        image = torch.randn(batch, filters, size + 6, size + 6, requires_grad=True)
        deep = torch.randn(batch, 8 * filters, size // 8 + 2, size // 8 + 2, requires_grad=True)
        line = f"{filters} filters, batch {batch}, {size} px"
        forms: list[tuple[str, type[nn.Conv2d], torch.Tensor, dict[str, Any]]] = [
            ("image", ImageConv, image, {"out_channels": 3, "kernel_size": 7}),
            ("score", ScoreConv, deep, {"out_channels": 1, "kernel_size": 4, "padding": 2}),
        ]
        for title, ours, maps, arguments in forms:
            layers: dict[str, type[nn.Conv2d]] = {"plain": nn.Conv2d, "ours": ours}
            trials = {name: trial(cls(maps.shape[1], **arguments), maps) for name, cls in layers.items()}
            found = least(trials, 10)
            line += f"  {title} {1e3 * found['plain']:.2f} -> {1e3 * found['ours']:.2f} ms"
        print(line, flush=True)


if __name__ == "__main__":
    main()
