"""Eye-patch distance: how alike the eyes of result and exemplar look to a feature network (pix2pixSC Table 5).

The paper gives 50 x 50 px patches at 256 px and neither layers nor normalisation, and no code is public. This is the
proposal of spec: systems 7: a window centred on the mean of each eye's six landmarks, found in each image by the
detector, shifted to lie inside the image and resized to 224 px; sum_i w_i mean |f_i - f_i'| with w = 1/32, 1/16, 1/8,
1/4, 1; the mean of both eyes. At another image size window and resized side scale along, so that the magnification
stays the same. Compare orderings with the paper, not values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchError
from benchmark.labelers import ibug68
from benchmark.metrics import images as over
from benchmark.protocols import ItemScores

if TYPE_CHECKING:
    from benchmark.protocols import Exam, TaskInfo

EYES = (slice(36, 42), slice(42, 48))  # iBUG-68
PATCH, RESIZED = 50 / 256, 224 / 256  # of the image side


class EyePatchDistance:
    """Registry name "eye-patch": one value per item, None where either image shows no landmarks."""

    name = "eye-patch"

    @classmethod
    def refuses(cls, task: TaskInfo) -> str | None:
        """Why this metric cannot score `task`, or None when it can."""
        return None if task.joints == ibug68.POINTS else f"needs the {ibug68.POINTS} landmarks of a face"

    def score(self, exam: Exam, images: np.ndarray) -> list[ItemScores]:
        """images uint8 (N, H, W, 3); compared with the exemplars. Raises BenchError for points that are no face's."""
        from benchmark.labelers.landmarks import get_detector

        over.require_same_shape(exam, images)
        detector = get_detector(exam.config.eval.detector)
        network = over.network(exam.config.eval.features)
        result, exemplar = over.landmarks(detector, images), over.landmarks(detector, exam.exemplars)
        if result.shape[1] != ibug68.POINTS:
            raise BenchError(f"metric eye-patch: needs {ibug68.POINTS} landmarks, the detector finds {result.shape[1]}")
        side = over.side(images)
        patch, resized = max(2, round(PATCH * side)), max(32, round(RESIZED * side))
        usable = over.found(result) & over.found(exemplar)
        values = np.full(len(images), np.nan)
        if usable.any():
            per_eye = [
                over.layer_distance(
                    network,
                    patches(images[usable], result[usable, eye].mean(axis=1), patch),
                    patches(exam.exemplars[usable], exemplar[usable, eye].mean(axis=1), patch),
                    exam.config.eval.batch,
                    resize=resized,
                )
                for eye in EYES
            ]
            values[usable] = np.mean(per_eye, axis=0)
        metric = f"eye-patch[{network.protocol},{detector.protocol},{patch}to{resized}px]"
        failure = "no landmarks found in the result or the exemplar"
        return [over.to_exemplars(metric, "Eye-patch distance", values, failure, network.weights_sha256)]


def patches(images: np.ndarray, centres: np.ndarray, size: int) -> np.ndarray:
    """Windows (N, size, size, 3) of images (N, H, W, 3) around centres (N, 2) x, y in px, shifted to lie inside."""
    height, width = images.shape[1:3]
    # pixel centres lie at integers, so a window of even size around c starts at c - (size - 1) / 2, rounded
    corners = np.rint(centres - (size - 1) / 2).astype(int)
    left, top = np.clip(corners[:, 0], 0, width - size), np.clip(corners[:, 1], 0, height - size)
    return np.stack([image[y : y + size, x : x + size] for image, x, y in zip(images, left, top, strict=True)])
