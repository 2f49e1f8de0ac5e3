"""Style, content and quadratic terms against the formulas written out, mask by mask."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from baselines.photo_style.layers import LITE0_PATHS, Layers
from baselines.photo_style.objective import Pictures, masked_grams, normalised
from baselines.photo_style.transfer import TransferOptions, energies, transfer
from tests.models.tiny import TinyFeatures

SIDE = 32
SCALES = (10.0, 20.0, 30.0, 40.0, 50.0)


class TinyLayers(Layers):
    """Five random maps at the strides of Lite0's; the fourth also carries content."""

    def maps(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        found = self.network.loss_layers(images)
        return found, found[3]


def tiny_layers() -> TinyLayers:
    return TinyLayers(TinyFeatures(), LITE0_PATHS, SCALES, 20.0)


def pictures(count: int = 2, dtype: torch.dtype = torch.float32) -> Pictures:
    source = torch.Generator().manual_seed(0)
    content, style = (torch.rand(count, 3, SIDE, SIDE, generator=source) * 2 - 1 for _ in range(2))
    numbers = torch.randint(0, 3, (2, count, 4, 4), generator=source).repeat_interleave(8, 2).repeat_interleave(8, 3)
    here, there = F.one_hot(numbers, 3).permute(0, 1, 4, 2, 3).float()
    return Pictures(*(part.to(dtype) for part in (content, style, here, there)))


def carried(mask: Tensor, maps: list[Tensor]) -> list[Tensor]:
    """One mask (1, 1, H, W) at each layer, step by step (spec: systems 5)."""
    found = []
    for path, layer in zip(LITE0_PATHS, maps, strict=True):
        for window in path:
            if window:
                mask = F.avg_pool2d(mask, window, 1, window // 2, count_include_pad=False)
            else:
                mask = F.interpolate(mask, layer.shape[-2:], mode="bilinear")
        found.append(mask)
    return found


def plain(image: Tensor, given: Pictures, k: int, options: TransferOptions, matted: bool) -> Tensor:
    """Item k's objective at image (1, 3, H, W), one mask after the other."""
    layers = tiny_layers()
    content, style = given.content[k : k + 1], given.style[k : k + 1]
    maps, found = layers.maps(image)
    maps = [scale * m for m, scale in zip(maps, SCALES, strict=True)]
    styles = [scale * m for m, scale in zip(layers.maps(style)[0], SCALES, strict=True)]
    total = options.content * ((20 * found - 20 * layers.maps(content)[1]) ** 2).mean()
    for m in range(given.content_masks.shape[1]):
        here = carried(given.content_masks[k : k + 1, m : m + 1], maps)
        there = carried(given.style_masks[k : k + 1, m : m + 1], styles)
        for features, wanted, mask, style_mask in zip(maps, styles, here, there, strict=True):
            a, b = (features * mask)[0].flatten(1), (wanted * style_mask)[0].flatten(1)
            gram = a @ a.T / (a.numel() * mask.mean())
            target = b @ b.T / (b.numel() * style_mask.mean())
            total = total + options.style * mask.mean() * ((gram - target) ** 2).mean()
    pixels = (image + 1) / 2 * 255
    total = total + options.tv * 0.5 * (pixels.diff(dim=2).square().sum() + pixels.diff(dim=3).square().sum())
    if matted:
        from tests.baselines.photo_style.test_matting import brute_force

        laplacian = torch.from_numpy(brute_force(((content[0] + 1) / 2).double().numpy(), options.epsilon))
        columns = (image[0].flatten(1).T.double() + 1) / 2
        total = total + options.matting * (columns * (laplacian @ columns)).sum().float()
    return total


NONE = {"style": 0.0, "content": 0.0, "tv": 0.0, "matting": 0.0, "epsilon": 1e-3}


@pytest.mark.parametrize("stage", [0, 1])
@pytest.mark.parametrize("terms", [{"style": 7.0}, {"content": 3.0}, {"tv": 1e-3}, {"matting": 30.0}])
def test_value_and_gradient_equal_the_formulas(terms: dict[str, float], stage: int) -> None:
    """Each term alone, so that none hides behind a larger one."""
    given, options = pictures(1), TransferOptions(**{**NONE, **terms})
    image = (given.content * 0.5 + given.style * 0.3).requires_grad_()
    expected = plain(image, given, 0, options, bool(stage))
    (gradient,) = torch.autograd.grad(expected, image)
    value, ours = energies(tiny_layers(), given, options)[stage](image.detach())
    assert bool(value > 0) == (stage == 1 or "matting" not in terms)
    torch.testing.assert_close(value[0], expected.detach(), rtol=1e-4, atol=0)
    torch.testing.assert_close(ours, gradient, rtol=1e-3, atol=1e-4 * float(gradient.abs().max()))


def test_rows_are_the_rows_of_the_batch() -> None:
    given = pictures(3)
    energy = energies(tiny_layers(), given, TransferOptions())[1]
    rows = torch.tensor([2, 0])
    value, gradient = energy(given.style[rows], rows)
    everything = energy(given.style)
    torch.testing.assert_close(value, everything[0][rows])
    torch.testing.assert_close(gradient, everything[1][rows], rtol=1e-4, atol=1e-3)


def test_grams_and_their_gradient() -> None:
    source = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, 4, 5, generator=source, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(2, 4, 4, 5, generator=source, dtype=torch.float64)
    expected = torch.einsum("nchw,nmhw,ndhw->nmcd", features, weights, features)
    torch.testing.assert_close(masked_grams(features, weights), expected)
    assert torch.autograd.gradcheck(lambda f: masked_grams(f, weights), features)


def test_the_styles_own_masks_give_its_own_grams() -> None:
    given = pictures()
    same = Pictures(given.style, given.style, given.style_masks, given.style_masks)
    energy = energies(tiny_layers(), same, TransferOptions(tv=0.0))[0]
    assert float(energy(given.style)[0].max()) < 1e-6 * float(energy(given.content)[0].min())


def test_an_empty_mask_is_not_divided_by() -> None:
    masks = torch.zeros(1, 2, 4, 4)
    masks[:, 1] = 1
    assert torch.equal(normalised(masks, 3)[0, 0], torch.zeros(4, 4))
    assert normalised(masks, 3)[0, 1].sum() == pytest.approx(1 / 3)
    given = pictures()
    given.content_masks[:, 0] = given.style_masks[:, 1] = 0
    value, gradient = energies(tiny_layers(), given, TransferOptions())[1](given.content)
    assert bool(value.isfinite().all()) and bool(gradient.isfinite().all())


def test_flat_and_extreme_pictures_stay_finite() -> None:
    given = pictures(4)
    given.content[0], given.style[0] = 1.0, -1.0
    given.content[1] = given.content[1].sign()
    given.style_masks[2] = given.content_masks[3] = 0
    options = TransferOptions(iterations=(3, 4), smoothing_radius=2)
    start = torch.zeros_like(given.content)
    photo = transfer(tiny_layers(), given, start, options)
    assert bool(photo.isfinite().all()) and float(photo.abs().max()) <= 1
