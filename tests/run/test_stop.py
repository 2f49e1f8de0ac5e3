"""Being asked to end: SIGTERM and SIGUSR1 raise once, and are passed on to workers in the same words."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from benchmark.errors import Preempted
from benchmark.run.stop import end_all, handled, preemptible


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_the_first_signal_raises_and_later_ones_do_not(number: signal.Signals) -> None:
    before, went_on = signal.getsignal(number), False
    with pytest.raises(Preempted, match=number.name), preemptible():
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)
            went_on = True
    assert went_on and signal.getsignal(number) is before


def test_elsewhere_than_in_the_main_thread_it_does_nothing() -> None:
    done = []

    def work() -> None:
        with handled({signal.SIGTERM: signal.SIG_IGN}) as installed, preemptible():
            done.append(installed)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [False]


def obedient(ready: Path) -> None:
    """A worker that says by its exit code how it was asked to end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell starts tests with SIGINT ignored
    try:
        with preemptible():
            ready.touch()
            time.sleep(60)
    except Preempted:
        os._exit(11)
    except KeyboardInterrupt:
        os._exit(12)


@pytest.mark.parametrize(("stop", "code"), [(Preempted("SIGUSR1"), 11), (KeyboardInterrupt(), 12)])
def test_workers_are_asked_as_we_were_and_waited_for(tmp_path: Path, stop: KeyboardInterrupt, code: int) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=obedient, args=(tmp_path / str(i),)) for i in range(2)]
    for worker in workers:
        worker.start()
    while not all((tmp_path / str(i)).exists() for i in range(2)):
        time.sleep(0.02)
    end_all(stop, workers)
    assert [worker.exitcode for worker in workers] == [code, code]
