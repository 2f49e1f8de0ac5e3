"""Use a trained cell of a run on its own test items or on other prepared data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmark.run.cell import answer
from benchmark.run.png import save_png
from benchmark.run.strip import strip
from benchmark.run.trained import Trained
from benchmark.run.world import World


def synthesize_again(
    trained: Trained, data: str | None, count: int | None, out: Path, progress: Callable[[int, str], Any]
) -> int:
    """Write `out/<item>.png` and `out/strips/<item>.png` (label, exemplar, result); return how many items.

    `data` None means the run's own data, `count` None its own number of items.
    """
    import torch

    from benchmark.data.batches import to_bytes

    config = trained.config
    if count is not None:
        config = replace(config, eval=replace(config.eval, items=count))
    world = World(trained.task, config, data or trained.manifest["data_path"])
    method, size, items = trained.load(world), config.eval.batch, world.items
    with progress(len(items), "synthesize") as bar, torch.no_grad():
        for start in range(0, len(items), size):
            batch = items[start : start + size]
            pictures = to_bytes(answer(method, world.sample(batch)))
            for item, pixels in zip(batch, pictures, strict=True):
                asked = trained.task.label_picture(world.store.label(item.label))
                save_png(out / f"{item.id}.png", pixels)
                save_png(out / "strips" / f"{item.id}.png", strip([asked, world.store.image(item.exemplar), pixels]))
            bar.update(len(batch))
    return len(items)
