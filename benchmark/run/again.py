"""Use a trained cell of a finished run on its own test items or on other data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark import config as configuration
from benchmark import registry
from benchmark.errors import BenchError, nearest
from benchmark.run.cell import WEIGHTS, answer, build_method
from benchmark.run.plan import Cell
from benchmark.run.png import save_png
from benchmark.run.results import RunView
from benchmark.run.world import World


def synthesize_again(
    run: Path,
    method_name: str,
    seed: int,
    data: str | None,
    count: int | None,
    out: Path,
    progress: Callable[[int, str], Any],
) -> int:
    """Write `out/<item>.png` and `out/strips/<item>.png`; return how many. `data` None means the run's own data."""
    import torch

    from benchmark.data.batches import to_bytes

    manifest = RunView(run).manifest
    if method_name not in manifest["methods"]:
        raise BenchError(f"{run}: has no method {method_name!r}{nearest(method_name, manifest['methods'])}")
    config = configuration.from_dict(manifest["config"], f"{run}/manifest.json")
    if count is not None:
        config = replace(config, eval=replace(config.eval, items=count))
    world = World(registry.get("tasks", manifest["task"])(), config, data or manifest["data_path"])
    method = build_method(method_name, world, seed)
    if not method.reference:
        method.load(Cell(method_name, seed).folder(run) / WEIGHTS)
    (out / "strips").mkdir(parents=True, exist_ok=True)
    size, items = config.eval.batch, world.items
    with progress(len(items), "synthesize") as bar, torch.no_grad():
        for start in range(0, len(items), size):
            batch = items[start : start + size]
            pictures = to_bytes(answer(method, world.sample(batch)))
            for item, pixels in zip(batch, pictures, strict=True):
                sketch = np.repeat(world.store.label(item.label)[0][..., None], 3, axis=2)
                save_png(out / f"{item.id}.png", pixels)
                save_png(
                    out / "strips" / f"{item.id}.png", np.hstack([sketch, world.store.image(item.exemplar), pixels])
                )
            bar.update(len(batch))
    return len(items)
