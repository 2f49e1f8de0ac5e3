"""Which maps of a perceptual network carry style and which carries content, and how a mask follows them.

    layers = transfer_layers(features)                 # by the network's name
    style, content = layers.maps(images)               # five maps fine to coarse, one map
    masks = layers.carry(regions, [m.shape[-2:] for m in style])

The weights of the loss are those of the original, whose features are VGG-19's on pixels of 0..255 (spec: systems 5);
`SCALES` brings each network here to features for which they mean the same. Sources: docs/fidelity.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from benchmark.errors import BenchError

# A mask's path to a layer: a number is the side of a convolution's window, HALVE a stride of 2. Each layer goes on from
# the one before.
HALVE = 0
Path = tuple[int, ...]

VGG_ENDS = (1, 6, 11, 20, 22, 29)  # relu1_1, 2_1, 3_1, 4_1, 4_2, 5_1 in torchvision's list
VGG_PATHS: tuple[Path, ...] = ((3,), (3, HALVE, 3), (3, HALVE, 3), (3, 3, 3, HALVE, 3), (3, 3, 3, HALVE, 3))
VGG_SCALE = 255 * 0.226  # features of normalised images -> of 0..255 images, were the network free of biases
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

LITE0_PATHS: tuple[Path, ...] = ((), (3, HALVE, 3), (3, HALVE, 3), (5, HALVE, 5), (3, HALVE, 3, 3, 5, 5, 5))
LITE0_CONTENT = 3  # the map at stride 8, as relu4_2
LITE0_STYLE_SCALES = (24.0, 110.0, 150.0, 190.0, 450.0)
LITE0_CONTENT_SCALE = 100.0


@dataclass(frozen=True)
class Layers(ABC):
    """The base: five style maps, a content map and the paths of masks."""

    network: Any  # benchmark.features.FeatureNetwork or alike
    paths: tuple[Path, ...]
    style_scales: tuple[float, ...]  # what the loss multiplies each map with
    content_scale: float

    @abstractmethod
    def maps(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """images (N, 3, H, W) in [-1, 1] -> style maps (N, C_l, H_l, W_l), fine to coarse, and the content map."""

    def carry(self, masks: Tensor, sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
        """masks (N, M, H, W) in [0, 1] as they are at layers of `sizes`: averaged wherever the network convolves,
        halved wherever it strides (spec: systems 5). A mean is over pixels inside: zeros around would fade small maps.
        """
        carried = []
        for path, size in zip(self.paths, sizes, strict=True):
            for window in path:
                if window == HALVE:
                    masks = F.interpolate(masks, size, mode="bilinear", align_corners=False)
                else:
                    masks = F.avg_pool2d(masks, window, 1, window // 2, count_include_pad=False)
            carried.append(masks)
        return carried


class Lite0Layers(Layers):
    """The image and the block outputs at strides 2 to 16; content at stride 8."""

    def maps(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        found = self.network.loss_layers(images)
        return [(images + 1) / 2, *(layer.relu() for layer in found[1:])], found[LITE0_CONTENT]


class VGG19Layers(Layers):
    """relu1_1 to relu5_1, content relu4_2, of images normalised as ImageNet's."""

    def maps(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        mean, deviation = (images.new_tensor(v).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_DEVIATION))
        x, found = ((images + 1) / 2 - mean) / deviation, []
        for index, layer in enumerate(self.network.convolutions):
            x = layer(x)
            if index in VGG_ENDS:
                found.append(x)
        content = found.pop(4)
        return found, content


LAYERS: dict[str, Callable[[Any], Layers]] = {
    "efficientnet-lite0": lambda n: Lite0Layers(n, LITE0_PATHS, LITE0_STYLE_SCALES, LITE0_CONTENT_SCALE),
    "vgg19": lambda n: VGG19Layers(n, VGG_PATHS, (VGG_SCALE,) * 5, VGG_SCALE),
}


def transfer_layers(network: Any) -> Layers:
    """The layers of a perceptual network; BenchError for one that has none."""
    if network.name not in LAYERS:
        raise BenchError(f"loss.features {network.name!r}: photo style transfer knows {', '.join(LAYERS)}")
    return LAYERS[network.name](network)
