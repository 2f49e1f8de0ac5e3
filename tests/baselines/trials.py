"""Trials that every trained baseline must pass: gradients of one step, exact resume, four pairs learnt by heart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.protocols import FitRun, MethodSetup, Sample
from models.method import TrainedMethod
from tests.models.tiny import LABELS, SIZE, RandomPairs

Gradients = dict[str, tuple[float, list[Tensor]]]


class Interrupted(Exception):
    """Stands for whatever ends a training."""


class JointPairs(RandomPairs):
    """Random pairs with joints; asking for the batch of step `breaks_at` ends the training."""

    def __init__(self, joints: int = 0, breaks_at: int = -1) -> None:
        super().__init__()
        self.joints, self.breaks_at = joints, breaks_at

    def batch(self, step: int) -> Sample:
        if step == self.breaks_at:
            raise Interrupted
        return with_joints(super().batch(step), self.joints)


class FourPairs(RandomPairs):
    """The same four pairs at every step: smooth photos, labels and joints without any rule to them."""

    def __init__(self, joints: int = 0) -> None:
        super().__init__(4)
        self.joints = joints

    def batch(self, step: int) -> Sample:
        source = torch.Generator().manual_seed(3)

        def smooth(channels: int) -> Tensor:
            coarse = torch.rand(4, channels, 4, 4, generator=source)
            return F.interpolate(coarse, (SIZE, SIZE), mode="bilinear")

        x, f_i = smooth(LABELS), smooth(LABELS)
        z, i, c, d = (smooth(3) * 2 - 1 for _ in range(4))
        return with_joints(Sample(x, z, i, f_i, torch.ones(4, dtype=torch.bool), c, d), self.joints)


def with_joints(sample: Sample, joints: int) -> Sample:
    source = torch.Generator().manual_seed(5)
    return replace(sample, joints=torch.rand(len(sample), joints, 2, generator=source) * (SIZE - 1))


def gradients_of_step(trainer: Any, sample: Sample, step: int = 0) -> tuple[dict[str, Tensor], Gradients]:
    """The losses of a step that updates nothing; value and gradients of what each network was to minimise, in order.
    The sample is as the loop gets it.
    """
    seen: Gradients = {}

    def minimise(loss: Tensor, network: str) -> None:
        parameters = list(trainer.networks[network].parameters())
        seen[network] = loss.item(), list(torch.autograd.grad(loss, parameters, retain_graph=True))

    choose = getattr(trainer, "choose", lambda sample: sample)
    return trainer.step(choose(sample), step, minimise), seen


def assert_same(seen: tuple[float, Sequence[Tensor]], plain: Tensor, module: nn.Module) -> None:
    """What a network minimised equals the plain restatement, value and gradients."""
    assert seen[0] == pytest.approx(plain.item(), rel=1e-5)
    gradients = torch.autograd.grad(plain, list(module.parameters()), retain_graph=True)
    for ours, theirs in zip(seen[1], gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def resumes_exactly(make: Callable[[], TrainedMethod], folder: Path, joints: int = 0) -> None:
    """A fit of 6 steps broken off before its fourth and continued ends in the weights of an unbroken one."""
    unbroken, broken, resumed = make(), make(), make()
    report = unbroken.fit(JointPairs(joints), FitRun(folder / "unbroken", progress=False))
    assert report.finished and report.steps == 6
    with pytest.raises(Interrupted):
        broken.fit(JointPairs(joints, breaks_at=3), FitRun(folder / "broken", progress=False))
    assert sorted(path.name for path in (folder / "broken" / "checkpoints").iterdir()) == ["step-00000002.safetensors"]
    resumed.fit(JointPairs(joints), FitRun(folder / "broken", progress=False))
    weights = [method.generator.state_dict() for method in (unbroken, resumed, make())]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert not all(torch.equal(weights[0][key], weights[2][key]) for key in weights[0])


def overfit(cls: type[TrainedMethod], given: MethodSetup, folder: Path, filters: int = 16) -> tuple[float, float]:
    """Mean absolute error on the four pairs before and after the training of networks with `filters`."""
    networks = replace(given.config.networks, ngf=filters, ndf=filters)
    method = cls(replace(given, config=replace(given.config, networks=networks)))
    pairs = FourPairs(given.task.joints)
    before = error(method, pairs.batch(0))
    method.fit(pairs, FitRun(folder, progress=False))
    return before, error(method, pairs.batch(0))


def error(method: Any, sample: Sample) -> float:
    wanted = (sample.joints,) if getattr(method, "wants_joints", False) else ()
    return (method.synthesize(sample.x, sample.I, sample.F_I, *wanted) - sample.z).abs().mean().item()
