"""What a run costs: floating-point operations of every method's training, counted on its real networks.

    python -m tests.benchmarks.flops --preset paper [--tasks face,dance,street] [--methods pix2pixsc,munit]
                                     [--peak 19.5 --utilisation 0.5] [--seeds 1] [--json FILE]

Counts are PyTorch's own (`torch.utils.flop_counter`): convolutions and matrix products, forward and backward, two
operations per multiply-add; norms, activations, Adam and resizing are not counted. Networks and images are on the
"meta" device, which has shapes and no values, so that a step at 256 px costs no time; VGG-19 needs no weights that way.
An image for which a method looks at values (for a seed, or to optimise it) is run on the CPU instead, and marked.

Hours are operations over `--peak` TFLOP/s times `--utilisation`: an assumption about a GPU, not a measurement.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmark import config as configuration
from benchmark import registry
from benchmark.features import VGG19
from benchmark.protocols import MethodSetup, Sample, TaskInfo
from benchmark.run.cell import planned_steps

GPUS = (1, 8, 64)


class UntrainedVGG19(VGG19):
    """The shapes of VGG-19; its weights do not matter to a count."""

    weights_sha256, protocol = "untrained", "vgg19-untrained"

    def __init__(self, device: str) -> None:
        nn.Module.__init__(self)
        from torchvision.models import vgg19

        with torch.device(device):
            self.convolutions = vgg19(weights=None).features[: self.ends[-1] + 1]
        self.requires_grad_(False).eval()


@dataclass(frozen=True)
class Cost:
    """Of one method of one task; counts in GFLOP."""

    task: str
    method: str
    step: float  # a training step
    steps: int
    image: float  # a test image
    items: int
    note: str

    @property
    def total(self) -> float:
        """EFLOP = 1e18 operations of a cell: training and test images."""
        return (self.step * self.steps + self.image * self.items) / 1e9


def noise(info: TaskInfo, batch: int, device: str) -> Sample:
    """A batch of the task's shapes, consistent throughout: the pairs that the dearest step is made for."""

    def images(channels: int) -> Tensor:
        return torch.rand(batch, channels, info.height, info.width, device=device)

    x, f_i = images(info.label_channels), images(info.label_channels)
    z, i, c, d = (images(3) * 2 - 1 for _ in range(4))
    joints = None
    if info.joints:
        spread = torch.tensor([info.width, info.height], dtype=torch.float32)
        joints = (torch.rand(batch, info.joints, 2) * spread).to(device)
    return Sample(x, z, i, f_i, torch.ones(batch, dtype=torch.bool, device=device), c, d, joints)


@dataclass(frozen=True)
class Subject:
    """A method under a task's configuration."""

    name: str
    info: TaskInfo
    config: configuration.Config

    def method(self, device: str, **options: Any) -> Any:
        """A fresh one on a device, with some of its own options changed."""
        own = {**self.config.method.get(self.name, {}), **options}
        config = replace(self.config, method={**self.config.method, self.name: own})
        setup = MethodSetup(self.name, self.info, config, 0, UntrainedVGG19(device), device)
        return registry.get("methods", self.name)(setup)

    def step(self) -> float:
        """GFLOP of a training step, late in the training, when every loss is switched on."""
        trainer = self.method("meta").trainer()
        for network in trainer.networks.values():
            network.to("meta").train()
        parameters = {key: list(network.parameters()) for key, network in trainer.networks.items()}

        def minimise(loss: Tensor, network: str) -> None:
            loss.backward(inputs=parameters[network], retain_graph=True)

        with FlopCounterMode(display=False) as counter:
            trainer.step(noise(self.info, self.config.train.batch, "meta"), 10**9, minimise)
        return counter.get_total_flops() / 1e9

    def image(self) -> tuple[float, str]:
        """GFLOP of a test image, and where counted. Of an optimisation, two short ones tell what a full one takes."""
        planned = getattr(self.method("meta").options, "iterations", None)
        if planned is not None:
            few, more = (self._image(self.method("cpu", iterations=[n] * len(planned))) for n in (1, 2))
            return few + (more - few) * (sum(planned) / len(planned) - 1), "cpu"
        try:
            return self._image(self.method("meta")), "meta"
        except (RuntimeError, NotImplementedError):  # so torch says that there are no values
            return self._image(self.method("cpu")), "cpu"

    def _image(self, method: Any) -> float:
        sample = noise(self.info, 1, method.setup.device)
        wanted = (sample.joints,) if getattr(method, "wants_joints", False) else ()
        with FlopCounterMode(display=False) as counter:
            method.synthesize(sample.x, sample.I, sample.F_I, *wanted)
        return counter.get_total_flops() / 1e9


def cost(task_name: str, name: str, preset: str, others: Collection[str]) -> Cost | None:
    """None for a reference and for what a task refuses. A method that takes the weights of one of the `others` does not
    train.
    """
    task, cls = registry.get("tasks", task_name)(), registry.get("methods", name)
    whole = configuration.load(preset, task_name)
    config = whole.for_method(name)
    info = task.info(config)
    if cls.reference or cls.refuses(info):
        return None
    subject, lender = Subject(name, info, config), getattr(cls, "trained_as", "")
    image, where = subject.image()
    steps = 0 if lender in others else planned_steps(whole, name)
    notes = ["image run on the CPU"] if where == "cpu" else []
    notes += [f"weights of {lender}"] if not steps else []
    return Cost(task_name, name, subject.step(), steps, image, whole.eval.items, "; ".join(notes))


def spread(hours: Mapping[Any, float], gpus: int) -> float:
    """Hours until the last of the cells ends when each GPU takes the longest one left."""
    ends = [0.0] * gpus
    for need in sorted(hours.values(), reverse=True):
        ends[ends.index(min(ends))] += need
    return max(ends)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--tasks", default=",".join(registry.names("tasks")))
    parser.add_argument("--methods", default="")
    parser.add_argument("--peak", type=float, default=19.5, help="TFLOP/s of one GPU")
    parser.add_argument("--utilisation", type=float, default=0.5)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rate = args.peak * args.utilisation * 3600 / 1e6  # EFLOP an hour
    found = []
    print(f"{'task':8}{'method':24}{'GFLOP/step':>12}{'steps':>12}{'GFLOP/image':>13}{'EFLOP':>9}{'GPU hours':>11}")
    for task in args.tasks.split(","):
        methods = args.methods.split(",") if args.methods else registry.get("tasks", task).methods
        for one in (cost(task, name, args.preset, methods) for name in methods):
            if one is None:
                continue
            found.append(one)
            figures = f"{one.step:12,.0f}{one.steps:12,}{one.image:13,.0f}{one.total:9.2f}{one.total / rate:11.1f}"
            print(f"{one.task:8}{one.method:24}{figures}  {one.note}", flush=True)
    hours = {(c.task, c.method, s): c.total / rate for c in found for s in range(args.seeds)}
    print(f"{len(hours)} cells, {sum(hours.values()):,.0f} GPU hours; the longest cell {max(hours.values()):.1f} h")
    for gpus in GPUS:
        wall = spread(hours, gpus)
        print(f"{gpus:4} GPUs: {wall:8.1f} h, each busy {sum(hours.values()) / wall / gpus:.0%} of the time")
    if args.json:
        args.json.write_text(json.dumps([asdict(one) for one in found], indent=1))


if __name__ == "__main__":
    main()
