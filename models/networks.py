"""The generator and the PatchGAN discriminators that pix2pixHD and pix2pixSC share.

    G = GlobalGenerator(33)                       # face: label 15 + exemplar label 15 + exemplar 3
    D = PatchGAN(18)                              # label 15 + image 3
    image = G(torch.cat([x, F_I, I], 1))          # (N, 33, H, W) -> (N, 3, H, W) in [-1, 1]
    *features, score = D(torch.cat([x, image], 1))

Layer lists, paddings and the initialisation follow spec: systems 1.1, 1.2 and 2 (pix2pixHD app. B); the parameter
counts are tests. Every convolution keeps its bias, although an instance norm behind it removes the bias again: the
counts, and weight files trained elsewhere, include it.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.errors import BenchError


class InstanceNorm(nn.Module):
    """Instance norm without affine part or running statistics, eps 1e-5; (N, C, H, W) -> the same shape.

    Written as a group norm with one channel per group: the same numbers as `nn.InstanceNorm2d`, several times faster on
    a CPU because PyTorch has a kernel for it instead of a reshaped batch norm.
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, x.shape[1], eps=1e-5)


class ScoreConv(nn.Conv2d):
    """A convolution to one or few channels (stride 1): the same sums as nn.Conv2d's, added up from the other end.

    What every input pixel gives to each output around it is one matrix product; `fold` adds it up in place. On a CPU
    the direct form fills one lane of eight and takes 1.2 to 2.9 times as long (docs/performance.md).
    """

    def forward(self, input: Tensor) -> Tensor:
        side, padding = self.kernel_size[0], int(self.padding[0])
        height, width = (size + 2 * padding - side + 1 for size in input.shape[2:])
        given = self.weight.flip(2, 3).permute(0, 2, 3, 1).flatten(0, 2) @ input.flatten(2)  # (N, out side side, H W)
        # fold adds in the type it is given: under autocast that would be bfloat16
        total = F.fold(given.to(self.weight.dtype), (height, width), side, padding=side - 1 - padding)
        return total if self.bias is None else total + self.bias[:, None, None]


class ImageConv(nn.Conv2d):
    """A convolution to an image's channels (stride 1, no padding): the same sums as nn.Conv2d's, four pixels at a time.

    A square of 2x2 output pixels is four copies of the kernel, each shifted by a pixel in a window larger by one, at
    stride 2: 12 channels where 3 would leave most lanes empty. On a CPU about 1.5 times faster (docs/performance.md).
    """

    def forward(self, input: Tensor) -> Tensor:
        if any((size - kernel + 1) % 2 for size, kernel in zip(input.shape[2:], self.kernel_size, strict=True)):
            return super().forward(input)
        copies = [F.pad(self.weight, (right, 1 - right, down, 1 - down)) for down in (0, 1) for right in (0, 1)]
        weight = torch.stack(copies, 1).flatten(0, 1)  # (out 4, in, kernel + 1, kernel + 1)
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        return F.pixel_shuffle(F.conv2d(input, weight, bias, stride=2), 2)


class ResidualBlock(nn.Module):
    """Two reflected 3x3 convolutions added to the input; no ReLU after the sum (spec: systems 1.1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class GlobalGenerator(nn.Module):
    """Encoder, residual blocks, decoder (pix2pixSC sec 3.2; spec: systems 1.1).

    (N, in_channels, H, W) -> (N, out_channels, H, W) in (-1, 1). H and W must be multiples of 2 ** n_downsample.
    """

    def __init__(
        self, in_channels: int, out_channels: int = 3, ngf: int = 64, n_downsample: int = 4, n_blocks: int = 9
    ) -> None:
        super().__init__()
        self.multiple = 2**n_downsample
        widths = [ngf * 2**i for i in range(n_downsample + 1)]
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), *_normed(nn.Conv2d(in_channels, ngf, 7))]
        for narrow, wide in pairwise(widths):
            layers += _normed(nn.Conv2d(narrow, wide, 3, stride=2, padding=1))
        layers += [ResidualBlock(widths[-1]) for _ in range(n_blocks)]
        for wide, narrow in pairwise(reversed(widths)):
            layers += _normed(nn.ConvTranspose2d(wide, narrow, 3, stride=2, padding=1, output_padding=1))
        layers += [nn.ReflectionPad2d(3), ImageConv(ngf, out_channels, 7), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(_init)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if height % self.multiple or width % self.multiple:
            raise BenchError(
                f"image of {height}x{width}: both sides must be multiples of {self.multiple} "
                "(2 ** networks.n_downsample); change data.size or networks.n_downsample"
            )
        return self.layers(x)


class PatchGAN(nn.Module):
    """Judges overlapping patches, 70x70 px at n_layers = 3 (spec: systems 1.2).

    (N, in_channels, H, W) -> the outputs of all n_layers + 2 layers; the last, (N, 1, h, w), is the score, no sigmoid.
    """

    def __init__(self, in_channels: int, ndf: int = 64, n_layers: int = 3) -> None:
        super().__init__()
        widths = [ndf * min(2**i, 8) for i in range(n_layers + 1)]
        blocks = [nn.Sequential(_patch_conv(in_channels, ndf, stride=2), _leaky())]
        for i in range(1, n_layers + 1):
            conv = _patch_conv(widths[i - 1], widths[i], stride=2 if i < n_layers else 1)
            blocks.append(nn.Sequential(conv, InstanceNorm(), _leaky()))
        blocks.append(nn.Sequential(ScoreConv(widths[-1], 1, 4, padding=2)))
        self.blocks = nn.ModuleList(blocks)
        self.apply(_init)

    def forward(self, x: Tensor) -> list[Tensor]:
        outputs = []
        for block in self.blocks:
            x = block(x)
            outputs.append(x)
        return outputs


class MultiscaleDiscriminator(nn.Module):
    """`num_d` PatchGANs with weights of their own on an average-pooled pyramid (pix2pixHD sec 3.2; spec: systems 2).

    (N, in_channels, H, W) -> one list of layer outputs per scale, full size first.
    """

    def __init__(self, in_channels: int, ndf: int = 64, n_layers: int = 3, num_d: int = 2) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchGAN(in_channels, ndf, n_layers) for _ in range(num_d))

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        outputs = []
        for index, scale in enumerate(self.scales):
            if index:
                x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
            outputs.append(scale(x))
        return outputs


def parameters_count(module: nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _normed(conv: nn.Module) -> list[nn.Module]:
    return [conv, InstanceNorm(), nn.ReLU(inplace=True)]


def _patch_conv(in_channels: int, out_channels: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 4, stride=stride, padding=2)


def _leaky() -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True)


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)  # biases keep PyTorch's default, as in the official code
