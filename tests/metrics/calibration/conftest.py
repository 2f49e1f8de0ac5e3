"""A world of coloured squares and its true answers: the toy task with a metric in the registry."""

from __future__ import annotations

import pytest

from benchmark import registry
from benchmark.config import Config, DataConfig, EvalConfig
from benchmark.metrics.calibration.damages import Answers
from benchmark.run.world import World
from tests import toy


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    real = registry._entries
    monkeypatch.setattr(registry, "_entries", lambda g: toy.entries(g) if g in toy.ENTRIES else real(g))
    config = Config(data=DataConfig(size=toy.SIZE), eval=EvalConfig(items=12, consistent_share=0.0, bootstrap=200))
    return World(toy.ToyTask(), config)


@pytest.fixture
def answers(world: World) -> Answers:
    truths = world.exam.truths
    assert truths is not None
    return Answers(world, truths)
