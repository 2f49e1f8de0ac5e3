"""The smallest training there is, for tests of the loop: run_loop(tmp_path, OneWeight(), steps=8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from benchmark.config import TrainConfig
from benchmark.protocols import FitReport, FitRun, Sample
from models.training import train
from tests.models.tiny import RandomPairs


class OneWeight:
    """The smallest trainer: one number drawn towards the mean of z; `spoil` makes a step's loss not a number."""

    def __init__(self, spoil: int = -1) -> None:
        self.networks: dict[str, nn.Module] = {"G": nn.Linear(1, 1, bias=False)}
        nn.init.zeros_(self.networks["G"].weight)
        self.spoil, self.seen = spoil, list[int]()

    @property
    def value(self) -> float:
        return self.networks["G"].weight.item()

    def step(self, sample: Sample, step: int, minimise: Any) -> dict[str, Tensor]:
        self.seen.append(step)
        loss = (self.networks["G"].weight - sample.z.mean()).square().sum()
        minimise(loss * (float("nan") if step == self.spoil else 1), "G")
        return {"G": loss * (float("nan") if step == self.spoil else 1)}

    def preview(self, sample: Sample) -> Tensor:
        return sample.z


def red(label: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.array([255, 0, 0], np.uint8), (*label.shape[1:], 3))


def run_loop(
    folder: Path,
    trainer: OneWeight,
    pairs: RandomPairs | None = None,
    deadline: float | None = None,
    fork: Path | None = None,
    **changes: Any,
) -> FitReport:
    config = {"steps": 8, "decay_steps": 0, "log_every": 2, "checkpoint_every": 4, "grid_every": 1000, **changes}
    run = FitRun(folder, deadline=deadline, progress=False, label_picture=red, fork=fork)
    return train(trainer, pairs or RandomPairs(), TrainConfig(**config), run, {"what": "one weight"})


def log_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
