"""The iBUG-68 face points: which index is what, the polylines that the face label draws, and mirroring.

Indices run image-left to image-right: 0-16 jaw, 17-21 and 22-26 brows, 27-30 nose bridge, 31-35 nostrils, 36-41 and
42-47 eyes, 48-59 outer lip, 60-67 inner lip. "Right" and "left" are the person's own: the right eye is the one on the
image's left. Indices 68-82 are the forehead points that `benchmark.labelers.face_label` adds by mirroring the jaw
(spec: systems 1.5).
"""

from __future__ import annotations

import numpy as np

POINTS = 68

PARTS: dict[str, tuple[int, ...]] = {
    "jaw": tuple(range(17)),
    "right_brow": tuple(range(17, 22)),
    "left_brow": tuple(range(22, 27)),
    "nose": tuple(range(27, 36)),
    "right_eye": tuple(range(36, 42)),
    "left_eye": tuple(range(42, 48)),
    "mouth": tuple(range(48, 68)),
}

# The 14 polylines of the label, in channel order 1..14 (spec: systems 1.5). The nose is a triangle: 27, 29, 30 are
# not drawn.
EDGES: dict[str, tuple[int, ...]] = {
    "face": (*range(17), *range(68, 83), 0),
    "right_brow": PARTS["right_brow"],
    "left_brow": PARTS["left_brow"],
    "nose_right_side": (28, 31),
    "nose_base": (31, 32, 33, 34, 35),
    "nose_left_side": (35, 28),
    "right_eye_upper": (36, 37, 38, 39),
    "right_eye_lower": (39, 40, 41, 36),
    "left_eye_upper": (42, 43, 44, 45),
    "left_eye_lower": (45, 46, 47, 42),
    "outer_lip_upper": (48, 49, 50, 51, 52, 53, 54),
    "outer_lip_lower": (54, 55, 56, 57, 58, 59, 48),
    "inner_lip_upper": (60, 61, 62, 63, 64),
    "inner_lip_lower": (64, 65, 66, 67, 60),
}

# MIRROR[i] is the point that takes index i when the photo is mirrored left to right.
MIRROR = np.array(
    [
        *range(16, -1, -1),  # jaw
        *range(26, 16, -1),  # brows
        *(27, 28, 29, 30, 35, 34, 33, 32, 31),  # nose
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),  # eyes
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65),  # mouth
    ]
)


def mirror_landmarks(landmarks: np.ndarray, width: int) -> np.ndarray:
    """Landmarks (..., 68, 2) px of the mirrored photo of `width` px: x flipped about the centre, sides renamed."""
    mirrored = landmarks[..., MIRROR, :].copy()
    mirrored[..., 0] = (width - 1) - mirrored[..., 0]
    return mirrored
