"""Feature networks against the modules they must equal.

VGG-19 and the Inception are far too large to ship, so a seeded random state dict is written under their file names
and the expected hash is replaced: what is tested is everything but the trained numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from benchmark import efficientnet_lite0, weights
from benchmark.errors import BenchError
from benchmark.features import LITE0_SCALE, late_features, load_features, loaded


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No downloaded weights at all, and no network kept from another test."""
    monkeypatch.setenv("BENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    load_features.cache_clear()
    yield tmp_path
    load_features.cache_clear()


def put(state: dict[str, torch.Tensor], name: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write random weights where `name` is looked for, and expect their hash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)
    entry = dataclasses.replace(weights.table()[name], sha256=weights.sha256(path))
    monkeypatch.setitem(weights.table(), name, entry)


def random_images(count: int, height: int, width: int) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


def photo() -> torch.Tensor:
    """A portrait of Grace Hopper in uniform, square, 224 px: (1, 3, 224, 224) in [-1, 1]."""
    import matplotlib
    from PIL import Image

    with Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg") as image:
        square = image.convert("RGB").crop((0, 0, image.width, image.width)).resize((224, 224))
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)[None].float() / 127.5 - 1


# --- EfficientNet-Lite0 -----------------------------------------------------------------------------------------------


def test_lite0_knows_what_it_sees() -> None:
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    network = efficientnet_lite0.load(weights.require("efficientnet-lite0"))
    with torch.no_grad():
        best = int(network(photo()).argmax())
    assert _IMAGENET_CATEGORIES[best] == "military uniform"


def test_lite0_equals_the_packages_network() -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch")
    path = weights.require("efficientnet-lite0")
    theirs = package.EfficientNet.from_name("efficientnet-lite0").eval()
    theirs.load_state_dict(torch.load(path, weights_only=True))
    ours = efficientnet_lite0.load(path, fold=False)
    images = torch.cat([photo(), random_images(1, 224, 224)])
    with torch.no_grad():
        scaled = images * efficientnet_lite0.INPUT_SCALE + efficientnet_lite0.INPUT_SHIFT
        torch.testing.assert_close(ours(images), theirs(scaled), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (33, 50)])
def test_folding_changes_nothing(height: int, width: int) -> None:
    path = weights.require("efficientnet-lite0")
    plain = efficientnet_lite0.load(path, fold=False)
    folded = load_features("efficientnet-lite0")
    images = random_images(2, height, width)
    with torch.no_grad():
        for a, b in zip(folded.layers(images), plain.stages(images), strict=True):
            assert float((a - b).abs().max()) <= 1e-5 * float(b.abs().max())


def test_strides_and_channels() -> None:
    layers = load_features("efficientnet-lite0").layers(random_images(2, 64, 96))
    assert [tuple(layer.shape[1:]) for layer in layers] == [
        (c, 64 // s, 96 // s) for c, s in zip(efficientnet_lite0.CHANNELS, (2, 4, 8, 16, 32), strict=True)
    ]


def test_input_scale_is_that_of_training() -> None:
    for pixel in (0, 127, 255):
        value = pixel / 127.5 - 1
        scaled = value * efficientnet_lite0.INPUT_SCALE + efficientnet_lite0.INPUT_SHIFT
        assert scaled == pytest.approx((pixel - 127) / 128, abs=1e-12)


def test_pooled_does_not_depend_on_the_batch() -> None:
    network = load_features("efficientnet-lite0")
    images = random_images(3, 40, 40)
    with torch.no_grad():
        together = network.pooled(images)
        apart = torch.cat([network.pooled(image[None]) for image in images])
    assert together.shape == (3, 1280)
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-5)


def test_in_a_loss_the_image_leads_and_scales_are_applied() -> None:
    network, images = load_features("efficientnet-lite0"), random_images(2, 64, 96)
    maps = network.loss_layers(images)
    assert torch.allclose(maps[0] * LITE0_SCALE[0], images)
    for found, raw, scale in zip(maps[1:], network.layers(images), LITE0_SCALE[1:], strict=False):
        assert torch.allclose(found * scale, raw, rtol=1e-5, atol=1e-5)


def test_frozen_with_gradients_to_the_images() -> None:
    network = load_features("efficientnet-lite0")
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    images = random_images(1, 32, 32).requires_grad_()
    sum(layer.square().mean() for layer in network.layers(images)).backward()  # type: ignore[union-attr]
    assert images.grad is not None and float(images.grad.abs().sum()) > 0


def test_loaded_once_and_named_by_its_weights() -> None:
    network = load_features("efficientnet-lite0")
    assert load_features("efficientnet-lite0") is network
    assert network.protocol == "efficientnet-lite0-57934424"
    assert network.weights_sha256 == weights.table()["efficientnet-lite0"].sha256


def test_put_off_until_a_map_is_asked_for_and_nobodys_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    load_features.cache_clear()
    late = late_features("efficientnet-lite0")
    assert late.name == "efficientnet-lite0"
    assert late.weights_sha256 == weights.table()["efficientnet-lite0"].sha256
    assert load_features.cache_info().currsize == 0
    torch.manual_seed(7)
    images, state = random_images(1, 32, 32), torch.get_rng_state()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():  # as where a loss first asks, in a step
        network = loaded(late)
    assert load_features.cache_info().currsize == 1 and torch.equal(torch.get_rng_state(), state)
    assert loaded(network) is network and network is load_features("efficientnet-lite0", "cpu")
    found = late.loss_layers(images)
    load_features.cache_clear()
    for ours, theirs in zip(found, load_features("efficientnet-lite0").loss_layers(images), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("unknown", ["efficientnet-lite", "dlib-68"])
def test_an_unknown_network_is_refused_where_it_would_only_be_named(unknown: str) -> None:
    with pytest.raises(BenchError, match="unknown features"):
        _ = late_features(unknown).weights_sha256


# --- VGG-19 and the Inception -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vgg19", "inception-2015-12-05"])
def test_missing_weights_are_an_error_not_another_network(name: str, empty_folder: Path) -> None:
    with pytest.raises(BenchError, match=str(empty_folder)):
        load_features(name)


def test_unknown_network_says_the_nearest() -> None:
    with pytest.raises(BenchError, match="did you mean 'vgg19'"):
        load_features("vgg16")


@pytest.mark.slow
def test_vgg19_is_torchvisions_cut_at_the_first_relu_of_each_scale(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.models import vgg19

    torch.manual_seed(0)
    reference = vgg19(weights=None, init_weights=False).features.eval()
    state = {f"features.{key}": value for key, value in reference.state_dict().items()}
    put(state, "vgg19", empty_folder / "vgg19-dcbb9e9d.pth", monkeypatch)
    network = load_features("vgg19")
    images = random_images(2, 32, 48)
    with torch.no_grad():
        layers = network.layers(images)
        x, expected, scale, first = images, [], 1, True
        for layer in reference:  # named by counting pools and convolutions, not by index
            x = layer(x)
            if isinstance(layer, torch.nn.MaxPool2d):
                scale, first = scale + 1, True
            elif isinstance(layer, torch.nn.ReLU) and first:
                expected.append(x.clone())
                first = False
    assert scale == 6
    for ours, theirs in zip(layers, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert network.protocol == f"vgg19-{network.weights_sha256[:8]}"
    with pytest.raises(BenchError, match="no pooled"):
        network.pooled(images)


@pytest.mark.slow
def test_inception_pools_what_pytorch_fid_pools(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytorch_fid.inception import FID_WEIGHTS_URL, InceptionV3
    from torchvision.models import inception_v3

    torch.manual_seed(0)
    state = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False).state_dict()
    hub = empty_folder / "torch" / "hub" / "checkpoints" / Path(FID_WEIGHTS_URL).name  # pytorch-fid looks here itself
    put(state, "inception-2015-12-05", hub, monkeypatch)
    network = load_features("inception-2015-12-05")
    assert network.protocol == "inception-2015-12-05"
    images = random_images(2, 64, 64)
    with torch.no_grad():
        theirs = InceptionV3().eval()((images + 1) / 2)[0][:, :, 0, 0]
        torch.testing.assert_close(network.pooled(images), theirs)
        assert F.cosine_similarity(theirs[0], theirs[1], dim=0) < 1  # the two images do differ
    with pytest.raises(BenchError, match="no layer maps"):
        network.layers(images)
