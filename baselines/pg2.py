"""PG2, pose-guided person image generation (Ma et al. 2017): a person's photo and the joints of another pose.

    bench train --task face --method pg2 --preset demo

Two stages (PG2 sec 3; spec: systems 6): G1 learns a coarse picture by L1, weighted up on the limbs; then, G1 frozen, G2
adds the detail under an adversary. Trained on pairs of one person, as in the paper: the inconsistent pairs of a batch
are left out. Faces take their 68 landmarks for joints.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from baselines.pg2_networks import Critic, PoseGuided, levels_at
from baselines.pg2_pose import LIMBS, joint_maps, pose_mask
from baselines.pix2pix import cross_entropy
from benchmark.errors import BenchError
from benchmark.protocols import Sample, TaskInfo
from models.method import TrainedMethod
from models.training import Minimise


@dataclass(frozen=True)
class PG2Options:
    """The values of the published 256 px model."""

    features: int = 128  # filters of both generators' first level; level l has l times as many
    latent: int = 64  # values of G1's waist
    levels: int = 0  # of G1; 0: as many as lead down to 8 px. G2 has two less
    stage1_share: float = 0.275  # share of the training in which G1 alone learns: 22k of 80k steps
    lambda_l1: float = 50.0  # weight of L1 and masked L1 beside G2's adversarial loss (10 for the small data set)
    mask_stage1: bool = True  # weigh the limbs up in stage 1 too: the paper does, the official code does not

    def __post_init__(self) -> None:
        for name in ("features", "latent"):
            if getattr(self, name) < 1:
                raise BenchError(f"method.pg2.{name}: at least 1, got {getattr(self, name)}")
        if not 0 <= self.stage1_share <= 1:
            raise BenchError(f"method.pg2.stage1_share: a share from 0 to 1, got {self.stage1_share}")


class PG2(TrainedMethod):
    """Coarse picture plus refinement."""

    title: ClassVar[str] = "PG2"
    wants_joints: ClassVar[bool] = True
    Options = PG2Options
    options: PG2Options
    generator: PoseGuided

    @classmethod
    def refuses(cls, task: TaskInfo) -> str | None:
        if not task.joints:
            return "needs joints"
        return None if task.joints in LIMBS else f"needs {' or '.join(map(str, LIMBS))} joints, not {task.joints}"

    def build(self) -> PoseGuided:
        task, options = self.setup.task, self.options
        most = levels_at(task.height, task.width)
        if not 0 <= options.levels <= most:
            raise BenchError(
                f"method.pg2.levels: 1 to {most} at {task.height}x{task.width} px (0 chooses), got {options.levels}"
            )
        levels = options.levels or most
        return PoseGuided(task.joints, task.height, task.width, options.features, options.latent, levels)

    def trainer(self) -> PG2Trainer:
        return PG2Trainer(self)

    @torch.no_grad()
    def synthesize(self, x: Tensor, I: Tensor, F_I: Tensor, joints: Tensor | None = None) -> Tensor:  # noqa: E741
        """I (N, 3, H, W) in [-1, 1], joints (N, J, 2) px -> (N, 3, H, W), cut to [-1, 1]; the labels are not used."""
        maps = joint_maps(required(joints).to(self.setup.device), *I.shape[-2:])
        return self.generator(I.to(self.setup.device), maps).clamp(-1, 1).to(I.device)


class PG2Trainer:
    """One step: G1 alone in the first stage; in the second G2, then D on the same pictures."""

    def __init__(self, method: PG2) -> None:
        task, config = method.setup.task, method.setup.config
        self.method, self.options = method, method.options
        self.stage1_ends = round(method.options.stage1_share * config.train.total)
        self.networks: dict[str, nn.Module] = {
            "G1": method.generator.coarse,
            "G2": method.generator.refine,
            "D": Critic(task.height, task.width, config.networks.ndf),
        }

    def preview(self, sample: Sample) -> Tensor:
        return self.method.synthesize(sample.x, sample.I, sample.F_I, sample.joints)

    def choose(self, sample: Sample) -> Sample:
        """The consistent pairs of a batch, of which there may be none."""
        chosen: Any = {name: None if v is None else v[sample.consistent] for name, v in vars(sample).items()}
        return replace(sample, **chosen)

    def step(self, sample: Sample, step: int, minimise: Minimise) -> dict[str, Tensor]:
        """What `choose` left of a batch, on the device of the networks: without a pair nothing changes or is logged."""
        if not len(sample):
            return {}
        pair = Pair.of(sample.I, sample.z, required(sample.joints))
        losses = self._first(pair, minimise) if step < self.stage1_ends else self._second(pair, minimise)
        return {name: value.detach() for name, value in losses.items()}

    def _first(self, pair: Pair, minimise: Minimise) -> dict[str, Tensor]:
        coarse = self.networks["G1"](torch.cat([pair.photo, pair.maps], 1))
        losses = {"G1_l1": masked_l1(coarse, pair.target, pair.mask * self.options.mask_stage1)}
        minimise(losses["G1_l1"], "G1")
        return losses

    def _second(self, pair: Pair, minimise: Minimise) -> dict[str, Tensor]:
        with torch.no_grad():
            coarse = self.networks["G1"](torch.cat([pair.photo, pair.maps], 1))
        fake = coarse + self.networks["G2"](torch.cat([coarse, pair.photo], 1))
        real, false = self._judge(pair.target, fake, pair.photo)
        losses = {"G2_gan": cross_entropy(false, 1.0), "G2_l1": masked_l1(fake, pair.target, pair.mask)}
        minimise(losses["G2_gan"] + self.options.lambda_l1 * losses["G2_l1"], "G2")
        losses["D"] = 0.5 * (cross_entropy(false, 0.0) + cross_entropy(real, 1.0))
        minimise(losses["D"], "D")
        return losses

    def _judge(self, target: Tensor, fake: Tensor, photo: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the targets (N,), and of the fakes and the given photos (2 N,): copying the input counts as false.

        One pass, as in the official code, so that all three share the batch norm's statistics.
        """
        scores = self.networks["D"](torch.cat([target, fake, photo]))
        return scores[: len(target)], scores[len(target) :]


@dataclass(frozen=True)
class Pair:
    """Two photos of one person, and the pose of the second."""

    photo: Tensor  # (N, 3, H, W) in [-1, 1]
    target: Tensor  # (N, 3, H, W)
    maps: Tensor  # (N, J, H, W) in {-1, 1}, where the target's joints are
    mask: Tensor  # (N, 1, H, W) in {0, 1}, where its limbs are

    @classmethod
    def of(cls, photo: Tensor, target: Tensor, joints: Tensor) -> Pair:
        """Draw the target's joints (N, J, 2), in px."""
        size = target.shape[-2:]
        return cls(photo, target, joint_maps(joints, *size), pose_mask(joints, *size))


def masked_l1(image: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean of |image - target| * (1 + mask); image, target (N, 3, H, W), mask (N, 1, H, W) (PG2 sec 3.1)."""
    return ((image.float() - target).abs() * (1 + mask)).mean()


def required(joints: Tensor | None) -> Tensor:
    """The joints, or an error that says they are missing."""
    if joints is None:
        raise BenchError("pg2: needs the joints of the asked label and was given none")
    return joints.float()
