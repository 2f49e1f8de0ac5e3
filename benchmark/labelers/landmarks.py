"""Landmark detectors by name: `get_detector("dlib").detect(images)`.

Built in: `dlib` (the paper's own, extra `face`), `face-alignment` (extra of that name), `procedural` and
`procedural-pose` (shipped, for rendered faces and dancers). Others come through the entry-point group
`benchmark.labelers`; a detector is any `benchmark.protocols.LandmarkDetector`. One that also has
`faces(image, smallest)` can search whole video frames.
"""

from __future__ import annotations

from benchmark import registry
from benchmark.labelers.dlib68 import DlibDetector
from benchmark.labelers.fan68 import FaceAlignmentDetector
from benchmark.labelers.procedural import ProceduralDetector
from benchmark.protocols import LandmarkDetector

__all__ = ["DlibDetector", "FaceAlignmentDetector", "ProceduralDetector", "get_detector"]


def get_detector(name: str) -> LandmarkDetector:
    """Build the detector registered as `name`; BenchError for an unknown name or a library that is missing."""
    return registry.get("labelers", name)()
