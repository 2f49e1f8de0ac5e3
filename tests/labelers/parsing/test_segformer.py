"""SegFormer with random weights under the names of the published checkpoint."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.errors import BenchError
from benchmark.labelers.parsing import get_parser
from benchmark.labelers.parsing.segformer import load_segformer

pytestmark = pytest.mark.slow  # importing transformers takes seconds

PUBLISHED = (  # today's module names -> those of the published checkpoints
    (r"stages\.(\d+)\.patch_embeddings\.", r"encoder.patch_embeddings.\1."),
    (r"stages\.(\d+)\.blocks\.", r"encoder.block.\1."),
    (r"stages\.(\d+)\.layer_norm", r"encoder.layer_norm.\1"),
    (r"sequence_reduction\.sequence_reduction", "self.sr"),
    (r"sequence_reduction\.layer_norm", "self.layer_norm"),
    (r"attention\.q_proj", "attention.self.query"),
    (r"attention\.k_proj", "attention.self.key"),
    (r"attention\.v_proj", "attention.self.value"),
    (r"attention\.o_proj", "attention.output.dense"),
    (r"mlp\.fc", "mlp.dense"),
    (r"layernorm_before", "layer_norm_1"),
    (r"layernorm_after", "layer_norm_2"),
    (r"linear_projections", "linear_c"),
)


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    torch.manual_seed(0)
    return SegformerForSemanticSegmentation(SegformerConfig(num_labels=19)).eval()


@pytest.fixture(scope="module")
def published(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    found = {}
    for key, value in network.state_dict().items():
        for pattern, name in PUBLISHED:
            key = re.sub(pattern, name, key)
        found[key] = value.clone()
    assert "segformer.encoder.block.3.1.attention.self.query.weight" in found
    return found


def test_the_published_names_give_the_same_network(
    network: torch.nn.Module, published: dict[str, torch.Tensor]
) -> None:
    photo = torch.rand(1, 3, 32, 64)
    with torch.inference_mode():
        expected, found = (
            network(pixel_values=photo).logits,
            load_segformer(published).eval()(pixel_values=photo).logits,
        )
    assert torch.equal(found, expected) and found.shape == (1, 19, 8, 16)


def test_another_network_is_refused(published: dict[str, torch.Tensor]) -> None:
    key = "decode_head.classifier.weight"
    for state, says in (
        ({k: v for k, v in published.items() if k != key}, f"{key} is missing"),
        ({**published, "decode_head.extra": torch.zeros(1)}, "decode_head.extra is unexpected"),
        ({**published, key: torch.zeros(150, 256, 1, 1)}, "classifier.*mismatched"),
    ):
        with pytest.raises(BenchError, match=says):
            load_segformer(state)


def test_the_parser_runs_forward(
    pretend: Callable[[str, Any], Path], published: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DEVICE", "cpu")
    pretend("segformer-b0-cityscapes", published)
    parser = get_parser("segformer:64x32")
    found = parser.parse(np.random.default_rng(0).integers(0, 256, (2, 18, 32, 3), dtype=np.uint8))
    assert found.shape == (2, 18, 32) and found.dtype == np.uint8 and found.max() < 19
    assert re.fullmatch(r"segformer-[0-9a-f]{8},64x32", parser.protocol)
