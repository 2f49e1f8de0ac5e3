"""Who may work in a run folder at the same time. Locks are the kernel's: they end with their process, however it ends.

On NFS they hold between machines (Linux 2.6.12 and later); on Lustre the file system must be mounted with `flock`.
"""

from __future__ import annotations

import errno
import fcntl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benchmark.errors import BenchError

LOCK, SETUP = ".lock", ".setup.lock"
POLL = 0.5  # seconds
TAKEN = (errno.EWOULDBLOCK, errno.EACCES)  # what NFS may say is the second


def only_runner(folder: Path) -> AbstractContextManager[None]:
    """Two runs in one folder would mix their cells: the second is refused."""
    return _held(
        folder / LOCK,
        fcntl.LOCK_EX,
        f"{folder}: another bench run is at work in this folder; wait for it or use another --out",
    )


def beside_others(folder: Path) -> AbstractContextManager[None]:
    """Any number of processes that each run one cell, but no whole run."""
    return _held(
        folder / LOCK, fcntl.LOCK_SH, f"{folder}: a whole bench run is at work in this folder; it will do this cell too"
    )


def one_after_another(folder: Path) -> AbstractContextManager[None]:
    """What every process does once at its start, such as writing the manifest: each waits for its turn."""
    return _held(folder / SETUP, fcntl.LOCK_EX, f"{folder}: another process does not get done preparing it", 600.0)


def only_one_at(cell: Path, patience: float = 0.0) -> AbstractContextManager[None]:
    """One process per cell; `cell` is its folder. Another one is waited for `patience` seconds, then refused."""
    cell.mkdir(parents=True, exist_ok=True)
    return _held(cell / LOCK, fcntl.LOCK_EX, f"{cell}: another process is at work on this cell", patience)


@contextmanager
def _held(path: Path, kind: int, refusal: str, patience: float = 0.0) -> Iterator[None]:
    ends = time.monotonic() + patience
    with open(path, "a", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in TAKEN:
                    raise BenchError(f"{path}: this file system keeps no locks: {error.strerror}") from error
                if time.monotonic() >= ends:
                    raise BenchError(refusal) from error
            time.sleep(POLL)
        yield
