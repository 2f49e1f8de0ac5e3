"""What a fit leaves to look at: log.jsonl, TensorBoard events, sample grids and the progress bar.

tensorboard --logdir RUN/.../tb
{"step": 500, "seconds": 92.1, "losses": {"G_gan": 0.41, ...}}   # log.jsonl: means since the line before
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import save_image
from tqdm import tqdm

from benchmark.protocols import Sample


class Journal:
    """Keeps the losses of a fit without waiting for the device: tensors are read only when a line is written."""

    def __init__(self, folder: Path, start: int, total: int, progress: bool) -> None:
        self.folder = folder
        self._window: dict[str, list[tuple[int, Tensor]]] = defaultdict(list)
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "log.jsonl"
        self.latest = _cut_log(self._log, start)
        self._board = SummaryWriter(str(folder / "tb"), purge_step=start or None)
        self._bar = tqdm(total=total, initial=start, unit="step", disable=not progress, dynamic_ncols=True)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._board.close()
        self._bar.close()

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Take the losses of one step (counted from 0); no host synchronisation."""
        for name, value in losses.items():
            self._window[name].append((step, value.detach()))
        self._bar.update()

    def write(self, done: int, seconds: float) -> int | None:
        """Write the means since the last line as the state after `done` steps.

        Returns the first step whose loss was not a finite number (nothing is written then), or None.
        """
        if not self._window:
            return None
        values = {name: torch.stack([v.float() for _, v in pairs]).tolist() for name, pairs in self._window.items()}
        for name, pairs in self._window.items():
            for (step, _), value in zip(pairs, values[name], strict=True):
                if not math.isfinite(value):
                    return step
        self._window.clear()
        self.latest = {name: sum(column) / len(column) for name, column in values.items()}
        line = {"step": done, "seconds": round(seconds, 3), "losses": self.latest}
        with open(self._log, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for name, value in self.latest.items():
            self._board.add_scalar(f"loss/{name}", value, done)
        self._bar.set_postfix({name: f"{value:.3f}" for name, value in self.latest.items()})
        return None

    def grid(
        self, done: int, sample: Sample, output: Tensor, picture: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> None:
        """Write grids/step-000500.png; rows: label (as `picture` shows it, else its first channel), exemplar, output,
        target.
        """
        path = self.folder / "grids" / f"step-{done:06d}.png"
        path.parent.mkdir(exist_ok=True)
        labels = sample.x[:, :1].expand(-1, 3, -1, -1).cpu()
        if picture is not None:
            shown = np.stack([picture(x) for x in (sample.x.cpu() * 255).round().byte().numpy()])  # (N, H, W, 3)
            labels = torch.from_numpy(shown).movedim(-1, 1) / 255
        photos = [(images.cpu().float() + 1) / 2 for images in (sample.I, output, sample.z)]
        save_image(torch.cat([labels, *photos]).clamp(0, 1), path, nrow=len(sample), padding=2)


def _cut_log(path: Path, start: int) -> dict[str, float]:
    """Drop what an interrupted run wrote after its last checkpoint, torn lines included; returns the last losses."""
    if not path.exists():
        return {}
    kept = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        if line["step"] <= start:
            kept.append(line)
    path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    return kept[-1]["losses"] if kept else {}
