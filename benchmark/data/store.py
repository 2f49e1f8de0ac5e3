"""A source with a memory: frames and labels are rendered or read once, up to a byte budget, then served from RAM."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from benchmark.data.source import Frame, Source

BUDGET = 2 << 30  # bytes; 64 px frames with labels take 73 KB, so a demo or mini world fits whole


class FrameStore:
    """Least-recently-used cache of a source's images, labels and landmarks. Safe for one reader thread beside the main
    one.
    """

    def __init__(self, source: Source, budget: int = BUDGET) -> None:
        self.source = source
        self._budget = budget
        self._held: OrderedDict[tuple[str, Frame], np.ndarray] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def image(self, frame: Frame) -> np.ndarray:
        """Photo, uint8 (H, W, 3)."""
        return self._get("image", frame, self.source.image)

    def label(self, frame: Frame) -> np.ndarray:
        """Label map, uint8 (C, H, W)."""
        return self._get("label", frame, self.source.label)

    def joints(self, frame: Frame) -> np.ndarray:
        """Landmarks or body joints, float32 (J, 2) px."""
        return self._get("joints", frame, self.source.landmarks)

    def _get(self, kind: str, frame: Frame, make: Callable[[Frame], np.ndarray]) -> np.ndarray:
        key = (kind, frame)
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
                return found
        made = make(frame)
        with self._lock:
            if key not in self._held:
                self._held[key] = made
                self._bytes += made.nbytes
            while self._bytes > self._budget and len(self._held) > 1:
                _, dropped = self._held.popitem(last=False)
                self._bytes -= dropped.nbytes
        return made
