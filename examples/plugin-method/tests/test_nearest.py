"""The method alone: it finds what it has seen, and gives it the exemplar's colours."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nearest_exemplar import NearestExemplar, recolour

from benchmark.config import from_dict
from benchmark.errors import BenchError
from benchmark.protocols import FitRun, MethodSetup, Sample, TaskInfo


class Stream:
    """Random labels and photos, always the same."""

    label_channels, height, width = 2, 8, 12

    def batch(self, step: int) -> Sample:
        noise = torch.Generator().manual_seed(step)
        x, F_I = torch.rand(2, 3, 2, 8, 12, generator=noise)
        z, I = torch.rand(2, 3, 3, 8, 12, generator=noise) * 2 - 1  # noqa: E741 - the protocol's name
        return Sample(x, z, I, F_I, torch.ones(3, dtype=torch.bool), I, z)

    def preview(self) -> Sample:
        return self.batch(0)


def make(**options: int) -> NearestExemplar:
    config = from_dict({"method": {"nearest": options}})
    return NearestExemplar(MethodSetup("nearest", TaskInfo("any", 2, 8, 12), config, seed=0))


def test_a_training_label_brings_its_own_photo_back(tmp_path: Path) -> None:
    method = make(entries=30, grid=4)
    assert method.fit(Stream(), FitRun(tmp_path)).finished
    sample = Stream().batch(2)
    made = method.synthesize(sample.x, sample.z, sample.x)  # its own photo as exemplar: the colours fit already
    assert torch.allclose(made, sample.z, atol=1e-3)


def test_saved_and_loaded_it_answers_alike(tmp_path: Path) -> None:
    method, again, sample = make(entries=30), make(entries=30), Stream().batch(7)
    method.fit(Stream(), FitRun(tmp_path))
    method.save(tmp_path)
    again.load(tmp_path)
    a, b = (m.synthesize(sample.x, sample.I, sample.F_I) for m in (method, again))
    assert torch.allclose(a, b, atol=2 / 255)  # photos are kept in 8 bits
    assert a.shape == sample.z.shape and a.abs().max() <= 1


def test_recolouring_gives_mean_and_covariance_of_the_style() -> None:
    noise = torch.Generator().manual_seed(0)
    photos = 0.1 * torch.randn(2, 3, 40, 40, generator=noise)
    mix = torch.tensor([[0.2, 0.1, 0.0], [0.0, 0.1, 0.05], [0.02, 0.0, 0.1]])
    style = torch.einsum("ij,njhw->nihw", mix, torch.randn(2, 3, 40, 40, generator=noise)) + 0.1
    made = recolour(photos, style)
    assert torch.allclose(made.mean((2, 3)), style.mean((2, 3)), atol=1e-3)
    for k in range(2):
        assert torch.allclose(made[k].flatten(1).cov(), style[k].flatten(1).cov(), atol=1e-3)


def test_a_flat_photo_stays_finite() -> None:
    assert torch.isfinite(recolour(torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4))).all()


def test_a_time_budget_that_is_over_leaves_a_smaller_index(tmp_path: Path) -> None:
    method = make(entries=30)
    assert not method.fit(Stream(), FitRun(tmp_path, deadline=0.5)).finished
    assert len(method.photos) == 6


def test_options_are_checked() -> None:
    with pytest.raises(BenchError, match=r"method\.nearest\.entries: expected at least 1"):
        make(entries=0)
    with pytest.raises(BenchError, match="unknown key 'entrys'; did you mean 'entries'"):
        make(entrys=5)
