"""Files that somebody else made for the frames of a video, found by video and frame number.

    files_of(Path("joints"), "sub/ann.mp4", ".json")     # {0: Path(...), 1: Path(...)}

Frames count from 0, as OpenPose counts them. Either all files of a video lie in a folder of its name (joints/sub/ann/),
or their names begin with it (joints/sub/ann_000000000000_keypoints.json). The number is the last run of digits in a
name.
"""

from __future__ import annotations

import glob
import hashlib
import re
from pathlib import Path

from benchmark.errors import BenchError

_NUMBER = re.compile(r"(\d+)\D*$")


def files_of(folder: Path, video: str, suffix: str) -> dict[int, Path]:
    """Files of a video by frame number; BenchError when two have one number."""
    stem = Path(video).with_suffix("")
    own, beside = folder / stem, folder / stem.parent
    named = [(path, path.stem) for path in own.glob(f"*{suffix}")]
    if not named:
        start = f"{glob.escape(stem.name)}[_-]*{suffix}"
        named = [(path, path.stem[len(stem.name) :]) for path in beside.glob(start)]
    found: dict[int, Path] = {}
    for path, rest in sorted(named):
        digits = _NUMBER.search(rest)
        if digits is None or (path.parent != own and rest[1 : digits.start()]):
            continue  # "ann_2_0001" is frame 1 of ann_2, not of ann
        number = int(digits[1])
        if number in found:
            raise BenchError(f"{path}: is frame {number} of {video}, and so is {found[number].name}; remove one")
        found[number] = path
    return found


def fingerprint(folder: Path, video: str, suffix: str) -> str:
    """Hex digest that changes when a file of a video comes, goes or is written anew."""
    digest = hashlib.sha256()
    for number, path in files_of(folder, video, suffix).items():
        stat = path.stat()
        digest.update(f"{number} {path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
