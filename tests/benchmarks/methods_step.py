"""CPU seconds of one training step of every trained method, at the settings of a preset, on one thread.

    python -m tests.benchmarks.methods_step                                     # this checkout
    python -m tests.benchmarks.methods_step --methods munit,pg2 --rounds 20
    git worktree add /tmp/before COMMIT && python -m tests.benchmarks.methods_step --against /tmp/before
    python -m tests.benchmarks.methods_step --step 0                            # the first step; PG2's first stage

Each checkout steps in a process of its own, in turns with the other: a busy machine hurts both alike. Both start
from the same weights, see the same batch of noise (every second pair consistent) and must give the same first losses,
within 1e-5. The losses of the second step, which show the first's gradients through Adam, are compared and printed: a
rounding in a gradient near 0 can turn Adam's first step of a weight around. Medians and minima of CPU seconds; of the
ratios, that of the minima is the calmer where others use the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[2]
METHODS = "pix2pixsc,pix2pixhd,pix2pix,crn,pg2,munit,paired-munit"
TOLERANCE = 1e-5


def serve(preset: str, name: str, at: int | None) -> None:
    """The child: a step per line read, answered by a line of JSON. Imports come from the checkout on PYTHONPATH, which
    may be an old one: only what has always been there is used.
    """
    import torch
    from torch.optim import Adam

    import benchmark
    from benchmark import config as configuration
    from benchmark import registry
    from benchmark.features import load_features
    from benchmark.protocols import MethodSetup, Sample

    if not Path(str(benchmark.__file__)).is_relative_to(Path.cwd()):
        raise SystemExit(f"{benchmark.__file__} is imported in place of the checkout {Path.cwd()}")
    torch.set_num_threads(1)
    task = registry.get("tasks", "face")()
    config = configuration.load(preset, "face").for_method(name)
    info, batch = task.info(config), config.train.batch
    torch.manual_seed(0)
    trainer: Any = registry.get("methods", name)(
        MethodSetup(name, info, config, 0, load_features(config.loss.features))
    ).trainer()
    x, f_i = torch.rand(2, batch, info.label_channels, info.height, info.width)
    z, i, c, d = torch.rand(4, batch, 3, info.height, info.width) * 2 - 1
    joints = torch.rand(batch, info.joints, 2) * torch.tensor([info.width, info.height])
    sample = Sample(x, z, i, f_i, torch.arange(batch) % 2 == 0, c, d, joints)
    sample = getattr(trainer, "choose", lambda whole: whole)(sample)  # as the loop does

    parameters = {key: list(network.train().parameters()) for key, network in trainer.networks.items()}
    train = config.train
    adams = {
        key: Adam(own, train.lr, (train.beta1, train.beta2), weight_decay=train.weight_decay, fused=True)
        for key, own in parameters.items()
    }

    def minimise(loss: torch.Tensor, network: str) -> None:
        loss.backward(inputs=parameters[network], retain_graph=True)
        adams[network].step()
        adams[network].zero_grad()

    step = train.total - 1 if at is None else at
    for _ in sys.stdin:
        began = time.process_time()
        losses = trainer.step(sample, step, minimise)
        spent = time.process_time() - began
        print(json.dumps({"cpu": spent, "losses": {key: value.item() for key, value in losses.items()}}), flush=True)


class Stepper:
    """A method of one checkout, training in a process of its own."""

    def __init__(self, checkout: Path, arguments: list[str]) -> None:
        environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).resolve()), "--serve", *arguments],
            cwd=checkout,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def step(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a checkout's process ended; see above")
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        self.process.communicate()


def difference(before: dict[str, float], now: dict[str, float]) -> float:
    """The largest relative difference of two steps' losses."""
    if before.keys() != now.keys():
        raise SystemExit(f"losses {sorted(now)}, before {sorted(before)}")
    return max(abs(now[name] - value) / max(abs(value), 1e-12) for name, value in before.items())


def compare(checkouts: dict[str, Path], name: str, arguments: list[str], rounds: int) -> None:
    """One line of the table."""
    steppers = {title: Stepper(path, [*arguments, "--methods", name]) for title, path in checkouts.items()}
    losses = {title: [stepper.step()["losses"] for _ in range(2)] for title, stepper in steppers.items()}
    if "before" in losses and not difference(losses["before"][0], losses["now"][0]) <= TOLERANCE:
        raise SystemExit(f"{name}: first losses {losses['now'][0]}, before {losses['before'][0]}")
    seconds: dict[str, list[float]] = {title: [] for title in steppers}
    for _ in range(rounds):
        for title, stepper in steppers.items():
            seconds[title].append(stepper.step()["cpu"])
    for stepper in steppers.values():
        stepper.end()
    line = f"{name:14}" + "".join(
        f"{title} {statistics.median(values):.4f} (least {min(values):.4f})  " for title, values in seconds.items()
    )
    if "before" in seconds:
        before, now = seconds["before"], seconds["now"]
        pairs = statistics.median(a / b for a, b in zip(before, now, strict=True))
        first, second = (difference(a, b) for a, b in zip(losses["before"], losses["now"], strict=True))
        line += (
            f"ratio of medians {statistics.median(before) / statistics.median(now):.3f}, of minima "
            f"{min(before) / min(now):.3f}, median of pairs {pairs:.3f}; losses within {first:.0e}, then {second:.0e}"
        )
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--against", type=Path, help="another checkout of this repository")
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--step", type=int, help="which step of the training; the last, where every loss is at work")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.preset, args.methods, args.step)
        return
    checkouts = {"before": args.against.resolve()} if args.against else {}
    arguments = ["--preset", args.preset, *(["--step", str(args.step)] if args.step is not None else [])]
    for name in args.methods.split(","):
        compare({**checkouts, "now": HERE}, name, arguments, args.rounds)


if __name__ == "__main__":
    main()
