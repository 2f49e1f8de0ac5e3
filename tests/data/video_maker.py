"""Small videos for the tests of the real-video rooms, and a stand-in face finder that reads them.

A "face" here is a bright rectangle on a dark ground; `RectangleFinder` answers with a plain face filling it. It reads
pixels like a detector does, so tracking, cropping and dropping run as with dlib, at a thousandth of the cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import cv2
import numpy as np

from tests.benchmarks.face_label import example_face


def write_video(path: Path, frames: Iterable[np.ndarray]) -> Path:
    """Encode uint8 (H, W, 3) frames; the index goes first, so that a file cut short still opens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov"}) as container:
        stream = None
        for frame in frames:
            if stream is None:
                stream = container.add_stream("mpeg4", rate=25)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.bit_rate = 4_000_000
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        assert stream is not None
        container.mux(stream.encode(None))
    return path


def face_frame(x: int, y: int, side: int = 80, width: int = 320, height: int = 240) -> np.ndarray:
    """A frame whose "face" has its upper left corner at x, y; side 0 is a frame without one."""
    frame = np.full((height, width, 3), 30, np.uint8)
    frame[y : y + side, x : x + side] = 220
    return frame


class RectangleFinder:
    """Finds bright rectangles; `faces` as `DlibDetector.faces`."""

    name = "rectangle"
    protocol = "rectangle-68[test]"

    def __init__(self, turned: float = 0.0) -> None:
        self.turned = turned  # moves the chin sideways: a profile

    def detect(self, images: np.ndarray) -> np.ndarray:
        rows = [self.faces(image, 1) for image in images]
        missing = np.full((68, 2), np.nan, np.float32)
        return np.stack([found[0] if found else missing for found in rows])

    def faces(self, image: np.ndarray, smallest: float) -> list[np.ndarray]:
        count, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 1] > 125).astype(np.uint8))
        boxes = [stats[i][:4] for i in range(1, count) if min(stats[i][2:4]) >= max(smallest, 8)]
        return [self._fill(*box) for box in boxes]

    def _fill(self, x: int, y: int, width: int, height: int) -> np.ndarray:
        face = example_face(256)
        face = (face - face.min(axis=0)) / np.ptp(face, axis=0)
        face[8, 0] += self.turned
        return (face * (width - 1, height - 1) + (x, y)).astype(np.float32)
