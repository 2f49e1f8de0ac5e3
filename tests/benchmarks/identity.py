"""How well dlib's face network tells rendered people apart: distances within and between identities.

    python -m tests.benchmarks.identity [--people 50] [--frames 4] [--sizes 64,256]      # needs the extra `face`

Frames lie evenly over each person's clip, landmarks are found by the `procedural` detector, in pictures that it has not
learnt from. Prints the rows of docs/metrics.md, and in how many pictures a face was found.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu

from benchmark.data.procedural.world import ProceduralFaces
from benchmark.data.source import Frame
from benchmark.labelers.face_label import face_label
from benchmark.labelers.landmarks import get_detector
from benchmark.metrics.identity import FaceNetwork

CLIP = 24  # frames of a clip, of which some are looked at


def pictures(people: int, frames: int, size: int) -> np.ndarray:
    """uint8 (people * frames, size, size, 3), person by person."""
    world = ProceduralFaces(people, CLIP, size, seed=0, label_fn=face_label)
    times = np.linspace(0, CLIP - 1, frames).round().astype(int).tolist()
    return np.stack([world.image(Frame(clip.id, time)) for clip in world.clips for time in times])


def distances(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the pictures in which a face is found, (M,), and the distances between these, (M, M)."""
    rows = FaceNetwork().embed(images, get_detector("procedural").detect(images))
    seen = np.flatnonzero(~np.isnan(rows).any(axis=1))
    return seen, cdist(rows[seen], rows[seen])


def line(size: int, people: int, frames: int) -> str:
    """One row of the table."""
    seen, apart = distances(pictures(people, frames, size))
    person = seen // frames
    alike = person[:, None] == person
    pairs = np.triu(np.ones_like(alike), 1).astype(bool)
    same, other = apart[pairs & alike], apart[pairs & ~alike]
    auc = mannwhitneyu(other, same).statistic / (len(same) * len(other))
    nearest = person[np.where(np.eye(len(seen), dtype=bool), np.inf, apart).argmin(axis=1)]
    hit = (nearest == person).mean()
    return f"| {size} px | {spread(same)} | {spread(other)} | {auc:.2f} | {hit:.0%} | {len(seen)} |"


def spread(values: np.ndarray) -> str:
    """Mean with the 5th and 95th percentile."""
    low, high = np.percentile(values, [5, 95])
    return f"{values.mean():.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--sizes", default="64,256")
    args = parser.parse_args()
    print("| | same person | other person | AUC | nearest other frame is of the same person | faces found |")
    for size in args.sizes.split(","):
        print(line(int(size), args.people, args.frames), flush=True)


if __name__ == "__main__":
    main()
