"""Seconds per synthesized image of pix2pixSC, ours in batches against the plain way, one by one.

    python -m tests.benchmarks.inference [--size 64,128,256] [--ngf 16] [--batch 8] [--rounds 7]

The plain way is the official test script's: a batch of one, float32, PyTorch's own layers (spec: systems 1.9). The same
weights must give the same images within 1e-4 of full scale. Medians of CPU seconds per image, in turns.
"""

from __future__ import annotations

import argparse
import statistics

import torch
from torch import Tensor

from benchmark.features import load_features
from tests.benchmarks.plain import plain
from tests.benchmarks.timing import in_turns, ratio
from tests.benchmarks.train_step import make


def measure(size: int, args: argparse.Namespace) -> None:
    """One line of the table."""
    networks = {"ngf": args.ngf, "n_downsample": args.downsample, "n_blocks": args.blocks}
    trainer, sample = make(size, networks, args.batch, load_features("efficientnet-lite0"))
    method, alone = trainer.method, plain(trainer.networks["G"])
    items = list(zip(*(part.split(1) for part in (sample.x, sample.I, sample.F_I)), strict=True))

    @torch.no_grad()
    def one_by_one() -> Tensor:
        return torch.cat([alone(method.assemble(*item)) for item in items])

    def batched() -> Tensor:
        return method.synthesize(sample.x, sample.I, sample.F_I)

    worst = (one_by_one() - batched()).abs().max().item()
    if worst > 1e-4:
        raise SystemExit(f"images differ by {worst}")
    found = in_turns({"plain": one_by_one, "ours": batched}, args.rounds)
    plain_cpu, our_cpu = found["plain"].cpu, found["ours"].cpu
    each = [1e3 * statistics.median(seconds) / args.batch for seconds in (plain_cpu, our_cpu)]
    print(f"{size:4d} px  plain {each[0]:.1f}  ours {each[1]:.1f} CPU-ms an image  {ratio(plain_cpu, our_cpu):.2f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="64,128,256", help="one number or several with commas")
    for flag, number in (("ngf", 16), ("blocks", 3), ("downsample", 2), ("batch", 8), ("rounds", 7), ("threads", 1)):
        parser.add_argument(f"--{flag}", type=int, default=number)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for size in args.size.split(","):
        measure(int(size), args)


if __name__ == "__main__":
    main()
