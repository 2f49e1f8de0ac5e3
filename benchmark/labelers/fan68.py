"""face-alignment's FAN network: a second 68-point detector, more tolerant of profiles than dlib.

Needs the extra `face-alignment`, which downloads its weights (2DFAN4, S3FD) into the torch hub folder at the first use.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from benchmark.errors import BenchError
from benchmark.labelers.ibug68 import POINTS


class FaceAlignmentDetector:
    """Wraps `face_alignment.FaceAlignment`; contract as `benchmark.protocols.LandmarkDetector`."""

    name = "face-alignment"
    protocol = "face-alignment-68[2DFAN4-11f355bf06,s3fd-619a316812]"

    def __init__(self) -> None:
        self._network = _build()

    def detect(self, images: np.ndarray) -> np.ndarray:
        """Landmarks of the largest face: uint8 (N, H, W, 3) RGB -> float32 (N, 68, 2) px, NaN rows where none."""
        landmarks = np.full((len(images), POINTS, 2), np.nan, np.float32)
        for row, image in enumerate(images):
            found = self.faces(image)
            if found:
                landmarks[row] = max(found, key=lambda points: np.prod(np.ptp(points, axis=0)))
        return landmarks

    def faces(self, image: np.ndarray, smallest: float = 0.0) -> list[np.ndarray]:
        """Landmarks float32 (68, 2) px of every face at least `smallest` px wide in a photo uint8 (H, W, 3) RGB."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="No faces were detected")  # that is an answer, not a problem
            found = self._network.get_landmarks_from_image(image) or []
        points = [np.asarray(face, np.float32)[:, :2] for face in found]
        return [face for face in points if np.ptp(face[:, 0]) >= smallest]


def _build() -> Any:
    try:
        import face_alignment
    except ImportError:
        raise BenchError(
            "labeler face-alignment: the library is not installed; pip install 'exemplar-bench[face-alignment]'"
        ) from None
    try:
        # compile=False: torch.compile at construction takes minutes and gains nothing for a few thousand crops.
        return face_alignment.FaceAlignment(
            face_alignment.LandmarksType.TWO_D, flip_input=False, device=_device(), compile=False
        )
    except OSError as error:  # urllib's URLError is an OSError
        raise BenchError(
            f"labeler face-alignment: its weights cannot be downloaded ({error}); try --detector dlib"
        ) from error


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
