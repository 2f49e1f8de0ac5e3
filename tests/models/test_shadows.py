"""Averaged and best weights: the plain formulas, what synthesizes in the end, and resuming."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmark.config import TrainConfig
from benchmark.errors import BenchError
from benchmark.protocols import Evaluation, FitReport, FitRun, Sample
from models.training import train
from tests.models.tiny import RandomPairs


class Counter:
    """A generator whose weight after step n is n + 1, with running statistics that are ten times that."""

    def __init__(self) -> None:
        self.generator = nn.BatchNorm2d(1)
        self.networks: dict[str, nn.Module] = {"G": self.generator}

    def step(self, sample: Sample, step: int, minimise: Any) -> dict[str, Tensor]:
        with torch.no_grad():
            self.generator.weight.fill_(step + 1)
            self.generator.running_mean.fill_(10 * (step + 1))  # type: ignore[union-attr,operator]
        return {"G": self.generator.weight.detach().sum()}

    def preview(self, sample: Sample) -> Tensor:
        return sample.z


def go(
    folder: Path, score: Callable[[float], float] | None = None, better: str = "lower", **changes: Any
) -> tuple[Counter, FitReport, list[float]]:
    """Train; also returns the weights that were shown to the evaluation."""
    trainer, shown = Counter(), list[float]()

    def evaluate() -> Evaluation:
        assert score is not None
        shown.append(trainer.generator.weight.item())
        torch.rand(1)  # looking must not change what training draws
        return Evaluation({"s[8px]": score(shown[-1])}, score(shown[-1]), better)

    config = TrainConfig(**{"steps": 10, "decay_steps": 0, "log_every": 5, "evaluate_every": 3, **changes})
    run = FitRun(folder, progress=False, evaluate=evaluate if score else None)
    return trainer, train(trainer, RandomPairs(), config, run, {}, generator=trainer.generator), shown


def plain_average(decay: float, steps: int) -> float:
    average = 1.0  # what BatchNorm2d begins with
    for step in range(steps):
        d = min(decay, (1 + step) / (10 + step))
        average = d * average + (1 - d) * (step + 1)
    return average


@pytest.mark.parametrize("decay", [0.3, 0.999])
def test_the_average_is_the_plain_formula_and_synthesizes(tmp_path: Path, decay: float) -> None:
    trainer, _, _ = go(tmp_path, ema=decay)
    assert trainer.generator.weight.item() == pytest.approx(plain_average(decay, 10), rel=1e-5)
    assert trainer.generator.running_mean.item() == 100  # type: ignore[union-attr]
    assert trainer.generator.weight.requires_grad


def test_without_options_the_last_weights_synthesize(tmp_path: Path) -> None:
    trainer, report, _ = go(tmp_path)
    assert trainer.generator.weight.item() == 10 and report.best is None


@pytest.mark.parametrize(("better", "step", "value"), [("lower", 6, 0), ("higher", 10, 4)])
def test_the_best_weights_are_kept_and_the_curve_is_logged(tmp_path: Path, better: str, step: int, value: int) -> None:
    trainer, report, shown = go(tmp_path, lambda w: abs(w - 6), better, keep_best="s")
    assert shown == [3, 6, 9, 10], "every third step and the last"
    assert report.best == {"step": step, "value": value} and trainer.generator.weight.item() == step
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {line["step"]: line.get("metrics") for line in lines} == {
        3: {"s[8px]": 3},
        5: None,
        6: {"s[8px]": 0},
        9: {"s[8px]": 3},
        10: {"s[8px]": 4},
    }


def test_a_tie_keeps_the_older(tmp_path: Path) -> None:
    _, report, _ = go(tmp_path, lambda w: 1.0, keep_best="s")
    assert report.best == {"step": 3, "value": 1}


def test_an_evaluation_without_a_value_keeps_nothing_and_training_goes_on(tmp_path: Path) -> None:
    _, report, shown = go(tmp_path / "some", lambda w: w if w > 5 else math.nan, keep_best="s")
    assert len(shown) == 4 and report.best == {"step": 6, "value": 6}
    with pytest.raises(BenchError, match=r"keep_best: s had no value in any evaluation; last good.*step-00000010"):
        go(tmp_path / "none", lambda w: math.nan, keep_best="s")


def test_averaged_weights_are_what_is_evaluated_and_kept(tmp_path: Path) -> None:
    trainer, report, shown = go(tmp_path, lambda w: -w, keep_best="s", ema=0.9)
    assert shown == pytest.approx([plain_average(0.9, n) for n in (3, 6, 9, 10)])
    assert report.best is not None and report.best["step"] == 10
    assert trainer.generator.weight.item() == pytest.approx(plain_average(0.9, 10))


def test_looking_changes_nothing_that_is_drawn(tmp_path: Path) -> None:
    after = []
    for name, score in (("looked", lambda w: w), ("not", None)):
        torch.manual_seed(3)
        go(tmp_path / name, score, keep_best="s" if score else "")
        after.append(torch.rand(1).item())
    assert after[0] == after[1]


def test_nothing_to_evaluate_with_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="keep_best: this training was given nothing to evaluate with"):
        go(tmp_path, keep_best="lepe")
    with pytest.raises(BenchError, match="names no generator"):
        trainer = Counter()
        train(trainer, RandomPairs(), TrainConfig(steps=1, decay_steps=0, ema=0.9), FitRun(tmp_path), {})


@pytest.mark.parametrize(("key", "value"), [("ema", 1.0), ("ema", -0.1), ("explode", 0.5), ("evaluate_every", 0)])
def test_values_out_of_range_are_named(key: str, value: float) -> None:
    with pytest.raises(BenchError, match=f"train.{key}"):
        TrainConfig(**{key: value})  # type: ignore[arg-type]
