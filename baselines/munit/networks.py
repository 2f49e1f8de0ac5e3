"""MUNIT's networks: content encoder, style encoder, AdaIN decoder and multi-scale discriminator.

    sizes = Sizes()
    guided = Translator(ContentEncoder(3, sizes), StyleEncoder(3, sizes), Decoder(3, sizes))
    photo = guided(label_picture, exemplar)           # content of the first, style of the second

Layer lists follow spec: systems 3, parameter counts spec: systems 8. Pictures lie in [-1, 1]; every convolution
reflects at the border and keeps its bias. Weights start as the official code's: Kaiming normal in the generators,
N(0, 0.02) in the discriminators, all biases 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.errors import BenchError
from models.networks import ImageConv, InstanceNorm, ResidualBlock

# On which of 3 small pixels each of 5 taps falls, for the first and for the second row (or column) of a doubled pixel
LEFT, MIDDLE, RIGHT = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]
FALLS = [[LEFT, LEFT, MIDDLE, MIDDLE, RIGHT], [LEFT, MIDDLE, MIDDLE, RIGHT, RIGHT]]
STYLE_HALVINGS = 4  # of the style encoder, whatever the content encoder's


@dataclass(frozen=True)
class Sizes:
    """The official configurations' values; a method's options begin with them."""

    dim: int = 64  # channels of the first convolution of both encoders
    style_dim: int = 8  # length of a style code
    n_downsample: int = 2  # halvings between a picture and its content code
    n_res: int = 4  # residual blocks, in the content encoder and in the decoder
    mlp_dim: int = 256  # hidden width of the network that turns a style code into AdaIN parameters
    disc_dim: int = 64  # channels of a discriminator's first convolution
    disc_layers: int = 4  # halvings in each discriminator
    num_scales: int = 3  # discriminators, on a pyramid

    def __post_init__(self) -> None:
        for name in Sizes.__dataclass_fields__:
            if getattr(self, name) < 1:
                raise BenchError(f"MUNIT's option {name}: expected at least 1, got {getattr(self, name)}")

    @property
    def deep(self) -> int:
        """Channels of a content code."""
        return self.dim * 2**self.n_downsample


class ContentEncoder(nn.Module):
    """(N, channels, H, W) -> content code (N, deep, h, w), 2 ** n_downsample times smaller.

    BenchError when a side is not a multiple of that factor: the decoder could not give the same size back.
    """

    def __init__(self, channels: int, sizes: Sizes) -> None:
        super().__init__()
        self.factor = 2**sizes.n_downsample
        widths = [sizes.dim * 2**i for i in range(sizes.n_downsample + 1)]
        layers = [_conv(channels, sizes.dim, 7), InstanceNorm(), _relu()]
        for narrow, wide in pairwise(widths):
            layers += [_conv(narrow, wide, 4, stride=2), InstanceNorm(), _relu()]
        self.layers = nn.Sequential(*layers, *(ResidualBlock(sizes.deep) for _ in range(sizes.n_res)))
        self.apply(_kaiming)

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        if height % self.factor or width % self.factor:
            raise BenchError(
                f"image of {height}x{width}: MUNIT needs sides that are multiples of {self.factor} "
                "(2 ** n_downsample); change data.size or the method's n_downsample"
            )
        return self.layers(image)


class StyleEncoder(nn.Module):
    """(N, channels, H, W) -> style code (N, style_dim). No norm: it would erase the means that carry style."""

    def __init__(self, channels: int, sizes: Sizes) -> None:
        super().__init__()
        widths = [sizes.dim * 2 ** min(i, 2) for i in range(STYLE_HALVINGS + 1)]
        layers = [_conv(channels, sizes.dim, 7), _relu()]
        for narrow, wide in pairwise(widths):
            layers += [_conv(narrow, wide, 4, stride=2), _relu()]
        layers += [nn.AdaptiveAvgPool2d(1), nn.Conv2d(widths[-1], sizes.style_dim, 1), nn.Flatten()]
        self.layers = nn.Sequential(*layers)
        self.apply(_kaiming)

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)


class AdaptiveBlock(nn.Module):
    """Residual block whose two instance norms take bias and scale from outside: (N, C, H, W), (N, 2, 2, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _conv(channels, channels, 3), _conv(channels, channels, 3)

    def forward(self, x: Tensor, parameters: Tensor) -> Tensor:
        (bias_1, scale_1), (bias_2, scale_2) = (layer.unbind(1) for layer in parameters.unbind(1))
        hidden = adaptive_norm(self.first(x), bias_1, scale_1).relu()
        return x + adaptive_norm(self.second(hidden), bias_2, scale_2)


def adaptive_norm(x: Tensor, bias: Tensor, scale: Tensor) -> Tensor:
    """AdaIN: x (N, C, H, W), instance-normalised, times scale (N, C), used as it is (no "+ 1"), plus bias (N, C).

    The batch is laid out as channels so that one group norm kernel does it all.
    """
    flat = x.reshape(1, -1, *x.shape[2:])
    normed = F.group_norm(flat, flat.shape[1], scale.flatten().to(x.dtype), bias.flatten().to(x.dtype), eps=1e-5)
    return normed.view_as(x)


class LayerNorm(nn.Module):
    """MUNIT's own: over (C, H, W), divided by *unbiased std + eps* (no root of variance + eps); affine per channel."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.rand(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        centred = (x := x.float()) - x.mean((1, 2, 3), keepdim=True)
        # a norm instead of torch.std: the same number, in half the time on a CPU
        std = torch.linalg.vector_norm(centred, dim=(1, 2, 3), keepdim=True) / (x[0].numel() - 1) ** 0.5
        return torch.addcmul(self.beta[:, None, None], centred, self.gamma[:, None, None] / (std + self.eps))


class DoublingConv(nn.Conv2d):
    """Nearest doubling, then a reflected 5x5 convolution, in a third of the work: (N, C, h, w) -> (N, out, 2 h, 2 w).

    The window of an output pixel holds each picked pixel two or four times, so four 3x3 kernels of summed weights, one
    per corner of a doubled pixel, give the same sums from the small map. Only for the outermost ring they do not:
    reflection there parts a doubled pixel's copies, and the large kernel is used.
    """

    falls: Tensor  # (2, 5, 3)

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 5)
        self.register_buffer("falls", torch.tensor(FALLS), persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        small = torch.einsum("oiyx,pya,qxb->opqiab", self.weight, self.falls, self.falls).flatten(0, 2)
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        out = F.pixel_shuffle(F.conv2d(F.pad(input, (1, 1, 1, 1), mode="replicate"), small, bias), 2)
        return self._with_ring(out, input)

    def _with_ring(self, out: Tensor, input: Tensor) -> Tensor:
        rows, columns = (_reflected_double(size, input.device) for size in input.shape[2:])
        height, width = out.shape[2:]
        edges = input.index_select(2, torch.cat([rows[:5], rows[-5:]])).index_select(3, columns)  # (N, C, 10, 2 w + 4)
        out[:, :, :: height - 1] = F.conv2d(edges, self.weight, self.bias, stride=(5, 1)).to(out.dtype)
        edges = input.index_select(3, torch.cat([columns[:5], columns[-5:]])).index_select(2, rows)
        out[:, :, :, :: width - 1] = F.conv2d(edges, self.weight, self.bias, stride=(1, 5)).to(out.dtype)
        return out


def _reflected_double(size: int, device: torch.device) -> Tensor:
    """Which of `size` pixels stand in a line of them that is doubled and then reflected by 2 at both ends."""
    doubled = torch.arange(-2, 2 * size + 2, device=device).abs()
    return torch.minimum(doubled, 2 * (2 * size - 1) - doubled) // 2


class ReflectedImageConv(ImageConv):
    """A reflected convolution to an image's channels, of any odd side."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(F.pad(input, (self.kernel_size[0] // 2,) * 4, mode="reflect"))


class Decoder(nn.Module):
    """Content code (N, deep, h, w) and style code (N, style_dim) -> (N, channels, H, W) in (-1, 1)."""

    def __init__(self, channels: int, sizes: Sizes) -> None:
        super().__init__()
        self.shape = (sizes.n_res, 2, 2, sizes.deep)  # per block: two norms, each bias first, then scale
        self.mlp = nn.Sequential(
            nn.Linear(sizes.style_dim, sizes.mlp_dim),
            _relu(),
            nn.Linear(sizes.mlp_dim, sizes.mlp_dim),
            _relu(),
            nn.Linear(sizes.mlp_dim, sizes.n_res * 4 * sizes.deep),
        )
        self.blocks = nn.ModuleList(AdaptiveBlock(sizes.deep) for _ in range(sizes.n_res))
        layers: list[nn.Module] = []
        for i in reversed(range(sizes.n_downsample)):
            wide, narrow = sizes.dim * 2 ** (i + 1), sizes.dim * 2**i
            # nothing in the place of the doubling that the convolution does itself: weight files count the places
            layers += [nn.Identity(), DoublingConv(wide, narrow), LayerNorm(narrow), _relu()]
        self.up = nn.Sequential(*layers, ReflectedImageConv(sizes.dim, channels, 7), nn.Tanh())
        self.apply(_kaiming)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        parameters = self.mlp(style).view(-1, *self.shape)
        for block, own in zip(self.blocks, parameters.unbind(1), strict=True):
            content = block(content, own)
        return self.up(content)


class Translator(nn.Module):
    """The content of one picture in the style of another.

    With the three parts of one domain it is that domain's auto-encoder; with a content encoder of domain a and the
    rest of domain b it is example-guided translation, and holds nothing that this does not need.
    """

    def __init__(self, content: ContentEncoder, style: StyleEncoder, decoder: Decoder) -> None:
        super().__init__()
        self.content, self.style, self.decoder = content, style, decoder

    def forward(self, shown: Tensor, styled: Tensor) -> Tensor:
        """shown (N, C_a, H, W) gives the content, styled (N, C_b, H, W) the style -> (N, C_b, H, W)."""
        return self.decoder(self.content(shown), self.style(styled))


class MultiscalePatches(nn.Module):
    """One norm-free patch discriminator per scale: (N, channels, H, W) -> scores (N, 1, h, w), full size first.

    BenchError when the smallest scale of the picture has no room for all halvings.
    """

    def __init__(self, channels: int, sizes: Sizes) -> None:
        super().__init__()
        self.halvings = sizes.disc_layers
        self.scales = nn.ModuleList(_patches(channels, sizes) for _ in range(sizes.num_scales))
        self.apply(_normal)

    def forward(self, x: Tensor) -> list[Tensor]:
        size, scores = x.shape[-2:], []
        for index, scale in enumerate(self.scales):
            if index:
                x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
            if min(x.shape[-2:]) < 2**self.halvings:
                raise BenchError(
                    f"image of {size[0]}x{size[1]}: too small for MUNIT's {len(self.scales)} discriminator scales "
                    f"of {self.halvings} halvings; lower the method's disc_layers or num_scales"
                )
            scores.append(scale(x))
        return scores


def _patches(channels: int, sizes: Sizes) -> nn.Sequential:
    widths = [channels, *(sizes.disc_dim * 2**i for i in range(sizes.disc_layers))]
    layers: list[nn.Module] = []
    for narrow, wide in pairwise(widths):
        layers += [_conv(narrow, wide, 4, stride=2), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 1))


def _conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> nn.Module:
    padding = (kernel - 1) // 2
    return nn.Conv2d(in_channels, out_channels, kernel, stride, padding, padding_mode="reflect")


def _relu() -> nn.Module:
    return nn.ReLU(inplace=True)


def _kaiming(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight)
        _zero_bias(module)


def _normal(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        _zero_bias(module)


def _zero_bias(module: nn.Conv2d | nn.Linear) -> None:
    if module.bias is not None:
        nn.init.zeros_(module.bias)
