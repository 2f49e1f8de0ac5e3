"""The shipped landmark detector for rendered faces: a small CNN that reads pixels, never the renderer's answers.

Its error on held-out frames stands in docs/labelers.md and is measured by `scripts/train_procedural_labeler.py face
--evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from benchmark.errors import BenchError
from benchmark.labelers.ibug68 import POINTS

if TYPE_CHECKING:
    from torch import nn

    from benchmark.labelers.procedural_net import LandmarkNet

    Network = TypeVar("Network", bound=nn.Module)

WEIGHTS = Path(__file__).parent / "weights" / "procedural_face.safetensors"
_BATCH = 256


class ProceduralDetector:
    """Landmarks of rendered faces filling a 32..256 px crop; contract as `benchmark.protocols.LandmarkDetector`."""

    name = "procedural"

    def __init__(self, weights: Path = WEIGHTS) -> None:
        from benchmark.labelers.procedural_net import LandmarkNet

        self._network, digest = shipped_network(LandmarkNet, weights, "face")
        self.protocol = f"procedural-68[{digest}]"

    def detect(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, 3) RGB -> float32 (N, 68, 2) px; a row of NaN where the network sees no face."""
        from benchmark.labelers.procedural_net import INPUT

        landmarks = np.full((len(images), POINTS, 2), np.nan, np.float32)
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            points, present = run_network(self._network, np.stack([resized(image, INPUT, INPUT) for image in batch]))
            sides = np.array([(image.shape[1], image.shape[0]) for image in batch])[:, None]  # (N, 1, 2)
            landmarks[start : start + len(batch)][present] = (points * sides - 0.5)[present]
        return landmarks


def resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Bring a photo (H, W, 3) to the size that a network reads, averaging when it shrinks."""
    if image.shape[:2] == (height, width):
        return image
    return cv2.resize(
        image, (width, height), interpolation=cv2.INTER_AREA if image.shape[0] > height else cv2.INTER_LINEAR
    )


def run_network(network: LandmarkNet, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (N, 64, 64, 3) -> points (N, 68, 2) as fractions of the side, and which (N,) bool show a face."""
    import torch

    with torch.inference_mode():
        photos = torch.from_numpy(inputs).permute(0, 3, 1, 2).float() / 255.0
        points, presence = network(photos)
    return points.numpy(), (presence > 0).numpy()


def shipped_network(build: Callable[[], Network], weights: Path, world: str) -> tuple[Network, str]:
    """The network of a shipped labeler, on the CPU, in evaluation mode, and the first digits of its weights' sha256.

    Raises:
        BenchError: the file is missing (`world` names the training that makes it), or is not of this network.
    """
    from benchmark.files import sha256_file

    if not weights.is_file():
        raise BenchError(f"{weights} is missing; python scripts/train_procedural_labeler.py {world}")
    return _load(build, weights), sha256_file(weights)[:8]


@cache
def _load(build: Callable[[], Network], weights: Path) -> Network:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    network = build()
    try:
        network.load_state_dict({name: value.float() for name, value in load_file(weights).items()})
    except (SafetensorError, RuntimeError) as error:
        raise BenchError(f"{weights}: not the weights of this network ({str(error).splitlines()[0]})") from error
    return network.requires_grad_(False).eval()
