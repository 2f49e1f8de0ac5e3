"""One step of pix2pixSC against the losses written out, and what each option switches off."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmark.errors import BenchError
from benchmark.protocols import TaskInfo
from models import style_consistent
from models.style_consistent import (
    Pix2PixSC,
    Pix2PixSCNoAdaptive,
    Pix2PixSCNoSC,
    Pix2PixSCNoSCAdv,
    StyleConsistentTrainer,
    multiplier,
)
from tests.models.tiny import RandomPairs, TinyFeatures, setup


class Recorder:
    """Stands in for the loop's `minimise`: takes gradients, keeps them, updates nothing."""

    def __init__(self, trainer: StyleConsistentTrainer) -> None:
        self.trainer = trainer
        self.order: list[str] = []
        self.loss: dict[str, float] = {}
        self.gradients: dict[str, list[Tensor | None]] = {}

    def __call__(self, loss: Tensor, network: str) -> None:
        self.order.append(network)
        self.loss[network] = loss.item()
        parameters = list(self.trainer.networks[network].parameters())
        self.gradients[network] = list(torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True))


def run_step(cls: type[Pix2PixSC] = Pix2PixSC, step: int = 0, **kwargs: Any) -> tuple[Any, Recorder, dict[str, Tensor]]:
    torch.manual_seed(0)
    trainer = cls(setup(**kwargs)).trainer()
    recorder = Recorder(trainer)
    losses = trainer.step(RandomPairs().batch(3), step, recorder)
    return trainer, recorder, losses


def mse(scores: Tensor, target: float) -> Tensor:
    return ((scores - target) ** 2).mean()


@pytest.mark.parametrize("false_pair", [True, False])
def test_a_step_equals_the_equations(false_pair: bool) -> None:
    """Separate passes, as spec: systems 1.2 writes the losses; gradients of all three networks agree."""
    options = {"weights": "official", "lambda_style": 3.0, "style_false_pair": false_pair}
    trainer, recorder, losses = run_step(tables={"pix2pixsc": options})
    sample = RandomPairs().batch(3)
    g, d, sd = (copy.deepcopy(trainer.networks[name]) for name in ("G", "D", "SD"))
    fake = g(torch.cat([sample.x, sample.F_I, sample.I], 1))

    def pair(candidate: Tensor) -> Tensor:
        return sd(torch.cat([candidate, sample.I], 1))[-1]

    def judge(image: Tensor) -> Tensor:
        return d(torch.cat([sample.x, image], 1))[-1]

    semantic = torch.zeros(())
    network = TinyFeatures()
    for n in range(2):
        for layer, (a, b) in enumerate(zip(network.loss_layers(fake), network.loss_layers(sample.z), strict=True)):
            weight = 10 * [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1][layer] + (20 if sample.consistent[n] else 0)
            semantic = semantic + weight * (a[n] - b[n]).abs().mean() / 2
    expected = {
        "G": mse(judge(fake), 1) + 3 * mse(pair(fake), 1) + semantic,
        "D": 0.5 * (mse(judge(fake.detach()), 0) + mse(judge(sample.z), 1)),
        "SD": 0.5
        * (
            mse(pair(fake.detach()), 0)
            + mse(pair(sample.C), 1)
            + (mse(pair(sample.D), 0) if false_pair else torch.zeros(()))
        ),
    }
    assert recorder.order == ["G", "D", "SD"]
    for name, module in (("G", g), ("D", d), ("SD", sd)):
        assert recorder.loss[name] == pytest.approx(expected[name].item(), rel=1e-5)
        gradients = torch.autograd.grad(expected[name], list(module.parameters()), retain_graph=True)
        for ours, plain in zip(recorder.gradients[name], gradients, strict=True):
            torch.testing.assert_close(ours, plain, rtol=1e-3, atol=1e-5)
    assert set(losses) == {"G_gan", "G_semantic", "G_style", "D", "SD"}
    assert not any(value.requires_grad for value in losses.values())


def test_without_l_sc_the_feature_network_never_runs() -> None:
    features = TinyFeatures()
    trainer, _, losses = run_step(Pix2PixSCNoSC, name="pix2pixsc-no-sc", features=features)
    assert trainer.semantic is None and "G_semantic" not in losses and features.calls == 0


def test_without_l_scadv_there_is_no_style_discriminator() -> None:
    trainer, recorder, losses = run_step(Pix2PixSCNoSCAdv, name="pix2pixsc-no-scadv")
    assert set(trainer.networks) == {"G", "D"} and recorder.order == ["G", "D"]
    assert set(losses) == {"G_gan", "G_semantic", "D"}


@pytest.mark.parametrize(("reading", "stand_in"), [("same-weights", True), ("drop-consistent-term", False)])
def test_without_adaptive_weights_all_pairs_weigh_alike(reading: str, stand_in: bool) -> None:
    name = "pix2pixsc-no-adaptive"
    tables = {"pix2pixsc": {"weights": "official"}, name: {"no_adaptive": reading}}
    _, _, losses = run_step(Pix2PixSCNoAdaptive, name=name, tables=tables)
    trainer = Pix2PixSC(setup(tables=tables)).trainer()
    sample = RandomPairs().batch(3)
    fake = trainer.networks["G"](trainer.method.assemble(sample.x, sample.I, sample.F_I))
    assert trainer.semantic is not None
    expected = trainer.semantic(fake, sample.z, torch.tensor([stand_in, stand_in]))
    assert losses["G_semantic"].item() == pytest.approx(expected.item(), rel=1e-5)
    mixed = trainer.semantic(fake, sample.z, sample.consistent)
    assert losses["G_semantic"].item() != pytest.approx(mixed.item(), rel=1e-3)


def test_a_staged_style_term_waits_while_sd_already_learns() -> None:
    tables = {"pix2pixsc": {"style_stage": [[0, 0.0], [5, 0.1], [9, 1.0]]}}
    _, early, losses = run_step(step=4, tables=tables)
    assert "G_style" not in losses and early.order == ["G", "D", "SD"]
    _, mid, losses = run_step(step=5, tables=tables)
    total = losses["G_gan"] + losses["G_semantic"] + 0.1 * 10 * losses["G_style"]
    assert mid.loss["G"] == pytest.approx(total.item(), rel=1e-5)


def test_a_real_stage_of_zero_trains_g_by_style_alone() -> None:
    features = TinyFeatures()
    _, recorder, losses = run_step(features=features, tables={"pix2pixsc": {"real_stage": [[0, 0.0], [2, 1.0]]}})
    assert features.calls == 0 and "G_gan" not in losses
    assert recorder.loss["G"] == pytest.approx(10 * losses["G_style"].item(), rel=1e-5)


@pytest.mark.parametrize(("step", "value"), [(0, 0.0), (4, 0.0), (5, 0.1), (99, 1.0)])
def test_multiplier(step: int, value: float) -> None:
    assert multiplier(((0, 0.0), (5, 0.1), (9, 1.0)), step) == value


def test_an_ablation_reads_the_methods_table_and_then_its_own() -> None:
    name = "pix2pixsc-no-sc"
    tables = {"pix2pixsc": {"lambda_style": 4.0, "weights": "official"}, name: {"lambda_style": 5.0}}
    options = Pix2PixSCNoSC(setup(name=name, tables=tables)).options
    assert (options.lambda_style, options.weights, options.semantic_mul) == (5.0, "official", 0.0)
    assert Pix2PixSC(setup(tables=tables)).options.lambda_style == 4.0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"weights": "oficial"}, "did you mean 'official'"),
        ({"no_adaptive": "same"}, "did you mean 'same-weights'"),
        ({"style_stage": [[5, 1.0]]}, "from step 0"),
        ({"style_stage": [[0, 1.0, 2.0]]}, "ascending"),
        ({"lambda_stile": 1.0}, "did you mean 'lambda_style'"),
    ],
)
def test_wrong_options_are_one_line(table: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        Pix2PixSC(setup(tables={"pix2pixsc": table}))


def test_a_missing_feature_network_is_named() -> None:
    method = Pix2PixSC(setup(features=TinyFeatures()))
    bare = Pix2PixSC(style_consistent.MethodSetup("pix2pixsc", method.setup.task, method.setup.config, 0))
    with pytest.raises(BenchError, match=r"loss\.features"):
        bare.trainer()


def test_synthesis_depends_on_label_exemplar_and_its_label() -> None:
    method, sample = Pix2PixSC(setup()), RandomPairs().batch(0)
    output = method.synthesize(sample.x, sample.I, sample.F_I)
    assert output.shape == sample.z.shape and output.abs().max() <= 1 and not output.requires_grad
    for changed in (
        method.synthesize(1 - sample.x, sample.I, sample.F_I),
        method.synthesize(sample.x, -sample.I, sample.F_I),
        method.synthesize(sample.x, sample.I, 1 - sample.F_I),
    ):
        assert not torch.allclose(output, changed, atol=1e-4)
    blind = Pix2PixSC(setup(tables={"pix2pixsc": {"exemplar_label": False}}))
    without = blind.synthesize(sample.x, sample.I, sample.F_I)
    torch.testing.assert_close(without, blind.synthesize(sample.x, sample.I, 1 - sample.F_I))


def test_the_seed_decides_the_weights() -> None:
    first, same, other = (Pix2PixSC(setup(seed=s)).generator.state_dict() for s in (1, 1, 2))
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert not any(torch.equal(first[key], other[key]) for key in first)


def test_save_and_load(tmp_path: Path) -> None:
    saved, fresh, sample = Pix2PixSC(setup(seed=1)), Pix2PixSC(setup(seed=2)), RandomPairs().batch(0)
    saved.save(tmp_path)
    fresh.load(tmp_path)
    arguments = (sample.x, sample.I, sample.F_I)
    assert torch.equal(saved.synthesize(*arguments), fresh.synthesize(*arguments))
    narrow = Pix2PixSC(setup(tables={"pix2pixsc": {"exemplar_label": False}}))
    with pytest.raises(BenchError, match=r"weights\.safetensors: layers\.1\.weight is \(4, 7, 7, 7\) there"):
        narrow.load(tmp_path)
    (tmp_path / "weights.safetensors").write_bytes(b"x" * 30)
    with pytest.raises(BenchError, match="no readable weights"):
        fresh.load(tmp_path)


def test_parameters_count_is_the_generators() -> None:
    method = Pix2PixSC(setup())
    assert method.parameters_count() == sum(p.numel() for p in method.generator.parameters())
    assert method.refuses(TaskInfo("dance", 23, 32, 32)) is None
