"""FID protocols by name: which network sees an image at which scale. Each reproduces one tool's features.

    protocol = get("pytorch-fid")
    network = find_network(protocol).load()
    vectors = network.vectors(protocol.prepare(images))    # uint8 (N, 3, H, W) -> (N, D)

The tools differ only in how they bring an image to 299 px and in what they subtract, and that moves the distance.
Numbers of two protocols are never compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from benchmark import inception
from benchmark.errors import BenchError, nearest

if TYPE_CHECKING:
    from benchmark.features import FeatureNetwork

SIDE = inception.SIDE
VERSION = 1  # raise when a change moves any protocol's features: cached ones then no longer answer
RANDOM = re.compile(r"random-\d+")


@dataclass(frozen=True)
class Protocol:
    """A named way from pixels to the network's input."""

    name: str
    network: str  # name in weights.toml
    resize: str  # what happens to an image, for the record
    prepare: Callable[[torch.Tensor], torch.Tensor]  # uint8 (N, 3, H, W) -> float32 (N, 3, S, S) in [-1, 1]

    def label(self, network: FoundNetwork | FeatureNetwork, preview: bool = False) -> str:
        """The name that stands beside every value: two values compare only where it is the same."""
        parts = [self.name]
        if network.protocol != self.network and not network.protocol.startswith(f"{self.network}-"):
            parts.append(network.protocol)  # other weights than the ones the name promises
        if preview:
            parts.append("bfloat16 preview")
        return ",".join(parts)


@dataclass(frozen=True)
class FoundNetwork:
    """Which network a protocol uses, known at once; the network itself is built only when `load` is called."""

    protocol: str  # these two as the FeatureNetwork's
    weights_sha256: str
    device: torch.device
    load: Callable[[], FeatureNetwork]  # frozen, on the device


def get(name: str) -> Protocol:
    """The protocol called `name`; BenchError names the nearest one."""
    if name not in PROTOCOLS:
        raise BenchError(f"--protocol {name}: unknown{nearest(name, PROTOCOLS)}; there are {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def find_network(protocol: Protocol, device: str = "cpu", weights: str = "") -> FoundNetwork:
    """The network of a protocol. Raises BenchError where its weights are missing or wrong.

    `weights`: "" for the real ones; "random-0" and so on for an untrained Inception, for tests and timings on machines
    without them: its values are no FID, and their label says so.
    """
    from benchmark.features import Inception, identify, load_features

    on = torch.device(device)
    if not weights:
        return FoundNetwork(*identify(protocol.network), on, lambda: load_features(protocol.network, device))
    if not RANDOM.fullmatch(weights) or protocol.network != Inception.name:
        raise BenchError(
            f"weights {weights!r}: give none, or random-0 with a protocol of the Inception, for tests only"
        )
    seed = int(weights.partition("-")[2])
    named = f"untrained-{weights}", inception.random_sha256(seed)

    def load() -> FeatureNetwork:
        network = Inception(inception.build(inception.random_state(seed)))
        network.protocol, network.weights_sha256 = named
        return network.eval().to(on)

    return FoundNetwork(*named, on, load)


def _unit_bilinear(images: torch.Tensor) -> torch.Tensor:
    """pytorch-fid: [0, 1], bilinear between pixel centres without antialiasing, then 2x - 1."""
    return 2 * F.interpolate(images.float() / 255, (SIDE, SIDE), mode="bilinear", align_corners=False) - 1


def _tf1_bilinear(images: torch.Tensor) -> torch.Tensor:
    """torch-fidelity: TensorFlow 1's bilinear, whose pixel 0 lies at 0, not at half a pixel; then (x - 128) / 128."""
    x = images.float()
    for axis in (3, 2):
        size = x.shape[axis]
        position = torch.arange(SIDE, device=x.device, dtype=torch.float32) * (size / SIDE)
        low = position.long()
        share = (position - low).view([-1 if d == axis else 1 for d in range(4)])
        first, second = (x.index_select(axis, at) for at in (low, (low + 1).clamp_max(size - 1)))
        x = first + (second - first) * share
    return _byte_scale(x)


def _antialiased(images: torch.Tensor) -> torch.Tensor:
    """torchmetrics: antialiased bilinear on 0 ... 255, then (x - 128) / 128."""
    return _byte_scale(
        F.interpolate(images.float(), (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)
    )


def _pil_bicubic(images: torch.Tensor) -> torch.Tensor:
    """clean-fid: Pillow's bicubic on float planes, no rounding, clipped to 0 ... 255, then (x - 128) / 128."""
    planes = images.flatten(0, 1).cpu().numpy().astype(np.float32)  # (N * 3, H, W)
    resized = [np.asarray(Image.fromarray(p).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for p in planes]
    x = torch.from_numpy(np.stack(resized)).clamp(0, 255)
    return _byte_scale(x.view(*images.shape[:2], SIDE, SIDE).to(images.device))


def _lite0(images: torch.Tensor) -> torch.Tensor:
    """As the `frechet` metric of a run feeds EfficientNet-Lite0: antialiased bilinear to 224 px of [-1, 1]."""
    from benchmark.features import EfficientNetLite0

    return EfficientNetLite0.resized(images.float() / 127.5 - 1)


def _byte_scale(x: torch.Tensor) -> torch.Tensor:
    return (x - 128) / 128


_INCEPTION = "inception-2015-12-05"
PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("pytorch-fid", _INCEPTION, "bilinear to 299, no antialiasing", _unit_bilinear),
        Protocol("torch-fidelity", _INCEPTION, "TensorFlow 1 bilinear to 299", _tf1_bilinear),
        Protocol("torchmetrics", _INCEPTION, "antialiased bilinear to 299", _antialiased),
        Protocol("clean-fid", _INCEPTION, "Pillow bicubic to 299", _pil_bicubic),
        Protocol("efficientnet-lite0", "efficientnet-lite0", "antialiased bilinear to 224", _lite0),
    )
}
