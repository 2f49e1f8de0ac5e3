"""Label endpoint error: how far the points of the result lie from those of the real target (pix2pixSC sec 4.2).

Detection runs on the synthetic image and on the real target image, and lengths are shares of the image side.

Faces follow the authors' own script (spec: systems 7). Each point's error is capped at 1000 px, the mean over 68 points
at 10 px, a failed detection counts as 10 px, all at 256 px; at another size the caps scale with the side. So 0.0050 is
1.28 px at 256, and nothing is above 10/256 = 0.0391.

No script for poses was published; their joints hide each other, and Table 2's 0.0958 is above the faces' cap. Here each
joint that is seen in the target counts at most 0.1 of the side, and exactly that where the result does not show it
(spec: systems 7's proposal). Joints that the target does not show are left out, whatever the result shows there.

A capped mean hides failures: their rate, and for poses the share of joints not found, are scores of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmark.errors import BenchError
from benchmark.labelers import ibug68
from benchmark.metrics import images as over
from benchmark.protocols import ItemScores

if TYPE_CHECKING:
    from benchmark.protocols import Exam

POINT_CAP = 1000 / 256  # of the image side, faces
IMAGE_CAP = 10 / 256  # of the image side, faces
JOINT_CAP = 0.1  # of the image side, poses


class LabelEndpointError:
    """Registry name "lepe": LEPE, LEPE against the asked label's own points, and the detection failures."""

    name = "lepe"

    def score(self, exam: Exam, images: np.ndarray) -> list[ItemScores]:
        """images uint8 (N, H, W, 3) -> three per-item scores, four for poses; failures are values (the cap), never
        None. Raises BenchError where the detector finds other points than the label has.
        """
        from benchmark.labelers.landmarks import get_detector

        over.require_same_shape(exam, images)
        if not exam.config.eval.detector:
            raise BenchError("eval.detector: this data names no detector of its points; choose one")
        detector = get_detector(exam.config.eval.detector)
        result, target = over.landmarks(detector, images), over.landmarks(detector, exam.targets)
        asked = exam.target_landmarks
        if result.shape != asked.shape:
            raise BenchError(
                f"eval.detector: {detector.name} finds {result.shape[1]} points, the label has {asked.shape[1]}"
            )
        rule = FACES if asked.shape[1] == ibug68.POINTS else POSES
        side = over.side(images)
        missed, missed_target = ~rule.found(result), ~rule.found(target)
        notes: dict[str, Any] = {
            "N": len(images),
            "failures_result": int(missed.sum()),
            "failures_target": int(missed_target.sum()),
            "cap": rule.cap,
        }
        # The asked points are exact by construction, so the target photo and its detection failures do not enter.
        asked_notes = {key: notes[key] for key in ("N", "failures_result", "cap")}

        seen = {"lepe-asked": result}  # once, with the score that sets it against the label

        def lower(name: str, title: str, values: np.ndarray, told: dict[str, Any]) -> ItemScores:
            metric = f"{name}[{detector.protocol},{side}px]"
            return ItemScores(metric, title, "lower", values.tolist(), notes=told, seen=seen.get(name))

        scores = [
            lower("lepe", "LEPE", rule.error(result, target, side), notes),
            lower("lepe-failures", "LEPE failures", (missed | missed_target).astype(float), notes),
            lower("lepe-asked", "LEPE (asked label)", rule.error(result, asked, side), asked_notes),
        ]
        if rule is POSES:
            scores.append(lower("lepe-missing", "LEPE joints not found", missing_share(result, target), notes))
        return scores


def endpoint_error(result: np.ndarray, target: np.ndarray, side: int) -> np.ndarray:
    """Faces: points (N, 68, 2) in px twice -> float64 (N,) in [0, 10/256] of the side; a row of NaN is a failure."""
    mean = np.minimum(_distance(result, target, side), POINT_CAP).mean(axis=1)
    return np.where(np.isnan(mean), IMAGE_CAP, np.minimum(mean, IMAGE_CAP))


def joint_error(result: np.ndarray, target: np.ndarray, side: int) -> np.ndarray:
    """Poses: joints (N, J, 2) in px twice, NaN where not seen -> float64 (N,) in [0, 0.1] of the side.

    The mean over the target's joints; 0.1 where the target shows none, as nothing can be compared there.
    """
    distance = np.nan_to_num(_distance(result, target, side), nan=JOINT_CAP)
    return _mean_where(np.minimum(distance, JOINT_CAP), _seen(target), JOINT_CAP)


def missing_share(result: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Joints (N, J, 2) twice -> share (N,) of the target's joints that the result does not show; 1 if it has none."""
    return _mean_where(~_seen(result), _seen(target), 1.0)


def _distance(result: np.ndarray, target: np.ndarray, side: int) -> np.ndarray:
    return np.linalg.norm(result.astype(np.float64) - target.astype(np.float64), axis=2) / side  # (N, J)


def _seen(joints: np.ndarray) -> np.ndarray:
    return ~np.isnan(joints).any(axis=2)


def _mean_where(values: np.ndarray, counted: np.ndarray, otherwise: float) -> np.ndarray:
    """Mean over axis 1 of what is counted, (N, J) -> (N,); `otherwise` where nothing is."""
    total = counted.sum(axis=1)
    return np.where(total > 0, (values * counted).sum(axis=1) / np.maximum(total, 1), otherwise)


def somebody(joints: np.ndarray) -> np.ndarray:
    """Joints (N, J, 2) -> bool (N,): at least one is seen."""
    return np.asarray(_seen(joints).any(axis=1))


class Rule(NamedTuple):
    """How the points of one kind of label are counted."""

    error: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
    cap: float  # of the image side
    found: Callable[[np.ndarray], np.ndarray]


FACES = Rule(endpoint_error, IMAGE_CAP, over.found)
POSES = Rule(joint_error, JOINT_CAP, somebody)
