"""One step of pix2pixHD against the losses written out."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from baselines.pix2pixhd import Pix2PixHD
from benchmark.errors import BenchError
from benchmark.protocols import FitRun
from tests.models.tiny import RandomPairs, TinyFeatures, setup


def test_a_step_equals_the_equations() -> None:
    trainer = Pix2PixHD(setup("pix2pixhd", tables={"pix2pixhd": {"num_d": 3, "lambda_feat": 7.0}})).trainer()
    seen: dict[str, tuple[float, list[Tensor]]] = {}

    def minimise(loss: Tensor, network: str) -> None:
        parameters = list(trainer.networks[network].parameters())
        seen[network] = loss.item(), list(torch.autograd.grad(loss, parameters, retain_graph=True))

    sample = RandomPairs().batch(1)
    losses = trainer.step(sample, 0, minimise)
    assert set(losses) == {"G_gan", "G_feat", "G_perceptual", "D"}

    g, d = (copy.deepcopy(trainer.networks[name]) for name in ("G", "D"))
    fake, features = g(sample.x), TinyFeatures()
    real_maps = [[layer.detach() for layer in scale] for scale in d(torch.cat([sample.x, sample.z], 1))]
    total_g = torch.zeros(())
    for scale, real_scale in zip(d(torch.cat([sample.x, fake], 1)), real_maps, strict=True):
        total_g = total_g + ((scale[-1] - 1) ** 2).mean()
        for a, b in zip(scale[:-1], real_scale[:-1], strict=True):
            total_g = total_g + 7.0 * (4 / 3) / 3 * (a - b).abs().mean()  # n_layers = 2 here: 4 / (2 + 1)
    for weight, a, b in zip(
        [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1], features.loss_layers(fake), features.loss_layers(sample.z), strict=True
    ):
        total_g = total_g + 10 * weight * (a - b).abs().mean()
    total_d = torch.zeros(())
    for image, target in ((fake.detach(), 0.0), (sample.z, 1.0)):
        for scale in d(torch.cat([sample.x, image], 1)):
            total_d = total_d + 0.5 * ((scale[-1] - target) ** 2).mean()

    for name, module, expected in (("G", g, total_g), ("D", d, total_d)):
        assert seen[name][0] == pytest.approx(expected.item(), rel=1e-5)
        for ours, plain in zip(seen[name][1], torch.autograd.grad(expected, list(module.parameters())), strict=True):
            torch.testing.assert_close(ours, plain, rtol=1e-3, atol=1e-5)


def test_zero_weights_cost_nothing() -> None:
    features = TinyFeatures()
    tables = {"pix2pixhd": {"perceptual_mul": 0.0, "lambda_feat": 0.0}}
    trainer = Pix2PixHD(setup("pix2pixhd", features=features, tables=tables)).trainer()
    losses = trainer.step(RandomPairs().batch(0), 0, lambda loss, network: None)
    assert set(losses) == {"G_gan", "D"} and features.calls == 0


def test_the_exemplar_is_not_looked_at() -> None:
    method, sample = Pix2PixHD(setup("pix2pixhd")), RandomPairs().batch(0)
    output = method.synthesize(sample.x, sample.I, sample.F_I)
    assert torch.equal(output, method.synthesize(sample.x, -sample.I, 1 - sample.F_I))
    assert not torch.allclose(output, method.synthesize(1 - sample.x, sample.I, sample.F_I))


def test_it_goes_through_the_same_loop(tmp_path: Path) -> None:
    report = Pix2PixHD(setup("pix2pixhd")).fit(RandomPairs(), FitRun(tmp_path, progress=False))
    assert report.finished and report.steps == 6
    assert (tmp_path / "checkpoints" / "step-00000006.safetensors").is_file()


def test_no_scale_is_an_error() -> None:
    with pytest.raises(BenchError, match="num_d"):
        Pix2PixHD(setup("pix2pixhd", tables={"pix2pixhd": {"num_d": 0}}))
