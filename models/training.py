"""The training loop: every trained method of the suite runs through `train`.

    report = train(trainer, pairs, config.train, run, identity, device="cpu")

A trainer brings its networks and knows one step; the loop brings everything else: device and precision (accelerate),
one Adam per network with linear decay, batches prepared ahead, log lines, sample grids, atomic checkpoints, exact
resume, time budget, Ctrl-C. A fit killed at any moment and started again ends in the bits of an unbroken one (same
machine, same threads), because a batch depends on its step alone and a checkpoint holds everything else.
"""

from __future__ import annotations

import errno
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from benchmark.config import TrainConfig
from benchmark.errors import BenchError
from benchmark.protocols import FitReport, FitRun, Pairs, Sample
from models.checkpoint import Checkpoints
from models.journal import Journal


class Minimise(Protocol):
    """Minimise `loss` over one of the trainer's networks: backward into that network's parameters only, then its Adam.

    Other networks are thereby frozen, at no cost: their weight gradients are never computed. The graph stays alive, so
    that one forward pass of a discriminator serves both the generator's loss and its own.
    """

    def __call__(self, loss: Tensor, network: str) -> None: ...


class Trainer(Protocol):
    """What the loop needs to know about a method."""

    networks: dict[str, nn.Module]  # by name; each gets an Adam of its own

    def step(self, sample: Sample, step: int, minimise: Minimise) -> dict[str, Tensor]:
        """One update of every network; returns scalar losses (left on the device) to log."""

    def preview(self, sample: Sample) -> Tensor:
        """(N, 3, H, W) in [-1, 1] for the sample grid."""


def train(
    trainer: Trainer, pairs: Pairs, config: TrainConfig, run: FitRun, identity: Mapping[str, Any], device: str = "cpu"
) -> FitReport:
    """Train until `config.steps + config.decay_steps`, or the deadline, continuing an earlier fit in `run.folder`.

    `identity` is plain data that says what is being trained; an earlier fit with another one is not continued.
    Raises BenchError on a foreign or wholly damaged checkpoint, a loss that is not finite, a full disk; and
    KeyboardInterrupt on Ctrl-C, after a checkpoint.
    """
    total = config.total
    accelerator = make_accelerator(config.precision, device)
    for network in trainer.networks.values():
        network.to(device).train()
    optimizers = {name: accelerator.prepare(make_adam(net, config)) for name, net in trainer.networks.items()}
    minimise = make_minimiser(accelerator, trainer.networks, optimizers)

    checkpoints = Checkpoints(run.folder / "checkpoints", identity)
    if not run.resume:
        checkpoints.clear()
    start, seconds_before = checkpoints.restore(trainer.networks, optimizers) or (0, 0.0)
    began = time.monotonic() - seconds_before
    done = saved = start
    preview = pairs.preview() if config.grid_every <= total else None

    with (
        _full_disk_is_an_error(run, checkpoints),
        _threads(config.threads),
        _interrupts() as interrupted,
        Journal(run.folder, start, total, run.progress) as journal,
        _ahead(pairs, start, total) as batches,
    ):

        def checkpoint() -> None:
            write_log()  # first: a network that no longer gives numbers must not become the last good checkpoint
            checkpoints.save(done, time.monotonic() - began, trainer.networks, optimizers)

        def write_log() -> None:
            broken = journal.write(done, time.monotonic() - began)
            if broken is not None:
                raise BenchError(f"step {broken}: a loss is not a finite number; {checkpoints.last_good()}")

        for step in range(start, total):
            if interrupted() or (run.deadline is not None and time.monotonic() >= run.deadline):
                break
            _set_rate(optimizers, learning_rate(step, config))
            sample = _to(next(batches), device)
            with accelerator.autocast():
                losses = trainer.step(sample, step, minimise)
            journal.add(step, losses)
            done = step + 1
            if done % config.log_every == 0:
                write_log()
            if preview is not None and done % config.grid_every == 0:
                journal.grid(done, preview, trainer.preview(preview), run.label_picture)
            if done % config.checkpoint_every == 0:
                checkpoint()
                saved = done
        if done != saved:
            checkpoint()
        if interrupted():
            raise KeyboardInterrupt
    return FitReport(done, time.monotonic() - began, finished=done == total, losses=journal.latest)


def learning_rate(step: int, config: TrainConfig) -> float:
    """The rate of one step by the rule `config.decay`.

    "linear": constant for `steps` steps, then falling over `decay_steps` (pix2pixSC sec 4.1; spec: systems 1.2).
    "halve": half of it after every `halve_every` steps (MUNIT; spec: systems 3). "none": constant.
    """
    if config.decay == "halve":
        return config.lr * 0.5 ** (step // config.halve_every)
    passed = max(0, step - config.steps)
    return config.lr * (1 - passed / config.decay_steps) if passed and config.decay == "linear" else config.lr


def make_adam(network: nn.Module, config: TrainConfig) -> Adam:
    betas = (config.beta1, config.beta2)
    return Adam(network.parameters(), lr=config.lr, betas=betas, weight_decay=config.weight_decay, fused=True)


def _set_rate(optimizers: Mapping[str, Optimizer], rate: float) -> None:
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] = rate


def make_accelerator(precision: str, device: str) -> Accelerator:
    if precision not in ("no", "bf16", "fp16"):
        raise BenchError(f"train.precision: {precision!r} is not one of 'no', 'bf16', 'fp16'")
    # accelerate keeps one precision per process; cells of one process may differ in it
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(mixed_precision=precision, cpu=device == "cpu")


def make_minimiser(
    accelerator: Accelerator, networks: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer]
) -> Minimise:
    parameters = {name: list(network.parameters()) for name, network in networks.items()}

    def minimise(loss: Tensor, network: str) -> None:
        optimizer = optimizers[network]
        optimizer.zero_grad()
        with torch.autocast(loss.device.type, enabled=False):
            accelerator.backward(loss, inputs=parameters[network], retain_graph=True)
            optimizer.step()

    return minimise


def _to(sample: Sample, device: str) -> Sample:
    moved: Any = {name: v if v is None else v.to(device, non_blocking=True) for name, v in vars(sample).items()}
    return replace(sample, **moved)


@contextmanager
def _ahead(pairs: Pairs, start: int, total: int) -> Iterator[Iterator[Sample]]:
    """Batches start..total-1, the next one always being made in a background thread."""

    def batches(pool: ThreadPoolExecutor) -> Iterator[Sample]:
        upcoming = pool.submit(pairs.batch, start)
        for step in range(start, total):
            ready = upcoming.result()
            if step + 1 < total:
                upcoming = pool.submit(pairs.batch, step + 1)
            yield ready

    with ThreadPoolExecutor(1) as pool:
        yield batches(pool)


@contextmanager
def _interrupts() -> Iterator[Any]:
    """Ctrl-C asks for an end after the running step, so that no checkpoint holds half a step; a second ends at once."""
    asked = False

    def ask(signum: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # only the main thread receives signals
        yield lambda: False
        return
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _full_disk_is_an_error(run: FitRun, checkpoints: Checkpoints) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise BenchError(f"{run.folder}: {error.strerror}; {checkpoints.last_good()}") from error
