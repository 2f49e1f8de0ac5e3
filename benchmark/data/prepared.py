"""A prepared folder of real frames as a data source: `PreparedFaces(Path("data/faces"), size=64)`.

Every file is compared with the sha256 in the manifest when it is first read, so a data set that changed since
`bench data prepare` ends in a line that names the file, not in silently different scores.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from benchmark.data.boxes import resized
from benchmark.data.manifest import changed_files, read_manifest
from benchmark.data.source import Clip, Frame
from benchmark.errors import BenchError

LabelFunction = Callable[[np.ndarray, int], np.ndarray]


class PreparedFrames:
    """Photos and points of a folder made by `bench data prepare`; with `label` a `benchmark.data.source.Source`.

    Args:
        folder: the prepared folder.
        size: image side in px; frames prepared at another size are resized and their points scaled.

    Raises:
        BenchError: no manifest, a damaged one, or one of another task.
    """

    task: str  # whose folders a class reads

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = Path(folder)
        self.height = self.width = size
        manifest = read_manifest(self.folder, self.task)
        self._stored_size = int(manifest.header["size"])
        self.protocol = str(manifest.header["protocol"])  # of the points: names the detector's weights
        self.detector = str(manifest.header["detector"])  # its registry name, the one to score this data with
        self._lines = {line["clip"]: line for line in manifest.clips}
        self.clips = tuple(Clip(line["clip"], line["split"], tuple(line["times"])) for line in manifest.clips)
        self.fingerprint = hashlib.sha256(f"{manifest.sha256} {size}".encode()).hexdigest()

    def image(self, frame: Frame) -> np.ndarray:
        """Photo, uint8 (H, W, 3) RGB; BenchError when its file is missing, changed or of another size than the rest."""
        return resized(self._pixels(frame, "images", "sha256"), (self.height, self.height))

    def landmarks(self, frame: Frame) -> np.ndarray:
        """Points found by the detector of the preparation, float32 (J, 2) px of `image`, NaN where not seen."""
        line = self._lines[frame.clip]
        points = self._points[line["landmarks"]][line["rows"][0] + frame.index]
        return ((points + 0.5) * (self.height / self._stored_size) - 0.5).astype(np.float32)

    def truth(self, label_of: Frame, style_of: Frame) -> None:
        """No photo exists of one person with exactly another's landmarks."""
        return None

    def regions(self, label_of: Frame, style_of: Frame) -> None:
        return None

    def verify(self) -> None:
        """Read every file; BenchError names the first that is missing or changed and counts the others."""
        changed = list(changed_files(self.folder))
        if changed:
            name, what = changed[0]
            others = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
            raise BenchError(f"{self.folder / name}: {what} since prepare{others}; prepare the videos again")

    def _pixels(self, frame: Frame, kind: str, digests: str) -> np.ndarray:
        """A picture of the frame as stored, uint8 (H, W, 3)."""
        line = self._lines[frame.clip]
        name = line[kind][frame.index]
        try:
            photo = np.asarray(Image.open(io.BytesIO(self._read(name, line[digests][frame.index]))).convert("RGB"))
        except UnidentifiedImageError:
            raise BenchError(f"{self.folder / name}: not an image; prepare the videos again") from None
        if photo.shape[:2] != (self._stored_size, self._stored_size):
            raise BenchError(
                f"{self.folder / name}: {photo.shape[1]}x{photo.shape[0]} px, but the manifest says "
                f"{self._stored_size}x{self._stored_size}; all frames must have one size, prepare the videos again"
            )
        return photo

    @cached_property
    def _points(self) -> dict[str, np.ndarray]:
        """Landmark files by name, (frames, 68, 2) each: a few hundred bytes a frame, so all are held."""
        digests = {line["landmarks"]: line["landmarks_sha256"] for line in self._lines.values()}
        return {name: np.load(io.BytesIO(self._read(name, digest))) for name, digest in digests.items()}

    def _read(self, name: str, digest: str) -> bytes:
        path = self.folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise BenchError(f"{path}: missing since prepare; prepare the videos again") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise BenchError(f"{path}: changed since prepare (its sha256 differs); prepare the videos again")
        return content


class PreparedFaces(PreparedFrames):
    """Faces with 68 landmarks. `label_fn`: landmarks (68, 2), size -> uint8 (C, size, size); the 15-channel face label
    by default.
    """

    name = "prepared-faces"
    task = "face"

    def __init__(self, folder: Path, size: int, label_fn: LabelFunction | None = None) -> None:
        super().__init__(folder, size)
        self._label = label_fn or _face_label

    def label(self, frame: Frame) -> np.ndarray:
        """F(.) of the frame, uint8 (C, H, W), 255 = 1.0."""
        return self._label(self.landmarks(frame), self.height)


def _face_label(landmarks: np.ndarray, size: int) -> np.ndarray:
    from benchmark.labelers.face_label import face_label

    return face_label(landmarks, size)
