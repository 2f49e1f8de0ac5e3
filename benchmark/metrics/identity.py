"""Identity distance: how far the person of the result is from the exemplar's, in the eyes of dlib's face network.

Opt-in, as it needs the extra `face` and much time for a face: `--set 'eval.extra_metrics=["identity"]'`. Neither
paper has it; style in portraits includes "gender, racial identity, age" (pix2pixSC abstract), which neither LEPE nor
eye patches look at.

The 128 numbers of dlib_face_recognition_resnet_model_v1 are compared by Euclidean distance; dlib's own rule takes two
photos below 0.6 for one person, which is no rule for rendered faces: compare methods with each other.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import BenchError
from benchmark.labelers import ibug68
from benchmark.metrics import images as over
from benchmark.metrics.memo import remember
from benchmark.protocols import ItemScores

if TYPE_CHECKING:
    from benchmark.protocols import Exam, TaskInfo

WEIGHTS = "dlib-embedding"
SEEN_SIDE = 256  # px: smaller pictures are enlarged, as dlib takes landmarks on whole pixels


class IdentityDistance:
    """Registry name "identity": one value per item, None where the detector finds no face in either image."""

    name = "identity"

    @classmethod
    def refuses(cls, task: TaskInfo) -> str | None:
        """Why this metric cannot score `task`, or None when it can."""
        if task.joints != ibug68.POINTS:
            return "needs the 68 landmarks of a face"
        if importlib.util.find_spec("dlib") is None:
            return "the library dlib is not installed; pip install 'exemplar-bench[face]'"
        return None

    def score(self, exam: Exam, images: np.ndarray) -> list[ItemScores]:
        """images uint8 (N, H, W, 3); compared with the exemplars."""
        from benchmark.labelers.landmarks import get_detector

        over.require_same_shape(exam, images)
        detector, network = get_detector(exam.config.eval.detector), FaceNetwork()
        result, exemplar = (
            network.embed(pictures, over.landmarks(detector, pictures), detector.protocol)
            for pictures in (images, exam.exemplars)
        )
        values = np.linalg.norm(result - exemplar, axis=1)  # NaN where either has no face
        metric = f"identity[{network.protocol},{detector.protocol},{over.side(images)}px]"
        failure = "no face found in the result or the exemplar"
        return [over.to_exemplars(metric, "Identity distance", values, failure, network.weights_sha256)]


class FaceNetwork:
    """dlib's face recognition network; `embed(images, points)` -> (N, 128)."""

    def __init__(self) -> None:
        from benchmark import weights
        from benchmark.labelers.dlib68 import import_dlib

        self._dlib = import_dlib("metric identity")
        path = weights.require(WEIGHTS)
        self._network = self._dlib.face_recognition_model_v1(str(path))
        self.weights_sha256 = weights.sha256(path)
        self.protocol = f"dlib-resnet-{self.weights_sha256[:8]}"

    def embed(self, images: np.ndarray, points: np.ndarray, found_by: str = "") -> np.ndarray:
        """uint8 (N, H, W, 3) and their landmarks (N, 68, 2) px -> float64 (N, 128), NaN rows where the landmarks are.

        `found_by` names the detector: embeddings are remembered for pictures and detector.
        """
        if points.shape[1:] != (ibug68.POINTS, 2):
            raise BenchError(f"metric identity: needs {ibug68.POINTS} landmarks, the detector finds {points.shape[1]}")

        def compute() -> np.ndarray:
            return np.stack([self._one(image, face) for image, face in zip(images, points, strict=True)])

        return remember(f"identity {self.protocol} {found_by}", images, compute) if found_by else compute()

    def _one(self, image: np.ndarray, face: np.ndarray) -> np.ndarray:
        import cv2

        if np.isnan(face).any():
            return np.full(128, np.nan)
        scale = max(1.0, SEEN_SIDE / max(image.shape[:2]))
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        seen = image if scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
        described = self._network.compute_face_descriptor(np.ascontiguousarray(seen), self._shape(face, scale))
        return np.array(described, dtype=np.float64)

    def _shape(self, face: np.ndarray, scale: float) -> Any:
        """Landmarks as dlib takes them: whole pixels of the enlarged picture, in their bounding box."""
        whole = np.rint((face.astype(np.float64) + 0.5) * scale - 0.5).astype(int)
        (left, top), (right, bottom) = whole.min(axis=0).tolist(), whole.max(axis=0).tolist()
        points = self._dlib.points([self._dlib.point(x, y) for x, y in whole.tolist()])
        return self._dlib.full_object_detection(self._dlib.rectangle(left, top, right, bottom), points)
