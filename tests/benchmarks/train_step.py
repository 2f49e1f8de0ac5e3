"""Seconds per training step of pix2pixSC, ours against the plain way, on this machine.

    python -m tests.benchmarks.train_step                                  # a small network at 64 px, batch 8
    python -m tests.benchmarks.train_step --size 64,128,256 --ngf 16 --batch 1
    python -m tests.benchmarks.train_step --threads 1,2                    # which number of threads is worth its cost
    python -m tests.benchmarks.train_step --features vgg19                 # random weights cost what trained ones do

"official" does the work that the official code is specified to do, "lean" the same without its idle perceptual passes
(tests/benchmarks/plain.py). All ways start from the same weights, see the same batch, must give the same first losses,
and are timed in turns, so that a busy machine hurts all alike. Medians of CPU seconds, the ratios to ours, and our
operations per second as a share of this machine's matrix product. `--bf16` adds our step in bfloat16, where the
machine's bfloat16 product is at least 3 times its float32 one; where it is not, that is said and nothing is timed.
`--compile` adds our step with the networks compiled, and says how long its first step took.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmark.config import from_dict
from benchmark.features import VGG19, load_features
from benchmark.protocols import MethodSetup, Sample, TaskInfo
from models.minimise import Minimiser, make_adam
from models.ranks import Ranks
from models.style_consistent import Pix2PixSC, StyleConsistentTrainer
from models.training import compiled, make_accelerator
from tests.benchmarks.plain import PlainStep
from tests.benchmarks.timing import in_turns, matrix_product_peak, ratio

LABELS = 15
BF16_GAIN = 3.0  # of the matrix product, below which bfloat16 promises nothing


class RandomVGG(nn.Module):
    """VGG-19's five maps from random weights, for timing where the trained ones are missing."""

    weights_sha256 = "random"

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import vgg19  # seconds to import

        self.layers = vgg19(weights=None).features[: VGG19.ends[-1] + 1].requires_grad_(False).eval()

    def loss_layers(self, images: Tensor) -> list[Tensor]:
        found = []
        for index, layer in enumerate(self.layers):
            images = layer(images)
            if index in VGG19.ends:
                found.append(images)
        return found


def make(size: int, networks: dict[str, int], batch: int, features: Any) -> tuple[StyleConsistentTrainer, Sample]:
    """A trainer for faces at size x size px, and one batch of noise; the same ones at every call."""
    torch.manual_seed(0)
    tree = {
        "networks": networks,
        "loss": {"resize_below": 0},
        "method": {"pix2pixsc": {"weights": "official"}},
    }
    setup = MethodSetup("pix2pixsc", TaskInfo("face", LABELS, size, size), from_dict(tree), 0, features)
    x, f_i = torch.rand(2, batch, LABELS, size, size)
    z, i, c, d = torch.rand(4, batch, 3, size, size) * 2 - 1
    return Pix2PixSC(setup).trainer(), Sample(x, z, i, f_i, torch.arange(batch) % 2 == 0, c, d)


def our_step(
    trainer: StyleConsistentTrainer, sample: Sample, precision: str = "no", compiler: str = ""
) -> Callable[[], dict[str, float]]:
    """The suite's own step, as the training loop calls it."""
    config = trainer.method.setup.config.train
    ExitStack().enter_context(compiled(trainer.networks.values(), compiler))  # until this process ends
    accelerator = make_accelerator(precision, "cpu")
    optimizers = {name: accelerator.prepare(make_adam(net, config)) for name, net in trainer.networks.items()}
    minimise = Minimiser(accelerator, trainer.networks, optimizers, Ranks())

    def step() -> dict[str, float]:
        with accelerator.autocast():
            losses = trainer.step(sample, 0, minimise)
        minimise.finish()
        return {name: value.item() for name, value in losses.items()}

    return step


def must_agree(first: dict[str, dict[str, float]]) -> None:
    """The first losses of every way, within 1e-5 of the official way's."""
    for way, losses in first.items():
        for name, value in first["official"].items():
            if abs(losses[name] - value) > 1e-5 * abs(value):
                raise SystemExit(f"{name}: {way} gives {losses[name]}, the official way {value}")


def measure(args: argparse.Namespace, size: int, batch: int, ngf: int, threads: int, peaks: dict[str, float]) -> None:
    """One line of the table."""
    torch.set_num_threads(threads)
    networks = {
        "ngf": ngf,
        "ndf": ngf,
        "n_downsample": args.downsample,
        "n_blocks": args.blocks,
        "n_layers": args.layers,
    }
    features: Any = RandomVGG() if args.features == "vgg19" else load_features(args.features)
    trainer, sample = make(size, networks, batch, features)
    ways: dict[str, Callable[[], dict[str, float]]] = {
        "official": PlainStep(trainer, sample),
        "lean": PlainStep(trainer, sample, idle=False),
    }
    if "bf16" in peaks:
        ways["bf16"] = our_step(make(size, networks, batch, features)[0], sample, "bf16")
    first = {name: ways[name]() for name in ("official", "lean")}
    if args.compile:
        ways["compiled"] = our_step(make(size, networks, batch, features)[0], sample, compiler="inductor")
        begin = time.perf_counter()
        first["compiled"] = ways["compiled"]()
        print(f"torch.compile: first step {time.perf_counter() - begin:.0f} s by the clock", flush=True)
    ways["ours"] = our_step(trainer, sample)  # last: an accelerator sets its precision for the whole process
    with FlopCounterMode(display=False) as counter:
        first["ours"] = ways["ours"]()
    must_agree(first)
    found = in_turns(ways, args.rounds)
    cpu, wall = ({name: getattr(t, kind) for name, t in found.items()} for kind in ("cpu", "wall"))
    seconds = statistics.median(cpu["ours"])
    rate = counter.get_total_flops() / seconds
    print(
        f"{size:4d} px  batch {batch}  ngf {ngf:2d}  threads {threads}  "
        + "  ".join(f"{name} {statistics.median(v):.3f}" for name, v in cpu.items())
        + f"  CPU-s ({statistics.median(wall['ours']):.3f} s by the clock)  ours "
        + ", ".join(f"{ratio(v, cpu['ours']):.2f}x {name}" for name, v in cpu.items() if name != "ours")
        + f"  {counter.get_total_flops() / 1e9:.1f} GFLOP, {rate / 1e9:.0f} GFLOP/s, {rate / peaks['no']:.0%} of peak",
        flush=True,
    )


def machine(bf16: bool) -> dict[str, float]:
    """Matrix-product peaks by precision; "bf16" only if asked for and worth it."""
    torch.set_num_threads(1)
    peaks = {"no": matrix_product_peak(torch.float32)}
    line = f"torch {torch.__version__}; matrix product of one thread: float32 {peaks['no'] / 1e9:.0f} GFLOP/s"
    if bf16:
        half = matrix_product_peak(torch.bfloat16)
        line += f", bfloat16 {half / 1e9:.2f} GFLOP/s"
        if half >= BF16_GAIN * peaks["no"]:
            peaks["bf16"] = half
        else:
            line += f": below {BF16_GAIN:g} times float32, bfloat16 is not timed"
    print(line, flush=True)
    return peaks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag, default in (("size", "64"), ("batch", "8"), ("ngf", "24"), ("threads", "1")):
        parser.add_argument(f"--{flag}", default=default, help="one number or several with commas")
    for flag, number in (("blocks", 6), ("downsample", 3), ("layers", 3), ("rounds", 7)):
        parser.add_argument(f"--{flag}", type=int, default=number)
    parser.add_argument("--features", default="efficientnet-lite0", choices=["efficientnet-lite0", "vgg19"])
    parser.add_argument("--compile", action="store_true", help="also with compiled networks; minutes at the first time")
    parser.add_argument("--bf16", action="store_true", help="also in bfloat16, if this machine's gain is worth it")
    args = parser.parse_args()
    peaks = machine(args.bf16)
    several = [[int(part) for part in getattr(args, key).split(",")] for key in ("size", "batch", "ngf", "threads")]
    for size, batch, ngf, threads in itertools.product(*several):
        measure(args, size, batch, ngf, threads, peaks)


if __name__ == "__main__":
    main()
