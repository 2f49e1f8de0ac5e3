"""The shipped joint detector for rendered dancers: a small CNN that reads pixels, never the renderer's answers.

    get_detector("procedural-pose").detect(images)    # float32 (N, 18, 2), NaN where a joint is not seen

Its error on held-out frames stands in docs/labelers.md and is measured by `scripts/train_procedural_labeler.py dance
--evaluate`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.labelers.openpose18 import JOINTS
from benchmark.labelers.procedural import resized, shipped_network

WEIGHTS = Path(__file__).parent / "weights" / "procedural_dance.safetensors"
INPUT = 64  # px
_BATCH = 256


class PoseDetector:
    """OpenPose-18 joints of one rendered dancer in a 32..256 px picture; contract as
    `benchmark.protocols.LandmarkDetector`.
    """

    name = "procedural-pose"

    def __init__(self, weights: Path = WEIGHTS) -> None:
        from benchmark.labelers.procedural_unet import PoseNet

        self._network, digest = shipped_network(PoseNet, weights, "dance")
        self.protocol = f"procedural-18[{digest}]"

    def detect(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, 3) RGB -> float32 (N, 18, 2) px; NaN for a joint that is not seen, all NaN for nobody."""
        parts = [self._detect(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
        return np.concatenate([np.empty((0, JOINTS, 2), np.float32), *parts])

    def _detect(self, images: np.ndarray) -> np.ndarray:
        import torch

        from benchmark.labelers.procedural_unet import peaks

        inputs = np.stack([resized(image, INPUT, INPUT) for image in images])
        with torch.inference_mode():
            heat, seen, presence = self._network(torch.from_numpy(inputs).permute(0, 3, 1, 2).float() / 255.0)
            points = peaks(heat).numpy()
        joints = points * (images.shape[2], images.shape[1]) - 0.5
        joints[~((seen > 0) & (presence > 0)[:, None]).numpy()] = np.nan
        return joints.astype(np.float32)
