"""What a people finder answers, and bringing any named set of joints to OpenPose-18."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from benchmark.labelers.openpose18 import JOINTS, NAMES


class Person(NamedTuple):
    """One person in a photo."""

    joints: np.ndarray  # float32 (18, 2) x, y in px of the photo, NaN where not seen; order of `openpose18.NAMES`
    box: np.ndarray  # float32 (4,) x0, y0, x1, y1 px
    score: float  # higher is surer; comparable within one finder


class Moment(NamedTuple):
    """Where a photo comes from, for finders that look up answers instead of reading pixels."""

    video: str  # path below the videos folder
    frame: int  # counted from 0


class PeopleFinder(Protocol):
    """Finds every person in a photo uint8 (H, W, 3) RGB."""

    name: str
    protocol: str  # names the weights or the files

    def people(self, image: np.ndarray, moment: Moment | None = None) -> list[Person]: ...


def openpose_joints(names: Sequence[str], points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Joints of another set, by name, as OpenPose-18.

    Args:
        names: what each of K points is, in the words of `openpose18.NAMES`; other words are passed over.
        points: float (K, 2) px.
        seen: bool (K,).

    Returns:
        float32 (18, 2), NaN where not seen. A set without a neck gets the middle of the shoulders, if both are seen, as
        OpenPose's own training data has it.
    """
    joints = np.full((JOINTS, 2), np.nan, np.float32)
    for name, point, visible in zip(names, points, seen, strict=True):
        if visible and name in NAMES:
            joints[NAMES.index(name)] = point
    if "neck" not in names:
        shoulders = joints[[NAMES.index("right_shoulder"), NAMES.index("left_shoulder")]]
        joints[NAMES.index("neck")] = shoulders.mean(axis=0)  # NaN when either is
    return joints


def box_of(joints: np.ndarray) -> np.ndarray:
    """The box around the seen joints (18, 2) px, of which there must be one: float32 (4,) x0, y0, x1, y1."""
    return np.concatenate([np.nanmin(joints, axis=0), np.nanmax(joints, axis=0)]).astype(np.float32)


def surest(people_in: Callable[[np.ndarray], list[Person]], images: np.ndarray) -> np.ndarray:
    """Joints of the surest person of each photo: uint8 (N, H, W, 3) -> float32 (N, 18, 2) px, NaN rows where nobody."""
    joints = np.full((len(images), JOINTS, 2), np.nan, np.float32)
    for row, image in enumerate(images):
        found = people_in(image)
        if found:
            joints[row] = max(found, key=lambda person: person.score).joints
    return joints
