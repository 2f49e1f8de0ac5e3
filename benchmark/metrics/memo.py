"""Targets and exemplars are the same for every method of a run: what a network found in them is computed once.

points = remember("landmarks dlib-68", images, lambda: detector.detect(images))
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

KEPT = 8  # results held at once; each is small (points or one vector per image)

_results: OrderedDict[tuple[str, str], np.ndarray] = OrderedDict()


def remember(what: str, images: np.ndarray, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """`compute()`, or what it gave for the same bytes before. `what` must name the network and its weights."""
    key = (what, f"{images.shape}{images.dtype}{hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()}")
    if key not in _results:
        _results[key] = compute()
        if len(_results) > KEPT:
            _results.popitem(last=False)
    _results.move_to_end(key)
    return _results[key]
