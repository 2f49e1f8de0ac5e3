"""What the network parsers share: the size at which a photo is seen, ImageNet normalisation, logits to train ids."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmark import weights
from benchmark.errors import BenchError

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of ImageNet, RGB in 0..255


class NetworkParser(ABC):
    """A segmentation network with 19 Cityscapes classes; contract as `benchmark.protocols.SceneParser`.

    Args:
        argument: "" for photos as they are, or "WIDTHxHEIGHT": enlarge or shrink, keeping the aspect, to fit in it.

    Raises:
        BenchError: an argument of another form; weights missing, or not the published ones.
    """

    name: str
    weights: str  # name in weights.toml

    def __init__(self, argument: str = "") -> None:
        from benchmark.run.devices import choose_device

        self._fit = _size(self.name, argument)
        path = weights.require(self.weights)
        self._device = choose_device()
        network = self.build(weights.load_torch(path), str(path))
        self._network = network.requires_grad_(False).eval().to(self._device)
        self.protocol = f"{self.name}-{weights.sha256(path)[:8]},{argument or 'as-is'}"

    @abstractmethod
    def build(self, checkpoint: object, where: str) -> nn.Module:
        """A module (N, 3, H, W) -> logits (N, 19, h, w) with the checkpoint's weights; `where` names it in errors."""

    def parse(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, 3) RGB -> uint8 (N, H, W) train ids. Enlarged photos go one by one: their maps are large."""
        if self._fit is None:
            return self._parse(images, images)
        return np.concatenate([self._parse(image[None], fitted(image, self._fit)[None]) for image in images])

    @torch.inference_mode()
    def _parse(self, images: np.ndarray, seen: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(np.ascontiguousarray(seen)).to(self._device).permute(0, 3, 1, 2).float()
        mean, std = (torch.tensor(values, device=self._device)[:, None, None] for values in (MEAN, STD))
        logits = self._network((pixels - mean) / std)
        for size in dict.fromkeys([seen.shape[1:3], images.shape[1:3]]):  # both steps, as mmsegmentation does
            logits = F.interpolate(logits, size, mode="bilinear", align_corners=False)
        return logits.argmax(dim=1).to(torch.uint8).cpu().numpy()


def load_strictly(network: nn.Module, state: dict[str, torch.Tensor], what: str, where: str) -> None:
    """Give `network` exactly the tensors of `state`, none missing, none left.

    Raises:
        BenchError: naming the first key, in alphabetical order, that is missing, unknown or of another shape.
    """
    wanted = network.state_dict()
    for key in sorted({*wanted, *state}):
        if key not in state or key not in wanted:
            raise BenchError(f"{where}: not {what}: {key!r} is {'missing' if key in wanted else 'unknown'}")
        if state[key].shape != wanted[key].shape:
            found, must = tuple(state[key].shape), tuple(wanted[key].shape)
            raise BenchError(f"{where}: not {what}: {key!r} is {found}, must be {must}")
    network.load_state_dict(state, strict=True, assign=True)


def fitted(image: np.ndarray, fit: tuple[int, int]) -> np.ndarray:
    """uint8 (H, W, 3) resized (bilinear, no antialiasing, as OpenCV does) to the largest size of its aspect within
    `fit`, the longer side of which goes with the longer side of the image.
    """
    import cv2

    height, width = image.shape[:2]
    scale = min(max(fit) / max(height, width), min(fit) / min(height, width))
    return cv2.resize(image, (int(width * scale + 0.5), int(height * scale + 0.5)), interpolation=cv2.INTER_LINEAR)


def _size(name: str, argument: str) -> tuple[int, int] | None:
    if not argument:
        return None
    found = re.fullmatch(r"(\d+)x(\d+)", argument)
    if not found or min(map(int, found.groups())) < 32:
        raise BenchError(f"eval.parser: {name}:{argument}: expected a size of 32 px or more, e.g. {name}:2048x1024")
    return int(found[1]), int(found[2])
