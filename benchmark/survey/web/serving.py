"""Running the application: granian, whose HTTP part is compiled; on Linux, macOS and Windows alike."""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError
from benchmark.survey.folder import Study
from benchmark.survey.web.app import create_app
from benchmark.survey.web.guard import Limits


def serve(
    folder: Path,
    database: str | None,
    *,
    host: str,
    port: int,
    workers: int,
    threads: int,
    secure: bool = False,
    proxies: int = 0,
    sync: bool = True,
    simulated: bool = False,
    limits: Limits | None = None,
) -> None:
    """Serve until stopped. Every worker process opens the study for itself. Threads wait for the disk together, so many
    of them cost little and make the groups large that share a wait.
    """
    if not importlib.util.find_spec("granian"):
        raise BenchError("granian is missing: pip install 'exemplar-bench[survey]'")
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    app = partial(_application, folder, database, os.getpid(), sync, simulated, secure, proxies, limits)
    Server(
        "survey",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
    ).serve(target_loader=app, wrap_loader=False)


def _application(
    folder: Path,
    database: str | None,
    parent: int,
    sync: bool,
    simulated: bool,
    secure: bool,
    proxies: int,
    limits: Limits | None,
) -> Callable[..., Any]:
    """In a worker process. All that it is given can be pickled, as where processes are spawned it must be."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    study = Study.open(folder, database, sync)
    return create_app(study, simulated=simulated, secure=secure, proxies=proxies, limits=limits)


def _end_with(parent: int) -> None:
    """A worker whose parent was killed would go on alone and hold the port."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
