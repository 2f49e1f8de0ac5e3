"""Layer lists against the counts and map sizes of the official code (spec: systems 1.1, 1.2, 8)."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benchmark.errors import BenchError
from models.networks import (
    GlobalGenerator,
    ImageConv,
    InstanceNorm,
    MultiscaleDiscriminator,
    PatchGAN,
    ScoreConv,
    parameters_count,
)


@pytest.mark.parametrize(
    ("channels", "count"),
    [(3, 182_443_267), (15, 182_480_899), (33, 182_537_347), (49, 182_587_523), (87, 182_706_691)],
)
def test_generator_has_the_official_number_of_parameters(channels: int, count: int) -> None:
    with torch.device("meta"):
        assert parameters_count(GlobalGenerator(channels)) == count


def test_generator_with_three_downsamplings() -> None:
    with torch.device("meta"):
        assert parameters_count(GlobalGenerator(33, n_downsample=3)) == 45_687_427


@pytest.mark.parametrize(
    ("channels", "count"), [(6, 2_767_809), (18, 2_780_097), (26, 2_788_289), (39, 2_801_601), (45, 2_807_745)]
)
def test_discriminator_has_the_official_number_of_parameters(channels: int, count: int) -> None:
    with torch.device("meta"):
        assert parameters_count(PatchGAN(channels)) == count
        assert parameters_count(MultiscaleDiscriminator(channels, num_d=3)) == 3 * count


def test_map_sizes() -> None:
    with torch.device("meta"):
        square = PatchGAN(18)(torch.zeros(1, 18, 256, 256))
        assert [tuple(layer.shape[-2:]) for layer in square] == [(s, s) for s in (129, 65, 33, 34, 35)]
        assert PatchGAN(6)(torch.zeros(1, 6, 144, 256))[-1].shape == (1, 1, 21, 35)
        scales = MultiscaleDiscriminator(18, num_d=3)(torch.zeros(1, 18, 256, 256))
        assert [layers[-1].shape[-1] for layers in scales] == [35, 19, 11]
        wide = MultiscaleDiscriminator(18, num_d=3)(torch.zeros(1, 18, 144, 256))
        assert [tuple(layers[-1].shape[-2:]) for layers in wide] == [(21, 35), (12, 19), (8, 11)]
        assert GlobalGenerator(33)(torch.zeros(2, 33, 144, 256)).shape == (2, 3, 144, 256)


def test_a_patch_is_seventy_pixels_wide() -> None:
    """Gradient of one score reaches exactly 70x70 pixels once the norm, which sees the whole map, is taken out."""
    judge = PatchGAN(1, ndf=2)
    for block in judge.blocks:
        for position, layer in enumerate(block):
            if isinstance(layer, InstanceNorm):
                block[position] = nn.Identity()
            elif isinstance(layer, nn.Conv2d):
                nn.init.constant_(layer.weight, 0.1)
    image = torch.ones(1, 1, 256, 256, requires_grad=True)
    judge(image)[-1][0, 0, 17, 17].backward()
    assert image.grad is not None
    rows = image.grad[0, 0].abs().sum(1).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == 70


def test_instance_norm_equals_pytorchs() -> None:
    images = torch.randn(3, 5, 9, 7, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn_like(images)
    ours, theirs = InstanceNorm()(images), nn.InstanceNorm2d(5).double()(images)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours, images, upstream)[0], torch.autograd.grad(theirs, images, upstream)[0]
    )


@pytest.mark.parametrize(
    ("ours", "arguments", "size"),
    [
        (ScoreConv, {"out_channels": 1, "kernel_size": 4, "padding": 2}, (5, 9)),
        (ScoreConv, {"out_channels": 2, "kernel_size": 3, "padding": 0}, (7, 4)),
        (ImageConv, {"out_channels": 3, "kernel_size": 7}, (10, 14)),
        (ImageConv, {"out_channels": 3, "kernel_size": 7}, (10, 13)),
        (ImageConv, {"out_channels": 2, "kernel_size": 4, "bias": False}, (9, 7)),
    ],
)
def test_rearranged_convolutions_equal_pytorchs(
    ours: type[nn.Conv2d], arguments: dict[str, Any], size: tuple[int, int]
) -> None:
    """Outputs, gradients of images, weights and biases; the state dict is the same."""
    layer, theirs = (cls(6, **arguments).double() for cls in (ours, nn.Conv2d))
    layer.load_state_dict(theirs.state_dict(), strict=True)
    images = torch.randn(3, 6, *size, dtype=torch.float64, requires_grad=True)
    found, expected = layer(images), theirs(images)
    torch.testing.assert_close(found, expected)
    upstream = torch.randn_like(expected)
    gradients = (
        torch.autograd.grad(output, [images, *module.parameters()], upstream)
        for output, module in ((found, layer), (expected, theirs))
    )
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b)


def test_scores_add_up_in_float32_under_bfloat16() -> None:
    layer, images = ScoreConv(64, 1, 4, padding=2), torch.randn(1, 64, 9, 9)
    with torch.autocast("cpu", torch.bfloat16):
        score = layer(images)
    assert score.dtype == torch.float32
    torch.testing.assert_close(score, F.conv2d(images, layer.weight, layer.bias, padding=2), rtol=0.02, atol=0.02)


def test_initial_weights() -> None:
    """Weights N(0, 0.02), biases as PyTorch makes them (not zero)."""
    generator = GlobalGenerator(9, ngf=16, n_downsample=2, n_blocks=2)
    for layer in generator.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            assert 0.018 < layer.weight.std().item() < 0.022
            assert abs(layer.weight.mean().item()) < 0.002
            assert layer.bias is not None and layer.bias.abs().max() > 0


def test_output_is_an_image_and_items_do_not_mix() -> None:
    generator = GlobalGenerator(4, ngf=4, n_downsample=2, n_blocks=1)
    batch = torch.randn(3, 4, 16, 24)
    output = generator(batch)
    assert output.shape == (3, 3, 16, 24) and output.abs().max() <= 1
    torch.testing.assert_close(output[1:2], generator(batch[1:2]))


def test_sides_must_divide() -> None:
    with pytest.raises(BenchError, match=r"18x16.*multiples of 4.*n_downsample"):
        GlobalGenerator(1, ngf=2, n_downsample=2, n_blocks=1)(torch.zeros(1, 1, 18, 16))
