"""A prepared folder of real dancers as a data source: `PreparedDance(Path("data/dance"), size=64)`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.data.prepare_dance import scaled_parts
from benchmark.data.prepared import PreparedFrames
from benchmark.data.source import Frame

PHOTO_DETECTOR = "keypoint-rcnn"  # scores pictures of dancers whose joints were looked up in files


class PreparedDance(PreparedFrames):
    """Dancers with 18 joints, and DensePose's part maps where `bench data prepare --parts` was given them.

    Without part maps the first three label channels are 0, background everywhere, and `cautions` says so.
    """

    name = "prepared-dance"
    task = "dance"

    def __init__(self, folder: Path, size: int) -> None:
        super().__init__(folder, size)
        self.detector = PHOTO_DETECTOR if ":" in self.detector else self.detector
        self.has_parts = all("parts" in line for line in self._lines.values())
        self.cautions: tuple[str, ...] = () if self.has_parts else (NO_PARTS,)

    def densepose(self, frame: Frame) -> np.ndarray:
        """Body parts, uint8 (H, W, 3): part 0..24, U, V; all 0 where none were prepared."""
        if not self.has_parts:
            return np.zeros((self.height, self.width, 3), np.uint8)
        stored = self._pixels(frame, "parts", "parts_sha256")
        return scaled_parts(stored[..., ::-1], self.height)

    def label(self, frame: Frame) -> np.ndarray:
        """F(.) of the frame, uint8 (23, H, W), 255 = 1.0 (spec: systems 1.6)."""
        from benchmark.labelers.pose_label import pose_label

        return pose_label(self.landmarks(frame), self.densepose(frame))


NO_PARTS = (
    "These dancers have joints but no DensePose part maps: label channels 0 to 2 are 0, unlike the paper's. A method "
    "that reads the part maps alone (munit and paired-munit, unless their label_domain is raw) has no label to follow."
)
