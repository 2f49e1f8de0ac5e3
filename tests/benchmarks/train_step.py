"""Seconds per training step of pix2pixSC, ours against the plain way, on this machine.

    python -m tests.benchmarks.train_step [--threads 1] [--ngf 24] [--blocks 6] [--batch 8] [--rounds 7]

The plain way is the official order of work: PyTorch's instance norm and per-tensor Adam, every discriminator pass on
its own, the discriminators' weight gradients computed in G's backward pass and thrown away. Both ways start from the
same weights, see the same batch, must give the same first losses, and are timed in turns, so that a busy machine hurts
both alike. Prints medians of CPU and wall seconds and their ratios.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from benchmark.config import from_dict
from benchmark.features import load_features
from benchmark.protocols import MethodSetup, Sample, TaskInfo
from models.losses import FINE_TO_COARSE
from models.networks import InstanceNorm
from models.style_consistent import Pix2PixSC, StyleConsistentTrainer
from models.training import make_accelerator, make_adam, make_minimiser

Losses = dict[str, float]
SIDE, LABELS = 64, 15


class PlainNorm(nn.Module):
    """What `nn.InstanceNorm2d` calls."""

    def forward(self, x: Tensor) -> Tensor:
        return F.instance_norm(x)


def plain_networks(networks: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Copies with PyTorch's own instance norm."""
    copies = {name: copy.deepcopy(network) for name, network in networks.items()}
    for network in copies.values():
        for module in list(network.modules()):
            for name, child in module.named_children():
                if isinstance(child, InstanceNorm):
                    setattr(module, name, PlainNorm())
    return copies


class PlainStep:
    """One step as the official code orders it (spec: systems 1.2, 1.3), weights `official`."""

    def __init__(self, trainer: StyleConsistentTrainer, sample: Sample) -> None:
        self.networks, self.sample = plain_networks(trainer.networks), sample
        self.features = trainer.method.features()
        config = trainer.method.setup.config.train
        self.optimizers = {
            name: Adam(net.parameters(), lr=config.lr, betas=(config.beta1, config.beta2), foreach=False)
            for name, net in self.networks.items()
        }

    def __call__(self) -> Losses:
        s, g, d, sd = self.sample, *(self.networks[name] for name in ("G", "D", "SD"))
        fake = g(torch.cat([s.x, s.F_I, s.I], 1))
        losses = {
            "G_gan": mse(d(torch.cat([s.x, fake], 1))[-1], 1),
            "G_style": mse(sd(torch.cat([fake, s.I], 1))[-1], 1),
            "G_semantic": self.semantic(fake),
            "D": 0.5 * (mse(d(torch.cat([s.x, fake.detach()], 1))[-1], 0) + mse(d(torch.cat([s.x, s.z], 1))[-1], 1)),
            "SD": 0.5
            * (
                mse(sd(torch.cat([fake.detach(), s.I], 1))[-1], 0)
                + mse(sd(torch.cat([s.C, s.I], 1))[-1], 1)
                + mse(sd(torch.cat([s.D, s.I], 1))[-1], 0)
            ),
        }
        totals = (losses["G_gan"] + 10 * losses["G_style"] + losses["G_semantic"], losses["D"], losses["SD"])
        for total, optimizer in zip(totals, self.optimizers.values(), strict=True):
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
        return {name: value.item() for name, value in losses.items()}

    def semantic(self, fake: Tensor) -> Tensor:
        got, wanted = self.features.loss_layers(fake), self.features.loss_layers(self.sample.z)
        total = fake.new_zeros(())
        for weight, a, b in zip(FINE_TO_COARSE, got, wanted, strict=True):
            per_item = (a - b.detach()).abs().mean((1, 2, 3))
            total = total + ((10 * weight + 20 * self.sample.consistent.float()) * per_item).mean()
        return total


def mse(score: Tensor, target: float) -> Tensor:
    return (score - target).square().mean()


def our_step(trainer: StyleConsistentTrainer, sample: Sample) -> Callable[[], Losses]:
    """The suite's own step, as the training loop calls it."""
    config = trainer.method.setup.config.train
    accelerator = make_accelerator("no", "cpu")
    optimizers = {name: accelerator.prepare(make_adam(net, config)) for name, net in trainer.networks.items()}
    minimise = make_minimiser(accelerator, trainer.networks, optimizers)
    return lambda: {name: value.item() for name, value in trainer.step(sample, 0, minimise).items()}


def make(ngf: int, blocks: int, batch: int) -> tuple[StyleConsistentTrainer, Sample]:
    """A trainer at 64 px with the embedded feature network, and one batch of noise."""
    tree = {
        "networks": {"ngf": ngf, "ndf": ngf, "n_downsample": 3, "n_blocks": blocks},
        "loss": {"features": "efficientnet-lite0", "resize_below": 0},
        "method": {"pix2pixsc": {"weights": "official"}},
    }
    task = TaskInfo("face", LABELS, SIDE, SIDE)
    setup = MethodSetup("pix2pixsc", task, from_dict(tree), 0, load_features("efficientnet-lite0"))
    x, f_i = torch.rand(2, batch, LABELS, SIDE, SIDE)
    z, i, c, d = torch.rand(4, batch, 3, SIDE, SIDE) * 2 - 1
    return Pix2PixSC(setup).trainer(), Sample(x, z, i, f_i, torch.arange(batch) % 2 == 0, c, d)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag, default in (("threads", 1), ("ngf", 24), ("blocks", 6), ("batch", 8), ("rounds", 7)):
        parser.add_argument(f"--{flag}", type=int, default=default)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    trainer, sample = make(args.ngf, args.blocks, args.batch)
    steps: dict[str, Callable[[], Losses]] = {"plain": PlainStep(trainer, sample), "ours": our_step(trainer, sample)}

    first = {name: step() for name, step in steps.items()}
    for name, value in first["plain"].items():
        if abs(first["ours"][name] - value) > 1e-5 * abs(value):
            raise SystemExit(f"{name}: {first['ours'][name]} is not the plain way's {value}")

    cpu: dict[str, list[float]] = {name: [] for name in steps}
    wall: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(args.rounds):
        for name, step in steps.items():
            began = time.process_time(), time.perf_counter()
            step()
            cpu[name].append(time.process_time() - began[0])
            wall[name].append(time.perf_counter() - began[1])

    print(f"first losses equal to 1e-5; {vars(args)}; torch {torch.__version__}; medians of {args.rounds}")
    for kind, seconds in (("CPU", cpu), ("wall", wall)):
        plain, ours = (statistics.median(seconds[name]) for name in ("plain", "ours"))
        print(f"{kind:4s}  plain {plain:.3f} s  ours {ours:.3f} s  ratio {plain / ours:.2f}")


if __name__ == "__main__":
    main()
