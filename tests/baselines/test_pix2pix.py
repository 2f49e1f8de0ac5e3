"""pix2pix: sizes and counts of the published networks, one step against the losses written out, repeatable noise."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines.pix2pix import Pix2Pix, cross_entropy
from baselines.pix2pix_networks import LogitPatchGAN, UNet
from benchmark.errors import BenchError
from benchmark.protocols import MethodSetup, TaskInfo
from models.networks import parameters_count
from tests.baselines.trials import assert_same, gradients_of_step, overfit, resumes_exactly
from tests.models.tiny import LABELS, RandomPairs, setup


def make(side: tuple[int, int] = (32, 32), **options: Any) -> Pix2Pix:
    return Pix2Pix(given(side, **options))


def given(side: tuple[int, int], **options: Any) -> MethodSetup:
    return replace(setup("pix2pix", tables={"pix2pix": options}), task=TaskInfo("face", LABELS, *side))


@pytest.mark.parametrize(
    ("network", "count"),
    [
        (lambda: UNet(3), 54_413_955),
        (lambda: UNet(15), 54_426_243),
        (lambda: LogitPatchGAN(6), 2_768_705),
        (lambda: LogitPatchGAN(18), 2_780_993),
    ],
)
def test_as_many_parameters_as_published(network: Any, count: int) -> None:
    with torch.device("meta"):
        assert parameters_count(network()) == count


@pytest.mark.parametrize(("size", "map_size"), [((256, 256), (30, 30)), ((144, 256), (16, 30)), ((64, 64), (6, 6))])
def test_size_of_the_judgement(size: tuple[int, int], map_size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert LogitPatchGAN(6, ndf=2)(torch.zeros(1, 6, *size)).shape == (1, 1, *map_size)


def test_a_patch_is_70_px_wide() -> None:
    image = torch.rand(1, 3, 256, 256, requires_grad=True)
    layers = LogitPatchGAN(3, ndf=2).layers
    judge = nn.Sequential(*[layer for layer in layers if not isinstance(layer, nn.GroupNorm)])  # a norm sees all pixels
    judge(image)[0, 0, 15, 15].backward()
    assert image.grad is not None
    rows = image.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    assert int(rows.max() - rows.min()) + 1 == 70


@pytest.mark.parametrize("side", [(32, 32), (64, 64), (256, 256), (144, 256), (50, 33)])
def test_any_size_at_batch_one(side: tuple[int, int]) -> None:
    x, image = torch.rand(1, LABELS, *side), torch.zeros(1, 3, *side)
    output = make(side).synthesize(x, image, x)
    assert output.shape == image.shape and output.abs().max() < 1


def test_every_level_sees_its_mirror() -> None:
    """Depth 8 at 256 px narrows to 1x1, and each of the eight convolutions down matters to the result."""
    network, sizes = UNet(1, ngf=2, depth=8), []
    for down in network.downs:
        down.register_forward_hook(lambda _module, _given, output: sizes.append(tuple(output.shape[-2:])))
    network(torch.rand(1, 1, 256, 256)).square().sum().backward()
    assert sizes == [(2**k, 2**k) for k in range(7, -1, -1)]
    for name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.abs().max() > 0, name


def test_the_dropout_is_where_the_official_code_has_it() -> None:
    for depth, count in ((8, 3), (7, 2), (6, 1), (5, 0)):
        assert sum(isinstance(m, nn.Dropout) for m in UNet(1, ngf=2, depth=depth).modules()) == count


def test_a_step_equals_the_equations() -> None:
    trainer, sample = make(lambda_l1=30.0).trainer(), RandomPairs().batch(1)
    losses, seen = gradients_of_step(trainer, sample)
    assert set(losses) == {"G_gan", "G_l1", "D"} and list(seen) == ["D", "G"]

    g, d = (copy.deepcopy(trainer.networks[name]) for name in ("G", "D"))
    fake = g(sample.x)

    def log_loss(image: Tensor, target: int) -> Tensor:
        belief = torch.sigmoid(d(torch.cat([sample.x, image], 1)).double())
        return -(belief if target else 1 - belief).log().mean()

    assert_same(seen["G"], log_loss(fake, 1) + 30 * (fake - sample.z).abs().mean(), g)
    assert_same(seen["D"], 0.5 * (log_loss(fake.detach(), 0) + log_loss(sample.z, 1)), d)


def test_the_loss_bears_certain_judgements() -> None:
    assert cross_entropy(torch.tensor([-500.0]), 1.0).item() == pytest.approx(500)


def test_noise_is_on_and_depends_on_seed_and_label_alone() -> None:
    method, other = make((64, 64)), Pix2Pix(replace(given((64, 64)), seed=1))
    other.generator.load_state_dict(method.generator.state_dict())
    x, image = torch.rand(3, LABELS, 64, 64), torch.zeros(3, 3, 64, 64)
    state, before = torch.get_rng_state(), copy.deepcopy(method.generator.state_dict())
    together = method.synthesize(x, image, x)
    assert torch.equal(together.flip(0), method.synthesize(x.flip(0), image, x))
    assert torch.equal(together[1:2], method.synthesize(x[1:2], image[1:2], x[1:2]))
    assert not torch.equal(together, other.synthesize(x, image, x))
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[key]) for key, value in method.generator.state_dict().items())
    assert not torch.equal(together[:1], make((64, 64), test_dropout=False).synthesize(x[:1], image[:1], x[:1]))


def test_without_dropout_at_test_nothing_is_drawn() -> None:
    method, other = make((64, 64), test_dropout=False), Pix2Pix(replace(given((64, 64), test_dropout=False), seed=1))
    other.generator.load_state_dict(method.generator.state_dict())
    x, image = torch.rand(3, LABELS, 64, 64), torch.zeros(3, 3, 64, 64)
    together = method.synthesize(x, image, x)
    assert method.generator.training
    torch.testing.assert_close(together, other.synthesize(x, image, x), rtol=0, atol=0)
    torch.testing.assert_close(together[:1], method.synthesize(x[:1], image[:1], x[:1]), rtol=1e-4, atol=1e-5)


def test_the_norm_is_batch_norm_of_a_batch_of_one() -> None:
    ours, x = UNet(1, ngf=2, depth=3), torch.rand(3, 2, 8, 8)
    norm = ours.ups[1].norm
    assert isinstance(norm, nn.GroupNorm)
    batch_norm = nn.BatchNorm2d(2)
    batch_norm.load_state_dict(norm.state_dict(), strict=False)
    torch.testing.assert_close(norm(x), torch.cat([batch_norm(image) for image in x.split(1)]))


def test_user_mistakes() -> None:
    with pytest.raises(BenchError, match="2 to 5 at 32x32"):
        make(depth=6)
    with pytest.raises(BenchError, match="at least 24 px"):
        LogitPatchGAN(3)(torch.zeros(1, 3, 16, 32))
    with pytest.raises(BenchError, match="at least 32 px"):
        UNet(3, depth=5)(torch.zeros(1, 3, 16, 32))


def test_exact_resume(tmp_path: Path) -> None:
    resumes_exactly(make, tmp_path)


@pytest.mark.slow
def test_four_pairs_are_learnt_by_heart(tmp_path: Path) -> None:
    training = setup("pix2pix", steps=100, decay_steps=50, lr=2e-3, checkpoint_every=1000, log_every=50)
    before, after = overfit(Pix2Pix, training, tmp_path)
    assert before > 0.3 and after < 0.1
