"""A small exam and a detector that reads its answer from the pixels, for every metric's tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmark.config import Config, EvalConfig
from benchmark.protocols import Exam

FACE = np.random.default_rng(7).uniform(0.2, 0.8, size=(68, 2)).astype(np.float32)  # x, y as fractions of the side
MISSING = 255


class PixelDetector:
    """Finds FACE shifted right by as many pixels as the first pixel's red says; nothing where that is 255."""

    name = "pixel"
    protocol = "pixel-68[test]"

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, images: np.ndarray) -> np.ndarray:
        self.calls += 1
        height, width = images.shape[1:3]
        points = np.repeat(FACE[None] * np.float32([width, height]), len(images), axis=0)
        points[..., 0] += images[:, 0, 0, 0, None]
        points[images[:, 0, 0, 0] == MISSING] = np.nan
        return points


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> PixelDetector:
    from benchmark.labelers import landmarks

    found = PixelDetector()
    monkeypatch.setattr(landmarks, "get_detector", lambda name: found)
    return found


@pytest.fixture
def make_exam() -> Callable[..., Exam]:
    def make(items: int = 8, side: int = 32, truths: bool = True, seed: int = 0, reference: bool = False) -> Exam:
        rng = np.random.default_rng(seed)

        def photos() -> np.ndarray:
            found = rng.integers(0, 256, size=(items, side, side, 3), dtype=np.uint8)
            found[:, 0, 0, 0] = 0  # the detector's pixel: found, not shifted
            return found

        foreground = np.zeros((items, side, side), dtype=bool)
        foreground[:, side // 4 :, 4:-4] = True
        face = np.zeros_like(foreground)
        face[:, side // 4 : side // 2, 8:-8] = True
        return Exam(
            items=[f"item-{n}" for n in range(items)],
            targets=photos(),
            exemplars=photos(),
            target_landmarks=np.repeat(FACE[None] * side, items, axis=0),
            consistent=np.zeros(items, dtype=bool),
            truths=photos() if truths else None,
            regions={"foreground": foreground, "face": face} if truths else None,
            config=Config(eval=EvalConfig(features="efficientnet-lite0", frechet="efficientnet-lite0", batch=3)),
            reference=reference,
        )

    return make
