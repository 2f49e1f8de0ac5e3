"""CRN: sizes and counts of the published network, the diversity loss in plain loops, the rescaling of its layers."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines.crn import CRN, LayerBalance, hindsight, layer_distances, region_masks
from baselines.crn_networks import CascadedRefinement, RefinementModule, cascade_sizes
from benchmark.errors import BenchError
from benchmark.protocols import MethodSetup, TaskInfo
from models.networks import parameters_count
from tests.baselines.trials import assert_same, gradients_of_step, overfit, resumes_exactly
from tests.models.tiny import LABELS, RandomPairs, TinyFeatures, setup

SMALL = {"features": 8, "images": 3}


def given(task: str = "face", **options: Any) -> MethodSetup:
    made = setup("crn", tables={"crn": SMALL | options})
    return replace(made, task=replace(made.task, name=task))


def test_as_many_parameters_as_published() -> None:
    with torch.device("meta"):
        network = CascadedRefinement(20, 256, 512)
    assert parameters_count(network) == 97_875_483
    assert network.colours.out_channels == 27
    assert [stage[0].out_channels for stage in network.stages] == [1024] * 5 + [512] * 2


@pytest.mark.parametrize(
    ("size", "coarsest", "count"),
    [
        ((256, 512), (4, 8), 7),
        ((256, 256), (4, 4), 7),
        ((144, 256), (5, 8), 6),
        ((32, 32), (4, 4), 4),
        ((50, 33), (7, 5), 4),
    ],
)
def test_any_size_cascades_to_itself(size: tuple[int, int], coarsest: tuple[int, int], count: int) -> None:
    assert cascade_sizes(*size)[0] == coarsest and len(cascade_sizes(*size)) == count
    network, seen = CascadedRefinement(2, *size, features=4, images=2), []
    for stage in network.stages:
        stage.register_forward_hook(lambda _module, _given, output: seen.append(tuple(output.shape[-2:])))
    assert network(torch.rand(1, 2, *size)).shape == (1, 2, 3, *size)
    assert seen == cascade_sizes(*size)


def test_the_cascade_in_plain_words() -> None:
    """Halving by area and doubling with corners aligned, written out for two modules."""
    network = CascadedRefinement(1, 8, 8, features=4, images=1)
    label = torch.rand(1, 1, 8, 8)
    halved = label.reshape(1, 1, 4, 2, 4, 2).mean((3, 5))
    features = network.stages[0](halved)
    place = torch.linspace(0, 3, 8)  # aligned corners: first and last pixels stay
    low = place.floor().clamp(max=2).long()
    part = place - low
    rows = features[..., low, :] * (1 - part)[:, None] + features[..., low + 1, :] * part[:, None]
    doubled = rows[..., low] * (1 - part) + rows[..., low + 1] * part
    expected = network.colours(network.stages[1](torch.cat([label, doubled], 1)))
    torch.testing.assert_close(network(label)[:, 0], expected, rtol=1e-4, atol=1e-5)


def test_the_norm_is_layer_norm() -> None:
    module, x = RefinementModule(2, 6), torch.rand(2, 6, 5, 4)
    norm = module[1]
    nn.init.normal_(norm.weight), nn.init.normal_(norm.bias)
    plain = nn.functional.layer_norm(x, x.shape[1:]) * norm.weight[:, None, None] + norm.bias[:, None, None]
    torch.testing.assert_close(norm(x), plain)


def plain_loss(network: TinyFeatures, answers: Tensor, real: Tensor, masks: Tensor, weights: list[float]) -> Tensor:
    """The diversity loss with loops over items, regions, answers and layers; even sizes only."""
    total = torch.zeros(())
    for n in range(len(real)):
        for p in range(masks.shape[1]):
            losses = []
            for k in range(answers.shape[1]):
                fakes = [answers[n, k][None], *network.loss_layers(answers[n, k][None])]
                reals = [real[n][None], *network.loss_layers(real[n][None])]
                loss = torch.zeros(())
                for weight, a, b in zip(weights, fakes, reals, strict=True):
                    step = masks.shape[-1] // a.shape[-1]
                    mask = masks[n, p].unfold(0, step, step).unfold(1, step, step).mean((2, 3))
                    loss = loss + weight * (mask * (a - b).abs().mean(1)[0]).mean()
                losses.append(loss)
            total = total + 0.999 * min(losses, key=Tensor.item) + 0.001 * torch.stack(losses).mean()
    return total / len(real)


@pytest.mark.parametrize("task", ["face", "street"])
def test_a_step_equals_the_loss_in_plain_loops(task: str) -> None:
    weights = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0]
    trainer, sample = CRN(given(task, layer_weights=weights)).trainer(), RandomPairs().batch(1)
    losses, seen = gradients_of_step(trainer, sample)
    network = copy.deepcopy(trainer.networks["G"])
    answers = network["answers"](sample.x)
    masks = sample.x if task == "street" else torch.ones(2, 1, 32, 32)
    assert_same(seen["G"], plain_loss(TinyFeatures(), answers, sample.z, masks, weights), network)
    assert losses["G_hindsight"].item() == pytest.approx(seen["G"][0])
    plain_l1 = (answers - sample.z[:, None]).abs() * masks.sum(1)[:, None, None]
    assert losses["G_l1"].item() == pytest.approx(plain_l1.mean().item(), rel=1e-5)


def test_only_the_best_answer_learns_much() -> None:
    answers = torch.tensor([0.5, 0.1, 0.9]).reshape(1, 3, 1, 1, 1).expand(1, 3, 3, 8, 8).clone().requires_grad_()
    distances = layer_distances(TinyFeatures(), answers, torch.zeros(1, 3, 8, 8), torch.ones(1, 1, 8, 8))
    hindsight(distances[0]).backward()
    assert answers.grad is not None
    pull = answers.grad.sum((0, 2, 3, 4))
    torch.testing.assert_close(pull, torch.tensor([0.001 / 3, 0.999 + 0.001 / 3, 0.001 / 3]))


def test_regions_follow_the_label_where_it_is_one_hot() -> None:
    x = torch.eye(3)[torch.randint(3, (2, 8, 8))].permute(0, 3, 1, 2)
    assert torch.equal(region_masks("street", x), x)
    assert torch.equal(region_masks("face", x), torch.ones(2, 1, 8, 8))


def test_rescaled_layers_contribute_alike() -> None:
    balance = LayerBalance([1.0, 2.0, 3.0], rescale_at=3)
    steps = [torch.rand(3, 2, 4, 2) * torch.tensor([1.0, 20.0, 0.1])[:, None, None, None] for _ in range(4)]
    for step, distances in enumerate(steps):
        assert (balance.weights(step).tolist() == [1.0, 2.0, 3.0]) == (step < 3)
        balance.observe(distances, step)
    mean = torch.stack(steps[:3]).sum(-1).mean((0, 2, 3))  # the fourth comes too late
    torch.testing.assert_close(balance.weights(3) * mean, mean[:1].expand(3))


def test_weights_change_once_within_a_fit() -> None:
    trainer = CRN(given(rescale_share=0.5)).trainer()  # of 4 + 2 steps
    kinds = []
    for step in range(6):
        trainer.step(RandomPairs().batch(step), step, lambda loss, network: None)
        kinds.append(tuple(trainer.balance.weights(step).tolist()))
    assert len(set(kinds)) == 2 and kinds[2] != kinds[3]


def test_synthesize_is_the_first_answer_cut_to_range() -> None:
    method, sample = CRN(given()), RandomPairs().batch(0)
    with torch.no_grad():
        method.generator.colours.bias.fill_(0.9)
        first = method.generator(sample.x)[:, 0]
    output = method.synthesize(sample.x, sample.I, sample.F_I)
    assert first.max() > 1 and torch.equal(output, first.clamp(-1, 1))
    assert torch.equal(output, method.synthesize(sample.x, -sample.I, 1 - sample.F_I))
    alone = method.synthesize(sample.x[1:], sample.I[1:], sample.F_I[1:])
    torch.testing.assert_close(output[1:], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": 0}, r"crn\.images: at least 1"),
        ({"features": 1}, r"crn\.features: at least 2"),
        ({"layer_weights": [1.0, 2.0]}, "expected 6 values"),
        ({"rescale_share": 0.0}, "above 0, at most 1"),
    ],
)
def test_user_mistakes(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        CRN(given(**options))


def test_another_size_than_it_was_built_for_is_an_error() -> None:
    with pytest.raises(BenchError, match="built for 32x32"):
        CRN(given()).generator(torch.zeros(1, LABELS, 16, 16))
    with pytest.raises(BenchError, match="at least 4 px"):
        CRN(replace(given(), task=TaskInfo("face", LABELS, 2, 8)))


def test_exact_resume_across_the_rescaling(tmp_path: Path) -> None:
    resumes_exactly(lambda: CRN(given(rescale_share=0.6)), tmp_path)


@pytest.mark.slow
def test_four_pairs_are_learnt_by_heart(tmp_path: Path) -> None:
    """With one answer: of several, the first may be none's best (docs/fidelity.md)."""
    tables = {"crn": {"features": 64, "images": 1}}
    training = setup("crn", tables=tables, steps=150, decay_steps=250, lr=1e-3, checkpoint_every=1000, log_every=50)
    before, after = overfit(CRN, training, tmp_path)
    assert before > 0.3 and after < 0.15
