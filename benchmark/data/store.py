"""A source with a memory: frames and labels are rendered or read once, then served from a shared file or from RAM."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from benchmark.data.frame_cache import FrameCache
from benchmark.data.source import Frame, Source

BUDGET = 2 << 30  # bytes of RAM for what no cache holds; 64 px frames with labels take 73 KB


class FrameStore:
    """A source's images, labels and landmarks, each made once: kept in `cache`, which other processes share, or else in
    RAM (the least recently used go first). Safe for one reader thread beside the main one.
    """

    def __init__(self, source: Source, budget: int = BUDGET, cache: FrameCache | None = None) -> None:
        self.source = source
        self._cache = cache
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
        if self._cache is not None and (kept := self._cache.get(kind, frame)) is not None:
            return kept
        key = (kind, frame)
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
                return found
        made = make(frame)
        if self._cache is not None and self._cache.put(kind, frame, made):
            return made
        with self._lock:
            if key not in self._held:
                self._held[key] = made
                self._bytes += made.nbytes
            while self._bytes > self._budget and len(self._held) > 1:
                _, dropped = self._held.popitem(last=False)
                self._bytes -= dropped.nbytes
        return made
