"""Distance to the true answer: in a rendered world the appearance of the exemplar with the asked label can be drawn.

No photograph data set has this, so no paper has these numbers. L1 is the one to read, in the face region above all:
there neither a copied exemplar (wrong label) nor a background wins it. PSNR and SSIM (Wang et al. 2004) are customary
companions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmark.errors import BenchError
from benchmark.metrics import images as over
from benchmark.protocols import ItemScores

if TYPE_CHECKING:
    from benchmark.protocols import Exam

# 8-bit images cannot be told apart below the variance of rounding, so PSNR ends here (58.9 dB) instead of at infinity
ROUNDING_MSE = 1 / 12
WINDOW, SIGMA = 11, 1.5  # SSIM's Gaussian
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
MARGIN = WINDOW // 2
EQUAL = (1 / 5,) * 5  # the mean over five layers


class CounterfactualDistance:
    """Registry name "counterfactual": L1, PSNR, SSIM per region and one feature distance; nothing for real photos."""

    name = "counterfactual"

    def score(self, exam: Exam, images: np.ndarray) -> list[ItemScores]:
        """images uint8 (N, H, W, 3); an empty list when the exam has no true answers. None where a region is empty."""
        if exam.truths is None:
            return []
        over.require_same_shape(exam, images)
        masks: dict[str, np.ndarray] = {"whole": np.ones(images.shape[:3], dtype=bool), **(exam.regions or {})}
        scores = [
            ItemScores(
                metric=f"counterfactual-{kind}[{region}]",
                title=f"Counterfactual {title}" + ("" if region == "whole" else f", {region}"),
                better=better,
                values=over.optional(values),
                failure="the region is empty",
                notes={"N": int((~np.isnan(values)).sum()), "px": over.side(images)},
            )
            for kind, title, better, by_region in _pixel_measures(images, exam.truths, masks)
            for region, values in by_region.items()
        ]
        return [*scores, self._features(exam, exam.truths, images)]

    def _features(self, exam: Exam, truths: np.ndarray, images: np.ndarray) -> ItemScores:
        network = over.network(exam.config.eval.features)
        values = over.layer_distance(network, images, truths, exam.config.eval.batch, weights=EQUAL)
        return ItemScores(
            metric=f"counterfactual-features[{network.protocol}]",
            title="Counterfactual feature distance",
            better="lower",
            values=over.optional(values),
            notes={"N": len(images), "px": over.side(images), "weights_sha256": network.weights_sha256},
        )


def _pixel_measures(
    images: np.ndarray, truths: np.ndarray, masks: Mapping[str, np.ndarray]
) -> list[tuple[str, str, str, dict[str, np.ndarray]]]:
    """(kind, title, better, {region: values (N,)}), with NaN for an empty region."""
    absolute = np.empty(images.shape[:3])  # (N, H, W), means over colours
    squared, similarity = np.empty_like(absolute), np.full_like(absolute, np.nan)
    for index, (image, truth) in enumerate(zip(images, truths, strict=True)):
        difference = image.astype(np.float64) - truth
        absolute[index] = np.abs(difference).mean(axis=2) / 127.5  # of images in [-1, 1]
        squared[index] = np.square(difference).mean(axis=2)
        similarity[index, MARGIN:-MARGIN, MARGIN:-MARGIN] = ssim_map(image, truth).mean(axis=2)
    l1 = {region: masked_mean(absolute, mask) for region, mask in masks.items()}
    psnr = {region: psnr_of(masked_mean(squared, mask)) for region, mask in masks.items()}
    inner = ~np.isnan(similarity)
    ssim = {region: masked_mean(similarity, mask & inner) for region, mask in masks.items()}
    return [("l1", "L1", "lower", l1), ("psnr", "PSNR", "higher", psnr), ("ssim", "SSIM", "higher", ssim)]


def masked_mean(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Mean of maps (N, H, W) inside masks bool (N, H, W) -> (N,); NaN where a mask is empty."""
    count = masks.sum(axis=(1, 2))
    total = np.where(masks, maps, 0.0).sum(axis=(1, 2))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def psnr_of(mse: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB of mean squared errors on the 0..255 scale; at most 58.9."""
    return 10 * np.log10(255**2 / np.maximum(mse, ROUNDING_MSE))


def ssim_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """SSIM of uint8 (H, W, 3) twice, per pixel and colour: (H - 10, W - 10, 3), where the whole window fits.

    Gaussian 11 x 11 window of deviation 1.5, K = 0.01 and 0.03 on 0..255 (Wang et al. 2004). Raises BenchError for
    images smaller than the window.
    """
    if min(a.shape[:2]) < WINDOW:
        raise BenchError(f"SSIM: images of {a.shape[1]}x{a.shape[0]} px are smaller than its window of {WINDOW} px")
    x, y = a.astype(np.float64), b.astype(np.float64)
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    cov = _blur(x * y) - mean_x * mean_y
    top = (2 * mean_x * mean_y + C1) * (2 * cov + C2)
    bottom = (mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2)
    return top / bottom


def _blur(image: np.ndarray) -> np.ndarray:
    blurred = cv2.GaussianBlur(image, (WINDOW, WINDOW), SIGMA)
    return blurred[MARGIN:-MARGIN, MARGIN:-MARGIN]
