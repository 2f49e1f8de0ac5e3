"""MUNIT: its step against the losses written out, its networks against the published counts and a plain rewriting."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from baselines.munit.label_domain import STREET_COLOURS, LabelDomain, rgb_label
from baselines.munit.method import Munit
from baselines.munit.networks import (
    AdaptiveBlock,
    ContentEncoder,
    Decoder,
    DoublingConv,
    LayerNorm,
    MultiscalePatches,
    Sizes,
    StyleEncoder,
    Translator,
    adaptive_norm,
)
from benchmark.config import load
from benchmark.errors import BenchError
from benchmark.protocols import FitRun, Sample, TaskInfo
from models.networks import parameters_count
from models.training import train
from tests.baselines.munit_tiny import FourPairs, assert_same, copies, drawn, gradients, make, mean_abs, squares
from tests.models.tiny import LABELS, SIZE, RandomPairs


def auto_encoder(channels: int, sizes: Sizes) -> Translator:
    return Translator(ContentEncoder(channels, sizes), StyleEncoder(channels, sizes), Decoder(channels, sizes))


def test_parameter_counts() -> None:
    """Spec: systems 8, counted there on the official code."""
    sizes = Sizes()
    with torch.device("meta"):  # nothing to fill with random numbers
        style, content, decoder = StyleEncoder(3, sizes), ContentEncoder(3, sizes), Decoder(3, sizes)
        judge = MultiscalePatches(3, sizes)
    assert parameters_count(style) == 2_764_936
    assert parameters_count(content) == 5_385_856
    assert parameters_count(decoder.mlp) == 1_120_768
    assert parameters_count(decoder) - parameters_count(decoder.mlp) == 5_754_627
    assert parameters_count(judge) == 8_271_171


@pytest.mark.parametrize(("channels", "count"), [(3, 15_026_187), (15, 15_139_095), (23, 15_214_367), (42, 15_393_138)])
def test_parameter_counts_of_a_domain(channels: int, count: int) -> None:
    with torch.device("meta"):
        assert parameters_count(auto_encoder(channels, Sizes())) == count


def test_output_maps_at_256_px() -> None:
    narrow, image = Sizes(dim=2, mlp_dim=4, disc_dim=2), torch.rand(1, 3, 256, 256)
    content, style = ContentEncoder(3, narrow)(image), StyleEncoder(3, narrow)(image)
    assert content.shape == (1, narrow.deep, 64, 64) and Sizes().deep == 256
    assert style.shape == (1, 8)
    assert [score.shape[1:] for score in MultiscalePatches(3, narrow)(image)] == [(1, 16, 16), (1, 8, 8), (1, 4, 4)]
    assert Decoder(3, narrow)(content, style).shape == image.shape


def test_output_maps_of_a_street() -> None:
    narrow, image = Sizes(dim=2, mlp_dim=4, disc_dim=2), torch.rand(1, 3, 144, 256)
    assert auto_encoder(3, narrow)(image, image).shape == image.shape
    assert [tuple(s.shape[2:]) for s in MultiscalePatches(3, narrow)(image)] == [(9, 16), (4, 8), (2, 4)]


def test_smoke_sizes_leave_a_map_at_every_scale() -> None:
    options = load("smoke", task="face").options("munit", Munit.Options)
    scores = MultiscalePatches(3, options)(torch.rand(1, 3, 32, 32))
    assert options.num_scales == 3 and [score.shape[2] for score in scores] == [4, 2, 1]


def test_layer_norm_is_munits_own() -> None:
    x, norm = torch.randn(3, 2, 4, 5) * 4 + 1, LayerNorm(2, eps=0.5)  # an eps that shows where it is added
    assert norm.gamma.min() >= 0 and norm.gamma.max() <= 1 and norm.gamma[0] != norm.gamma[1]
    torch.nn.init.normal_(norm.beta)
    for item, got in zip(x, norm(x), strict=True):
        scaled = (item - item.mean()) / (item.std(unbiased=True) + 0.5)
        torch.testing.assert_close(got, norm.gamma[:, None, None] * scaled + norm.beta[:, None, None])


def test_layer_norm_of_a_constant_has_finite_gradients() -> None:
    x = torch.ones(2, 3, 4, 4, requires_grad=True)
    LayerNorm(3)(x).square().sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


def test_adaptive_norm_sets_each_channels_mean_and_deviation() -> None:
    x, bias, scale = torch.randn(2, 3, 16, 16) * 5 + 2, torch.randn(2, 3), torch.rand(2, 3) + 0.5
    normed = adaptive_norm(x, bias, scale)
    torch.testing.assert_close(normed.mean((2, 3)), bias, rtol=0, atol=1e-5)
    torch.testing.assert_close(normed.std((2, 3), correction=0), scale, rtol=1e-4, atol=0)


def test_the_decoder_splits_its_parameters_bias_first() -> None:
    """Layer by layer: first `deep` biases, then `deep` scales, two layers a block (spec: systems 3)."""
    sizes = Sizes(dim=2, mlp_dim=4, n_res=2)
    decoder, content, style = Decoder(3, sizes), torch.randn(1, 8, 4, 4), torch.randn(1, 8)
    numbers, at, x = decoder.mlp(style)[0], 0, content
    for block in decoder.blocks:
        assert isinstance(block, AdaptiveBlock)
        hidden = x
        for conv, last in ((block.first, False), (block.second, True)):
            hidden = F.instance_norm(conv(hidden)) * numbers[at + 8 : at + 16, None, None]
            hidden = hidden + numbers[at : at + 8, None, None]
            hidden, at = hidden if last else hidden.relu(), at + 16
        x = x + hidden
    assert at == len(numbers)
    torch.testing.assert_close(decoder(content, style), decoder.up(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(2, 2), (2, 5), (7, 4)])
def test_the_doubling_convolution_is_a_reflected_one_of_the_doubled_map(height: int, width: int) -> None:
    torch.manual_seed(1)
    conv, x = DoublingConv(4, 3), torch.randn(2, 4, height, width, requires_grad=True)
    doubled = F.pad(F.interpolate(x, scale_factor=2.0), (2, 2, 2, 2), mode="reflect")
    plain, ours = F.conv2d(doubled, conv.weight, conv.bias), conv(x)
    torch.testing.assert_close(ours, plain)
    given = [x, conv.weight, conv.bias]
    upstream = torch.randn_like(plain)
    gradients_of = (torch.autograd.grad(image, given, upstream) for image in (ours, plain))
    for got, wanted in zip(*gradients_of, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


def test_networks_start_as_the_official_ones() -> None:
    torch.manual_seed(0)
    wide = Sizes()
    kernel = ContentEncoder(3, wide).layers[3].weight  # 64 -> 128, 4x4
    assert kernel.std().item() == pytest.approx((2 / (64 * 16)) ** 0.5, rel=0.02)
    judge = MultiscalePatches(3, wide).scales[0]
    assert judge[2].weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert not judge[2].bias.any() and not StyleEncoder(3, wide).layers[0].bias.any()


@pytest.mark.parametrize("cycle", [10.0, 0.0])
def test_a_step_equals_the_equations(cycle: float) -> None:
    table = {"cycle": cycle, "gan": 2.0, "recon_image": 7.0, "recon_style": 3.0, "recon_content": 5.0}
    trainer = make(Munit, "munit", table).trainer()
    sample = RandomPairs().batch(1)
    losses, seen = gradients(trainer, sample)
    cycles = {"G_cycle"} if cycle else set()
    assert set(losses) == {"D", "G_gan", "G_image", "G_style", "G_content"} | cycles
    assert list(seen) == ["D", "G"]  # in this order

    g, d, (s_a, s_b) = (own := copies(trainer))["G"], own["D"], drawn(sample)
    a, b = sample.x[:, :1].repeat(1, 3, 1, 1) * 2 - 1, sample.I
    c_a, c_b = g["a"].content(a), g["b"].content(b)
    to_b, to_a = g["b"].decoder(c_a, s_b), g["a"].decoder(c_b, s_a)
    total_d, total_g = torch.zeros(()), torch.zeros(())
    for x, to_x, to_y, name, other, c_x, s_x in (
        (a, to_a, to_b, "a", "b", c_a, s_a),
        (b, to_b, to_a, "b", "a", c_b, s_b),
    ):
        own_style = g[name].style(x)
        total_d = total_d + 2 * (squares(d[name](to_x.detach()), 0) + squares(d[name](x), 1))
        total_g = total_g + 2 * squares(d[name](to_x), 1)
        total_g = total_g + 7 * mean_abs(g[name].decoder(c_x, own_style), x)
        total_g = total_g + 3 * mean_abs(g[name].style(to_x), s_x)
        total_g = total_g + 5 * mean_abs(g[other].content(to_y), c_x)
        if cycle:
            total_g = total_g + cycle * mean_abs(g[name].decoder(g[other].content(to_y), own_style), x)
    assert_same(seen["D"], total_d, d)
    assert_same(seen["G"], total_g, g)


def test_discriminators_are_updated_before_the_generators_are_judged() -> None:
    trainer = make(Munit, "munit").trainer()

    def spoil(loss: torch.Tensor, network: str) -> None:
        if network == "D":
            for parameter in trainer.networks["D"].parameters():
                torch.nn.init.zeros_(parameter)

    losses = trainer.step(RandomPairs().batch(0), 0, spoil)
    assert losses["G_gan"].item() == 6.0  # two domains of three scales, every score 0 instead of 1


def test_training_never_sees_the_target() -> None:
    sample = RandomPairs().batch(1)
    other = Sample(**{**vars(sample), "z": -sample.z, "C": -sample.C, "consistent": ~sample.consistent})
    trainer = make(Munit, "munit").trainer()
    first, second = (gradients(trainer, s)[0] for s in (sample, other))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_synthesis_takes_content_from_the_label_and_style_from_the_exemplar() -> None:
    method, sample = make(Munit, "munit"), RandomPairs().batch(0)
    output = method.synthesize(sample.x, sample.I, sample.F_I)
    assert output.shape == sample.z.shape and output.abs().max() <= 1
    parts = method.generator
    content, style = parts.content(sample.x[:, :1].repeat(1, 3, 1, 1) * 2 - 1), parts.style(sample.I)
    torch.testing.assert_close(output, parts.decoder(content, style))
    assert torch.equal(output, method.synthesize(sample.x, sample.I, 1 - sample.F_I))
    assert not torch.allclose(output, method.synthesize(sample.x, -sample.I, sample.F_I), atol=1e-4)
    assert not torch.allclose(output, method.synthesize(1 - sample.x, sample.I, sample.F_I), atol=1e-4)


def test_only_the_three_parts_are_saved(tmp_path: Path) -> None:
    method, sample = make(Munit, "munit"), RandomPairs().batch(0)
    method.fit(RandomPairs(), FitRun(tmp_path / "run", progress=False))
    method.save(tmp_path)
    again = make(Munit, "munit")
    again.load(tmp_path)
    assert {name.split(".")[0] for name in again.generator.state_dict()} == {"content", "style", "decoder"}
    assert torch.equal(*(m.synthesize(sample.x, sample.I, sample.F_I) for m in (method, again)))
    assert method.parameters_count() < parameters_count(method.trainer().networks["G"])


def test_a_fit_resumes_to_the_same_bits(tmp_path: Path) -> None:
    class Interrupted(RandomPairs):
        def batch(self, step: int) -> Sample:
            if step == 4:
                raise RuntimeError("killed")
            return super().batch(step)

    whole, broken = make(Munit, "munit"), make(Munit, "munit")
    whole.fit(RandomPairs(), FitRun(tmp_path / "whole", progress=False))
    with pytest.raises(RuntimeError, match="killed"):
        broken.fit(Interrupted(), FitRun(tmp_path / "broken", progress=False))
    resumed = make(Munit, "munit")
    report = resumed.fit(RandomPairs(), FitRun(tmp_path / "broken", progress=False))
    assert report.finished
    for ours, wanted in zip(resumed.generator.parameters(), whole.generator.parameters(), strict=True):
        assert torch.equal(ours, wanted)


@pytest.mark.slow
def test_four_photos_are_learnt_by_heart(tmp_path: Path) -> None:
    """Within its domain: across domains MUNIT is given no target to learn."""
    method = make(Munit, "munit", {"dim": 8, "disc_dim": 8}, steps=90, decay_steps=40, lr=2e-3)
    trainer, sample = method.trainer(), FourPairs().batch(0)

    def error() -> float:
        with torch.no_grad():
            return mean_abs(trainer.b(sample.I, sample.I), sample.I).item()

    before = error()
    train(trainer, FourPairs(), method.setup.config.train, FitRun(tmp_path, progress=False), method.identity())
    assert before > 0.4 and error() < 0.15


def test_raw_labels_keep_all_channels() -> None:
    method, sample = make(Munit, "munit", {"label_domain": "raw"}), RandomPairs().batch(0)
    assert torch.equal(method.labels(sample.x), sample.x * 2 - 1)
    trainer = method.trainer()
    assert trainer.translate(sample).fakes_a[0].shape == (2, LABELS, SIZE, SIZE)
    assert method.synthesize(sample.x, sample.I, sample.F_I).shape == sample.z.shape


def test_labels_as_pictures() -> None:
    sketch = torch.rand(2, 15, 4, 4)
    assert all(torch.equal(rgb_label("face", sketch)[:, i], sketch[:, 0]) for i in range(3))
    body = torch.rand(2, 23, 4, 4)
    assert torch.equal(rgb_label("dance", body), body[:, :3])
    ids = torch.randint(0, 20, (2, 4, 4))  # 19 is unknown
    street = rgb_label("street", F.one_hot(ids, 20).movedim(-1, 1).float())
    for (n, y, x), i in zip(torch.cartesian_prod(*map(torch.arange, ids.shape)), ids.flatten(), strict=True):
        colour = torch.tensor([*STREET_COLOURS, (0, 0, 0)][i]) / 255
        torch.testing.assert_close(street[n, :, y, x], colour)


def test_user_mistakes_are_one_line() -> None:
    with pytest.raises(BenchError, match=r"'shoes'.*face, dance, street"):
        rgb_label("shoes", torch.rand(1, 3, 4, 4))
    with pytest.raises(BenchError, match=r"method\.munit\.label_domain: no RGB rendering.*'shoes'"):
        LabelDomain(TaskInfo("shoes", 3, 32, 32), "rgb", "munit")
    with pytest.raises(BenchError, match="42 channels"):
        rgb_label("street", torch.rand(1, 42, 4, 4))
    with pytest.raises(BenchError, match=r"label_domain: unknown 'rbg'.*rgb"):
        make(Munit, "munit", {"label_domain": "rbg"})
    with pytest.raises(BenchError, match="dim: expected at least 1"):
        make(Munit, "munit", {"dim": 0})
    with pytest.raises(BenchError, match=r"30x32.*multiples of 4"):
        ContentEncoder(3, Sizes(dim=2))(torch.rand(1, 3, 30, 32))
    with pytest.raises(BenchError, match=r"32x32.*3 discriminator scales of 4 halvings"):
        MultiscalePatches(3, Sizes(disc_dim=2))(torch.rand(1, 3, 32, 32))


def test_the_papers_schedule_is_in_the_presets() -> None:
    for preset in ("paper", "official"):
        for task in ("face", "dance", "street"):
            for name in ("munit", "paired-munit"):
                train = load(preset, task=task).for_method(name).train
                assert (train.total, train.decay, train.halve_every, train.batch) == (1_000_000, "halve", 100_000, 1)
                assert (train.lr, train.beta1, train.beta2, train.weight_decay) == (1e-4, 0.5, 0.999, 1e-4)


def test_it_needs_no_perceptual_network() -> None:
    method = make(Munit, "munit")
    method.trainer().step(RandomPairs().batch(0), 0, lambda loss, network: None)
    assert method.setup.features.calls == 0  # type: ignore[union-attr]
