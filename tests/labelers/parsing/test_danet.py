"""DANet against mmsegmentation's, whose key names, shapes and answers scripts/danet_oracle.py wrote down."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.errors import BenchError
from benchmark.labelers.parsing import get_parser
from benchmark.labelers.parsing.danet import DANetParser, load_danet
from benchmark.labelers.parsing.danet_net import TRAINING_ONLY, DANet
from benchmark.labelers.parsing.network import fitted

HERE = Path(__file__).parent
WEIGHTS = "danet-r50-cityscapes"


def script() -> Any:
    spec = importlib.util.spec_from_file_location("danet_oracle", HERE.parents[2] / "scripts" / "danet_oracle.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def oracle() -> dict[str, np.ndarray]:
    with np.load(HERE / "danet_oracle.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def shapes(oracle: dict[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    rows = zip(oracle["keys"].tolist(), oracle["shapes"].tolist(), strict=True)
    return {key: tuple(n for n in shape if n >= 0) for key, shape in rows}


@pytest.fixture(scope="module")
def state(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    return script().random_state(shapes)


def test_every_key_and_shape_is_theirs(shapes: dict[str, tuple[int, ...]]) -> None:
    with torch.device("meta"):
        ours = {key: tuple(value.shape) for key, value in DANet().state_dict().items()}
    theirs = {key: shape for key, shape in shapes.items() if not key.startswith(TRAINING_ONLY)}
    assert ours == theirs
    assert len(shapes) - len(theirs) == 2 + 2 + 8  # two branch classifiers; the auxiliary head


@pytest.mark.parametrize(("height", "width"), [(36, 64), (64, 64)])
def test_logits_are_theirs(
    oracle: dict[str, np.ndarray], state: dict[str, torch.Tensor], height: int, width: int
) -> None:
    with torch.inference_mode():
        found = load_danet({"meta": {}, "state_dict": state})(script().photo(height, width))
    expected = torch.from_numpy(oracle[f"logits_{height}x{width}"])
    # 0 on the machine that wrote them; another's convolutions may add up in another order
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_a_checkpoint_of_another_network_is_refused(state: dict[str, torch.Tensor]) -> None:
    key = "decode_head.conv_seg.weight"
    with pytest.raises(BenchError, match=f"{key}' is missing"):
        load_danet({k: v for k, v in state.items() if k != key})
    with pytest.raises(BenchError, match=r"'decode_head.extra' is unknown"):
        load_danet({**state, "decode_head.extra": torch.zeros(1)})
    with pytest.raises(BenchError, match=r"\(150, 512, 1, 1\), must be \(19, 512, 1, 1\)"):
        load_danet({**state, key: torch.zeros(150, 512, 1, 1)})
    with pytest.raises(BenchError, match="missing"):
        load_danet([1, 2])


def test_the_parser_answers_with_the_argmax_at_the_photos_size(
    pretend: Callable[[str, Any], Path], state: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DEVICE", "cpu")
    path = pretend(WEIGHTS, {"state_dict": state})
    images = np.random.default_rng(0).integers(0, 256, (2, 36, 64, 3), dtype=np.uint8)
    parser = get_parser("danet")
    found = parser.parse(images)
    network = load_danet(torch.load(path, weights_only=True))
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
    with torch.inference_mode():
        logits = network((pixels - mean[:, None, None]) / std[:, None, None])
        logits = torch.nn.functional.interpolate(logits, (36, 64), mode="bilinear")
    assert found.shape == (2, 36, 64) and found.dtype == np.uint8
    assert np.array_equal(found, logits.argmax(1).numpy()) and len(np.unique(found)) > 2
    assert parser.protocol.startswith("danet-") and parser.protocol.endswith(",as-is")
    enlarged = DANetParser("128x96")
    assert enlarged.protocol.endswith(",128x96") and enlarged.parse(images).shape == (2, 36, 64)
    assert not np.array_equal(enlarged.parse(images), found)


def test_fitting_is_that_of_mmsegmentations_test_pipeline() -> None:
    assert fitted(np.zeros((256, 256, 3), np.uint8), (2048, 1024)).shape == (1024, 1024, 3)
    assert fitted(np.zeros((144, 256, 3), np.uint8), (2048, 1024)).shape == (1024, 1820, 3)
    assert fitted(np.zeros((200, 100, 3), np.uint8), (2048, 1024)).shape == (2048, 1024, 3)


@pytest.mark.parametrize("argument", ["large", "1024", "0x0", "16x2048"])
def test_a_size_that_is_none_is_refused(argument: str) -> None:
    with pytest.raises(BenchError, match="danet:2048x1024"):
        get_parser(f"danet:{argument}")


def test_missing_weights_name_the_file_and_where_to_put_it(pretend: Callable[[str, Any], Path], tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=rf"c0dbfa5f\.pth is not on this machine.*openmmlab.*{tmp_path}"):
        get_parser("danet")


def test_a_training_history_is_refused(pretend: Callable[[str, Any], Path], state: dict[str, torch.Tensor]) -> None:
    pretend(WEIGHTS, {"state_dict": {}, "message_hub": Path("a history")})
    with pytest.raises(BenchError, match=r"refused: .*\(pathlib"):
        get_parser("danet")


def test_a_point_detector_is_no_parser() -> None:
    with pytest.raises(BenchError, match="does not parse scenes"):
        get_parser("procedural")
