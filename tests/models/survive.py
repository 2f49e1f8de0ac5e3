"""Train the tiny pix2pixSC over and over in processes that get killed: python -m tests.models.survive FOLDER.

Two fits, FOLDER/unbroken and FOLDER/killed; the second dies twenty times. Each life is a fork of this process, which
has paid for importing torch. Prints how each life ended, as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import models.checkpoint as checkpoint
from benchmark.protocols import Evaluation, FitRun
from models.style_consistent import Pix2PixSC
from tests.models.tiny import RandomPairs, setup

LIVES, STEPS, CHECKPOINT_EVERY = 20, 44, 2
TICK = os.sysconf("SC_CLK_TCK")


def fit(folder: Path) -> None:
    """With everything switched on that a checkpoint must hold; leaves the weights that synthesize."""
    schedule = {"steps": STEPS // 2, "decay_steps": STEPS // 2, "checkpoint_every": CHECKPOINT_EVERY, "log_every": 5}
    method = Pix2PixSC(setup(**schedule, threads=1, ema=0.9, keep_best="size", evaluate_every=7))
    shown = RandomPairs().preview()

    def size() -> Evaluation:
        value = method.synthesize(shown.x, shown.I, shown.F_I).abs().mean().item()
        return Evaluation({"size": value}, value, "lower")

    folder.mkdir(exist_ok=True)
    report = method.fit(RandomPairs(), FitRun(folder, progress=False, evaluate=size))
    assert report.finished and report.best is not None
    method.save(folder)


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def half_written() -> None:
    """Die with half of a checkpoint on the disk."""
    whole = checkpoint.save_file

    def save(tensors: Any, path: Path, metadata: Any) -> None:
        whole(tensors, path, metadata)
        with open(path, "rb+") as file:
            file.truncate(path.stat().st_size // 2)
        die()

    checkpoint.save_file = save


def not_flushed() -> None:
    os.fsync = die  # type: ignore[assignment]


def not_renamed() -> None:
    os.replace = die


def old_not_dropped() -> None:
    checkpoint._flush = die


PLANTED = (half_written, not_flushed, not_renamed, old_not_dropped)


def life(
    folder: Path, plant: Callable[[], None] | None = None, cpu_seconds: float | None = None, at_most: int = STEPS
) -> tuple[int, int]:
    """Fork, fit, and be killed in a planted place, or after so much work but no later than the checkpoint of step
    `at_most`, so that a fast machine gets no further than a slow one. Returns the signal that ended it (else minus its
    exit code) and the step of the newest checkpoint.
    """
    pid = os.fork()
    if pid == 0:
        try:
            random.seed(1)  # a fork is given new numbers of its own
            if plant is not None:
                plant()
            fit(folder)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    while cpu_seconds is not None and _cpu_seconds(pid) < cpu_seconds and _saved(folder) < at_most:
        time.sleep(0.002)
    if cpu_seconds is not None:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return (os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)), _saved(folder)


def _saved(folder: Path) -> int:
    """The step of the newest checkpoint; 0 before the first."""
    return max((int(path.stem[5:]) for path in (folder / "checkpoints").glob("*.safetensors")), default=0)


def _cpu_seconds(pid: int) -> float:
    """What a child has used; endless once it has ended, so that nobody waits for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return float("inf") if fields[0] == "Z" else (int(fields[11]) + int(fields[12])) / TICK


def main(folder: Path) -> None:
    torch.set_num_threads(1)  # a pool of threads would not survive a fork
    ends = {"unbroken": life(folder / "unbroken")}
    chance = random.Random(20)
    for number in range(LIVES):
        if number % 5 < 2:
            plant = PLANTED[(number // 5 * 2 + number % 5) % len(PLANTED)]
            ends[f"{number} {plant.__name__}"] = life(folder / "killed", plant)
        else:
            seconds = chance.uniform(0.0, 0.4)
            at_most = 3 * STEPS * (number + 1) // (4 * LIVES)
            ends[f"{number} after {seconds:.3f} s"] = life(folder / "killed", None, seconds, at_most)
    ends["last"] = life(folder / "killed")
    print(json.dumps(ends))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
