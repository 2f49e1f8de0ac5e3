"""From a video frame to the crop around a dancer: follow one person, choose the square, keep it while it fits.

The paper says "crop out the central body regions" (pix2pixSC sec 4.2) and not how; these rules are ours.
"""

from __future__ import annotations

import numpy as np

from benchmark.data.boxes import Box
from benchmark.data.dropped import BadInput, Dropped
from benchmark.labelers.pose.people import Person

ENLARGE = 1.3  # crop side over the longer side of the joints' box: joints end at eyes, wrists and ankles
LOOSE = 2.0  # a crop this many times as large as it need be is chosen anew
MARGIN = 0.02  # of the crop's side: joints nearer to its border count as outside
MIN_JOINTS = 8  # of 18: fewer are no pose


class PersonTracker:
    """Follows one person through a video: the surest at first, then whoever overlaps most with the last place.

    `leapt` says of the latest choice that it does not overlap at all: a cut, a leap, or another person.
    """

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self.leapt = False

    def choose(self, people: list[Person]) -> Person:
        """The followed one of the people in the next frame.

        Raises:
            BadInput: "nobody"; "lost among several people", when none of them overlaps with the last place. Somebody
                alone is followed on.
        """
        if not people:
            raise BadInput("nobody")
        last = self._last
        if last is None:
            chosen = max(people, key=lambda person: person.score)
        else:
            chosen = max(people, key=lambda person: overlap(person.box, last))
        self.leapt = last is not None and overlap(chosen.box, last) == 0
        if self.leapt and len(people) > 1:
            raise BadInput("lost among several people")
        self._last = chosen.box
        return chosen


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes (4,)."""
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    common = float(np.prod(np.maximum(size, 0)))
    union = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - common
    return common / union if common else 0.0


class BodyCropper:
    """Chooses the crop of each frame of one video.

    A crop stays where it is while the body is inside and fills half of it, so that the background stands still and the
    dancer moves, as in the video; otherwise it is chosen anew.

    Args:
        min_crop: smallest side in px.
        outside: a square that leaves the frame is moved inside, and shrunk to the frame's shorter side, which may cut
            hands and feet off ("fit"), or the frame is dropped ("drop").
    """

    def __init__(self, min_crop: int, outside: str = "fit") -> None:
        self._min_crop, self._outside = min_crop, outside
        self._box: Box | None = None

    def box(self, joints: np.ndarray, frame_shape: tuple[int, ...]) -> Box:
        """The square for a person's joints (18, 2) px in a frame of (H, W, ...).

        Raises:
            Dropped: "outside frame" or "too small".
            BadInput: "too few joints".
        """
        require_joints(joints)
        if self._box is None or not _fits(self._box, joints):
            self._box = body_box(joints, frame_shape, self._outside)
        if self._box[2] - self._box[0] < self._min_crop:
            raise Dropped("too small")
        return self._box


def body_box(joints: np.ndarray, frame_shape: tuple[int, ...], outside: str = "fit") -> Box:
    """The square around the middle of the seen joints, `ENLARGE` times as large as they are, in the frame."""
    low, high = np.nanmin(joints, axis=0), np.nanmax(joints, axis=0)
    room = np.array([frame_shape[1], frame_shape[0]])
    side, middle = max(round(float(max(high - low)) * ENLARGE), 1), (low + high) / 2
    if outside == "fit":
        side = min(side, *room.tolist())
        corner = np.clip(np.rint(middle - side / 2), 0, room - side).astype(int)
    else:
        corner = np.rint(middle - side / 2).astype(int)
        if (corner < 0).any() or (corner + side > room).any():
            raise Dropped("outside frame")
    return int(corner[0]), int(corner[1]), int(corner[0] + side), int(corner[1] + side)


def in_crop(joints: np.ndarray, box: Box, size: int) -> np.ndarray:
    """Joints (18, 2) px of the frame -> float32 px of the crop at `size` px, NaN outside.

    Raises:
        BadInput: "too few joints".
    """
    side = box[2] - box[0]
    moved = (joints - np.array(box[:2]) + 0.5) * (size / side) - 0.5
    moved[~((moved >= -0.5) & (moved < size - 0.5)).all(axis=1)] = np.nan
    require_joints(moved)
    return moved.astype(np.float32)


def require_joints(joints: np.ndarray) -> None:
    """BadInput("too few joints") when fewer than `MIN_JOINTS` are seen."""
    if np.isfinite(joints).all(axis=1).sum() < MIN_JOINTS:
        raise BadInput("too few joints")


def _fits(box: Box, joints: np.ndarray) -> bool:
    low, high = np.nanmin(joints, axis=0), np.nanmax(joints, axis=0)
    side = box[2] - box[0]
    inside = (low >= np.array(box[:2]) + MARGIN * side).all() and (high <= np.array(box[2:]) - 1 - MARGIN * side).all()
    return bool(inside) and side <= LOOSE * ENLARGE * float(max(high - low))
