"""The FID Inception: pytorch-fid's own module, with its layers prepared for speed when it is loaded.

    network = load(path)           # or build(random_state(0)), for tests and timings without the weights
    vectors = network(images)      # (N, 3, 299, 299) in [-1, 1] -> (N, 2048)

Batch normalisation is folded into the convolutions and everything runs channels-last, for speed. Features stay within
1e-5 of the largest that the module gives as pytorch-fid runs it.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchmark.weights import load_torch

SIDE = 299
WIDTH = 2048  # values per image


class FoldedInception(nn.Module):
    """pytorch-fid's blocks up to the last average pooling, without its resize: that belongs to a protocol."""

    def __init__(self, blocks: nn.ModuleList) -> None:
        super().__init__()
        _fold(blocks)
        self.blocks = blocks.to(memory_format=torch.channels_last)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """images (N, 3, 299, 299) in [-1, 1] -> (N, 2048), in the images' precision."""
        x = images.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x)
        return x.flatten(1)


def load(path: Path) -> FoldedInception:
    """The network around the weights in a verified file."""
    return build(load_torch(path))


def build(state: dict[str, torch.Tensor]) -> FoldedInception:
    """The network around the state dict of pytorch-fid's InceptionV3 (the one with 1008 classes)."""
    blocks = original(state).eval().requires_grad_(False).blocks
    assert isinstance(blocks, nn.ModuleList)
    return FoldedInception(blocks)


def original(state: dict[str, torch.Tensor]) -> nn.Module:
    """pytorch-fid's InceptionV3 around given weights; its own constructor would download them."""
    from pytorch_fid import inception

    fetch = inception.load_state_dict_from_url
    inception.load_state_dict_from_url = lambda *_args, **_options: state
    try:
        return inception.InceptionV3()
    finally:
        inception.load_state_dict_from_url = fetch


def random_state(seed: int) -> dict[str, torch.Tensor]:
    """Untrained weights under the names of the real file, with features of ordinary size. Never to be called FID."""
    from torchvision.models import inception_v3  # seconds to import

    with torch.device("meta"):
        shapes = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False).state_dict()
    generator = torch.Generator().manual_seed(seed)
    return {name: _random(name, found, generator) for name, found in shapes.items()}


def state_sha256(state: dict[str, torch.Tensor]) -> str:
    """Hex digest of the values of a state dict, in the order of its names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode() + state[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


@functools.cache
def random_sha256(seed: int) -> str:
    """`state_sha256` of `random_state(seed)`."""
    return state_sha256(random_state(seed))


def _random(name: str, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    if not like.is_floating_point():
        return torch.zeros(like.shape, dtype=like.dtype)
    noise = torch.randn(like.shape, generator=generator)
    if like.dim() > 1:
        return noise * (2 / like[0].numel()) ** 0.5  # He et al. 2015: activations neither die nor grow
    if name.endswith(("running_var", "bn.weight")):
        return 1 + 0.1 * noise.clamp(-3, 3)
    return 0.1 * noise


def _fold(module: nn.Module) -> None:
    """Replace every convolution that a `bn` follows (torchvision's BasicConv2d) by one that does both."""
    for part in module.modules():
        convolution, norm = getattr(part, "conv", None), getattr(part, "bn", None)
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            part.conv, part.bn = fuse_conv_bn_eval(convolution, norm), nn.Identity()
