"""What every metric asks of images, and how it runs a network over them batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchError
from benchmark.metrics.memo import remember
from benchmark.protocols import ItemScores

if TYPE_CHECKING:
    import torch

    from benchmark.features import FeatureNetwork
    from benchmark.protocols import Exam, LandmarkDetector

FINE_TO_COARSE = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)  # layer weights of the official perceptual terms (spec: systems 0)


def require_same_shape(exam: Exam, images: np.ndarray) -> None:
    """BenchError unless `images` is uint8 (N, H, W, 3) exactly like the exam's targets."""
    if images.shape != exam.targets.shape or images.dtype != np.uint8:
        raise BenchError(
            f"images to score: {images.dtype} {images.shape}, the test set is {exam.targets.dtype} {exam.targets.shape}"
            " (N, H, W, 3); give one RGB image of that size per item"
        )


def side(images: np.ndarray) -> int:
    """The image side that paper-size lengths scale with: the longer one, in pixels."""
    return max(images.shape[1:3])


def network(name: str) -> FeatureNetwork:
    """The feature network on the device of this run."""
    from benchmark.features import load_features
    from benchmark.run.devices import choose_device

    return load_features(name, choose_device())


def pooled(features: FeatureNetwork, images: np.ndarray, batch: int) -> np.ndarray:
    """One feature vector per image: uint8 (N, H, W, 3) -> float64 (N, D); remembered per process."""
    import torch

    from benchmark.data.batches import to_signed

    def compute() -> np.ndarray:
        with torch.inference_mode():
            found = [features.pooled(_on(features, to_signed(part))).cpu().double() for part in _parts(images, batch)]
        return torch.cat(found).numpy()

    return remember(f"pooled {features.protocol} {features.pooled_side}", images, compute)


def layer_distance(
    features: FeatureNetwork,
    first: np.ndarray,
    second: np.ndarray,
    batch: int,
    weights: Sequence[float] = FINE_TO_COARSE,
    resize: int = 0,
) -> np.ndarray:
    """sum_i w_i mean |f_i(first) - f_i(second)| per pair: uint8 (N, H, W, 3) twice -> float64 (N,).

    Images go in at their own size, or bilinearly resized to `resize` squared.
    """
    import torch
    import torch.nn.functional as F

    from benchmark.data.batches import to_signed

    found = []
    with torch.inference_mode():
        for a, b in zip(_parts(first, batch), _parts(second, batch), strict=True):
            both = _on(features, to_signed(np.concatenate([a, b])))  # (2n, 3, H, W)
            if resize:
                both = F.interpolate(both, (resize, resize), mode="bilinear", align_corners=False)
            total = torch.zeros(len(a), dtype=torch.float64)
            for weight, layer in zip(weights, features.layers(both), strict=True):
                mine, theirs = layer.split(len(a))
                total += weight * (mine - theirs).abs().mean(dim=(1, 2, 3)).cpu().double()
            found.append(total)
    return torch.cat(found).numpy()


def landmarks(detector: LandmarkDetector, images: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W, 3) -> float32 (N, J, 2), NaN where nothing was found; remembered per process."""
    return remember(f"landmarks {detector.protocol}", images, lambda: detector.detect(images))


def found(points: np.ndarray) -> np.ndarray:
    """(N, 68, 2) -> bool (N,): a detection without a NaN."""
    return ~np.isnan(points).any(axis=(1, 2))


def optional(values: np.ndarray) -> list[float | None]:
    """Per-item values as ItemScores wants them: None for NaN."""
    return [None if np.isnan(v) else float(v) for v in values]


def to_exemplars(metric: str, title: str, values: np.ndarray, failure: str, weights_sha256: str) -> ItemScores:
    """Distances (N,) of results to their exemplars as a score; NaN, for the reason `failure`, becomes None."""
    failed = int(np.isnan(values).sum())
    notes = {"N": len(values) - failed, "failures": failed, "weights_sha256": weights_sha256}
    return ItemScores(metric, title, "lower", optional(values), failure=failure, notes=notes)


def _parts(images: np.ndarray, batch: int) -> list[np.ndarray]:
    return [images[start : start + batch] for start in range(0, len(images), batch)]


def _on(features: FeatureNetwork, images: torch.Tensor) -> torch.Tensor:
    return images.to(next(features.parameters()).device)
