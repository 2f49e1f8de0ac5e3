"""What example-guided MUNIT costs beside running both domains in full, on this machine.

    python -m tests.benchmarks.munit_inference [--dim 64] [--side 256] [--batch 1] [--rounds 9] [--threads 1]

The full way is the official code's: content and style of the label *and* of the exemplar, then both translations.
Ours runs one content encoder, one style encoder and one decoder. Both hold the same weights, must give the same picture
and are timed in turns; each round gives one ratio of CPU times. Prints medians; exit status 1 when ours costs more than
60 % of the full way.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from baselines.munit.method import Munit, MunitTrainer
from benchmark.config import from_dict
from benchmark.protocols import MethodSetup, TaskInfo

LABELS, PROMISED = 15, 0.6


def full_forward(trainer: MunitTrainer, x: Tensor, exemplar: Tensor) -> Tensor:
    """Both domains encoded and translated; the photo of the two results."""
    label = trainer.method.labels(x)
    content_a, style_a = trainer.a.content(label), trainer.a.style(label)
    content_b, style_b = trainer.b.content(exemplar), trainer.b.style(exemplar)
    trainer.a.decoder(content_b, style_a)
    return trainer.b.decoder(content_a, style_b)


def seconds(run: Callable[[], Tensor]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag, default in (("dim", 64), ("side", 256), ("batch", 1), ("rounds", 9), ("threads", 1)):
        parser.add_argument(f"--{flag}", type=int, default=default)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)

    task = TaskInfo("face", LABELS, args.side, args.side)
    method = Munit(MethodSetup("munit", task, from_dict({"method": {"munit": {"dim": args.dim}}}), seed=0))
    trainer = method.trainer()
    x = torch.rand(args.batch, LABELS, args.side, args.side)
    exemplar = torch.rand(args.batch, 3, args.side, args.side) * 2 - 1

    def ours() -> Tensor:
        return method.synthesize(x, exemplar, x)

    def full() -> Tensor:
        return full_forward(trainer, x, exemplar)

    torch.testing.assert_close(ours(), full())  # and warms both up
    rounds = [(seconds(ours), seconds(full)) for _ in range(args.rounds)]
    ratio = statistics.median(a / b for a, b in rounds)
    own, whole = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"same picture; {vars(args)}; torch {torch.__version__}; medians of {args.rounds} pairs")
    print(f"CPU  ours {own:.3f} s  full {whole:.3f} s  ratio {ratio:.3f}  (promised: at most {PROMISED})")
    sys.exit(ratio > PROMISED)


if __name__ == "__main__":
    main()
