"""A small prepared folder, written as `bench data prepare` writes it, without a video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.data.manifest import write_manifest
from benchmark.files import sha256_file
from tests.benchmarks.face_label import example_face


def write_prepared(folder: Path, size: int = 64, frames: int = 3) -> Path:
    """Two clips "ann" (train) and "bob" (test) of `frames` random photos each, every one with the same plain face."""
    rng = np.random.default_rng(0)
    lines = []
    for clip, split in (("ann", "train"), ("bob", "test")):
        (folder / "clips" / clip).mkdir(parents=True)
        names = [f"clips/{clip}/{10 * n:06d}.png" for n in range(frames)]
        for name in names:
            Image.fromarray(rng.integers(0, 255, (size, size, 3), dtype=np.uint8)).save(folder / name)
        points = f"clips/{clip}/landmarks.npy"
        np.save(folder / points, np.stack([example_face(size) + n for n in range(frames)]))
        lines.append(
            {
                "clip": clip,
                "split": split,
                "video": f"{clip}.mp4",
                "times": [10 * n for n in range(frames)],
                "images": names,
                "sha256": [sha256_file(folder / name) for name in names],
                "landmarks": points,
                "landmarks_sha256": sha256_file(folder / points),
                "rows": [0, frames],
            }
        )
    write_manifest(
        folder, {"task": "face", "size": size, "detector": "dlib", "protocol": "test-68", "split": "video"}, lines
    )
    return folder
