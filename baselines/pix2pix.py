"""pix2pix: label to photo by a U-Net, without exemplar; the baseline that pix2pixHD set out from.

    bench train --task face --method pix2pix --preset demo

A conditional GAN with the plain cross-entropy loss plus 100 times L1 (pix2pix sec 3.1; spec: systems 6). Its only noise
is dropout, which stays on at test.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.pix2pix_networks import LogitPatchGAN, UNet
from benchmark.errors import BenchError
from benchmark.protocols import Sample
from models.method import TrainedMethod
from models.training import Minimise

DEEPEST = 8  # halvings of a 256 px image


@dataclass(frozen=True)
class Pix2PixOptions:
    """The official code's defaults."""

    lambda_l1: float = 100.0
    depth: int = 0  # halvings of the U-Net; 0: as many as the shorter side allows, at most 8
    test_dropout: bool = True  # dropout, the method's noise, also at test


class Pix2Pix(TrainedMethod):
    """pix2pix's U-Net."""

    title: ClassVar[str] = "pix2pix"
    Options = Pix2PixOptions
    options: Pix2PixOptions

    def build(self) -> nn.Module:
        task = self.setup.task
        most = min(task.height, task.width).bit_length() - 1
        depth = self.options.depth or min(DEEPEST, most)
        if not 2 <= depth <= most:
            raise BenchError(
                f"method.pix2pix.depth: 2 to {most} at {task.height}x{task.width} px (0 chooses), "
                f"got {self.options.depth}"
            )
        return UNet(task.label_channels, 3, self.networks_config.ngf, depth)

    def assemble(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741 - the protocol's name
        return x

    def trainer(self) -> Pix2PixTrainer:
        return Pix2PixTrainer(self)

    @torch.no_grad()
    def synthesize(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741
        """As the base. An image's noise is drawn from the seed and its own label, whatever the others of its batch."""
        before = self.generator.training
        self.generator.train(self.options.test_dropout)
        try:
            if not self.options.test_dropout:
                return super().synthesize(x, I, F_I)
            return torch.cat([self._alone(label) for label in x.split(1)])
        finally:
            self.generator.train(before)

    def _alone(self, label: Tensor) -> Tensor:
        """label (1, C, H, W) -> (1, 3, H, W)"""
        with torch.random.fork_rng():
            torch.manual_seed(zlib.crc32(label.cpu().contiguous().numpy().tobytes(), self.setup.seed))
            return self.generator(label.to(self.setup.device)).to(label.device)


class Pix2PixTrainer:
    """One step: D on label and image, then G against the D just updated (the official order)."""

    def __init__(self, method: Pix2Pix) -> None:
        size, self.options, self.method = method.networks_config, method.options, method
        judge = LogitPatchGAN(method.setup.task.label_channels + 3, size.ndf, size.n_layers)
        self.networks: dict[str, nn.Module] = {"G": method.generator, "D": judge}

    def preview(self, sample: Sample) -> Tensor:
        return self.method.synthesize(sample.x, sample.I, sample.F_I)

    def step(self, sample: Sample, step: int, minimise: Minimise) -> dict[str, Tensor]:
        """sample on the device of the networks; see `models.training.Trainer`."""
        fake = self.networks["G"](sample.x)
        # one pass: the norm takes every image by its own statistics
        judged, real = self.judge(sample.x.repeat(2, 1, 1, 1), torch.cat([fake.detach(), sample.z])).chunk(2)
        losses = {"D": 0.5 * (cross_entropy(judged, 0.0) + cross_entropy(real, 1.0))}
        minimise(losses["D"], "D")

        losses["G_gan"] = cross_entropy(self.judge(sample.x, fake), 1.0)
        losses["G_l1"] = F.l1_loss(fake.float(), sample.z)
        minimise(losses["G_gan"] + self.options.lambda_l1 * losses["G_l1"], "G")
        return {name: value.detach() for name, value in losses.items()}

    def judge(self, label: Tensor, image: Tensor) -> Tensor:
        """Logits (N, 1, h, w) of an image under its label."""
        return self.networks["D"](torch.cat([label, image], 1))


def cross_entropy(logits: Tensor, target: float) -> Tensor:
    """The original GAN loss: mean of -[t log s + (1 - t) log(1 - s)], s the sigmoid of `logits`, any shape."""
    logits = logits.float()
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))
