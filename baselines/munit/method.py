"""MUNIT: unpaired, multimodal translation from labels to photos, guided by an exemplar at synthesis.

    bench train --task face --method munit --preset demo

Domain a holds labels as pictures, domain b photos. Each has an auto-encoder that splits a picture into content and
style, and a multi-scale discriminator; translations take their style from N(0, 1) (MUNIT sec 3-4; spec: systems 3). It
never sees which photo belongs to which label: a step's photos are the exemplars, not the targets. Synthesis runs the
three parts it needs, a's content encoder, b's style encoder and b's decoder; only these are kept and saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.munit.label_domain import LabelDomain
from baselines.munit.networks import ContentEncoder, Decoder, MultiscalePatches, Sizes, StyleEncoder, Translator
from benchmark.protocols import MethodSetup, Sample
from models.losses import lsgan
from models.method import TrainedMethod
from models.training import Minimise


@dataclass(frozen=True)
class MunitOptions(Sizes):
    """The official weights; `cycle` is the value for pairs of domains that must stay aligned (spec: systems 3)."""

    label_domain: str = "rgb"  # labels as rendered pictures ("rgb") or as all their channels ("raw")
    gan: float = 1.0
    recon_image: float = 10.0  # a picture from its own codes
    recon_style: float = 1.0  # a drawn style from the picture decoded with it
    recon_content: float = 1.0  # a content code from its translation
    cycle: float = 10.0  # a picture from its translation's content and its own style; 0 switches the pass off


class Munit(TrainedMethod):
    """MUNIT with example-guided synthesis."""

    title: ClassVar[str] = "MUNIT"
    Options = MunitOptions
    options: MunitOptions
    generator: Translator

    def __init__(self, setup: MethodSetup) -> None:
        options: MunitOptions = self.read_options(setup)
        self.labels = LabelDomain(setup.task, options.label_domain, setup.name)
        super().__init__(setup)

    def build(self) -> Translator:
        sizes = self.options
        return Translator(ContentEncoder(self.labels.channels, sizes), StyleEncoder(3, sizes), Decoder(3, sizes))

    def trainer(self) -> MunitTrainer:
        return MunitTrainer(self)

    @torch.no_grad()
    def synthesize(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741 - the protocol's name
        """The content of the label x in the style of I; F_I is not looked at. Shapes as in `Method.synthesize`."""
        device = self.setup.device
        return self.generator(self.labels(x.to(device)), I.to(device)).to(x.device)


@dataclass(frozen=True)
class Views:
    """One step's pictures and codes. Content codes (N, deep, h, w), style codes (N, style_dim)."""

    a: Tensor  # label picture (N, C_a, H, W)
    b: Tensor  # photo (N, 3, H, W)
    content_a: Tensor
    content_b: Tensor
    style_a: Tensor  # encoded
    style_b: Tensor
    drawn_a: Tensor  # from N(0, 1)
    drawn_b: Tensor
    fakes_a: tuple[Tensor, ...]  # translations; the first is decoded with the drawn style
    fakes_b: tuple[Tensor, ...]
    own_a: Tensor  # a, decoded from its own codes
    own_b: Tensor


class MunitTrainer:
    """One step: the discriminators, then both auto-encoders, on the same translations.

    No layer mixes items, so a network sees all that it is asked about at one time in one pass: small passes are dear.
    """

    guides: ClassVar[bool] = False  # whether the label is also decoded in the exemplar's own style

    def __init__(self, method: Munit) -> None:
        self.method, self.options = method, method.options
        channels, sizes, guided = method.labels.channels, method.options, method.generator
        self.a = Translator(guided.content, StyleEncoder(channels, sizes), Decoder(channels, sizes))
        self.b = Translator(ContentEncoder(3, sizes), guided.style, guided.decoder)
        self.judge_a, self.judge_b = MultiscalePatches(channels, sizes), MultiscalePatches(3, sizes)
        self.networks: dict[str, nn.Module] = {
            "D": nn.ModuleDict({"a": self.judge_a, "b": self.judge_b}),
            "G": nn.ModuleDict({"a": self.a, "b": self.b}),
        }
        self.called = [self.judge_a, self.judge_b, *self.a.children(), *self.b.children()]

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each of `terms` in the generators' loss."""
        o = self.options
        return {
            "G_gan": o.gan,
            "G_image": o.recon_image,
            "G_style": o.recon_style,
            "G_content": o.recon_content,
            "G_cycle": o.cycle,
        }

    def preview(self, sample: Sample) -> Tensor:
        return self.method.synthesize(sample.x, sample.I, sample.F_I)

    def step(self, sample: Sample, step: int, minimise: Minimise) -> dict[str, Tensor]:
        """sample on the device of the networks; see `models.training.Trainer`."""
        views = self.translate(sample)
        losses = self.judge(views, sample)
        for name, loss in losses.items():
            minimise(loss, name)
        terms, weights = self.terms(views, sample), self.weights
        minimise(torch.stack([weights[name] * value for name, value in terms.items()]).sum(), "G")
        return {name: value.detach() for name, value in {**losses, **terms}.items()}

    def translate(self, sample: Sample) -> Views:
        """Encode both domains and translate both ways, once for all losses of the step."""
        a, b = self.method.labels(sample.x), sample.I
        content_a, style_a = self.a.content(a), self.a.style(a)
        content_b, style_b = self.b.content(b), self.b.style(b)
        drawn_a, drawn_b = torch.randn_like(style_a), torch.randn_like(style_b)
        *fakes_a, own_a = together(self.a.decoder, (content_b, drawn_a), (content_a, style_a))
        guided = [(content_a, style_b)] if self.guides else []
        *fakes_b, own_b = together(self.b.decoder, (content_a, drawn_b), *guided, (content_b, style_b))
        codes = content_a, content_b, style_a, style_b, drawn_a, drawn_b
        return Views(a, b, *codes, tuple(fakes_a), tuple(fakes_b), own_a, own_b)

    def judge(self, views: Views, sample: Sample) -> dict[str, Tensor]:
        """Losses of the discriminators, by network."""
        loss = _told_apart(self.judge_a, views.fakes_a, views.a) + _told_apart(self.judge_b, views.fakes_b, views.b)
        return {"D": self.options.gan * loss}

    def terms(self, views: Views, sample: Sample) -> dict[str, Tensor]:
        """Unweighted losses of the generators, each the sum over both domains (MUNIT eq. 1-5)."""
        v, to_a, to_b = views, views.fakes_a[0], views.fakes_b[0]
        content_of_a, content_of_b = self.b.content(to_b), self.a.content(to_a)
        judged = ((self.judge_a, v.fakes_a), (self.judge_b, v.fakes_b))
        terms = {
            "G_gan": torch.stack([len(f) * over_scales(judge(torch.cat(f)), 1.0) for judge, f in judged]).sum(),
            "G_image": l1(v.own_a, v.a) + l1(v.own_b, v.b),
            "G_style": l1(self.a.style(to_a), v.drawn_a) + l1(self.b.style(to_b), v.drawn_b),
            "G_content": l1(content_of_a, v.content_a) + l1(content_of_b, v.content_b),
        }
        if self.options.cycle:
            back_a, back_b = self.a.decoder(content_of_a, v.style_a), self.b.decoder(content_of_b, v.style_b)
            terms["G_cycle"] = l1(back_a, v.a) + l1(back_b, v.b)
        return terms


def l1(got: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute difference, in float32; gradients flow into both."""
    return F.l1_loss(got.float(), wanted.float())


def over_scales(scores: Sequence[Tensor], target: float) -> Tensor:
    """Least-squares loss summed over a discriminator's scales."""
    return torch.stack([lsgan(score, target) for score in scores]).sum()


def together(network: nn.Module, *calls: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What a network that never mixes items gives to each of several calls of one batch size, in one pass."""
    return network(*(torch.cat(arguments) for arguments in zip(*calls, strict=True))).chunk(len(calls))


def _told_apart(judge: MultiscalePatches, fakes: tuple[Tensor, ...], real: Tensor) -> Tensor:
    """Fakes to 0, real pictures to 1; several kinds of fakes share the weight of one."""
    scores = judge(torch.cat([*(fake.detach() for fake in fakes), real]))
    wrong, right = zip(*(score.tensor_split([-len(real)]) for score in scores), strict=True)
    return over_scales(wrong, 0.0) + over_scales(right, 1.0)
