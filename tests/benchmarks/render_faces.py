"""How fast faces are rendered on one core: `python tests/benchmarks/render_faces.py [--size 64] [--frames 400]`.

Prints frames per CPU second, the figure that does not depend on who else uses the machine, and frames per wall second.
"""

from __future__ import annotations

import argparse
import time

import cv2

from benchmark.data.procedural.face import landmarks, render, sample_clip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--frames", type=int, default=400)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    per_clip = 8
    jobs = [
        (s, look)
        for i in range(-(-options.frames // per_clip))
        for clip, look in [sample_clip(0, i, per_clip)]
        for s in clip
    ]
    jobs = jobs[: options.frames]
    render(*jobs[0], options.size)  # builds the spline tables
    wall, cpu = time.perf_counter(), time.process_time()
    for semantics, look in jobs:
        render(semantics, look, options.size)
        landmarks(semantics, options.size)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    count = len(jobs)
    print(f"{count} frames at {options.size} px, {1e3 * cpu / count:.2f} CPU ms each")
    print(f"{count / cpu:.0f} per CPU second, {count / wall:.0f} per wall second")


if __name__ == "__main__":
    main()
