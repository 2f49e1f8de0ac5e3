"""People in photos, by the OpenPose-18 joints: `get_people_finder("keypoint-rcnn").people(photo)`.

A finder is named as "name" or "name:argument". Built in: `keypoint-rcnn` (torchvision), `mediapipe` (extra of that
name) and `openpose-json:FOLDER` (joints that were found elsewhere); others come through the entry-point group
`benchmark.labelers`. Those that read pixels are also `benchmark.protocols.LandmarkDetector`s of 18 points. No torch
here at import time.
"""

from __future__ import annotations

import inspect

from benchmark import registry
from benchmark.errors import BenchError
from benchmark.labelers.pose.people import Moment, PeopleFinder, Person

__all__ = ["Moment", "PeopleFinder", "Person", "get_people_finder"]


def get_people_finder(spec: str) -> PeopleFinder:
    """The finder "name" or "name:argument".

    Raises:
        BenchError: unknown name, a labeler that finds no people, an argument it cannot use, a library or a weight file
            that is missing.
    """
    name, _, argument = spec.partition(":")
    known = registry.get("labelers", name)
    if not hasattr(known, "people"):
        raise BenchError(
            f"--detector {name}: finds no people in photos; use keypoint-rcnn, mediapipe or openpose-json:DIR"
        )
    arguments = [argument] if argument else []
    try:
        inspect.signature(known).bind(*arguments)
    except TypeError:
        raise BenchError(f"--detector {spec}: {name} takes nothing after the colon") from None
    finder: PeopleFinder = known(*arguments)
    return finder
