"""A contact sheet of the street world: one scene a row, moments of its drive, and what the label says.

python -m benchmark.data.procedural.street_sheet streets.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmark.config import StreetConfig
from benchmark.data.procedural.sheet import write_contact_sheet
from benchmark.data.procedural.street import Layout, look, paint, sample_scene, sample_style
from benchmark.data.procedural.street_world import picture_height
from benchmark.labelers.cityscapes import colours


def streets_sheet(path: str | Path, size: int = 256, scenes: int = 13, moments: int = 3, seed: int = 0) -> None:
    """One row per scene, the groups in turn; the last column shows the label of the last moment."""
    groups = StreetConfig().groups
    height, frames = picture_height(size), 24
    rows = []
    for index in range(scenes):
        scene, style = sample_scene(seed, index, frames), sample_style(seed, index, *groups[index % len(groups)])
        times = [round(k * (frames - 1) / max(1, moments - 1)) for k in range(moments)]
        views = [look(Layout(scene, time), height, size) for time in times]
        rows.append([*(paint(view, style) for view in views), colours(views[-1].labels())])
    write_contact_sheet(path, rows)


if __name__ == "__main__":
    streets_sheet(sys.argv[1] if len(sys.argv) > 1 else "streets.png")
