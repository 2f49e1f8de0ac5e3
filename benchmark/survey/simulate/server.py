"""The server of a simulation, in a process of its own: what `bench survey serve` runs, but for programs.

python -m benchmark.survey.simulate.server FOLDER PORT
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.errors import BenchError
from benchmark.survey.web.guard import Limits

WORKERS, THREADS = 2, 8
FREE = Limits(trials=(1e6, 1e6), entries=(1e6, 1e6))  # programs answer faster than people may
START_SECONDS = 60


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """Serve a study to programs while the block runs; yields the port, on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", __name__, str(folder), str(port)])
    try:
        _await(process, port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise BenchError(f"the server did not start on port {port}; see its own message above")


def main() -> None:
    from benchmark.survey.web.serving import serve

    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    serve(folder, None, host="127.0.0.1", port=port, workers=WORKERS, threads=THREADS, simulated=True, limits=FREE)


if __name__ == "__main__":
    main()
