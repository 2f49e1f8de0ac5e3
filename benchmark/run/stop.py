"""How a run is asked to end, and how it passes that on: Ctrl-C, SIGTERM, and Slurm's warning before pre-emption.

with preemptible():
    ...                  # SIGTERM or SIGUSR1 raises Preempted here; training finishes its step and checkpoints first
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmark.errors import Preempted

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

PREEMPTION = (signal.SIGTERM, signal.SIGUSR1)  # kill, scancel, pre-emption; `sbatch --signal=USR1@120`


@contextmanager
def preemptible() -> Iterator[None]:
    """The first SIGTERM or SIGUSR1 raises Preempted in the main thread; later ones change nothing.

    Elsewhere than in the main thread, which alone receives signals, this does nothing.
    """
    asked = False

    def ask(signum: int, frame: Any) -> None:
        nonlocal asked
        if not asked:  # Slurm sends several, and the end takes a moment
            asked = True
            raise Preempted(signal.Signals(signum).name)

    with handled(dict.fromkeys(PREEMPTION, ask)):
        yield


@contextmanager
def handled(handlers: dict[signal.Signals, Any]) -> Iterator[bool]:
    """Install signal handlers for a while; yields whether they are in place, which they never are beside the main
    thread.
    """
    before: dict[signal.Signals, Any] = {}
    try:
        for number, handler in handlers.items():
            try:
                before[number] = signal.signal(number, handler)
            except ValueError:  # not the main thread
                break
        yield len(before) == len(handlers)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_all(stop: KeyboardInterrupt, workers: Iterable[BaseProcess]) -> None:
    """Ask every worker process once to checkpoint and stop, in the words that we were asked in; wait for them."""
    number = signal.SIGTERM if isinstance(stop, Preempted) else signal.SIGINT
    waiting = list(workers)
    for worker in waiting:
        if worker.pid and worker.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, number)
    for worker in waiting:
        worker.join()
