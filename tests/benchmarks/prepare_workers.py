"""How much faster two workers prepare face videos than one: `python tests/benchmarks/prepare_workers.py [--rounds 3]`.

Every video below --clips is prepared from --copies copies of it, by the whole command in a process of its own, with one
worker and with two, one after the other in each round and in turn first. Printed are the seconds and the ratio of each
round, and the median ratio. Each worker runs on one thread. The folders must agree to the byte. The machine must be
idle: where the kernel shares the cores among sessions rather than processes, a second worker gets nothing beside other
work.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = [sys.executable, "-c", "from benchmark.cli import main; main()", "data", "prepare", "--quiet"]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, default=Path("../shared/clips/faces"))
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--every", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for copy in range(options.copies):
            shutil.copytree(options.clips, folder / "videos" / str(copy))
        ratios = []
        for number in range(options.rounds):
            order = (1, 2) if number % 2 == 0 else (2, 1)
            seconds = {workers: prepare(folder, workers, options.every) for workers in order}
            assert manifest(folder, 1) == manifest(folder, 2), "one worker and two did not make the same files"
            ratios.append(seconds[1] / seconds[2])
            print(
                f"1 worker {seconds[1]:.1f} s, 2 workers {seconds[2]:.1f} s: {ratios[-1]:.2f} times faster", flush=True
            )
    print(f"median {statistics.median(ratios):.2f}")


def prepare(folder: Path, workers: int, every: int) -> float:
    """Wall seconds of one preparation into `folder`/<workers>."""
    out = folder / str(workers)
    shutil.rmtree(out, ignore_errors=True)
    command = [*COMMAND, "--videos", str(folder / "videos"), "--out", str(out)]
    start = time.perf_counter()
    subprocess.run(
        [*command, "--every", str(every), "--workers", str(workers)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | ONE_THREAD,
    )
    return time.perf_counter() - start


def manifest(folder: Path, workers: int) -> bytes:
    return (folder / str(workers) / "manifest.jsonl").read_bytes()


if __name__ == "__main__":
    main()
