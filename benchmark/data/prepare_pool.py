"""The videos of `bench data prepare`, one after the other in this process or side by side in others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from benchmark.data.prepare_video import Cutter, Job, Settings, prepare_video
from benchmark.errors import BenchError

Todo = list[tuple[Job, str]]  # with the video's sha256


def in_process(todo: Todo, cutter: Cutter, advance: Callable[[int], Any]) -> Iterator[dict[str, Any]]:
    """Yield the record of each job; `advance` is called with the number of frames done since the last call."""
    for job, digest in todo:
        yield prepare_video(job, cutter, digest, lambda: advance(1))


def in_workers(todo: Todo, workers: int, advance: Callable[[int], Any]) -> Iterator[dict[str, Any]]:
    """The same by fresh (spawned) processes, one video at a time each; records come as they are finished."""
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    shown = 0
    pool = ProcessPoolExecutor(min(workers, len(todo)), context, _enter_worker, (todo[0][0].settings, counter))
    try:
        pending: set[Future[dict[str, Any]]] = {pool.submit(_work, job, digest) for job, digest in todo}
        while pending:
            done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
            advance(counter.value - shown)
            shown = counter.value
            for future in done:
                yield future.result()
    except BrokenProcessPool:
        raise BenchError("a worker process was killed (out of memory?); run again with fewer --workers") from None
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()  # Ctrl-C: do not wait for the videos in hand
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_counter: Any = None  # set in each worker
_cutter: Any = None


def _enter_worker(settings: Settings, counter: Any) -> None:
    import cv2

    global _counter, _cutter
    cv2.setNumThreads(1)  # the workers share the cores among themselves
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker without a traceback
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _counter, _cutter = counter, settings.cutter()


def _die_with_parent() -> None:
    """After kill -9 of the main process a worker must not write on beside the run that continues."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(job: Job, digest: str) -> dict[str, Any]:
    return prepare_video(job, _cutter, digest, _tick)


def _tick() -> None:
    with _counter.get_lock():
        _counter.value += 1
