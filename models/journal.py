"""What a fit leaves to look at: log.jsonl, TensorBoard events, sample grids and the progress bar.

tensorboard --logdir RUN/.../tb
{"step": 500, "seconds": 92.1, "waited": 0.2, "losses": {"G_gan": 0.41, ...}}  # log.jsonl: means since the line before,
                                                                   # and seconds in it without a batch to train on
{..., "metrics": {"lepe[dlib-68,64px]": 0.031}}                  # and the scores where train.keep_best evaluated
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import save_image
from tqdm import tqdm

from benchmark.files import read_lines, write_atomic
from benchmark.protocols import Sample
from models.ranks import Ranks

REMEMBERED = 20  # log lines whose median says what a loss usually is
FEWEST = 3  # before so many lines nothing counts as an explosion
LEAST = 0.1  # what a loss is taken for at least: one that has fallen to nothing may rise again

Values = dict[str, list[tuple[int, float]]]  # by loss: (step counted from 0, value)


class Journal:
    """Keeps the losses of a fit without waiting for the device: tensors are read only when a line is written.

    Of several processes all hand in their losses, the first writes.
    """

    def __init__(self, folder: Path, start: int, total: int, progress: bool, explode: float, ranks: Ranks) -> None:
        self.folder, self.explode, self.ranks = folder, explode, ranks
        self.latest: dict[str, float] = {}
        self._waited = 0.0
        self._window: dict[str, list[tuple[int, Tensor]]] = defaultdict(list)
        self._usual: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        if not ranks.first:
            return
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "log.jsonl"
        for line in _cut_log(self._log, start):
            self._remember(line["losses"])
        self._board = SummaryWriter(str(folder / "tb"), purge_step=start or None)
        self._bar = tqdm(total=total, initial=start, unit="step", disable=not progress, dynamic_ncols=True)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.ranks.first:
            self._board.close()
            self._bar.close()

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Take the losses of one step (counted from 0) or of a part of its batch; no host synchronisation."""
        for name, value in losses.items():
            self._window[name].append((step, value.detach()))

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the loop's wait for its next batch: how long it took stands in the next line."""
        began = time.monotonic()
        yield
        self._waited += time.monotonic() - began

    def tick(self) -> None:
        """Move the progress bar by one step."""
        if self.ranks.first:
            self._bar.update()

    def write(self, done: int, seconds: float, scores: Mapping[str, float] | None = None) -> str:
        """Write the means since the last line, and `scores` of an evaluation, as the state after `done` steps.

        Returns what is wrong with the losses and since which step ("step 5: a loss is not a finite number"; nothing is
        written then), or "".
        """
        parts = self.ranks.gather(self._read())
        trouble = self._write(_joined(parts), done, seconds, scores or {}) if self.ranks.first else ""
        self._window.clear()
        return str(self.ranks.same(trouble))

    def _read(self) -> Values:
        values = {name: torch.stack([v.float() for _, v in pairs]).tolist() for name, pairs in self._window.items()}
        return {
            name: [(step, value) for (step, _), value in zip(pairs, values[name], strict=True)]
            for name, pairs in self._window.items()
        }

    def _write(self, values: Values, done: int, seconds: float, scores: Mapping[str, float]) -> str:
        if not values and not scores:
            return ""
        if trouble := self._trouble(values):
            return trouble
        means = {name: sum(v for _, v in column) / len(column) for name, column in values.items()}
        self._remember(means)
        line = {"step": done, "seconds": round(seconds, 3), "waited": round(self._waited, 3), "losses": means}
        self._waited = 0.0
        with open(self._log, "a", encoding="utf-8") as file:
            file.write(json.dumps(line | ({"metrics": dict(scores)} if scores else {})) + "\n")
        for tag, row in (("loss", means), ("metric", scores)):
            for name, value in row.items():
                self._board.add_scalar(f"{tag}/{name}", value, done)
        self._bar.set_postfix({name: f"{value:.3f}" for name, value in means.items()})
        return ""

    def _trouble(self, values: Values) -> str:
        """The earliest step at which a loss was not a number or has exploded."""
        found = []
        for name, column in values.items():
            usual = max(LEAST, statistics.median(self._usual[name])) if len(self._usual[name]) >= FEWEST else math.inf
            limit = self.explode * usual if self.explode else math.inf
            for step, value in column:
                if not math.isfinite(value):
                    found.append((step, "a loss is not a finite number"))
                elif abs(value) > limit:
                    told = f"{name} = {value:.3g}, over train.explode = {self.explode:g} times its usual {usual:.3g}"
                    found.append((step, told))
        return f"step {min(found)[0]}: {min(found)[1]}" if found else ""

    def _remember(self, means: Mapping[str, float]) -> None:
        self.latest = dict(means) or self.latest
        for name, value in means.items():
            self._usual[name].append(abs(value))

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


def _joined(parts: list[Values]) -> Values:
    """The losses of all processes; one list of steps per loss, in order."""
    if len(parts) == 1:
        return parts[0]
    joined: Values = defaultdict(list)
    for part in parts:
        for name, column in part.items():
            joined[name] += column
    return {name: sorted(column) for name, column in joined.items()}


def _cut_log(path: Path, start: int) -> list[dict[str, Any]]:
    """Drop what an interrupted run wrote after its last checkpoint, torn lines included; returns the lines kept."""
    kept = [line for line in read_lines(path) if line.get("step", start + 1) <= start]
    text = "".join(json.dumps(line) + "\n" for line in kept).encode()
    if path.exists() and path.read_bytes() != text:
        write_atomic(path, text)
    return kept
