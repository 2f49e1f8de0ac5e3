"""Verdicts on metrics that see, are blind, shrink with damage or find nothing; and the real ones on rendered worlds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmark import config as configuration
from benchmark import registry
from benchmark.errors import BenchError
from benchmark.metrics.calibration import FLAT, REACTS, claims
from benchmark.metrics.calibration.damages import applicable
from benchmark.metrics.calibration.measure import calibrate
from benchmark.metrics.eye_patch import EyePatchDistance
from benchmark.protocols import Exam, ItemScores
from benchmark.run.plan import resolve
from benchmark.run.world import World

Score = Callable[[Exam, np.ndarray], ItemScores]


@pytest.fixture
def scored(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Calibrate one made-up score under the claim, and return its curves by damage."""

    def run(score: Score, claim: str, damages: tuple[str, ...] = ("noise", "jpeg", "colour")) -> dict[str, Any]:
        class Metric:
            def score(self, exam: Exam, images: np.ndarray) -> list[ItemScores]:
                return [score(exam, images)]

        monkeypatch.setattr(registry, "get", lambda group, name: Metric)
        monkeypatch.setitem(claims.CLAIMS, "made-up", dict.fromkeys(damages, claim))
        (found,) = calibrate(world, ["made-up"])["scores"]
        return {curve["damage"]: curve for curve in found["curves"]}

    return run


def distance(exam: Exam, images: np.ndarray) -> np.ndarray:
    assert exam.truths is not None
    return np.abs(images.astype(float) - exam.truths).mean(axis=(1, 2, 3))


def per_item(values: np.ndarray, better: str = "lower") -> ItemScores:
    return ItemScores("made-up[8px]", "Made up", better, [None if np.isnan(v) else float(v) for v in values])


def test_a_metric_that_sees_reacts_and_is_not_flat(scored: Callable[..., Any]) -> None:
    for better, sign in (("lower", 1), ("higher", -1)):
        curves = scored(lambda e, i, b=better, s=sign: per_item(s * distance(e, i), b), REACTS)
        assert [curves[d]["holds"] for d in ("noise", "jpeg", "colour")] == [True] * 3
        assert curves["noise"]["rank_correlation"] == 1.0
        assert curves["blur"]["claim"] is None and curves["blur"]["holds"] is None
        curves = scored(lambda e, i, b=better, s=sign: per_item(s * distance(e, i), b), FLAT)
        assert [curves[d]["holds"] for d in ("noise", "jpeg", "colour")] == [False] * 3


def test_a_metric_that_improves_with_damage_does_not_react(scored: Callable[..., Any]) -> None:
    curves = scored(lambda exam, images: per_item(-distance(exam, images)), REACTS)
    assert curves["noise"]["holds"] is False and curves["noise"]["rank_correlation"] == -1.0


def test_a_blind_metric_is_flat_and_does_not_react(scored: Callable[..., Any]) -> None:
    def constant(exam: Exam, images: np.ndarray) -> ItemScores:
        return per_item(np.arange(len(images), dtype=float))

    assert scored(constant, FLAT)["noise"]["holds"] is True
    blind = scored(constant, REACTS)["noise"]
    assert blind["holds"] is False and blind["rank_correlation"] is None


def test_one_step_back_is_not_monotone(scored: Callable[..., Any]) -> None:
    def folded(exam: Exam, images: np.ndarray) -> ItemScores:
        seen = distance(exam, images)
        return per_item(np.where(seen.mean() > 20, seen - 15, seen))  # falls between the two strongest tints

    curve = scored(folded, REACTS)["colour"]
    assert curve["holds"] is False and 0 < curve["rank_correlation"] < 1
    assert curve["levels"][-1]["change"]["low"] > 0  # the strongest step alone would have passed


def test_levels_and_changes_are_means_over_items(scored: Callable[..., Any], world: World) -> None:
    images: list[np.ndarray] = []

    def keep(exam: Exam, shown: np.ndarray) -> ItemScores:
        images.append(shown)
        return per_item(1 + distance(exam, shown))

    level = scored(keep, REACTS)["colour"]["levels"][3]
    expected = distance(world.exam, images[16])  # untouched, then four each of blur, noise, JPEG and colour
    assert (level["amount"], level["missing"]) == (64, 0)
    assert level["value"] == pytest.approx(1 + expected.mean())
    assert level["change"]["value"] == pytest.approx(expected.mean())
    assert level["change"]["low"] <= level["change"]["value"] <= level["change"]["high"]
    assert level["low"] < level["value"] < level["high"]


def test_items_without_a_value_are_counted_and_a_set_without_any_is_no_verdict(scored: Callable[..., Any]) -> None:
    def lost(exam: Exam, images: np.ndarray) -> ItemScores:
        seen = distance(exam, images)
        found = np.where(np.arange(len(seen)) < 2, np.nan, seen)
        return per_item(np.full(len(seen), np.nan) if seen.mean() > 30 else found)

    curve = scored(lost, REACTS)["colour"]
    assert [level["missing"] for level in curve["levels"]] == [2, 2, 2, 12]
    assert curve["levels"][3]["value"] is None and curve["levels"][3]["change"]["low"] is None
    assert curve["holds"] is None and curve["rank_correlation"] is None


def test_the_change_of_a_set_score_adds_both_intervals_in_quadrature(scored: Callable[..., Any]) -> None:
    def whole(exam: Exam, images: np.ndarray) -> ItemScores:
        value = float(distance(exam, images).mean())
        return ItemScores("made-up[8px]", "", "lower", [value], whole_set=True, low=value - 3, high=value + 4)

    level = scored(whole, REACTS)["colour"]["levels"][0]
    change = level["change"]
    assert level["high"] - level["value"] == pytest.approx(4)
    assert change["value"] == pytest.approx(level["value"])  # from 0
    assert change["high"] - change["value"] == pytest.approx(math.hypot(4, 3))
    assert change["value"] - change["low"] == pytest.approx(math.hypot(3, 4))


def test_a_small_drift_counts_as_flat_beside_a_large_reaction(
    scored: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def drifting(share: float) -> Score:
        def score(exam: Exam, images: np.ndarray) -> ItemScores:
            warmer = (images[..., 0].astype(float) - images[..., 2]).mean(axis=(1, 2))
            assert exam.truths is not None
            start = (exam.truths[..., 0].astype(float) - exam.truths[..., 2]).mean(axis=(1, 2))
            green = np.abs(images[..., 1].astype(float) - exam.truths[..., 1]).mean(axis=(1, 2))  # noise, not colour
            return per_item(green + share * np.abs(warmer - start))

        return score

    def verdict(share: float) -> Any:
        monkeypatch.setitem(claims.CLAIMS, "made-up[8px]", {"noise": REACTS, "colour": FLAT})
        curves = scored(drifting(share), FLAT)
        assert curves["colour"]["levels"][-1]["change"]["low"] > 0 and curves["noise"]["holds"] is True
        return curves["colour"]["holds"]

    assert verdict(0.01) is True
    assert verdict(0.5) is False


def test_data_without_true_answers_is_one_line(world: World) -> None:
    world.__dict__["exam"] = dataclasses.replace(world.exam, truths=None)
    with pytest.raises(BenchError, match="no true answers to damage"):
        calibrate(world, ["toy-l1"])


def test_a_metric_that_refuses_the_task_is_one_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "get", lambda group, name: EyePatchDistance)
    with pytest.raises(BenchError, match="'eye-patch' cannot score the task toy: needs the 68 landmarks"):
        calibrate(world, ["eye-patch"])


def test_every_claim_is_about_a_damage_of_the_table() -> None:
    from benchmark.metrics.calibration.damages import DAMAGES

    names = {damage.name for damage in DAMAGES}
    for said in claims.CLAIMS.values():
        assert set(said) <= names and set(said.values()) <= {REACTS, FLAT}


# The claims that fail on these few items, no more and no fewer, as everything is seeded; they stand in docs/metrics.md.
# The shipped detectors and parser miss more in a strongly tinted picture, so what is measured with them does too; and
# dancers' LEPE moves with their clothes at 32 px.
FINDINGS = {
    "face": {("lepe", "colour")},
    "dance": {("lepe-asked", "colour"), ("lepe", "identity")},
    "street": {("sps-pixel", "colour")},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "metrics", "size", "items", "identities", "claims_judged"),
    [
        ("face", ["frechet", "lepe", "eye-patch", "counterfactual"], 32, 16, 40, 42),
        ("dance", ["lepe", "counterfactual"], 32, 16, 16, 30),
        ("street", ["sps", "counterfactual"], 32, 12, 65, 33),
    ],
)
def test_real_metrics_react_as_they_must(
    task: str, metrics: list[str], size: int, items: int, identities: int, claims_judged: int
) -> None:
    overrides = [f"data.size={size}", f"data.identities={identities}", "data.frames=4", f"eval.items={items}"]
    config = configuration.load("smoke", task, [*overrides, "eval.batch=16"])
    chosen = registry.get("tasks", task)()
    world = World(chosen, resolve(config, World(chosen, config).source))
    every_other = [dataclasses.replace(damage, steps=damage.steps[1::2]) for damage in applicable(world)]
    found = calibrate(world, metrics, damages=every_other)
    judged = {
        (score["metric"].split("[")[0], curve["damage"]): curve["holds"]
        for score in found["scores"]
        for curve in score["curves"]
        if curve["claim"]
    }
    broken = {pair for pair, holds in judged.items() if not holds}
    assert broken == FINDINGS[task]
    assert len(judged) == claims_judged
