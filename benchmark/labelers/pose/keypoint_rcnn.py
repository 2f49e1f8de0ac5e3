"""torchvision's Keypoint R-CNN (ResNet-50 FPN, COCO-17) as finder of people: `bench weights fetch keypoint-rcnn`.

Its 17 joints have no neck; that is put between the shoulders. The network enlarges photos to 800 px by itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmark import weights
from benchmark.errors import BenchError
from benchmark.labelers.pose.people import Moment, Person, openpose_joints, surest

COCO_17 = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
PERSON_SCORE = 0.7  # of 1: surer than not, so that a chair's shadow is no second dancer
JOINT_SCORE = 2.0  # peak of a joint's heat map (a logit) from which Detectron, the network's origin, draws it


class KeypointRCNN:
    """`benchmark.labelers.pose.PeopleFinder` and `benchmark.protocols.LandmarkDetector` of 18 joints.

    `network` replaces the published weights; tests give a random one.
    """

    name = "keypoint-rcnn"

    def __init__(self, *, network: Any = None, protocol: str = "keypoint-rcnn-18[test]") -> None:
        import torch

        self._torch = torch
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        if network is None:
            path = weights.require(self.name)
            network = _build(weights.load_torch(path), path)
            protocol = f"keypoint-rcnn-18[{weights.sha256(path)[:8]}]"
        self.protocol = protocol
        self._network = network.eval().to(self._device)

    def people(self, image: np.ndarray, moment: Moment | None = None) -> list[Person]:
        """Everybody that is at least `PERSON_SCORE` sure, surest first, in a photo uint8 (H, W, 3) RGB."""
        torch = self._torch
        pixels = torch.from_numpy(np.ascontiguousarray(image)).to(self._device).permute(2, 0, 1) / 255  # (3, H, W)
        with torch.inference_mode():
            answer = {key: value.cpu().numpy() for key, value in self._network([pixels])[0].items()}
        return people_of(answer)

    def detect(self, images: np.ndarray) -> np.ndarray:
        """Joints of the surest person: uint8 (N, H, W, 3) RGB -> float32 (N, 18, 2) px, NaN rows where nobody."""
        return surest(self.people, images)


def people_of(answer: dict[str, np.ndarray]) -> list[Person]:
    """torchvision's answer to one photo (scores (P,), boxes (P, 4), keypoints (P, 17, 3), keypoints_scores (P, 17)).

    Its third keypoint number is always 1; only the heat map's peak says whether a joint is seen. torchvision counts
    from the corner of the photo, we from the middle of its first pixel.
    """
    found = []
    rows = zip(answer["scores"], answer["boxes"], answer["keypoints"], answer["keypoints_scores"], strict=True)
    for score, box, points, sure in rows:
        if score >= PERSON_SCORE:
            joints = openpose_joints(COCO_17, points[:, :2] - 0.5, sure >= JOINT_SCORE)
            found.append(Person(joints, (box - 0.5).astype(np.float32), float(score)))
    return found


def _build(state: Any, path: Path) -> Any:
    from torchvision.models.detection import keypointrcnn_resnet50_fpn

    network = keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError):
        raise BenchError(f"{path}: not the weights of torchvision's keypointrcnn_resnet50_fpn") from None
    return network
