"""Train the tiny pix2pixSC in a process that gets killed: python -m tests.models.fit_tiny FOLDER KILL_AT_STEP."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from benchmark.protocols import FitReport, FitRun, Sample
from models.style_consistent import Pix2PixSC
from tests.models.tiny import RandomPairs, setup


class Deadly(RandomPairs):
    """Random pairs that kill their process without warning when a step's batch is asked for."""

    def __init__(self, kill_at: int | None) -> None:
        super().__init__()
        self.kill_at = kill_at

    def batch(self, step: int) -> Sample:
        if step == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().batch(step)


def fit(folder: Path, kill_at: int | None = None) -> tuple[Pix2PixSC, FitReport]:
    method = Pix2PixSC(setup(steps=6, decay_steps=4, checkpoint_every=3, log_every=2, threads=1))
    return method, method.fit(Deadly(kill_at), FitRun(folder, progress=False))


if __name__ == "__main__":
    fit(Path(sys.argv[1]), int(sys.argv[2]))
