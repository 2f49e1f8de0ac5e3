"""`segformer`: SegFormer-B0 finetuned on Cityscapes (Xie et al. 2021), a second opinion beside DANet.

Needs the extra `segformer`.

    get_parser("segformer")              # sees photos as they are
    get_parser("segformer:2048x1024")    # sees them enlarged to fit 2048x1024; transformers' own processor would squash
                                         # any photo to 1024x1024, whatever its aspect

The weights are a file of `bench weights`, never a download by transformers. Their licence bars commercial use.
"""

from __future__ import annotations

import importlib.util
from typing import Any, cast

import torch
from torch import nn

from benchmark.errors import BenchError
from benchmark.labelers.cityscapes import CLASSES
from benchmark.labelers.parsing.network import NetworkParser


class SegFormerParser(NetworkParser):
    """Registry name "segformer"; transformers' default configuration is B0's."""

    name = "segformer"
    weights = "segformer-b0-cityscapes"

    def __init__(self, argument: str = "") -> None:
        if importlib.util.find_spec("transformers") is None:
            raise BenchError(
                "labeler segformer: transformers is not installed; pip install 'exemplar-bench[segformer]'"
            )
        super().__init__(argument)

    def build(self, checkpoint: object, where: str) -> nn.Module:
        return Logits(load_segformer(checkpoint, where))


class Logits(nn.Module):
    """(N, 3, H, W) -> (N, 19, H/4, W/4), out of transformers' answer of several fields."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(pixel_values=x).logits


def load_segformer(state: object, where: str = "checkpoint") -> nn.Module:
    """SegFormer-B0 with the tensors of a published checkpoint, old names or new: none missing, none left.

    Raises BenchError for any other network.
    """
    from transformers import SegformerConfig, SegformerForSemanticSegmentation  # six seconds to import
    from transformers.utils import logging

    logging.disable_progress_bar()
    # `from_pretrained` and not `load_state_dict`: modules were renamed since the checkpoints were published, and
    # transformers keeps the list of old names.
    model, configuration = cast(Any, SegformerForSemanticSegmentation), cast(Any, SegformerConfig)
    network, loading = model.from_pretrained(
        None,
        config=configuration(num_labels=len(CLASSES)),
        state_dict=state if isinstance(state, dict) else {},
        ignore_mismatched_sizes=True,  # so that they are told, not raised as a page of text
        output_loading_info=True,
    )
    for what in ("missing", "unexpected", "mismatched"):
        if keys := sorted(map(str, loading[f"{what}_keys"])):
            raise BenchError(f"{where}: not SegFormer-B0 with 19 classes: {keys[0]} is {what}")
    found: nn.Module = network
    return found
