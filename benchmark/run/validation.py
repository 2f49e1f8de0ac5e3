"""Scoring a method in the middle of its training, on items of the validation split (`train.keep_best`).

evaluate = validation(world, method, "lepe", items=32)
evaluate().value
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from benchmark import registry
from benchmark.errors import BenchError, nearest
from benchmark.protocols import Evaluation, ItemScores
from benchmark.run.cell import answer
from benchmark.run.world import World

if TYPE_CHECKING:
    from benchmark.protocols import Method


def validation(world: World, method: Method, score: str, items: int) -> Callable[[], Evaluation]:
    """What scores `method` as it then is, by the score named `score` ("lepe", "counterfactual-l1") and those beside it.

    The items are the same every time, drawn from the validation split as the exam's are from the test split. The value
    is NaN where the score has none on any of them. Raises
    BenchError where there is no validation split, or no such metric; the exam's own items would be no substitute.
    """
    metric = registry.get("metrics", _metric(score))()
    drawn = world.validation_items(items)
    exam = world.exam_of(drawn)

    def evaluate() -> Evaluation:
        from benchmark.data.batches import to_bytes

        size = world.config.eval.batch
        batches = (world.sample(drawn[start : start + size]) for start in range(0, len(drawn), size))
        scores = metric.score(exam, np.concatenate([to_bytes(answer(method, batch)) for batch in batches]))
        chosen = _chosen(scores, score)
        known = {s.metric: mean for s in scores if (mean := _mean(s)) is not None}
        value = _mean(chosen)  # None while no picture shows what the metric looks for, as a face to identify
        return Evaluation(known, math.nan if value is None else value, chosen.better)

    return evaluate


def _metric(score: str) -> str:
    """The metric that gives a score: "counterfactual-l1" comes from "counterfactual"."""
    names = registry.names("metrics")
    found = [name for name in names if score == name or score.startswith(f"{name}-")]
    if not found:
        raise BenchError(f"train.keep_best: unknown score {score!r}{nearest(score, names)}")
    return max(found, key=len)


def _chosen(scores: list[ItemScores], score: str) -> ItemScores:
    by_name = {s.metric.split("[")[0]: s for s in scores}
    if score not in by_name:
        raise BenchError(f"train.keep_best: no score {score!r} here{nearest(score, by_name)}")
    return by_name[score]


def _mean(score: ItemScores) -> float | None:
    values = [value for value in score.values if value is not None]
    return float(np.mean(values)) if values else None
