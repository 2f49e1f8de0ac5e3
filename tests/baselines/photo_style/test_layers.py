"""Which maps of which network are used, and how masks follow them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.photo_style import layers
from baselines.photo_style.layers import transfer_layers
from benchmark.errors import BenchError
from benchmark.features import load_features


class NarrowVGG(nn.Module):
    """torchvision's VGG-19 up to relu5_1 with 4 filters everywhere."""

    name = "vgg19"

    def __init__(self) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for block, count in enumerate((2, 2, 4, 4, 1)):
            for index in range(count):
                parts += [nn.Conv2d(4 if block or index else 3, 4, 3, padding=1), nn.ReLU(inplace=True)]
            parts += [nn.MaxPool2d(2)]
        self.convolutions = nn.Sequential(*parts[:-1]).requires_grad_(False)


def images() -> Tensor:
    return torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_lite0_maps() -> None:
    network = load_features("efficientnet-lite0")
    style, content = transfer_layers(network).maps(images())
    raw = network.loss_layers(images())
    torch.testing.assert_close(style[0], (images() + 1) / 2)
    for ours, layer in zip(style[1:], raw[1:], strict=True):
        torch.testing.assert_close(ours, layer.clamp_min(0))
    torch.testing.assert_close(content, raw[3])


def test_vgg_maps_are_the_named_layers() -> None:
    network = NarrowVGG()
    style, content = transfer_layers(network).maps(images())
    assert len(network.convolutions) == 30
    x = (images() + 1) / 2
    x = (x - torch.tensor(layers.IMAGENET_MEAN).view(3, 1, 1)) / torch.tensor(layers.IMAGENET_DEVIATION).view(3, 1, 1)
    named = {}
    block = number = 1
    for part in network.convolutions:
        x = part(x)
        if isinstance(part, nn.ReLU):
            named[f"relu{block}_{number}"] = x.clone()
            number += 1
        elif isinstance(part, nn.MaxPool2d):
            block, number = block + 1, 1
    for k, found in enumerate(style, start=1):
        torch.testing.assert_close(found, named[f"relu{k}_1"])
    torch.testing.assert_close(content, named["relu4_2"])


@pytest.mark.parametrize("kind", ["lite0", "vgg"])
def test_masks_fit_the_maps(kind: str) -> None:
    chosen = transfer_layers(NarrowVGG() if kind == "vgg" else load_features("efficientnet-lite0"))
    for side in (32, 36, 64):
        style, _ = chosen.maps(torch.zeros(1, 3, side, 64))
        sizes = [(s.shape[-2], s.shape[-1]) for s in style]
        masks = chosen.carry(torch.ones(1, 2, side, 64), sizes)
        assert [tuple(m.shape[-2:]) for m in masks] == sizes
        assert all(float(m.min()) > 0 and float(m.max()) <= 1 + 1e-6 for m in masks)


def averaged(mask: Tensor) -> Tensor:
    """The mean over each pixel's 3x3 neighbourhood inside the image."""
    kernel = torch.ones(1, 1, 3, 3)
    return F.conv2d(mask, kernel, padding=1) / F.conv2d(torch.ones_like(mask), kernel, padding=1)


def test_a_mask_is_averaged_and_halved_as_the_network_goes() -> None:
    mask = (torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    carried = transfer_layers(NarrowVGG()).carry(mask, [(16, 16), (8, 8), (4, 4), (2, 2), (1, 1)])
    torch.testing.assert_close(carried[0], averaged(mask))
    halved = averaged(averaged(mask)).unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5))
    torch.testing.assert_close(carried[1], averaged(halved))


def test_an_unknown_network_is_named() -> None:
    network = NarrowVGG()
    network.name = "inception-2015-12-05"
    with pytest.raises(BenchError, match=r"loss\.features 'inception-2015-12-05'.*efficientnet-lite0, vgg19"):
        transfer_layers(network)
