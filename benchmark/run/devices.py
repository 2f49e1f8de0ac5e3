"""Which device the network maths runs on."""

from __future__ import annotations

import os

from benchmark.errors import BenchError, nearest


def choose_device() -> str:
    """`BENCH_DEVICE` if set ("cpu", "cuda", "cuda:1", "mps"), else CUDA when present, else the CPU."""
    import torch

    asked = os.environ.get("BENCH_DEVICE", "")
    if not asked:
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind = asked.split(":")[0]
    if kind not in ("cpu", "cuda", "mps"):
        raise BenchError(f"BENCH_DEVICE: unknown device {asked!r}{nearest(kind, ('cpu', 'cuda', 'mps'))}")
    if kind == "cuda" and not torch.cuda.is_available():
        raise BenchError(f"BENCH_DEVICE: {asked} asked for, but torch sees no CUDA device")
    return asked
