"""From a video frame to the face crop of the official preparation (spec: systems 1.5): find, follow, choose the box.

Every rule that refuses a frame raises `Dropped` with its reason, `BadInput` where the frame is at fault; `prepare`
counts both per video.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from benchmark.data.boxes import Box, cut, resized
from benchmark.data.dropped import BadInput, Dropped

CROP = 512  # px: landmarks are detected again on a crop of this size
MIN_SYMMETRY = 0.7  # below: a profile
ENLARGE = 2.0  # crop side over face box side (the official face_rate 0.5)
MIN_ENLARGE = 1.2  # how far `fit` may shrink a crop that does not fit into the frame
SHIFT_UP = 0.2  # of the face box height
OUTSIDE = ("fit", "drop")


class FaceFinder(Protocol):
    """A landmark detector that can also search whole frames (`DlibDetector`, `FaceAlignmentDetector`)."""

    protocol: str

    def detect(self, images: np.ndarray) -> np.ndarray: ...

    def faces(self, image: np.ndarray, smallest: float) -> list[np.ndarray]: ...


class FaceTracker:
    """Follows one face through a video: looks near its last place, then in the whole frame."""

    def __init__(self, finder: FaceFinder, smallest: float) -> None:
        self._finder = finder
        self._smallest = smallest
        self._last: np.ndarray | None = None

    def find(self, frame: np.ndarray) -> np.ndarray:
        """Landmarks float32 (68, 2) px of the followed face; BadInput("no face") or BadInput("several faces")."""
        self._last = self._near_last(frame) if self._last is not None else None
        if self._last is None:
            self._last = self._anywhere(frame)
        return self._last

    def _near_last(self, frame: np.ndarray) -> np.ndarray | None:
        assert self._last is not None
        low, high = self._last.min(axis=0), self._last.max(axis=0)
        centre, reach = (low + high) / 2, max(high - low)
        x0, y0 = np.maximum(centre - reach, 0).astype(int)
        x1, y1 = np.ceil(centre + reach).astype(int)
        offset = np.array([x0, y0], np.float32)
        window = frame[y0:y1, x0:x1]
        if min(window.shape[:2]) < reach / 2:
            return None
        found = self._finder.faces(window, smallest=0.6 * reach)
        if not found:
            return None
        nearest = min(found, key=lambda points: np.linalg.norm(points.mean(axis=0) + offset - centre))
        return nearest + offset

    def _anywhere(self, frame: np.ndarray) -> np.ndarray:
        found = self._finder.faces(frame, smallest=self._smallest)
        if len(found) != 1:
            # Without a track nothing says which of several people the clip is about.
            raise BadInput("several faces" if found else "no face")
        return found[0]


def crop_box(landmarks: np.ndarray, frame_shape: tuple[int, ...], min_crop: int, outside: str = "fit") -> Box:
    """The official crop of a face: its landmarks' box enlarged x2 and shifted up by a fifth of its height.

    Args:
        landmarks: float (68, 2) px in the frame.
        frame_shape: (H, W, ...) of the frame.
        min_crop: smallest crop side in px.
        outside: a crop that leaves the frame is dropped ("drop", the official rule) or shrunk, at most to 1.2 times the
            face, and moved inside ("fit": close-ups in wide frames otherwise give nothing).

    Raises:
        Dropped: "profile", "outside frame" or "too small".
    """
    if symmetry(landmarks) < MIN_SYMMETRY:
        raise Dropped("profile")
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    face = high - low
    centre = (low + high) / 2 - (0, SHIFT_UP * face[1])
    room = np.array([frame_shape[1], frame_shape[0]])
    side = ENLARGE * face
    if outside == "fit":
        side = side * min(1.0, *(room / side))
        centre = np.clip(centre, side / 2, room - side / 2)
    corner = np.rint(centre - side / 2).astype(int)
    end = corner + np.floor(side).astype(int)
    covered = (low >= corner).all() and (high <= end - 1).all() and (side >= MIN_ENLARGE * face).all()
    if not covered or (corner < 0).any() or (end > room).any():
        raise Dropped("outside frame")
    if min(end - corner) < min_crop:
        raise Dropped("too small")
    return int(corner[0]), int(corner[1]), int(end[0]), int(end[1])


def symmetry(landmarks: np.ndarray) -> float:
    """How frontal a face is, 0..1: distances in x from the chin (8) to both jaw sides (1, 15), smaller over larger."""
    right, left = abs(landmarks[8, 0] - landmarks[1, 0]), abs(landmarks[8, 0] - landmarks[15, 0])
    return float(min(right, left) / max(right, left, 1e-6))


def cut_face(frame: np.ndarray, box: Box, finder: FaceFinder, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Crop, bring to 512 px without keeping the aspect, detect the landmarks again, reduce to `size`.

    Returns uint8 (size, size, 3) and landmarks float32 (68, 2) px in it; BadInput("no face on the crop") when the
    second detection fails or strays outside the crop.
    """
    crop = resized(cut(frame, box), (CROP, CROP))
    landmarks = finder.detect(crop[None])[0]
    if not np.isfinite(landmarks).all() or landmarks.min() < 0 or landmarks.max() > CROP - 1:
        raise BadInput("no face on the crop")
    return resized(crop, (size, size)), ((landmarks + 0.5) * (size / CROP) - 0.5).astype(np.float32)
