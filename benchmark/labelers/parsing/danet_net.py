"""DANet (Fu et al. 2019, "Dual Attention Network for Scene Segmentation") in torch and torchvision, for inference.

Modules carry mmsegmentation's names, so that its published checkpoint loads strictly. The branch outputs that only a
training loss reads (`TRAINING_ONLY`) are left out.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

TRAINING_ONLY = ("auxiliary_head.", "decode_head.pam_conv_seg.", "decode_head.cam_conv_seg.")


class DANet(nn.Module):
    """Photos (N, 3, H, W), normalised as ImageNet's -> logits (N, classes, H/8, W/8), rounded up."""

    def __init__(self, classes: int = 19) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.decode_head = DualAttentionHead(2048, 512, 64, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decode_head(self.backbone(x))


class Backbone(nn.Module):
    """ResNet-50 with a stem of three 3x3 convolutions; its last two stages dilate (2, 4) instead of striding, so that
    the output is (N, 2048, H/8, W/8), rounded up.
    """

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import resnet50  # three seconds to import

        stages = resnet50(weights=None, replace_stride_with_dilation=[False, True, True])
        self.stem = nn.Sequential(*_unit(3, 32, stride=2), *_unit(32, 32), *_unit(32, 64))
        self.maxpool = stages.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = stages.layer1, stages.layer2, stages.layer3, stages.layer4

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.stem(x))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class DualAttentionHead(nn.Module):
    """Position and channel attention side by side, summed."""

    def __init__(self, channels_in: int, channels: int, keys: int, classes: int) -> None:
        super().__init__()
        self.pam_in_conv, self.cam_in_conv = Unit(channels_in, channels), Unit(channels_in, channels)
        self.pam, self.cam = PositionAttention(channels, keys), ChannelAttention()
        self.pam_out_conv, self.cam_out_conv = Unit(channels, channels), Unit(channels, channels)
        self.conv_seg = nn.Conv2d(channels, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        position = self.pam_out_conv(self.pam(self.pam_in_conv(x)))
        channel = self.cam_out_conv(self.cam(self.cam_in_conv(x)))
        return self.conv_seg(position + channel)


class PositionAttention(nn.Module):
    """Each place becomes a mean over all places, weighted by how alike their features are (sec 3.2); no temperature."""

    def __init__(self, channels: int, keys: int) -> None:
        super().__init__()
        self.query_project, self.key_project = nn.Conv2d(channels, keys, 1), nn.Conv2d(channels, keys, 1)
        self.value_project = nn.Conv2d(channels, channels, 1)
        self.gamma = Scale()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (f(x).flatten(2) for f in (self.query_project, self.key_project, self.value_project))
        weight = torch.softmax(query.transpose(1, 2) @ key, dim=-1)  # (N, HW, HW)
        mixed = (weight @ value.transpose(1, 2)).transpose(1, 2).reshape(x.shape)
        return self.gamma(mixed) + x


class ChannelAttention(nn.Module):
    """Each channel becomes a mean over all channels, weighted by how unlike they are (sec 3.3; the subtraction from the
    row's maximum is in the authors' code, not in the paper).
    """

    def __init__(self) -> None:
        super().__init__()
        self.gamma = Scale()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = x.flatten(2)
        alike = flat @ flat.transpose(1, 2)  # (N, C, C)
        weight = torch.softmax(alike.amax(dim=-1, keepdim=True) - alike, dim=-1)
        return self.gamma((weight @ flat).reshape(x.shape)) + x


class Scale(nn.Module):
    """A learned factor, 0 before training."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale


class Unit(nn.Module):
    """3x3 convolution, batch norm, ReLU, under mmcv's names."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv, self.bn, _ = _unit(channels_in, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.bn(self.conv(x)))


def _unit(channels_in: int, channels: int, stride: int = 1) -> tuple[nn.Conv2d, nn.BatchNorm2d, nn.ReLU]:
    convolution = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
