"""`procedural-street`: the shipped scene parser for rendered streets, a small CNN that reads pixels.

    get_parser("procedural-street").parse(images)    # uint8 (N, H, W) train ids

Its error on held-out frames stands in docs/labelers.md and is measured by `scripts/train_procedural_labeler.py street
--evaluate`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import BenchError
from benchmark.labelers.cityscapes import CLASSES
from benchmark.labelers.procedural import resized, shipped_network
from benchmark.labelers.procedural_unet import UNet

WEIGHTS = Path(__file__).parents[1] / "weights" / "procedural_street.safetensors"
WIDTH, HEIGHT = 64, 36  # px at which a picture is seen
_BATCH = 32


class StreetNet(nn.Module):
    """Photo (N, 3, 36, 64) in [0, 1] -> logits of 19 classes, (N, 19, 36, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = UNet(len(CLASSES), (16, 32, 64, 96), stride=1)

    def forward(self, photos: Tensor) -> Tensor:
        return self.body(photos)[0]


class ProceduralParser:
    """Parses rendered streets of 32..256 px width; contract as `benchmark.protocols.SceneParser`.

    Every picture is seen at 64x36 px and the logits brought to its own size, so what is thinner than 1/64 of the
    width is lost at any size. Raises BenchError for an argument: there is nothing to choose.
    """

    name = "procedural-street"

    def __init__(self, argument: str = "", weights: Path = WEIGHTS) -> None:
        if argument:
            raise BenchError(f"eval.parser: {self.name}:{argument}: this parser takes no argument; use {self.name}")
        self._network, digest = shipped_network(StreetNet, weights, "street")
        self.protocol = f"{self.name}-{digest},{WIDTH}x{HEIGHT}"

    def parse(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, 3) RGB -> uint8 (N, H, W) train ids."""
        parts = [self._parse(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
        return np.concatenate([np.empty((0, *images.shape[1:3]), np.uint8), *parts])

    @torch.inference_mode()
    def _parse(self, images: np.ndarray) -> np.ndarray:
        inputs = np.stack([resized(image, WIDTH, HEIGHT) for image in images])
        logits = self._network(torch.from_numpy(inputs).permute(0, 3, 1, 2).float() / 255.0)
        logits = F.interpolate(logits, images.shape[1:3], mode="bilinear", align_corners=False)
        return logits.argmax(dim=1).to(torch.uint8).numpy()
