"""Each protocol against the tool it is named after, on the same images and the same (random) weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmark import inception
from benchmark.errors import BenchError
from benchmark.features import FeatureNetwork, load_features
from benchmark.metrics.fid.distance import frechet_distance
from benchmark.metrics.fid.extract import Vectors
from benchmark.metrics.fid.protocols import PROTOCOLS, find_network, get

CPU = torch.device("cpu")
SIZE = 40, 333  # height, width: up on one axis, down on the other


def images(height: int, width: int) -> torch.Tensor:
    rng = np.random.default_rng(height)
    smooth = torch.from_numpy(rng.uniform(0, 255, size=(2, 3, height // 4 + 1, width // 4 + 1)))
    return nn.functional.interpolate(smooth, (height, width), mode="bicubic").clamp(0, 255).to(torch.uint8)


def by_pytorch_fid(original: nn.Module, batch: torch.Tensor, path: Path) -> torch.Tensor:
    return original(batch.float() / 255)[0].flatten(1)


def by_torch_fidelity(original: nn.Module, batch: torch.Tensor, path: Path) -> torch.Tensor:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    return FeatureExtractorInceptionV3("ours", ["2048"], str(path))(batch)[0]


def by_torchmetrics(original: nn.Module, batch: torch.Tensor, path: Path) -> torch.Tensor:
    from torchmetrics.image.fid import NoTrainInceptionV3

    return NoTrainInceptionV3("ours", ["2048"], str(path))(batch)


def by_clean_fid(original: nn.Module, batch: torch.Tensor, path: Path) -> torch.Tensor:
    """clean-fid's own resize; its network is a download with the weights inside, so these blocks stand in for it."""
    from cleanfid.resize import build_resizer

    resize = build_resizer("clean")
    resized = [torch.from_numpy(resize(image.permute(1, 2, 0).numpy())).permute(2, 0, 1) for image in batch]
    x = (torch.stack(resized) - 128) / 128
    assert isinstance(original.blocks, nn.ModuleList)
    for block in original.blocks:
        x = block(x)
    return x.flatten(1)


TOOLS = {
    "pytorch-fid": by_pytorch_fid,
    "torch-fidelity": by_torch_fidelity,
    "torchmetrics": by_torchmetrics,
    "clean-fid": by_clean_fid,
}


@pytest.fixture(scope="module")
def weights_file(state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def original(state: dict[str, torch.Tensor]) -> nn.Module:
    """pytorch-fid's network as it comes."""
    return inception.original(state).eval()


@pytest.mark.parametrize("name", TOOLS)
def test_equals_the_tool(name: str, original: nn.Module, network: FeatureNetwork, weights_file: Path) -> None:
    protocol = get(name)
    batch = images(*SIZE)
    with torch.no_grad():
        expected = TOOLS[name](original, batch, weights_file)
        found = network.vectors(protocol.prepare(batch))
    scale = float(expected.abs().max())
    assert float((found - expected).abs().max()) < 1e-5 * scale
    assert float((expected[0] - expected[1]).abs().max()) > 0.01 * scale  # the features do tell images apart


def test_no_two_protocols_see_the_same() -> None:
    batch = images(*SIZE)
    seen = [protocol.prepare(batch) for protocol in PROTOCOLS.values() if protocol.network == "inception-2015-12-05"]
    for i, one in enumerate(seen):
        assert one.shape == (2, 3, 299, 299) and float(one.min()) >= -1 - 1e-5 and float(one.max()) <= 1 + 1e-5
        for other in seen[:i]:
            assert float((one - other).abs().max()) > 1e-3


def test_lite0_is_the_frechet_metrics_own() -> None:
    network, batch = load_features("efficientnet-lite0"), images(*SIZE)
    with torch.no_grad():
        pooled = network.pooled(batch.float() / 127.5 - 1)
        torch.testing.assert_close(network.vectors(get("efficientnet-lite0").prepare(batch)), pooled)


def photos(count: int, noise: float) -> torch.Tensor:
    """uint8 (N, 3, 64, 64), smooth colours under noise."""
    rng = np.random.default_rng(int(noise))
    smooth = torch.from_numpy(rng.uniform(0, 255, size=(count, 3, 8, 8)))
    smooth = nn.functional.interpolate(smooth, (64, 64), mode="bicubic")
    return (smooth + torch.from_numpy(rng.normal(0, noise, smooth.shape))).clamp(0, 255).to(torch.uint8)


@pytest.mark.slow  # a processor without bfloat16 takes over a second for a picture
def test_bfloat16_moves_a_distance_by_less_than_a_percent(network: FeatureNetwork) -> None:
    """Features and the distance made of them; they were 0.4 and 0.5 % off."""
    sides = [photos(8, noise) for noise in (4.0, 12.0)]

    def features(preview: bool) -> list[np.ndarray]:
        vectors = Vectors(lambda: network, CPU, preview)
        return [np.concatenate([vectors(get("pytorch-fid").prepare(one[None])) for one in side]) for side in sides]

    exact, preview = features(False), features(True)
    assert preview[0].dtype == np.float32 and next(network.parameters()).dtype == torch.float32
    for one, other in zip(exact, preview, strict=True):
        assert 1e-6 < np.linalg.norm(other - one) / np.linalg.norm(one) < 1e-2
    assert frechet_distance(*preview) == pytest.approx(frechet_distance(*exact), rel=1e-2)


def test_bfloat16_says_what_it_is(network: FeatureNetwork) -> None:
    assert get("pytorch-fid").label(network, preview=True) == "pytorch-fid,untrained-random-0,bfloat16 preview"


def test_names_say_which_weights() -> None:
    lite0 = get("efficientnet-lite0")
    assert lite0.label(find_network(lite0)) == "efficientnet-lite0"
    with pytest.raises(BenchError, match="did you mean 'clean-fid'"):
        get("cleanfid")
    with pytest.raises(BenchError, match="for tests only"):
        find_network(lite0, weights="random-0")


def test_a_found_network_is_the_one_it_loads(network: FeatureNetwork) -> None:
    lite0, random = find_network(get("efficientnet-lite0")), find_network(get("pytorch-fid"), weights="random-0")
    for found, loaded in ((lite0, lite0.load()), (random, network)):
        assert (found.protocol, found.weights_sha256) == (loaded.protocol, loaded.weights_sha256)
