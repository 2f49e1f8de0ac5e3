"""FID and KID of two folders of pictures, or of images as a training loop makes them.

from benchmark.metrics.fid import FrechetInceptionDistance   # update / compute / reset / merge
from benchmark.metrics.fid import compare                    # two folders, with everything a reviewer asks for
"""

from __future__ import annotations

from typing import Any

__all__ = ["FrechetInceptionDistance", "compare"]


def __getattr__(name: str) -> Any:
    """Torch is imported when something that needs it is asked for."""
    if name == "FrechetInceptionDistance":
        from benchmark.metrics.fid.streaming import FrechetInceptionDistance

        return FrechetInceptionDistance
    if name == "compare":
        from benchmark.metrics.fid.compare import compare

        return compare
    raise AttributeError(name)
