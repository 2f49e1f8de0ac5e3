"""BDD100K in its published layout as a data source: `BDD100K(Path("bdd100k"), size=256, street=config.street)`.

The first run reads every file once and keeps what it found (see `benchmark.data.bdd100k_scan`). A clip of this source
is one style group within a split, so that a consistent pair is any two photos of one weather and time of day; the
frames of a clip have no order and all stand at time 0, which puts the whole group into the sampler's window of frames.
BDD100K's train photos train, its val photos test; its test photos have no labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from benchmark.config import StreetConfig
from benchmark.data.bdd100k_scan import LAYOUTS, Entry, decode, read_index, read_photo
from benchmark.data.source import Clip, Frame
from benchmark.errors import BenchError
from benchmark.labelers.street_label import street_label

SPLITS = {"train": "train", "val": "test"}  # BDD100K's name -> ours
VERSION = 1  # raise it whenever a pixel or a label changes


class BDD100K:
    """A `benchmark.data.source.Source` over the dataset's own folder, which is only read.

    Args:
        folder: what the archives were unpacked into: holds images/ and labels/, or seg/.
        size: width of the pictures in px; the height is 9/16 of it, to the nearest multiple of 4.
        street: style groups, and how much may be unusable.

    Raises:
        BenchError: no such layout, more unusable items than allowed, or label maps of another vocabulary.
    """

    name = "bdd100k"
    detector = ""  # a street has no points
    parser = "danet"

    def __init__(self, folder: Path, size: int, street: StreetConfig) -> None:
        from benchmark.data.procedural.street_world import picture_height

        self.folder, self.width, self.height = Path(folder), size, picture_height(size)
        index = read_index(self.folder, street)
        self.report = index.report
        self._layout = LAYOUTS[index.layout]
        self.protocol = f"{index.layout} ({self._layout.vocabulary})"  # which label maps these are
        self._frames: dict[str, list[Entry]] = dict(_clips(index.entries))
        self.clips = tuple(
            Clip(clip, SPLITS[entries[0].split], (0,) * len(entries)) for clip, entries in self._frames.items()
        )
        known = [VERSION, self.width, self.height, index.layout, sorted(index.entries)]
        self.fingerprint = hashlib.sha256(repr(known).encode()).hexdigest()

    def image(self, frame: Frame) -> np.ndarray:
        """Photo, uint8 (H, W, 3) RGB, averaged down; BenchError when its file changed since the scan."""
        entry = self._frames[frame.clip][frame.index]
        photo = read_photo(self._unchanged(entry.image, entry.image_sha256))
        return cv2.resize(photo, (self.width, self.height), interpolation=cv2.INTER_AREA)

    def parsing(self, frame: Frame) -> np.ndarray:
        """Train ids, uint8 (H, W), the nearest pixel's."""
        entry = self._frames[frame.clip][frame.index]
        train = decode(self._unchanged(entry.label, entry.label_sha256), self._layout.vocabulary)
        return cv2.resize(train, (self.width, self.height), interpolation=cv2.INTER_NEAREST_EXACT)

    def label(self, frame: Frame) -> np.ndarray:
        """F(.), uint8 (20, H, W), 255 meaning 1.0: the dataset's own parsing, for targets and exemplars alike."""
        return street_label(self.parsing(frame))

    def landmarks(self, frame: Frame) -> np.ndarray:
        """A street has none: float32 (0, 2)."""
        return np.zeros((0, 2), np.float32)

    def truth(self, label_of: Frame, style_of: Frame) -> None:
        """No photo exists of one street in another's weather."""
        return None

    def regions(self, label_of: Frame, style_of: Frame) -> None:
        return None

    def _unchanged(self, name: str, digest: str) -> bytes:
        path = self.folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise BenchError(f"{path}: missing since the run began") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise BenchError(f"{path}: changed since the run began (its sha256 differs)")
        return content


def _clips(entries: list[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    def key(entry: Entry) -> tuple[str, str, str]:
        return (entry.split, entry.weather, entry.time)

    for parts, found in groupby(sorted(entries, key=key), key):
        yield "-".join(("bdd100k", *parts)).replace("/", "-").replace(" ", "-"), list(found)
