"""The OpenPose COCO-18 joints: which index is what, the 17 limbs that the dance label draws, and mirroring.

"Right" and "left" are the person's own. A joint that is not visible is NaN in both coordinates (spec: systems 1.6).
"""

from __future__ import annotations

import numpy as np

NAMES = (
    "nose",
    "neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_eye",
    "left_eye",
    "right_ear",
    "left_ear",
)
JOINTS = len(NAMES)

# The limbs in the order of the label's distance maps, channels 6..22, with their colours (spec: systems 1.6).
LIMBS: tuple[tuple[int, int], ...] = (
    (0, 1), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (11, 12), (12, 13),
    (14, 16), (15, 17), (14, 0), (15, 0), (1, 2), (1, 5), (1, 8), (1, 11),
)  # fmt: skip
COLOURS: tuple[tuple[int, int, int], ...] = (
    (153, 0, 153), (153, 0, 102), (102, 0, 153), (51, 0, 153), (153, 0, 51), (153, 0, 0),
    (153, 51, 0), (153, 102, 0), (153, 153, 0), (102, 153, 0), (51, 153, 0), (0, 153, 0),
    (0, 153, 51), (0, 153, 102), (0, 153, 153), (0, 102, 153), (0, 51, 153),
)  # fmt: skip

# MIRROR[i] is the joint that takes index i when the photo is mirrored left to right.
MIRROR = np.array(
    [
        NAMES.index(name.replace("right", "?").replace("left", "right").replace("?", "left"))
        for name in NAMES
    ]
)  # fmt: skip


def mirror_joints(joints: np.ndarray, width: int) -> np.ndarray:
    """Joints (..., 18, 2) px of the mirrored photo of `width` px: x flipped about the centre, sides renamed."""
    mirrored = joints[..., MIRROR, :].copy()
    mirrored[..., 0] = (width - 1) - mirrored[..., 0]
    return mirrored
