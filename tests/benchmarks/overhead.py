"""How much of a run is not network maths: rendering, pair sampling, files, metrics' own arithmetic, the report.

    python -m tests.benchmarks.overhead                      # the demo preset with a quarter of its steps
    python -m tests.benchmarks.overhead --preset smoke

Network maths is the wall time inside training steps, synthesis and feature networks. Everything else is overhead. The
share is given as measured, and for the preset's full number of steps (steps scale; rendering, scoring and the report
do not).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


class Clock:
    """Wall seconds by kind; only the outermost timed call counts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inside = False

    def wrap(self, owner: type, name: str, kind: str) -> None:
        function: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._inside:
                return function(*args, **kwargs)
            self._inside, began = True, time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._inside = False
                self.seconds[kind] = self.seconds.get(kind, 0.0) + time.perf_counter() - began

        setattr(owner, name, timed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--share", type=float, default=0.25, help="share of the preset's steps to run")
    arguments = parser.parse_args()

    from baselines.pix2pixhd import Pix2PixHDTrainer
    from benchmark import config as configuration
    from benchmark.cli.options import progress
    from benchmark.cli.report import write
    from benchmark.features import EfficientNetLite0
    from benchmark.run.cell import planned_steps
    from benchmark.run.plan import make_plan
    from benchmark.run.runner import run
    from models.method import TrainedMethod
    from models.style_consistent import StyleConsistentTrainer

    clock = Clock()
    for trainer in (StyleConsistentTrainer, Pix2PixHDTrainer):
        clock.wrap(trainer, "step", "steps")
    clock.wrap(TrainedMethod, "synthesize", "synthesis and features")
    for name in ("layers", "pooled"):
        clock.wrap(EfficientNetLite0, name, "synthesis and features")

    full = configuration.load(arguments.preset, "face")
    steps = int(full.train.steps * arguments.share)
    overrides = [f"train.steps={steps}", f"train.decay_steps={int(full.train.decay_steps * arguments.share)}"]
    plan = make_plan("face", configuration.load(arguments.preset, "face", overrides), "all", [0], None)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run(plan, Path(folder), ["overhead"], lambda line: print(line, flush=True), progress, show=False)
        write(Path(folder))
        total = time.perf_counter() - began
    network = sum(clock.seconds.values())
    factor = planned_steps(full) / planned_steps(plan.config)
    scaled = total + clock.seconds["steps"] * (factor - 1)
    print({kind: round(seconds, 1) for kind, seconds in clock.seconds.items()})
    print(f"measured: {total:.0f} s, of which {total - network:.0f} s is not network maths: {1 - network / total:.1%}")
    print(f"at the preset's {planned_steps(full)} steps: {scaled:.0f} s, overhead {(total - network) / scaled:.1%}")


if __name__ == "__main__":
    main()
