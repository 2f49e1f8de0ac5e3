"""What the three labelers' trainings share: the loop and the weight file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmark.data.procedural import LABELER_SEED

TRAIN_SEED, HELD_OUT_SEED = LABELER_SEED, 0  # worlds that are learnt from, and that the error is measured on


def optimise(network: nn.Module, loss: Callable[[nn.Module], Tensor], steps: int, lr: float = 4e-3) -> nn.Module:
    """Minimise `loss(network)`, which draws its own batch, by AdamW over one cycle of the learning rate."""
    start = time.process_time()
    network = network.to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    optimizer = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps, pct_start=0.1)
    for step in range(1, steps + 1):
        value = loss(network)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step}/{steps}  loss {value.item():.3f}  {time.process_time() - start:.0f} CPU-s", flush=True)
    return network.eval()


def save(network: nn.Module, path: Path) -> None:
    """float16 halves the file; what it changes is far below the network's own error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous() for name, value in network.half().state_dict().items()}
    partial = path.with_suffix(".partial")
    save_file(weights, partial)
    partial.chmod(0o644)  # safetensors writes for its owner alone
    partial.replace(path)
    print(f"wrote {path}: {path.stat().st_size / 2**20:.2f} MiB")


def to_photos(pictures: Tensor) -> Tensor:
    """uint8 (N, H, W, 3) -> float (N, 3, H, W) in [0, 1]."""
    return pictures.permute(0, 3, 1, 2).float() / 255.0
