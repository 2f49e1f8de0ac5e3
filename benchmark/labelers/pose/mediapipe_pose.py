"""MediaPipe's pose landmarker (BlazePose, 33 points) as finder of people: extra `mediapipe`, `bench weights fetch
mediapipe-pose`.

Made for CPUs. Its points have no neck; that is put between the shoulders.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

from benchmark import weights
from benchmark.errors import BenchError
from benchmark.labelers.pose.people import Moment, Person, box_of, openpose_joints, surest

BLAZEPOSE = {
    0: "nose", 2: "left_eye", 5: "right_eye", 7: "left_ear", 8: "right_ear", 11: "left_shoulder", 12: "right_shoulder",
    13: "left_elbow", 14: "right_elbow", 15: "left_wrist", 16: "right_wrist", 23: "left_hip", 24: "right_hip",
    25: "left_knee", 26: "right_knee", 27: "left_ankle", 28: "right_ankle",
}  # fmt: skip
POINTS = 33
NAMES = tuple(BLAZEPOSE.get(index, "") for index in range(POINTS))
SEEN = 0.5  # of a point's visibility; MediaPipe's own default for everything it is sure of
SMALLEST = 256  # px: the side at which its landmark network reads a person; smaller photos are enlarged to it
PEOPLE = 4  # searched for: enough to notice that a dancer is not alone
_WEIGHTS = "mediapipe-pose"


class MediaPipePose:
    """`benchmark.labelers.pose.PeopleFinder` and `benchmark.protocols.LandmarkDetector` of 18 joints.

    A person whom the network places mostly outside the photo still gets points there: only what lies inside is seen.
    """

    name = "mediapipe"

    def __init__(self) -> None:
        self._mediapipe, vision, base = _import()
        path = weights.require(_WEIGHTS)
        options = vision.PoseLandmarkerOptions(base_options=base(model_asset_path=str(path)), num_poses=PEOPLE)
        self._landmarker = vision.PoseLandmarker.create_from_options(options)
        self.protocol = f"mediapipe-18[{weights.sha256(path)[:8]}]"

    def people(self, image: np.ndarray, moment: Moment | None = None) -> list[Person]:
        """Everybody found in a photo uint8 (H, W, 3) RGB."""
        picture = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
        people = []
        for marks in self._landmarker.detect(picture).pose_landmarks:
            person = _person(np.array([(mark.x, mark.y, mark.visibility) for mark in marks]), image.shape)
            people += [person] if person else []
        return people

    def detect(self, images: np.ndarray) -> np.ndarray:
        """Joints of the surest person: uint8 (N, H, W, 3) RGB -> float32 (N, 18, 2) px, NaN rows where nobody."""
        scale = max(SMALLEST / min(images.shape[1:3]), 1.0)
        joints = surest(lambda image: self.people(_enlarged(image, scale)), images)
        return (joints + 0.5) / scale - 0.5


def _enlarged(image: np.ndarray, scale: float) -> np.ndarray:
    return image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def _person(marks: np.ndarray, shape: tuple[int, ...]) -> Person | None:
    """marks (33, 3): x, y as shares of the photo's sides, visibility. None when no joint is seen."""
    points = marks[:, :2] * (shape[1], shape[0]) - 0.5
    inside = (marks[:, :2] >= 0).all(axis=1) & (marks[:, :2] < 1).all(axis=1)
    joints = openpose_joints(NAMES, points, inside & (marks[:, 2] >= SEEN))
    if np.isnan(joints).all():
        return None
    return Person(joints, box_of(joints), float(marks[list(BLAZEPOSE), 2].mean()))


def _import() -> tuple[Any, Any, Any]:
    """The modules, imported in a thread of their own.

    Where no sound library is installed MediaPipe keeps the error, and with it every function that was waiting for the
    import: ours would hold the landmarker until the interpreter ends, which it then complains of on stderr.
    """
    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(_modules).result()


def _modules() -> tuple[Any, Any, Any]:
    try:
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision
    except ImportError:
        raise BenchError(
            "labeler mediapipe: the library is not installed; pip install 'exemplar-bench[mediapipe]'"
        ) from None
    return mediapipe, vision, BaseOptions
