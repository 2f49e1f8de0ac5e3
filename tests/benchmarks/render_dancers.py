"""How fast dancers are rendered on one core: `python tests/benchmarks/render_dancers.py [--size 64] [--frames 200]`.

Prints frames per CPU second for pictures and for labels, the figure that does not depend on who else uses the machine.
"""

from __future__ import annotations

import argparse
import time

import cv2

from benchmark.data.procedural.dance import densepose, joints, render, sample_clip
from benchmark.labelers.pose_label import pose_label


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--frames", type=int, default=200)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    per_clip = 24
    clips = [sample_clip(0, i, per_clip) for i in range(-(-options.frames // per_clip))]
    jobs = [(state, look) for clip, look in clips for state in clip][: options.frames]
    render(*jobs[0], options.size)
    start = time.process_time()
    for state, look in jobs:
        render(state, look, options.size)
    middle = time.process_time()
    for state, _ in jobs:
        pose_label(joints(state, options.size), densepose(state, options.size))
    end = time.process_time()
    for what, seconds in (("pictures", middle - start), ("labels", end - middle)):
        each = seconds / len(jobs)
        print(f"{len(jobs)} {what} at {options.size} px: {1e3 * each:.2f} CPU ms each, {1 / each:.0f} per CPU second")


if __name__ == "__main__":
    main()
