"""Losses of pix2pixHD and pix2pixSC.

    lsgan(D(fake)[-1], 1.0)                                    # what G minimises
    SemanticConsistency(features, "paper_eq6")(fake, real, consistent)

All image arguments lie in [-1, 1]; every loss is a scalar tensor. A batch may mix style-consistent and inconsistent
pairs: the semantic loss weighs each item on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.errors import BenchError, nearest

# pix2pixHD's layer weights, fine to coarse. Its paper writes them 1/M_i ("M_i elements") but its code, like
# pix2pixSC's, multiplies mean differences by this list (spec: systems 0).
FINE_TO_COARSE = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


class LayeredFeatures(Protocol):
    """The part of `benchmark.features.FeatureNetwork` that a loss needs."""

    def loss_layers(self, images: Tensor) -> list[Tensor]: ...


def lsgan(score: Tensor, target: float) -> Tensor:
    """Least-squares GAN loss: mean of (score - target)^2 over all patches (pix2pixSC sec 4.1)."""
    return F.mse_loss(score.float(), torch.full_like(score, target, dtype=torch.float32))


def feature_matching(fake: Sequence[Sequence[Tensor]], real: Sequence[Sequence[Tensor]]) -> Tensor:
    """Mean L1 between discriminator features, summed over layers but the score, averaged over scales (pix2pixHD eq. 3).

    `fake[scale][layer]` and `real[scale][layer]`; no gradient flows into `real`. Each layer weighs 4 / (n_layers + 1)
    (spec: systems 2), which is 1 for the usual n_layers = 3.
    """
    total = fake[0][0].new_zeros((), dtype=torch.float32)
    for fakes, reals in zip(fake, real, strict=True):
        weight = 4 / (len(fakes) - 1) / len(fake)
        for a, b in zip(fakes[:-1], reals[:-1], strict=True):
            total = total + weight * F.l1_loss(a.float(), b.detach().float())
    return total


def _official(elements: Sequence[int]) -> tuple[list[float], list[float]]:
    always = [10 * w for w in FINE_TO_COARSE]
    return always, [w + 20 for w in always]


def _paper_eq6(elements: Sequence[int]) -> tuple[list[float], list[float]]:
    return [10 * w for w in FINE_TO_COARSE], [10.0] * len(FINE_TO_COARSE)


def _paper_eq6_literal(elements: Sequence[int]) -> tuple[list[float], list[float]]:
    return [10.0] * len(elements), [
        10.0 * m for m in elements
    ]  # 10 * sum / M_i is 10 * mean; 10 * sum is 10 * M_i * mean


def _pix2pixhd(elements: Sequence[int]) -> tuple[list[float], list[float]]:
    weights = [10 * w for w in FINE_TO_COARSE]
    return weights, weights


# name -> (elements per layer -> layer weights of an inconsistent item, of a consistent item), both over mean L1 and
# with lambda_2 = 10 included. The readings of "w_i = 1, or 1 / M_i" (pix2pixSC sec 3.2.3) differ; spec: systems 0.
READINGS: dict[str, Callable[[Sequence[int]], tuple[list[float], list[float]]]] = {
    "official": _official,
    "paper_eq6": _paper_eq6,
    "paper_eq6_literal": _paper_eq6_literal,
    "pix2pixhd": _pix2pixhd,
}


class SemanticConsistency:
    """Perceptual L1 whose layer weights adapt to the pair (pix2pixSC eq. 6).

    `reading` is a key of `READINGS`. Images with a side below `resize_below` px are first resized to that square
    (bilinear), as the official code does below 224 px; 0 leaves every image as it is (spec: systems 1.3).
    """

    def __init__(self, network: LayeredFeatures, reading: str, resize_below: int = 0) -> None:
        if reading not in READINGS:
            raise BenchError(f"unknown reading of the semantic loss {reading!r}{nearest(reading, READINGS)}")
        self.network = network
        self.weights = READINGS[reading]
        self.resize_below = resize_below
        self._on_device: dict[tuple[tuple[int, ...], torch.device], Tensor] = {}

    def __call__(self, fake: Tensor, real: Tensor, consistent: Tensor) -> Tensor:
        """fake, real (N, 3, H, W), consistent (N,) bool -> mean over items of their weighted layer distances."""
        with torch.no_grad():
            wanted = self.network.loss_layers(self._resize(real))
        got = self.network.loss_layers(self._resize(fake))
        distances = torch.stack(
            [(a.float() - b.float()).abs().flatten(1).mean(1) for a, b in zip(got, wanted, strict=True)], dim=1
        )  # (N, layers)
        loose, tight = self._layer_weights(tuple(a[0].numel() for a in got), distances.device)
        weights = torch.where(consistent[:, None], tight, loose)
        return (weights * distances).sum(1).mean()

    def _layer_weights(self, elements: tuple[int, ...], device: torch.device) -> Tensor:
        """Of inconsistent and of consistent items, (2, layers). Kept, as a copy to the device makes the host wait."""
        key = elements, device
        if key not in self._on_device:
            self._on_device[key] = torch.tensor(self.weights(elements), device=device)
        return self._on_device[key]

    def _resize(self, images: Tensor) -> Tensor:
        if min(images.shape[-2:]) >= self.resize_below:
            return images
        return F.interpolate(images, size=(self.resize_below, self.resize_below), mode="bilinear", align_corners=False)
