"""Frechet distance between the synthetic images and the real targets, over pretrained features.

Called FID only with the network that FID is defined by; any other network gives a "Frechet distance" under its own
id, and the two never share a column. Definition: Heusel et al. 2017, eq. 6. The papers do not say which images were
compared; this follows spec: systems 7 (synthetic against the corresponding real images, N stated).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.metrics import images as over
from benchmark.metrics.fid.interval import METHOD, frechet_interval, random_halves
from benchmark.protocols import ItemScores

if TYPE_CHECKING:
    from benchmark.protocols import Exam

FID = "inception-2015-12-05"
FEW = 50  # below this many images the value is mostly bias


class FrechetDistance:
    """Registry name "frechet". One whole-set score with its interval.

    For the row of real targets it is the distance between two random halves of them: what a perfect method would still
    show, at half of N.
    """

    name = "frechet"

    def score(self, exam: Exam, images: np.ndarray) -> list[ItemScores]:
        """images uint8 (N, H, W, 3). Raises BenchError for other sizes than the targets' and for too few images."""
        over.require_same_shape(exam, images)
        network = over.network(exam.config.eval.frechet)
        real = over.pooled(network, exam.targets, exam.config.eval.batch)
        notes: dict[str, Any] = {"weights_sha256": network.weights_sha256, "against": "the targets"}
        if exam.reference:
            fake, real = random_halves(real)
            notes["against"] = "the floor: two random halves of the targets"
        else:
            fake = over.pooled(network, images, exam.config.eval.batch)
        notes |= {"N": len(fake), "N_reference": len(real), "interval": f"paired {METHOD}"}
        if len(fake) < FEW:
            notes["warning"] = f"N={len(fake)} is below {FEW}: mostly small-sample bias"
        interval = frechet_interval(fake, real)
        is_fid = network.protocol == FID
        return [
            ItemScores(
                metric=f"{'fid' if is_fid else 'frechet'}[{network.protocol},{network.pooled_side},N={len(fake)}]",
                title="FID" if is_fid else "Frechet distance",
                better="lower",
                values=[interval.value],
                whole_set=True,
                low=None if math.isnan(interval.low) else interval.low,
                high=None if math.isnan(interval.high) else interval.high,
                notes=notes,
            )
        ]
