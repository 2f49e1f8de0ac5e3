"""The 20-channel street label: 19 train ids one-hot, and one channel for unknown.

    label = street_label(train)      # uint8 (H, W) train ids, 255 = unknown -> uint8 (20, H, W), 255 = 1.0

The official code has 42 channels (BDD100K's 41 ids and unknown) and may mix them with train ids; one vocabulary
everywhere is spec: systems 1.7's advice.
"""

from __future__ import annotations

import numpy as np

from benchmark.errors import BenchError
from benchmark.labelers.cityscapes import CLASSES, IGNORE

CHANNELS = len(CLASSES) + 1


def street_label(train: np.ndarray) -> np.ndarray:
    """One channel a class; exactly one of them is 255 at every pixel.

    Raises:
        BenchError: not a uint8 (H, W) map, or an id that is neither 0..18 nor 255.
    """
    if train.ndim != 2 or train.dtype != np.uint8:
        raise BenchError(f"street_label: expected train ids uint8 (H, W), got {train.dtype} {train.shape}")
    wrong = np.unique(train[(train >= len(CLASSES)) & (train != IGNORE)])
    if len(wrong):
        raise BenchError(
            f"street_label: {wrong[0]} is no train id (0..{len(CLASSES) - 1}, {IGNORE} = unknown); "
            "convert with benchmark.labelers.cityscapes.to_train"
        )
    channel = np.minimum(train, len(CLASSES))
    return np.where(np.arange(CHANNELS, dtype=np.uint8)[:, None, None] == channel, np.uint8(255), np.uint8(0))


def train_ids(label: np.ndarray) -> np.ndarray:
    """The inverse: label (20, H, W) -> uint8 (H, W) train ids, 255 = unknown. The strongest channel wins."""
    channel = label.argmax(axis=0).astype(np.uint8)
    return np.where(channel == len(CLASSES), np.uint8(IGNORE), channel)


def flip_label(label: np.ndarray) -> np.ndarray:
    """Mirror a label (20, H, W) left to right; no class has a side."""
    return label[..., ::-1].copy()
