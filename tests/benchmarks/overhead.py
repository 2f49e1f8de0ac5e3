"""How much of a run is not network maths: rendering, pair sampling, files, metrics' own arithmetic, the report.

    python -m tests.benchmarks.overhead                      # the demo preset with a quarter of its steps
    python -m tests.benchmarks.overhead --preset smoke --methods pix2pixsc,pix2pixhd

Network maths is the time inside training steps, previews, synthesis, feature networks and the landmark detector's
network. Everything else is overhead. Frames are rendered anew. Everything runs on one thread and is counted in CPU
seconds, which do not depend on who else uses the machine; batches are made beside the steps, so on a free second core
the clock on the wall sees less overhead than this. The share is given as measured, and for the preset's full number of
steps (steps scale; rendering, scoring and the report do not).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

STEPS = "steps of "  # a kind for each method: presets give some of them another number of steps
NETWORKS = (STEPS, "previews and synthesis", "features and detector")


class Clock:
    """CPU seconds by kind, each thread's own; of nested calls only the outermost counts."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._thread = threading.local()

    def timed(self, function: Callable[..., Any], kind: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._thread, "inside", False):
                return function(*args, **kwargs)
            self._thread.inside, began = True, time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self._thread.inside = False
                self.seconds[kind] += time.thread_time() - began

        return call

    def wrap(self, owner: Any, name: str, kind: str) -> None:
        setattr(owner, name, self.timed(getattr(owner, name), kind))


def watch(clock: Clock) -> None:
    """Put the clock on every door between the suite and the networks, and on the larger parts of the rest."""
    from benchmark.data.procedural.world import ProceduralFaces
    from benchmark.features import EfficientNetLite0
    from benchmark.labelers import procedural
    from benchmark.run import cell, runner
    from models import method
    from models.checkpoint import Checkpoints

    train = method.train

    def train_timed(trainer: Any, pairs: Any, config: Any, run: Any, identity: Any, *rest: Any) -> Any:
        trainer.step = clock.timed(trainer.step, STEPS + identity["method"])
        trainer.preview = clock.timed(trainer.preview, "previews and synthesis")
        return train(trainer, pairs, config, run, identity, *rest)

    method.train = train_timed  # type: ignore[assignment]
    clock.wrap(cell, "answer", "previews and synthesis")
    for name in ("layers", "pooled"):
        clock.wrap(EfficientNetLite0, name, "features and detector")
    clock.wrap(procedural, "run_network", "features and detector")
    for name in ("image", "label", "landmarks", "truth", "regions"):
        clock.wrap(ProceduralFaces, name, "rendering")
    clock.wrap(Checkpoints, "save", "checkpoints")
    clock.wrap(runner, "summarise", "summaries")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--methods", default="all")
    parser.add_argument("--share", type=float, default=0.25, help="share of the preset's steps to run")
    arguments = parser.parse_args()

    import torch

    from benchmark import config as configuration
    from benchmark.cli.options import progress
    from benchmark.cli.report import write
    from benchmark.run.cell import planned_steps
    from benchmark.run.plan import make_plan
    from benchmark.run.runner import run

    torch.set_num_threads(1)
    clock = Clock()
    watch(clock)
    full = configuration.load(arguments.preset, "face")
    shorter = {name: int(getattr(full.train, name) * arguments.share) for name in ("steps", "decay_steps")}
    overrides = ["train.threads=1", *(f"train.{name}={count}" for name, count in shorter.items())]
    plan = make_plan("face", configuration.load(arguments.preset, "face", overrides), arguments.methods, [0], None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BENCH_FRAMES"] = str(Path(folder) / "frames")
        began = time.process_time()
        run(plan, Path(folder) / "run", ["overhead"], lambda line: print(line, flush=True), progress, show=False)
        clock.timed(write, "report")(Path(folder) / "run")
        total = time.process_time() - began
    clock.seconds["the rest"] = total - sum(clock.seconds.values())
    other = sum(seconds for kind, seconds in clock.seconds.items() if not kind.startswith(NETWORKS))
    scaled = total
    for kind, seconds in sorted(clock.seconds.items(), key=lambda pair: not pair[0].startswith(NETWORKS)):
        print(f"{kind:32s}{seconds:8.1f} CPU-s {'' if kind.startswith(NETWORKS) else 'overhead'}")
        if kind.startswith(STEPS):
            method = kind.removeprefix(STEPS)
            scaled += seconds * (planned_steps(full, method) / planned_steps(plan.config, method) - 1)
    print(f"measured: {total:.0f} CPU-s, of which {other:.0f} is not network maths: {other / total:.1%}")
    print(f"with all the preset's steps: {scaled:.0f} CPU-s, overhead {other / scaled:.1%}")


if __name__ == "__main__":
    main()
