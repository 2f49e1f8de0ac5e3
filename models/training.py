"""The training loop: every trained method of the suite runs through `train`.

    report = train(trainer, pairs, config.train, run, identity, device="cpu")

A trainer brings its networks and knows one step; the loop brings everything else: device and precision (accelerate),
one Adam per network with linear decay, batches prepared ahead and shared among processes, averaged and best weights,
log lines, sample grids, atomic checkpoints, exact resume, time budget, signals. A fit killed at any moment and started
again ends in the bits of an unbroken one (same machine, same threads), because a batch depends on its step alone and a
checkpoint holds everything else.
"""

from __future__ import annotations

import errno
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import torch
import torch._functorch.config
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.optim import Optimizer

from benchmark.config import TrainConfig
from benchmark.errors import BenchError, Preempted, nearest
from benchmark.protocols import Evaluation, FitReport, FitRun, Pairs, Sample
from benchmark.run.stop import PREEMPTION, handled
from models.checkpoint import Checkpoints, State
from models.journal import Journal
from models.minimise import Minimise as Minimise
from models.minimise import Minimiser, learning_rate, make_adam, set_rate
from models.ranks import Ranks, parts
from models.shadows import Shadows


class Trainer(Protocol):
    """What the loop needs to know about a method.

    A trainer that learns from some items of a batch only has `choose(sample) -> Sample` too. It is called while the
    batch is still on the CPU: a step that looked at values on an accelerator would have to wait for them. One whose
    step calls parts of its networks, not these themselves, names them in `called`: `train.compile` compiles them.
    """

    networks: dict[str, nn.Module]  # by name; each gets an Adam of its own

    def step(self, sample: Sample, step: int, minimise: Minimise) -> dict[str, Tensor]:
        """One update of every network; returns scalar losses (left on the device) to log."""

    def preview(self, sample: Sample) -> Tensor:
        """(N, 3, H, W) in [-1, 1] for the sample grid."""


def train(
    trainer: Trainer,
    pairs: Pairs,
    config: TrainConfig,
    run: FitRun,
    identity: Mapping[str, Any],
    device: str = "cpu",
    generator: nn.Module | None = None,
) -> FitReport:
    """Train until `config.steps + config.decay_steps`, or the deadline, continuing an earlier fit in `run.folder`.

    `identity` is plain data that says what is being trained; an earlier fit with another one is not continued.
    `generator` is what synthesizes: it is averaged (`config.ema`), its best weights are kept (`config.keep_best`), and
    at the end it has those of them that were asked for. Where several processes train together, all call this.

    Raises BenchError on a foreign or wholly damaged checkpoint, a loss that is not finite or explodes, a full disk, a
    `keep_best` that never had a value; and after a checkpoint KeyboardInterrupt on Ctrl-C, Preempted on SIGTERM and
    SIGUSR1.
    """
    total = config.total
    accelerator = make_accelerator(config.precision, device)
    ranks = Ranks()
    pairs = ranks.share(pairs, config.batch, config.accumulate)
    for network in trainer.networks.values():
        network.to(device).train()
    optimizers = {name: accelerator.prepare(make_adam(net, config)) for name, net in trainer.networks.items()}
    minimise = Minimiser(accelerator, trainer.networks, optimizers, ranks, config.accumulate)
    shadows = Shadows(generator, config)
    evaluate = _evaluation(config, run)
    choose = getattr(trainer, "choose", lambda sample: sample)

    checkpoints = Checkpoints(_saved(run.folder), identity, config.keep_last)
    networks = {**trainer.networks, **shadows.networks}
    state = _begin(checkpoints, run, total, trainer.networks, optimizers, shadows)
    statistics = [b for net in trainer.networks.values() for b in net.buffers() if b.is_floating_point()]
    began = time.monotonic() - state.seconds
    done = saved = start = state.step
    preview = pairs.preview() if ranks.first and config.grid_every <= total else None

    with (
        _full_disk_is_an_error(run, checkpoints),
        _threads(config.threads),
        compiled(getattr(trainer, "called", trainer.networks.values()), config.compile),
        _interrupts() as interrupted,
        Journal(run.folder, start, total, run.progress, config.explode, ranks) as journal,
        _ahead(pairs, start, total) as batches,
    ):

        def checkpoint() -> None:
            write_log()  # first: a network that no longer gives numbers must not become the last good checkpoint
            if ranks.first:
                now = replace(state, step=done, seconds=time.monotonic() - began)
                checkpoints.save(now, networks, optimizers)

        def write_log(scores: Mapping[str, float] | None = None) -> None:
            if trouble := journal.write(done, time.monotonic() - began, scores):
                raise BenchError(f"{trouble}; {checkpoints.last_good()}")

        def over() -> bool:
            late = run.deadline is not None and time.monotonic() >= run.deadline
            return ranks.any(late or interrupted() > 0)

        for step in range(start, total):
            if over():
                break
            set_rate(optimizers, learning_rate(step, config))
            ranks.reseed(step)
            with journal.waiting():
                batch = next(batches)
            micro_batches = parts(batch, config.accumulate)
            for number, sample in enumerate(micro_batches, start=1):
                minimise.last = number == len(micro_batches)
                with accelerator.autocast():
                    losses = trainer.step(_to(choose(sample), device), step, minimise)
                journal.add(step, losses)
            minimise.finish()
            ranks.average(statistics, ranks.count)
            shadows.update(step)
            journal.tick()
            done = step + 1
            if evaluate is not None and (done % config.evaluate_every == 0 or done == total):
                write_log(_evaluated(evaluate, shadows, done, ranks))
            elif done % config.log_every == 0:
                write_log()
            if preview is not None and done % config.grid_every == 0:
                with shadows.worn():
                    journal.grid(done, preview, trainer.preview(preview), run.label_picture)
            if done % config.checkpoint_every == 0:
                checkpoint()
                saved = done
        if done != saved:
            checkpoint()
        if asked := max(ranks.votes(interrupted())):
            raise KeyboardInterrupt if asked == signal.SIGINT else Preempted(signal.Signals(asked).name)
    if config.keep_best and ranks.first and done == total and shadows.kept() is None:
        raise BenchError(
            f"train.keep_best: {config.keep_best} had no value in any evaluation; {checkpoints.last_good()}"
        )
    shadows.put_on()
    seconds = time.monotonic() - began
    return FitReport(done, seconds, done == total, journal.latest, shadows.kept(), state.forked_from)


def _saved(folder: Path) -> Path:
    return folder / "checkpoints"


def _begin(
    checkpoints: Checkpoints,
    run: FitRun,
    total: int,
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
    shadows: Shadows,
) -> State:
    """Go on from the last checkpoint, or from another fit's where that is asked for, or begin."""
    if not run.resume:
        checkpoints.clear()
    state = checkpoints.restore({**networks, **shadows.networks}, optimizers)
    if state is not None:
        there = (state.forked_from or {}).get("folder", "")
        if run.fork is not None and Path(there).resolve() != _saved(run.fork).resolve():
            raise BenchError(
                f"--fork {run.fork}: {run.folder} holds a training that began otherwise; use another --out"
            )
        return state
    if run.fork is not None:
        state = checkpoints.fork(_saved(run.fork), networks, optimizers)
        if state.step > total:
            raise BenchError(f"--fork {run.fork}: has done {state.step} steps, this training ends after {total}")
    shadows.begin()
    return state or State()


def _evaluation(config: TrainConfig, run: FitRun) -> Callable[[], Evaluation] | None:
    if config.keep_best and run.evaluate is None:
        raise BenchError("train.keep_best: this training was given nothing to evaluate with")
    return run.evaluate if config.keep_best else None


def _evaluated(evaluate: Callable[[], Evaluation], shadows: Shadows, done: int, ranks: Ranks) -> dict[str, float]:
    """The scores after `done` steps, by the first process; the weights are kept if they are the best so far."""
    if not ranks.first:
        return {}
    with shadows.worn(), torch.no_grad(), torch.random.fork_rng():  # looking must not change what is drawn next
        torch.manual_seed(0)
        evaluation = evaluate()
    shadows.consider(evaluation, done)
    return dict(evaluation.scores)


def make_accelerator(precision: str, device: str) -> Accelerator:
    if precision not in ("no", "bf16", "fp16"):
        raise BenchError(f"train.precision: {precision!r} is not one of 'no', 'bf16', 'fp16'")
    # accelerate keeps one precision per process; cells of one process may differ in it
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(mixed_precision=precision, cpu=device == "cpu")


@contextmanager
def compiled(networks: Iterable[nn.Module], backend: str) -> Iterator[None]:
    """The networks run through torch.compile from here on."""
    if not backend:
        yield
        return
    if backend not in (known := torch.compiler.list_backends(exclude_tags=())):
        raise BenchError(f"train.compile: no backend {backend!r}{nearest(backend, known)}")

    for network in networks:
        network.compile(backend=backend, dynamic=False)  # a network sees two batch sizes at most
    # a forward pass serves several backward passes, so none of them may take its buffers
    with torch._functorch.config.patch(donated_buffer=False):
        yield


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
def _interrupts() -> Iterator[Callable[[], int]]:
    """Signals ask for an end after the running step, so that no checkpoint holds half a step; yields the number of the
    one that came first, 0 for none.

    A second Ctrl-C ends at once. A second SIGTERM does not: Slurm sends several.
    """
    first = 0

    def ask(signum: int, frame: Any) -> None:
        nonlocal first
        if signum == signal.SIGINT and first:
            raise KeyboardInterrupt
        first = first or signum

    with handled(dict.fromkeys((signal.SIGINT, *PREEMPTION), ask)):
        yield lambda: first


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
