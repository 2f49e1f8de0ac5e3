"""The exam as plain files, so that somebody else's code can take it: `bench evaluate --export DIR`.

    items.csv             one line per item: file names, size, whose frame is asked for and whose is shown
    labels/<id>.npy       the label map asked for, uint8 (C, H, W); 255 stands for 1
    labels/<id>.png       the same to look at
    joints/<id>.csv       the label's landmarks or joints: x, y in px, empty where not visible
    exemplars/<id>.png    the exemplar photo
    exemplar_labels/...   the exemplar's label map, as in labels/
    README.txt            what to make of it

The target photos stay here: they are the answers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.pairs import Item
from benchmark.data.source import Frame
from benchmark.errors import BenchError
from benchmark.files import write_atomic
from benchmark.run.plan import Plan
from benchmark.run.png import save_png
from benchmark.run.world import World

README = """The exam of the {task} task, preset {preset}: {count} items.

For every line of items.csv make one picture, {width}x{height} px, 8-bit RGB, and save it as <id>.png:
the label's content (labels/<id>.npy, uint8 of shape ({channels}, {height}, {width}), 255 = 1) in the style of the
exemplar (exemplars/<id>.png, whose own label map is exemplar_labels/<id>.npy). joints/<id>.csv holds the points
behind the label in px. Do not train on the clips in the target_clip and exemplar_clip columns.

Then, with the same --run, or the same --task, --preset, --data and --set as this export:

    bench evaluate --outputs <folder of your pictures> --name <short name> ...
"""


def export(plan: Plan, out: Path, progress: Callable[[int, str], Any]) -> int:
    """Write the exam into `out`; return how many items. A folder that holds something else is refused."""
    if out.is_dir() and any(out.iterdir()) and not (out / "items.csv").exists():
        raise BenchError(f"--export {out}: holds other files; give a new folder")
    world, info = plan.world, plan.task.info(plan.config)
    lines = []
    with progress(len(world.items), "export the exam") as bar:
        for item in world.items:
            lines.append(_export_item(world, item, out))
            bar.update(1)
    text = README.format(
        task=plan.task.name, preset=plan.config.preset, count=len(lines),
        width=info.width, height=info.height, channels=info.label_channels,
    )  # fmt: skip
    write_atomic(out / "README.txt", text.encode())
    write_atomic(out / "items.csv", _csv([list(lines[0]), *(list(line.values()) for line in lines)]))
    return len(lines)


def _export_item(world: World, item: Item, out: Path) -> dict[str, Any]:
    """Write one item's files; return its line of items.csv."""
    picture = np.ascontiguousarray(world.store.image(item.exemplar))
    save_png(_in(out, "exemplars", item, "png"), picture)
    for folder, frame in (("labels", item.label), ("exemplar_labels", item.exemplar)):
        label = np.ascontiguousarray(world.store.label(frame))  # (C, H, W)
        save_png(_in(out, folder, item, "png"), world.task.label_picture(label))
        buffer = io.BytesIO()
        np.save(buffer, label)
        write_atomic(_in(out, folder, item, "npy"), buffer.getvalue(), flush=False)
    joints = [["" if np.isnan(v) else f"{v:.3f}" for v in point] for point in world.store.joints(item.label)]
    write_atomic(_in(out, "joints", item, "csv"), _csv([["x", "y"], *joints]), flush=False)
    return {
        "id": item.id,
        "label": f"labels/{item.id}.npy",
        "exemplar": f"exemplars/{item.id}.png",
        "exemplar_label": f"exemplar_labels/{item.id}.npy",
        "joints": f"joints/{item.id}.csv",
        "width": picture.shape[1],
        "height": picture.shape[0],
        **_whose("target", item.label),
        **_whose("exemplar", item.exemplar),
    }


def _in(out: Path, folder: str, item: Item, suffix: str) -> Path:
    return out / folder / f"{item.id}.{suffix}"


def _whose(role: str, frame: Frame) -> dict[str, Any]:
    return {f"{role}_clip": frame.clip, f"{role}_frame": frame.index}


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
