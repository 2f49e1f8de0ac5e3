"""pix2pixHD: label to photo, without exemplar; the paper's face baseline.

    bench train --task face --method pix2pixhd --preset demo

Multi-scale PatchGANs, feature matching and a perceptual loss over least squares (pix2pixHD sec 3; spec: systems 2), the
label map its only input: no instance map, no encoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from benchmark.errors import BenchError
from benchmark.protocols import Sample
from models.losses import SemanticConsistency, feature_matching, lsgan
from models.method import TrainedMethod
from models.networks import GlobalGenerator, MultiscaleDiscriminator
from models.training import Minimise


@dataclass(frozen=True)
class Pix2PixHDOptions:
    """The official code's defaults."""

    num_d: int = 2  # scales of the discriminator; the paper has 3, the code's default is 2
    lambda_feat: float = 10.0  # feature matching
    perceptual_mul: float = 1.0  # times 10 * [1/32 .. 1] over the perceptual network's layers

    def __post_init__(self) -> None:
        if self.num_d < 1:
            raise BenchError(f"method.pix2pixhd.num_d: expected at least 1, got {self.num_d}")


class Pix2PixHD(TrainedMethod):
    """pix2pixHD's global generator."""

    title: ClassVar[str] = "pix2pixHD"
    Options = Pix2PixHDOptions
    options: Pix2PixHDOptions

    def build(self) -> nn.Module:
        size = self.networks_config
        return GlobalGenerator(self.setup.task.label_channels, 3, size.ngf, size.n_downsample, size.n_blocks)

    def assemble(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741 - the protocol's name
        return x

    def trainer(self) -> Pix2PixHDTrainer:
        return Pix2PixHDTrainer(self)


class Pix2PixHDTrainer:
    """One step: G, then D on the same fakes; features of the real pass serve feature matching and D's own loss."""

    def __init__(self, method: Pix2PixHD) -> None:
        size, self.options, self.method = method.networks_config, method.options, method
        judge = MultiscaleDiscriminator(
            method.setup.task.label_channels + 3, size.ndf, size.n_layers, method.options.num_d
        )
        self.networks: dict[str, nn.Module] = {"G": method.generator, "D": judge}
        self.perceptual = None
        if self.options.perceptual_mul:
            resize_below = method.setup.config.loss.resize_below
            self.perceptual = SemanticConsistency(method.features(), "pix2pixhd", resize_below)

    def preview(self, sample: Sample) -> Tensor:
        return self.method.synthesize(sample.x, sample.I, sample.F_I)

    def step(self, sample: Sample, step: int, minimise: Minimise) -> dict[str, Tensor]:
        """sample on the device of the networks; see `models.training.Trainer`."""
        fake = self.networks["G"](sample.x)
        judged = self.networks["D"](torch.cat([sample.x, fake], 1))
        real = self.networks["D"](torch.cat([sample.x, sample.z], 1))

        losses = {"G_gan": _over_scales(judged, 1.0)}
        total = losses["G_gan"]
        if self.options.lambda_feat:
            losses["G_feat"] = feature_matching(judged, real)
            total = total + self.options.lambda_feat * losses["G_feat"]
        if self.perceptual is not None:
            losses["G_perceptual"] = self.perceptual(fake, sample.z, sample.consistent)
            total = total + self.options.perceptual_mul * losses["G_perceptual"]
        minimise(total, "G")

        losses["D"] = 0.5 * (_over_scales(judged, 0.0) + _over_scales(real, 1.0))
        minimise(losses["D"], "D")
        return {name: value.detach() for name, value in losses.items()}


def _over_scales(outputs: list[list[Tensor]], target: float) -> Tensor:
    """Least-squares loss of the scores, summed over scales (spec: systems 2)."""
    return torch.stack([lsgan(layers[-1], target) for layers in outputs]).sum()
