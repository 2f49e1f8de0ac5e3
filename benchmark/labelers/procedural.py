"""The shipped landmark detector for rendered faces: a small CNN that reads pixels, never the renderer's answers.

Its error on held-out frames stands in docs/labelers.md and is measured by `scripts/train_procedural_labeler.py
--evaluate`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmark.errors import BenchError
from benchmark.labelers.ibug68 import POINTS

if TYPE_CHECKING:
    from benchmark.labelers.procedural_net import LandmarkNet

WEIGHTS = Path(__file__).parent / "weights" / "procedural_face.safetensors"
_BATCH = 256


class ProceduralDetector:
    """Landmarks of rendered faces filling a 32..256 px crop; contract as `benchmark.protocols.LandmarkDetector`."""

    name = "procedural"

    def __init__(self, weights: Path = WEIGHTS) -> None:
        from benchmark.files import sha256_file

        if not weights.is_file():
            raise BenchError(f"labeler procedural: {weights} is missing; python scripts/train_procedural_labeler.py")
        self._network = load_network(weights)
        self.protocol = f"procedural-68[{sha256_file(weights)[:8]}]"

    def detect(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, 3) RGB -> float32 (N, 68, 2) px; a row of NaN where the network sees no face."""
        landmarks = np.full((len(images), POINTS, 2), np.nan, np.float32)
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            points, present = run_network(self._network, np.stack([to_input(image) for image in batch]))
            sides = np.array([(image.shape[1], image.shape[0]) for image in batch])[:, None]  # (N, 1, 2)
            landmarks[start : start + len(batch)][present] = (points * sides - 0.5)[present]
        return landmarks


def to_input(image: np.ndarray) -> np.ndarray:
    """Bring a photo to the 64 px that the network reads, averaging when it shrinks."""
    from benchmark.labelers.procedural_net import INPUT

    if image.shape[:2] == (INPUT, INPUT):
        return image
    return cv2.resize(
        image, (INPUT, INPUT), interpolation=cv2.INTER_AREA if image.shape[0] > INPUT else cv2.INTER_LINEAR
    )


def run_network(network: LandmarkNet, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (N, 64, 64, 3) -> points (N, 68, 2) as fractions of the side, and which (N,) bool show a face."""
    import torch

    with torch.inference_mode():
        photos = torch.from_numpy(inputs).permute(0, 3, 1, 2).float() / 255.0
        points, presence = network(photos)
    return points.numpy(), (presence > 0).numpy()


@cache
def load_network(weights: Path) -> LandmarkNet:
    """The trained network, on the CPU, in evaluation mode; BenchError when the file is damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from benchmark.labelers.procedural_net import LandmarkNet

    network = LandmarkNet()
    try:
        network.load_state_dict({name: value.float() for name, value in load_file(weights).items()})
    except (SafetensorError, RuntimeError) as error:
        raise BenchError(f"{weights}: not the weights of this network ({str(error).splitlines()[0]})") from error
    return network.eval()
