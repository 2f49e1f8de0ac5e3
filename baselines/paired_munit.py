"""PairedMUNIT: MUNIT with pairwise style information; a reading of two sentences of the pix2pixSC paper.

    bench train --task face --method paired-munit --preset demo --set method.paired-munit.variant=B

MUNIT's losses stay; the label is also decoded in the exemplar's own style, y = Dec_b(E_a(x), E_b(I)), and what is
known of the pairs teaches y and the style codes (pix2pixSC sec 4.3; spec: systems 4). Variant A compares style codes,
variant B takes pix2pixSC's style discriminator and adaptive perceptual loss. docs/fidelity.md says what is the paper's
and what is ours. It reads its own table [method.paired-munit], not [method.munit].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from baselines.munit.method import Munit, MunitOptions, MunitTrainer, Views, l1
from benchmark.errors import BenchError, nearest
from benchmark.protocols import Sample
from models.losses import READINGS, SemanticConsistency, lsgan
from models.networks import PatchGAN

VARIANTS = ("A", "B")


@dataclass(frozen=True)
class PairedMunitOptions(MunitOptions):
    """MUNIT's, and the weights of what the pairs teach."""

    variant: str = "A"  # "A": distances of style codes; "B": style discriminator and adaptive perceptual loss
    pair: float = 1.0  # A: codes of the same style near, of another style at least `margin` away
    margin: float = 1.0  # A: mean L1 between codes whose prior has unit scale
    supervised: float = 10.0  # A: L1 of y to the target, for consistent pairs
    lambda_style: float = 10.0  # B: style discriminator in the generators' loss
    weights: str = "paper_eq6"  # B: reading of the adaptive weights (models.losses.READINGS)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, choices in (("variant", VARIANTS), ("weights", tuple(READINGS))):
            given = getattr(self, name)
            if given not in choices:
                raise BenchError(f"method.paired-munit.{name}: unknown {given!r}{nearest(given, choices)}")


class PairedMunit(Munit):
    """MUNIT that learns from pairs; the same networks and the same synthesis."""

    title: ClassVar[str] = "PairedMUNIT"
    Options = PairedMunitOptions
    options: PairedMunitOptions

    def trainer(self) -> PairedTrainer:
        return StyleCodesTrainer(self) if self.options.variant == "A" else StyleJudgeTrainer(self)


class PairedTrainer(MunitTrainer):
    """MUNIT's step with y, the last of `fakes_b`: judged by D_b and in the GAN loss like any translation."""

    options: PairedMunitOptions
    guides: ClassVar[bool] = True


class StyleCodesTrainer(PairedTrainer):
    """Variant A: the pair speaks through style codes, and through the target where the styles agree."""

    @property
    def weights(self) -> dict[str, float]:
        o = self.options
        return super().weights | {
            "G_pair": o.pair,
            "G_guided_style": o.recon_style,
            "G_guided_content": o.recon_content,
            "G_supervised": o.supervised,
        }

    def terms(self, views: Views, sample: Sample) -> dict[str, Tensor]:
        y = views.fakes_b[-1]
        same, other = self.b.style(torch.cat([sample.C, sample.D])).chunk(2)
        return super().terms(views, sample) | {
            "G_pair": pairwise_style(views.style_b, same, other, self.options.margin),
            "G_guided_style": l1(self.b.style(y), views.style_b.detach()),
            "G_guided_content": l1(self.b.content(y), views.content_a),
            "G_supervised": consistent_l1(y, sample.z, sample.consistent),
        }


class StyleJudgeTrainer(PairedTrainer):
    """Variant B: pix2pixSC's style discriminator on (y, I) and its adaptive perceptual loss on (y, z)."""

    def __init__(self, method: PairedMunit) -> None:
        super().__init__(method)
        size = method.networks_config
        self.style_judge = PatchGAN(6, size.ndf, size.n_layers)
        self.networks["SD"] = self.style_judge
        self.called.append(self.style_judge)
        self.semantic = SemanticConsistency(
            method.features(), self.options.weights, method.setup.config.loss.resize_below
        )

    @property
    def weights(self) -> dict[str, float]:
        return super().weights | {"G_pair": self.options.lambda_style, "G_semantic": 1.0}

    def judge(self, views: Views, sample: Sample) -> dict[str, Tensor]:
        photos = torch.cat([views.fakes_b[-1].detach(), sample.C, sample.D])
        fake, same, other = self._same_style(photos, sample.I.repeat(3, 1, 1, 1)).chunk(3)
        style = 0.5 * (lsgan(fake, 0.0) + lsgan(other, 0.0) + lsgan(same, 1.0))  # pix2pixSC eq. 5; spec: systems 1.2
        return super().judge(views, sample) | {"SD": style}

    def terms(self, views: Views, sample: Sample) -> dict[str, Tensor]:
        y = views.fakes_b[-1]
        return super().terms(views, sample) | {
            "G_pair": lsgan(self._same_style(y, sample.I), 1.0),
            "G_semantic": self.semantic(y, sample.z, sample.consistent),
        }

    def _same_style(self, photo: Tensor, exemplar: Tensor) -> Tensor:
        return self.style_judge(torch.cat([photo, exemplar], 1))[-1]


def pairwise_style(anchor: Tensor, same: Tensor, other: Tensor, margin: float) -> Tensor:
    """Style codes (N, S): mean over items of |anchor - same|_1 + max(0, margin - |anchor - other|_1), L1 as a mean."""
    near = (anchor - same).float().abs().mean(1)
    far = (anchor - other).float().abs().mean(1)
    return (near + F.relu(margin - far)).mean()


def consistent_l1(got: Tensor, wanted: Tensor, consistent: Tensor) -> Tensor:
    """Pictures (N, 3, H, W), consistent (N,) bool: mean over *all* items of the mean L1, 0 for an inconsistent one."""
    return ((got - wanted).float().abs().mean((1, 2, 3)) * consistent).mean()
