"""Label endpoint error: how far the landmarks of the result lie from those of the real target (pix2pixSC sec 4.2).

The authors' own script is followed (spec: systems 7). Detection runs on the synthetic image and on the real target
image. Each point's error is capped at 1000 px, the mean over 68 points at 10 px, a failed detection counts as 10 px,
and the result is divided by the image side, all at 256 px; at another size the caps scale with the side. So 0.0050 is
1.28 px at 256, and nothing is above 10/256 = 0.0391. A capped mean hides failures: their rate is a score of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.metrics import images as over
from benchmark.protocols import ItemScores

if TYPE_CHECKING:
    from benchmark.protocols import Exam

POINT_CAP = 1000 / 256  # of the image side
IMAGE_CAP = 10 / 256  # of the image side


class LabelEndpointError:
    """Registry name "lepe": LEPE, LEPE against the asked label's own points, and the detection failures."""

    name = "lepe"

    def score(self, exam: Exam, images: np.ndarray) -> list[ItemScores]:
        """images uint8 (N, H, W, 3) -> three per-item scores; failures are values (the cap), never None."""
        from benchmark.labelers.landmarks import get_detector

        over.require_same_shape(exam, images)
        detector = get_detector(exam.config.eval.detector)
        result, target = over.landmarks(detector, images), over.landmarks(detector, exam.targets)
        side = over.side(images)
        protocol = f"[{detector.protocol},{side}px]"
        missed, missed_target = ~over.found(result), ~over.found(target)
        notes = {
            "N": len(images),
            "failures_result": int(missed.sum()),
            "failures_target": int(missed_target.sum()),
            "cap": IMAGE_CAP,
        }
        failed = (missed | missed_target).astype(float)
        # The asked points are exact by construction, so the target photo and its detection failures do not enter.
        asked = endpoint_error(result, exam.target_landmarks, side)
        asked_notes = {key: notes[key] for key in ("N", "failures_result", "cap")}
        lepe = endpoint_error(result, target, side).tolist()
        return [
            ItemScores(f"lepe{protocol}", "LEPE", "lower", lepe, notes=notes),
            ItemScores(f"lepe-failures{protocol}", "LEPE failures", "lower", failed.tolist(), notes=notes),
            ItemScores(f"lepe-asked{protocol}", "LEPE (asked label)", "lower", asked.tolist(), notes=asked_notes),
        ]


def endpoint_error(result: np.ndarray, target: np.ndarray, side: int) -> np.ndarray:
    """Points (N, 68, 2) in px twice -> float64 (N,) in [0, 10/256] of the side; a row of NaN is a failure."""
    distance = np.linalg.norm(result.astype(np.float64) - target.astype(np.float64), axis=2) / side  # (N, 68)
    mean = np.minimum(distance, POINT_CAP).mean(axis=1)
    return np.where(np.isnan(mean), IMAGE_CAP, np.minimum(mean, IMAGE_CAP))
