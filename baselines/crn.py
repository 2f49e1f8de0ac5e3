"""CRN, cascaded refinement: label to photo without adversary; pix2pixHD's second baseline.

    bench train --task face --method crn --preset demo

One network gives several answers; per region of the label only the best of them is moved towards the photo, by
perceptual distance (CRN sec 3; spec: systems 6). `synthesize` returns the first answer, as the official test does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.crn_networks import CascadedRefinement
from benchmark.errors import BenchError
from benchmark.protocols import Sample
from models.losses import LayeredFeatures
from models.method import TrainedMethod
from models.training import Minimise

BEST, MEAN = 0.999, 0.001  # of the best answer per region, of all answers' mean (official code)
ONE_HOT_TASKS = ("street",)  # their label channels part the image; other labels are drawings: one region, the image
MEMORY = 100  # steps over which the running mean of a layer's distance forgets


@dataclass(frozen=True)
class CRNOptions:
    """The official 256p code's values."""

    features: int = 1024  # filters of the coarse modules; the last two have half
    images: int = 9  # answers per label
    layer_weights: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 1.0, 10.0)  # of the image itself, of the five feature maps
    rescale_share: float = 0.5  # share of the training after which layers are weighed to contribute alike; 1: never

    def __post_init__(self) -> None:
        for name, least in (("features", 2), ("images", 1)):
            if getattr(self, name) < least:
                raise BenchError(f"method.crn.{name}: at least {least}, got {getattr(self, name)}")
        if len(self.layer_weights) != 6 or min(self.layer_weights) < 0:
            raise BenchError(f"method.crn.layer_weights: expected 6 values of at least 0, got {self.layer_weights}")
        if not 0 < self.rescale_share <= 1:
            raise BenchError(f"method.crn.rescale_share: above 0, at most 1, got {self.rescale_share}")


class CRN(TrainedMethod):
    """The cascaded refinement network."""

    title: ClassVar[str] = "CRN"
    Options = CRNOptions
    options: CRNOptions

    def build(self) -> nn.Module:
        task = self.setup.task
        return CascadedRefinement(
            task.label_channels, task.height, task.width, self.options.features, self.options.images
        )

    def assemble(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741 - the protocol's name
        return x

    def trainer(self) -> CRNTrainer:
        return CRNTrainer(self)

    @torch.no_grad()
    def synthesize(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741
        """The first of the network's answers, cut to [-1, 1]; see the base for shapes."""
        return self.generator(x.to(self.setup.device))[:, 0].clamp(-1, 1).to(x.device)


class CRNTrainer:
    """One step: the only network against the perceptual distance of its best answers."""

    def __init__(self, method: CRN) -> None:
        options, self.method, self.features = method.options, method, method.features()
        self.balance = LayerBalance(
            options.layer_weights, round(options.rescale_share * method.setup.config.train.total)
        )
        # The balance has no parameters, but a checkpoint must hold it.
        self.networks: dict[str, nn.Module] = {
            "G": nn.ModuleDict({"answers": method.generator, "balance": self.balance})
        }
        self.called = [method.generator]

    def preview(self, sample: Sample) -> Tensor:
        return self.method.synthesize(sample.x, sample.I, sample.F_I)

    def step(self, sample: Sample, step: int, minimise: Minimise) -> dict[str, Tensor]:
        """sample on the device of the networks; see `models.training.Trainer`."""
        masks = region_masks(self.method.setup.task.name, sample.x)
        answers = self.method.generator(sample.x)
        distances = layer_distances(self.features, answers, sample.z, masks)
        self.balance.observe(distances, step)
        loss = hindsight((self.balance.weights(step)[:, None, None, None] * distances).sum(0))
        minimise(loss, "G")
        return {"G_hindsight": loss.detach(), "G_l1": distances[0].detach().sum(-1).mean()}


def region_masks(task: str, x: Tensor) -> Tensor:
    """Regions whose best answers are chosen apart: x (N, C, H, W) -> (N, P, H, W), P = C for one-hot labels, else 1."""
    return x if task in ONE_HOT_TASKS else torch.ones_like(x[:, :1])


def layer_distances(network: LayeredFeatures, answers: Tensor, real: Tensor, masks: Tensor) -> Tensor:
    """Masked mean L1 between every answer and the photo, in the image and in each feature map (CRN sec 3.2, 3.3).

    answers (N, K, 3, H, W), real (N, 3, H, W), masks (N, P, H, W) -> (1 + maps, N, K, P). A mask is averaged down to a
    map's size; the mean runs over the whole map, so a small region weighs little.
    """
    answers, count = answers.float(), answers.shape[1]
    with torch.no_grad():
        wanted = [real, *network.loss_layers(real)]
    got = [answers.flatten(0, 1), *network.loss_layers(answers.flatten(0, 1))]
    distances = []
    for a, b in zip(got, wanted, strict=True):
        apart = (a.float().unflatten(0, (-1, count)) - b.float()[:, None]).abs().mean(2)  # (N, K, h, w)
        shares = F.interpolate(masks, apart.shape[-2:], mode="area")  # (N, P, h, w)
        distances.append(torch.einsum("nkhw,nphw->nkp", apart, shares) / shares[0, 0].numel())
    return torch.stack(distances)


def hindsight(distances: Tensor) -> Tensor:
    """distances (N, K, P) -> 0.999 of the best answer per region plus 0.001 of all answers' mean, summed over regions,
    averaged over items (CRN sec 3.3; spec: systems 6).
    """
    return (BEST * distances.amin(1) + MEAN * distances.mean(1)).sum(1).mean()


class LayerBalance(nn.Module):
    """Layer weights: the given ones first; from step `rescale_at` on, every layer contributes as much as the image.

    How much a layer would contribute is the running mean of its distance up to that step (CRN sec 3.2).
    """

    initial: Tensor
    expected: Tensor

    def __init__(self, initial: Sequence[float], rescale_at: int) -> None:
        super().__init__()
        self.rescale_at = rescale_at
        self.register_buffer("initial", torch.tensor(initial), persistent=False)
        self.register_buffer("expected", torch.ones(len(initial)))

    @torch.no_grad()
    def observe(self, distances: Tensor, step: int) -> None:
        """Take the distances (layers, N, K, P) of one step, counted from 0."""
        if step < self.rescale_at:
            self.expected.lerp_(distances.sum(-1).mean((1, 2)), 1 / min(step + 1, MEMORY))

    def weights(self, step: int) -> Tensor:
        """(layers,)"""
        return self.initial if step < self.rescale_at else self.expected[0] / self.expected
