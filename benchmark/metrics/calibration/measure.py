"""Read every metric on the perfect answers and on every damaged version of them, and judge the claims.

Everything is plain data, ready for JSON: {"task", "N", "px", "damages": [...], "scores": [{"metric", "title", "better",
"untouched": level, "curves": [{"damage", "claim", "holds", "rank_correlation", "levels": [level, ...]}]}]}, where a
level is {"amount", "value", "low", "high", "missing"} and, when damaged, "change": {"value", "low", "high"} against the
untouched answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats
from tqdm import tqdm

from benchmark.errors import BenchError
from benchmark.metrics.calibration.claims import FLAT, REACTS, claim
from benchmark.metrics.calibration.damages import Answers, Damage, applicable
from benchmark.protocols import Exam, ItemScores
from benchmark.run.plan import find_metric
from benchmark.stats import Interval, mean_interval, paired_difference

if TYPE_CHECKING:
    from benchmark.run.world import World

NEGLIGIBLE = 0.1  # of what a score does, at the strongest step, under the damages that it must see (their median)

Progress = Callable[[int, str], Any]


def calibrate(
    world: World,
    metrics: Sequence[str],
    progress: Progress | None = None,
    damages: Sequence[Damage] | None = None,
) -> dict[str, Any]:
    """Damage the world's true answers and score them: see the module for what comes back. Without `damages`, every one
    of the table that the answers can take.

    Raises BenchError for a world without true answers, an unknown metric and a metric that this task cannot use.
    """
    exam = world.exam
    if exam.truths is None:
        raise BenchError(f"calibration: {world.source.name} has no true answers to damage; use a rendered world")
    scorers = [find_metric(name, world.task, world.config, "calibration")() for name in metrics]
    answers = Answers(world, exam.truths)
    damages = applicable(world) if damages is None else damages
    cells = 1 + sum(len(damage.steps) for damage in damages)
    with (progress or _silent)(cells * len(exam.items), "calibrate") as bar:

        def scores(images: np.ndarray) -> dict[str, ItemScores]:
            found = {score.metric: score for scorer in scorers for score in scorer.score(exam, images)}
            bar.update(len(images))
            return found

        untouched = scores(answers.images)
        damaged = {
            damage.name: [scores(damage.apply(answers, amount)) for amount in damage.steps] for damage in damages
        }
    return {
        "task": world.task.name,
        "N": len(exam.items),
        "px": max(exam.targets.shape[1:3]),
        "damages": [{"name": d.name, "title": d.title, "unit": d.unit, "steps": list(d.steps)} for d in damages],
        "scores": [
            _curves(first, damages, [[step[metric] for step in damaged[d.name]] for d in damages], exam)
            for metric, first in untouched.items()
        ],
    }


def _curves(
    untouched: ItemScores, damages: Sequence[Damage], scores: list[list[ItemScores]], exam: Exam
) -> dict[str, Any]:
    """One score under every damage, with the verdict on each claim."""
    resamples = exam.config.eval.bootstrap
    curves: list[dict[str, Any]] = []
    for damage, steps in zip(damages, scores, strict=True):
        levels = [
            {**_level(step, amount, resamples), "change": _change(untouched, step, resamples)}
            for step, amount in zip(steps, damage.steps, strict=True)
        ]
        curves.append({"damage": damage.name, "claim": claim(untouched.metric, damage.name), "levels": levels})
    start, sign = _level(untouched, None, resamples), 1.0 if untouched.better == "lower" else -1.0
    scale = _scale([curve for curve in curves if curve["claim"] == REACTS])
    for curve in curves:
        curve["rank_correlation"] = _rank_correlation([start, *curve["levels"]], sign)
        curve["holds"] = _holds(curve, sign, scale)
    return {
        "metric": untouched.metric,
        "title": untouched.title,
        "better": untouched.better,
        "untouched": start,
        "curves": curves,
    }


def _level(score: ItemScores, amount: float | None, resamples: int) -> dict[str, Any]:
    interval = _interval(score, resamples)
    missing = sum(value is None for value in score.values)
    return {"amount": amount, "missing": missing, **_plain(interval)}


def _interval(score: ItemScores, resamples: int) -> Interval | None:
    """The score of the set; None where no item has a value."""
    values = np.array(score.values, dtype=np.float64)  # None becomes NaN
    if score.whole_set:
        low, high = (math.nan if end is None else end for end in (score.low, score.high))
        return Interval(float(values[0]), low, high)
    return None if np.isnan(values).all() else mean_interval(values, resamples)


def _change(untouched: ItemScores, damaged: ItemScores, resamples: int) -> dict[str, float | None]:
    """Damaged minus untouched: over paired items; for a score of the whole set from the two intervals, as if they were
    independent (Zou and Donner 2008), which they are not: too wide rather than too narrow.
    """
    if not damaged.whole_set:
        before, after = (np.array(score.values, dtype=np.float64) for score in (untouched, damaged))
        if np.isnan(after - before).all():
            return _plain(None)
        found = paired_difference(after, before, resamples, flips=1)  # the p value is not used
        return _plain(Interval(found.value, found.low, found.high))
    first, second = _interval(untouched, resamples), _interval(damaged, resamples)
    assert first is not None and second is not None
    value = second.value - first.value
    below = math.hypot(second.value - second.low, first.high - first.value)
    above = math.hypot(second.high - second.value, first.value - first.low)
    return _plain(Interval(value, value - below, value + above))


def _plain(interval: Interval | None) -> dict[str, float | None]:
    """An interval as JSON has it: null for what is unknown."""
    ends = (interval.value, interval.low, interval.high) if interval else (math.nan,) * 3
    return {key: None if math.isnan(end) else end for key, end in zip(("value", "low", "high"), ends, strict=True)}


def _rank_correlation(levels: Sequence[dict[str, Any]], sign: float) -> float | None:
    """Spearman's, of step and worsening: 1 when every step is worse than the one before."""
    values = [level["value"] for level in levels]
    if None in values or len(set(values)) == 1:
        return None
    # rounded, as the correlation of equal orders comes out a hair below 1
    return round(float(stats.spearmanr(range(len(values)), sign * np.array(values)).statistic), 9)


def _scale(reacting: Sequence[dict[str, Any]]) -> float:
    """What this score does under the damages that it must see, at their strongest."""
    changes = [abs(last) for curve in reacting if (last := curve["levels"][-1]["change"]["value"]) is not None]
    return float(np.median(changes)) if changes else 0.0


def _holds(curve: dict[str, Any], sign: float, scale: float) -> bool | None:
    """Whether the claim stands; None where there is none, or no value to judge it by.

    "reacts": every step is worse than the one before, and the last is worse than untouched beyond its interval.
    "flat": at every step the change's interval holds zero, or the change is below `NEGLIGIBLE` of `scale`.
    """
    changes = [level["change"] for level in curve["levels"]]
    if curve["claim"] is None or any(None in change.values() for change in changes):
        return None
    if curve["claim"] == FLAT:
        return all(c["low"] <= 0 <= c["high"] or abs(c["value"]) <= NEGLIGIBLE * scale for c in changes)
    worse_by_at_least = changes[-1]["low"] if sign > 0 else -changes[-1]["high"]
    return curve["rank_correlation"] == 1.0 and worse_by_at_least > 0


def _silent(total: int, label: str) -> Any:
    return tqdm(total=total, disable=True)
