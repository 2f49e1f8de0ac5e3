"""Fits in several processes at once: python -m tests.models.together FOLDER.

Each case is done by one process (FOLDER/NAME-1) and by two over gloo (FOLDER/NAME-2), forks of this one, which has paid
for importing torch. "sc" is pix2pixSC, "noise" MUNIT, whose steps draw random numbers, "idle" a trainer that in some
steps has nothing to minimise on one of the processes.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from baselines.munit.method import Munit
from benchmark.config import TrainConfig
from benchmark.errors import Preempted
from benchmark.protocols import FitRun, Sample
from benchmark.run.together import free_port
from models.style_consistent import Pix2PixSC
from models.training import train
from tests.models.tiny import RandomPairs, setup

MUNIT = {"dim": 4, "mlp_dim": 8, "n_res": 1, "disc_dim": 4, "disc_layers": 2}


class Idle:
    """One weight per network, drawn towards the mean of the consistent photos; nothing to do where there are none."""

    def __init__(self) -> None:
        self.networks: dict[str, nn.Module] = {name: nn.Linear(1, 1, bias=False) for name in ("A", "B")}
        for network in self.networks.values():
            nn.init.zeros_(network.weight)  # type: ignore[arg-type]

    def step(self, sample: Sample, step: int, minimise: Any) -> dict[str, Tensor]:
        photos = sample.z[sample.consistent]
        if not len(photos):
            return {}
        losses = {name: (net.weight - photos.mean()).square().sum() for name, net in self.networks.items()}  # type: ignore
        for name, loss in losses.items():
            minimise(loss, name)
        return {name: loss.detach() for name, loss in losses.items()}

    def preview(self, sample: Sample) -> Tensor:
        return sample.z


class OneSided(RandomPairs):
    """Only the second half of a batch holds consistent pairs, and every third batch none at all."""

    def batch(self, step: int) -> Sample:
        sample = super().batch(step)
        half = torch.arange(self.size) >= self.size // 2
        return Sample(sample.x, sample.z, sample.I, sample.F_I, half & (step % 3 > 0), sample.C, sample.D)


class Ending(RandomPairs):
    """One of the processes is asked to stop when its fifth batch is made."""

    def batch(self, step: int) -> Sample:
        if step == 4 and os.environ.get("RANK", "1") == "1":
            os.kill(os.getpid(), signal.SIGTERM)
        return super().batch(step)


def sc(folder: Path, **changes: Any) -> None:
    method = Pix2PixSC(setup(**{"steps": 8, "decay_steps": 0, "batch": 4, "threads": 1, **changes}))
    method.fit(RandomPairs(4), FitRun(folder, progress=False))
    leave(folder, method.generator)


def parts(folder: Path) -> None:
    sc(folder, accumulate=2)


def noise(folder: Path, pairs: RandomPairs | None = None) -> None:
    method = Munit(setup("munit", tables={"munit": MUNIT}, steps=7, decay_steps=0, threads=1))
    method.fit(pairs or RandomPairs(2), FitRun(folder, progress=False))
    leave(folder, method.generator)


def stopped(folder: Path) -> None:
    try:
        noise(folder, Ending(2))
    except Preempted:
        noise(folder)


def idle(folder: Path) -> None:
    trainer = Idle()
    config = TrainConfig(steps=9, decay_steps=0, batch=4, log_every=3, threads=1, lr=0.01)
    train(trainer, OneSided(4), config, FitRun(folder, progress=False), {})
    leave(folder, nn.ModuleDict(trainer.networks))


def leave(folder: Path, network: nn.Module) -> None:
    """The weights of each process, which must be the same."""
    rank = os.environ.get("RANK", "0")
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, folder / f"{rank}.safetensors")


CASES: tuple[Callable[[Path], None], ...] = (sc, parts, noise, stopped, idle)


def run(folder: Path, count: int, port: int) -> list[int]:
    """All cases in `count` processes; returns their exit codes."""
    children = []
    for rank in range(count):
        pid = os.fork()
        if pid:
            children.append(pid)
            continue
        try:
            if count > 1:
                place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "MASTER_PORT": port}
                os.environ.update({name: str(value) for name, value in place.items()}, MASTER_ADDR="127.0.0.1")
                os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
            for case in CASES:
                case(folder / f"{case.__name__}-{count}")
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]


if __name__ == "__main__":
    torch.set_num_threads(1)  # a pool of threads would not survive a fork
    place = Path(sys.argv[1])
    if any([*run(place, 1, 0), *run(place, 2, free_port())]):
        sys.exit(1)
