"""pix2pixSC: example-guided synthesis with a style-consistency discriminator, and its three ablations.

    bench train --task face --method pix2pixsc --preset demo

One generator fed with [label x, exemplar's label F(I), exemplar I]; D judges (x, image), SD judges whether two photos
share a style; a perceptual loss adapts to the pair (pix2pixSC sec 3.2; spec: systems 1.1-1.3). An ablation is the same
method with one option changed; it inherits the table [method.pix2pixsc] (benchmark.config).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from benchmark.errors import BenchError, nearest
from benchmark.protocols import MethodSetup, Sample
from models.losses import READINGS, SemanticConsistency, lsgan
from models.method import TrainedMethod
from models.networks import GlobalGenerator, PatchGAN
from models.training import Minimise

Stage = tuple[tuple[float, ...], ...]
NO_ADAPTIVE = ("", "same-weights", "drop-consistent-term")


@dataclass(frozen=True)
class StyleConsistentOptions:
    """The paper's values; the presets `official` and `paper` state where the code and the paper differ."""

    lambda_style: float = 10.0  # weight of the style-consistency adversary in G's loss (pix2pixSC eq. 7)
    weights: str = "paper_eq6"  # reading of the adaptive weights, lambda_2 = 10 included (models.losses.READINGS)
    semantic_mul: float = 1.0  # times the semantic loss
    no_adaptive: str = ""  # one weight rule for all pairs: "same-weights" (the consistent ones), "drop-consistent-term"
    style_stage: Stage = ((0, 1.0),)  # (step, multiplier): lambda_style is multiplied by it from that step on
    real_stage: Stage = ((0, 1.0),)  # the same for all other terms of G's loss
    style_false_pair: bool = True  # SD also sees two real photos of different styles
    exemplar_label: bool = True  # feed F(I) to the generator

    def __post_init__(self) -> None:
        if self.weights not in READINGS:
            raise BenchError(f"method.pix2pixsc.weights: unknown {self.weights!r}{nearest(self.weights, READINGS)}")
        if self.no_adaptive not in NO_ADAPTIVE:
            raise BenchError(
                f"method.pix2pixsc.no_adaptive: unknown {self.no_adaptive!r}{nearest(self.no_adaptive, NO_ADAPTIVE)}"
            )
        for name in ("style_stage", "real_stage"):
            stage = getattr(self, name)
            steps = [entry[0] for entry in stage if len(entry) == 2]
            if len(steps) != len(stage) or steps[:1] != [0] or steps != sorted(steps):
                raise BenchError(
                    f"method.pix2pixsc.{name}: expected ascending [step, multiplier] pairs from step 0, got {stage}"
                )


def multiplier(stage: Stage, step: int) -> float:
    """The last multiplier whose step has been reached."""
    return next(value for start, value in reversed(stage) if step >= start)


class Pix2PixSC(TrainedMethod):
    """The paper's method."""

    title: ClassVar[str] = "pix2pixSC"
    Options = StyleConsistentOptions
    changes: ClassVar[dict[str, Any]] = {}  # what an ablation takes away
    options: StyleConsistentOptions

    @classmethod
    def read_options(cls, setup: MethodSetup) -> StyleConsistentOptions:
        return setup.config.options(setup.name, cls.Options, cls.changes)

    def build(self) -> nn.Module:
        size = self.networks_config
        labels = self.setup.task.label_channels * (2 if self.options.exemplar_label else 1)
        return GlobalGenerator(labels + 3, 3, size.ngf, size.n_downsample, size.n_blocks)

    def assemble(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741 - the paper's name
        return torch.cat([x, F_I, I] if self.options.exemplar_label else [x, I], 1)

    def trainer(self) -> StyleConsistentTrainer:
        return StyleConsistentTrainer(self)


class StyleConsistentTrainer:
    """One step of pix2pixSC: G, then D, then SD, each judged on the same fakes (spec: systems 1.2)."""

    def __init__(self, method: Pix2PixSC) -> None:
        size, options = method.networks_config, method.options
        self.method, self.options = method, options
        judge = PatchGAN(method.setup.task.label_channels + 3, size.ndf, size.n_layers)
        self.networks: dict[str, nn.Module] = {"G": method.generator, "D": judge}
        if options.lambda_style and any(value for _, value in options.style_stage):
            self.networks["SD"] = PatchGAN(6, size.ndf, size.n_layers)
        self.semantic = None
        if options.semantic_mul:
            self.semantic = SemanticConsistency(
                method.features(), options.weights, method.setup.config.loss.resize_below
            )

    def preview(self, sample: Sample) -> Tensor:
        return self.method.synthesize(sample.x, sample.I, sample.F_I)

    def step(self, sample: Sample, step: int, minimise: Minimise) -> dict[str, Tensor]:
        """sample on the device of the networks; see `models.training.Trainer`."""
        style_weight = self.options.lambda_style * multiplier(self.options.style_stage, step)
        real_weight = multiplier(self.options.real_stage, step)
        losses: dict[str, Tensor] = {}

        fake = self.networks["G"](self.method.assemble(sample.x, sample.I, sample.F_I))
        judged = self.networks["D"](torch.cat([sample.x, fake], 1))[-1]
        total = fake.new_zeros((), dtype=torch.float32)
        if real_weight:
            losses["G_gan"] = lsgan(judged, 1.0)
            total = total + real_weight * losses["G_gan"]
        if real_weight and self.semantic is not None:
            losses["G_semantic"] = self.semantic(fake, sample.z, self._weighed_as(sample.consistent))
            total = total + real_weight * self.options.semantic_mul * losses["G_semantic"]
        if "SD" in self.networks:
            pair = torch.cat([fake if style_weight else fake.detach(), sample.I], 1)
            judged_pair = self.networks["SD"](pair)[-1]
            if style_weight:
                losses["G_style"] = lsgan(judged_pair, 1.0)
                total = total + style_weight * losses["G_style"]
        if total.requires_grad:  # both stages may be at 0 for a while
            minimise(total, "G")

        real = self.networks["D"](torch.cat([sample.x, sample.z], 1))[-1]
        losses["D"] = 0.5 * (lsgan(judged, 0.0) + lsgan(real, 1.0))
        minimise(losses["D"], "D")

        if "SD" in self.networks:
            losses["SD"] = 0.5 * (lsgan(judged_pair, 0.0) + self._real_pairs(sample))
            minimise(losses["SD"], "SD")
        return {name: value.detach() for name, value in losses.items()}

    def _real_pairs(self, sample: Sample) -> Tensor:
        """(C, I) share a style, (D, I) do not (pix2pixSC eq. 5); one pass, since an instance norm never mixes items."""
        partners = [sample.C, sample.D] if self.options.style_false_pair else [sample.C]
        pairs = torch.cat([torch.cat([partner, sample.I], 1) for partner in partners])
        scores = self.networks["SD"](pairs)[-1].split(len(sample))
        return sum((lsgan(score, target) for score, target in zip(scores, (1.0, 0.0), strict=False)), torch.zeros(()))

    def _weighed_as(self, consistent: Tensor) -> Tensor:
        if self.options.no_adaptive == "same-weights":
            return torch.ones_like(consistent)
        if self.options.no_adaptive == "drop-consistent-term":
            return torch.zeros_like(consistent)
        return consistent


class Pix2PixSCNoSC(Pix2PixSC):
    """Table 4's "w/o L_SC": no perceptual loss; the feature network is never run."""

    title = "pix2pixSC w/o L_SC"
    changes: ClassVar[dict[str, Any]] = {"semantic_mul": 0.0}


class Pix2PixSCNoSCAdv(Pix2PixSC):
    """Table 4's "w/o L_SCAdv": no style discriminator; it is never built."""

    title = "pix2pixSC w/o L_SCAdv"
    changes: ClassVar[dict[str, Any]] = {"lambda_style": 0.0}


class Pix2PixSCNoAdaptive(Pix2PixSC):
    """Table 4's "w/o adaptive weights": every pair is weighed as a consistent one (spec: systems 1.8)."""

    title = "pix2pixSC w/o adaptive weights"
    changes: ClassVar[dict[str, Any]] = {"no_adaptive": "same-weights"}
