"""Feature networks: pretrained, frozen, loaded once per process, shared by training losses and metrics.

    network = load_features("efficientnet-lite0")
    layers = network.layers(images)    # five maps, fine to coarse; images (N, 3, H, W) in [-1, 1]
    vectors = network.pooled(images)   # (N, D) for a Frechet distance

A network is asked for by the name of its protocol and is never replaced by another: missing weights are an error that
says where to get them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import nn

from benchmark import efficientnet_lite0, inception, weights
from benchmark.errors import BenchError, nearest


class FeatureNetwork(nn.Module):
    """A frozen network in evaluation mode. Gradients flow to the images, never to the weights."""

    name: str  # name in weights.toml and in the configuration
    protocol: str  # name as it stands in a metric's id, says which weights
    weights_sha256: str
    pooled_side = 0  # side in pixels that `pooled` resizes to; 0 = this network has no pooled features

    def layers(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Five feature maps (N, C_i, H_i, W_i), fine to coarse, of images (N, 3, H, W) in [-1, 1] at their own size."""
        raise BenchError(f"features {self.name!r} has no layer maps; use vgg19 or efficientnet-lite0")

    def loss_layers(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Five maps as `layers`, balanced for use in a training loss; the same ones unless a network needs other."""
        return self.layers(images)

    def pooled(self, images: torch.Tensor) -> torch.Tensor:
        """One vector (N, D) per image of images (N, 3, H, W) in [-1, 1], resized to `pooled_side` squared."""
        return self.vectors(self.resized(images))

    @classmethod
    def resized(cls, images: torch.Tensor) -> torch.Tensor:
        """Images (N, 3, H, W) in [-1, 1] as `vectors` takes them."""
        raise BenchError(f"features {cls.name!r} has no pooled vector; use inception-2015-12-05 or efficientnet-lite0")

    def vectors(self, resized: torch.Tensor) -> torch.Tensor:
        """One vector (N, D) per image (N, 3, pooled_side, pooled_side) in [-1, 1]."""
        raise BenchError(f"features {self.name!r} has no pooled vector; use inception-2015-12-05 or efficientnet-lite0")


# What the five maps of a loss are divided by. The network's outputs are linear and 5 to 8 in magnitude, not rectified
# and around 1 like VGG's, and its first layer has stride 2. By trial at 64 px: undivided, the adversarial terms have no
# say; at equal magnitudes the deep layers teach the generator a checkerboard that they cannot see. So the image leads.
LITE0_SCALE = (0.15, 15.0, 24.0, 22.0, 22.0)


class EfficientNetLite0(FeatureNetwork):
    """The embedded default: block outputs at strides 2 to 32; pooled is the 1280-channel head's mean at 224 px.

    In a loss the image itself stands for VGG's full-resolution first layer, before the strides 2 to 16.
    """

    name, pooled_side = "efficientnet-lite0", 224

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.network = efficientnet_lite0.load(path).to(memory_format=torch.channels_last)

    def layers(self, images: torch.Tensor) -> list[torch.Tensor]:
        return self.network.stages(_channels_last(images))

    def loss_layers(self, images: torch.Tensor) -> list[torch.Tensor]:
        maps = [images, *self.network.stages(_channels_last(images), count=4)]
        return [found / scale for found, scale in zip(maps, LITE0_SCALE, strict=True)]

    @classmethod
    def resized(cls, images: torch.Tensor) -> torch.Tensor:
        return F.interpolate(images, (cls.pooled_side,) * 2, mode="bilinear", align_corners=False, antialias=True)

    def vectors(self, resized: torch.Tensor) -> torch.Tensor:
        return self.network.head(_channels_last(resized))


class VGG19(FeatureNetwork):
    """torchvision's VGG-19 at relu1_1 to relu5_1, fed [-1, 1] as it is.

    The official code applies no ImageNet mean and deviation (spec: systems 1.3).
    """

    name = "vgg19"
    ends = (1, 6, 11, 20, 29)  # index of relu1_1 ... relu5_1 in torchvision's list

    def __init__(self, path: Path) -> None:
        super().__init__()
        from torchvision.models import vgg19  # three seconds to import

        with torch.device("meta"):  # its random initialisation of 144 M parameters would be thrown away
            convolutions = vgg19(weights=None).features[: self.ends[-1] + 1]
        state = weights.load_torch(path)
        wanted = {key: state[f"features.{key}"].clone() for key in convolutions.state_dict()}
        convolutions.load_state_dict(wanted, strict=True, assign=True)
        self.convolutions = convolutions

    def layers(self, images: torch.Tensor) -> list[torch.Tensor]:
        found, x = [], images
        for index, layer in enumerate(self.convolutions):
            x = layer(x)
            if index in self.ends:
                found.append(x)
        return found


class Inception(FeatureNetwork):
    """The FID Inception as pytorch-fid runs it: plain bilinear to 299 px, 2048 values of the last pooling."""

    name, pooled_side = "inception-2015-12-05", inception.SIDE

    def __init__(self, source: Path | nn.Module) -> None:
        super().__init__()
        self.network = inception.load(source) if isinstance(source, Path) else source

    @classmethod
    def resized(cls, images: torch.Tensor) -> torch.Tensor:
        return 2 * F.interpolate((images + 1) / 2, (inception.SIDE,) * 2, mode="bilinear", align_corners=False) - 1

    def vectors(self, resized: torch.Tensor) -> torch.Tensor:
        return self.network(resized)


NETWORKS: dict[str, Callable[[Path], FeatureNetwork]] = {
    network.name: network for network in (EfficientNetLite0, VGG19, Inception)
}


@functools.cache
def load_features(name: str, device: str = "cpu") -> FeatureNetwork:
    """The network called `name` on `device`; one copy per process.

    Raises BenchError for an unknown name, for weights that are missing (naming file, address, sha256 and folder) and
    for weights that are not what weights.toml says.
    """
    protocol, sha256 = identify(name)
    with torch.random.fork_rng(devices=[]):  # weights are drawn before they are read: nobody's random numbers, whenever
        network = NETWORKS[name](weights.require(name))
    network.protocol, network.weights_sha256 = protocol, sha256
    return network.requires_grad_(False).eval().to(device)


def late_features(name: str, device: str = "cpu") -> FeatureNetwork:
    """`load_features`, put off until `loaded` or a map or vector (anything but name and sha256) is asked for."""
    return cast(FeatureNetwork, _Late(name, device))


def loaded(network: FeatureNetwork) -> FeatureNetwork:
    """A network itself; loads one that was put off. For whoever is about to be timed."""
    return network.network() if isinstance(network, _Late) else network


class _Late:
    """Stands for a network in the hands of a method that may never use it."""

    def __init__(self, name: str, device: str) -> None:
        self.name, self._device = name, device

    @property
    def weights_sha256(self) -> str:
        return identify(self.name)[1]

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(self.network(), attribute)

    def network(self) -> FeatureNetwork:
        return load_features(self.name, self._device)


def identify(name: str) -> tuple[str, str]:
    """Protocol and weights' sha256 of the network called `name`, without building it. Raises as building it would."""
    if name not in NETWORKS:
        raise BenchError(f"unknown features {name!r}{nearest(name, NETWORKS)}")
    sha256 = weights.sha256(weights.require(name))
    # The Inception's name already names its weights (they are a dated release), as every FID tool cites it.
    return (name if name == Inception.name else f"{name}-{sha256[:8]}"), sha256


def _channels_last(images: torch.Tensor) -> torch.Tensor:
    """The layout in which depthwise convolutions run faster on a CPU."""
    return images.contiguous(memory_format=torch.channels_last)
