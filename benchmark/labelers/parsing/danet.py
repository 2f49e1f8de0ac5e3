"""`danet`: DANet-R50 trained on Cityscapes, the architecture of the papers' F(.) for streets, with no library beyond
torch and torchvision.

    get_parser("danet")              # sees photos as they are
    get_parser("danet:2048x1024")    # sees them enlarged to fit 2048x1024, as mmsegmentation's test pipeline does

Enlarging is what the published mIoU was measured with, and dear: a 256x256 photo is parsed at 1024x1024. The size is
part of the protocol name. The paper's own DANet was trained on BDD100K and never published; this one knows Cityscapes.
"""

from __future__ import annotations

import torch

from benchmark.labelers.parsing.danet_net import TRAINING_ONLY, DANet
from benchmark.labelers.parsing.network import NetworkParser, load_strictly


class DANetParser(NetworkParser):
    """Registry name "danet"; weights: mmsegmentation's published checkpoint."""

    name = "danet"
    weights = "danet-r50-cityscapes"

    def build(self, checkpoint: object, where: str) -> DANet:
        return load_danet(checkpoint, where)


def load_danet(checkpoint: object, where: str = "checkpoint") -> DANet:
    """A DANet with the weights of a checkpoint of mmsegmentation's ({"state_dict": ...}, or that dict alone).

    Every tensor is used, but for those that only a training loss reads. Raises BenchError for any other network.
    """
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, dict) else {}
    with torch.device("meta"):  # its random initialisation would be thrown away
        network = DANet()
    kept = {key: value for key, value in state.items() if not key.startswith(TRAINING_ONLY)}
    load_strictly(network, kept, "DANet-R50 with 19 classes", where)
    return network.requires_grad_(False).eval()
