"""PairedMUNIT: what its two variants add to MUNIT's step, against the losses written out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from baselines.munit.method import Munit
from baselines.paired_munit import PairedMunit, consistent_l1, pairwise_style
from benchmark.errors import BenchError
from benchmark.protocols import FitRun
from tests.baselines.munit_tiny import FourPairs, assert_same, copies, drawn, gradients, make, mean_abs, squares
from tests.models.tiny import RandomPairs, TinyFeatures

MUNIT = {"D", "G_gan", "G_image", "G_style", "G_content", "G_cycle"}


def munit_total(g: dict, d: dict, a: Tensor, b: Tensor, styles: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """What MUNIT's generators minimise but its GAN loss in b, with default weights; and a's part of D's loss."""
    s_a, s_b = styles
    c_a, c_b, e_a, e_b = g["a"].content(a), g["b"].content(b), g["a"].style(a), g["b"].style(b)
    to_a, to_b = g["a"].decoder(c_b, s_a), g["b"].decoder(c_a, s_b)
    total = squares(d["a"](to_a), 1)
    total = total + 10 * (mean_abs(g["a"].decoder(c_a, e_a), a) + mean_abs(g["b"].decoder(c_b, e_b), b))
    total = total + mean_abs(g["a"].style(to_a), s_a) + mean_abs(g["b"].style(to_b), s_b)
    total = total + mean_abs(g["b"].content(to_b), c_a) + mean_abs(g["a"].content(to_a), c_b)
    total = total + 10 * mean_abs(g["a"].decoder(g["b"].content(to_b), e_a), a)
    total = total + 10 * mean_abs(g["b"].decoder(g["a"].content(to_a), e_b), b)
    return total, squares(d["a"](to_a.detach()), 0) + squares(d["a"](a), 1)


@pytest.mark.parametrize("variant", ["A", "B"])
def test_a_step_equals_the_equations(variant: str) -> None:
    table = {"variant": variant, "pair": 3.0, "margin": 0.7, "supervised": 6.0, "lambda_style": 4.0}
    trainer = make(PairedMunit, "paired-munit", table).trainer()
    sample = RandomPairs().batch(1)
    losses, seen = gradients(trainer, sample)

    g, d, styles = (own := copies(trainer))["G"], own["D"], drawn(sample)
    a, b = sample.x[:, :1].repeat(1, 3, 1, 1) * 2 - 1, sample.I
    total_g, total_d = munit_total(g, d, a, b, styles)
    c_a, e_b = g["a"].content(a), g["b"].style(b)
    y, to_b = g["b"].decoder(c_a, e_b), g["b"].decoder(c_a, styles[1])
    for fake in (y, to_b):
        total_g = total_g + squares(d["b"](fake), 1)
        total_d = total_d + 0.5 * squares(d["b"](fake.detach()), 0)
    total_d = total_d + squares(d["b"](b), 1)

    if variant == "A":
        assert set(losses) == MUNIT | {"G_pair", "G_guided_style", "G_guided_content", "G_supervised"}
        assert list(seen) == ["D", "G"]
        codes = {name: g["b"].style(getattr(sample, name)) for name in ("C", "D")}
        for n in range(len(sample)):
            near, far = mean_abs(e_b[n], codes["C"][n]), mean_abs(e_b[n], codes["D"][n])
            total_g = total_g + 3.0 / len(sample) * (near + torch.clamp(0.7 - far, min=0))
            if sample.consistent[n]:
                total_g = total_g + 6.0 / len(sample) * mean_abs(y[n], sample.z[n])
        total_g = total_g + mean_abs(g["b"].style(y), e_b.detach()) + mean_abs(g["b"].content(y), c_a)
    else:
        assert set(losses) == MUNIT | {"SD", "G_pair", "G_semantic"}
        assert list(seen) == ["D", "SD", "G"]
        sd, features = own["SD"], TinyFeatures()
        total_g = total_g + 4.0 * squares(sd(torch.cat([y, b], 1))[-1:], 1)
        layers = zip(features.loss_layers(y), features.loss_layers(sample.z), strict=True)
        for weight, (got, wanted) in zip([1 / 32, 1 / 16, 1 / 8, 1 / 4, 1], layers, strict=True):
            for n in range(len(sample)):  # paper_eq6: 10 for a consistent pair, 10 / 32 .. 10 for the others
                own_weight = 1 if sample.consistent[n] else weight
                total_g = total_g + 10 * own_weight / len(sample) * mean_abs(got[n], wanted[n])
        total_sd = torch.zeros(())
        for photo, target in ((y.detach(), 0), (sample.D, 0), (sample.C, 1)):
            total_sd = total_sd + 0.5 * squares(sd(torch.cat([photo, b], 1))[-1:], target)
        assert_same(seen["SD"], total_sd, sd)
    assert_same(seen["D"], total_d, d)
    assert_same(seen["G"], total_g, g)


def test_pairwise_style_by_hand() -> None:
    anchor, same = torch.tensor([[0.0, 0.0], [1.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    other = torch.tensor([[0.5, 0.0], [4.0, 1.0]])  # mean distances 0.25 and 1.5
    assert pairwise_style(anchor, same, other, 1.0).item() == pytest.approx(((0.5 + 0.75) + (0.0 + 0.0)) / 2)


def test_an_inconsistent_pair_has_no_target() -> None:
    got, wanted = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    assert consistent_l1(got, wanted, torch.tensor([True, False])).item() == 0.5
    assert consistent_l1(got, wanted, torch.tensor([False, False])).item() == 0.0


def test_synthesis_and_networks_are_munits() -> None:
    sample = RandomPairs().batch(0)
    ours, munit = make(PairedMunit, "paired-munit"), make(Munit, "munit")
    assert ours.parameters_count() == munit.parameters_count()
    assert torch.equal(*(m.synthesize(sample.x, sample.I, sample.F_I) for m in (ours, munit)))


def test_its_table_is_its_own() -> None:
    """`paired-munit` does not continue the name `munit`: presets state both."""
    method = make(PairedMunit, "paired-munit", {"dim": 6})
    assert method.options.dim == 6 and make(Munit, "munit").options.dim == 4


@pytest.mark.parametrize("variant", ["A", "B"])
def test_it_goes_through_the_same_loop(variant: str, tmp_path: Path) -> None:
    method = make(PairedMunit, "paired-munit", {"variant": variant})
    before = [p.clone() for p in method.generator.parameters()]
    report = method.fit(RandomPairs(), FitRun(tmp_path, progress=False))
    assert report.finished and report.steps == 6
    assert all(not torch.equal(p, q) for p, q in zip(before, method.generator.parameters(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["A", "B"])
def test_four_pairs_are_learnt_by_heart(variant: str, tmp_path: Path) -> None:
    """The target from label and exemplar, on pairs that share their style."""
    table = {"variant": variant, "dim": 8, "disc_dim": 8, "lambda_style": 0.1}
    method, sample = make(PairedMunit, "paired-munit", table, steps=90, decay_steps=40, lr=2e-3), FourPairs().batch(0)

    def error() -> float:
        return mean_abs(method.synthesize(sample.x, sample.I, sample.F_I), sample.z).item()

    before = error()
    method.fit(FourPairs(), FitRun(tmp_path, progress=False))
    assert before > 0.4 and error() < 0.15


@pytest.mark.parametrize(("key", "value"), [("variant", "C"), ("weights", "paper_eq7")])
def test_an_unknown_choice_is_an_error(key: str, value: str) -> None:
    with pytest.raises(BenchError, match=rf"method\.paired-munit\.{key}: unknown"):
        make(PairedMunit, "paired-munit", {key: value})
