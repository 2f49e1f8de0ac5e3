"""Compare our DANet with mmsegmentation's on one random state, and write what the tests hold ours to.

    pip install --target /tmp/mm --no-deps mmsegmentation==1.2.2 mmcv-lite==2.1.0 mmengine==0.10.7 ftfy regex addict \\
        yapf wcwidth prettytable termcolor rich markdown-it-py mdurl platformdirs
    PYTHONPATH=/tmp/mm python scripts/danet_oracle.py            # prints the largest difference; 0 is expected
    PYTHONPATH=/tmp/mm python scripts/danet_oracle.py --write    # rewrites tests/labelers/parsing/danet_oracle.npz

mmsegmentation is no dependency of the tests: mmengine brings a second OpenCV that overwrites the headless one.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.labelers.parsing.danet import load_danet
from benchmark.labelers.parsing.mmseg import stand_in_for_compiled_operators

FIXTURE = Path(__file__).resolve().parents[1] / "tests" / "labelers" / "parsing" / "danet_oracle.npz"
SIZES = ((36, 64), (64, 64))


def random_state(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """Tensors of these shapes from NumPy's generator, key by key in alphabetical order: the same everywhere.

    Scaled so that signals neither vanish nor explode: variances positive, attention factors not 0.
    """
    rng, state = np.random.default_rng(0), {}
    for key, shape in sorted(shapes.items()):
        values = rng.standard_normal(shape).astype(np.float32)
        if key.endswith("num_batches_tracked"):
            state[key] = torch.tensor(1)
            continue
        if key.endswith("running_var") or (values.ndim == 1 and key.endswith("weight")):
            values = 0.75 + 0.25 * np.tanh(values)
        elif values.ndim == 4:
            values *= np.sqrt(2 / np.prod(shape[1:]))
        elif values.ndim == 0:
            values = np.float32(0.5) * np.ones((), np.float32)
        else:
            values *= np.float32(0.1)
        state[key] = torch.from_numpy(np.asarray(values, np.float32))
    return state


def photo(height: int, width: int) -> torch.Tensor:
    """A normalised random photo (1, 3, H, W), the same everywhere."""
    values = np.random.default_rng([height, width]).standard_normal((1, 3, height, width))
    return torch.from_numpy(values.astype(np.float32))


def theirs() -> torch.nn.Module:
    """mmsegmentation's danet_r50-d8 as its config files describe it."""
    stand_in_for_compiled_operators()
    from mmseg.registry import MODELS
    from mmseg.utils import register_all_modules

    register_all_modules()
    norm: dict[str, Any] = {"type": "BN", "requires_grad": True}
    head = {"norm_cfg": norm, "num_classes": 19, "align_corners": False, "dropout_ratio": 0.1}
    return MODELS.build(
        {
            "type": "EncoderDecoder",
            "backbone": {
                "type": "ResNetV1c", "depth": 50, "num_stages": 4, "out_indices": (0, 1, 2, 3),
                "dilations": (1, 1, 2, 4), "strides": (1, 2, 1, 1), "norm_cfg": norm, "norm_eval": False,
                "style": "pytorch", "contract_dilation": True,
            },
            "decode_head": {"type": "DAHead", "in_channels": 2048, "in_index": 3, "channels": 512,
                            "pam_channels": 64, **head},
            "auxiliary_head": {"type": "FCNHead", "in_channels": 1024, "in_index": 2, "channels": 256,
                               "num_convs": 1, "concat_input": False, **head},
            "test_cfg": {"mode": "whole"},
        }
    ).eval()  # fmt: skip


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    oracle = theirs()
    shapes = {key: tuple(value.shape) for key, value in oracle.state_dict().items()}
    state = random_state(shapes)
    oracle.load_state_dict(state, strict=True)
    ours, outputs = load_danet({"state_dict": state}), {}
    for height, width in SIZES:
        x = photo(height, width)
        expected = oracle.decode_head(oracle.backbone(x))
        expected = expected[0] if isinstance(expected, list | tuple) else expected
        difference = (ours(x) - expected).abs().max().item()
        print(f"{width}x{height}: largest difference {difference}, of logits up to {expected.abs().max().item():.3g}")
        outputs[f"logits_{height}x{width}"] = expected.numpy()
    if args.write:
        keys = sorted(shapes)
        padded = np.array([[*shapes[k], *[-1] * (4 - len(shapes[k]))] for k in keys], np.int16)
        np.savez_compressed(FIXTURE, keys=np.array(keys), shapes=padded, **outputs)
        print(f"wrote {FIXTURE} ({FIXTURE.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
