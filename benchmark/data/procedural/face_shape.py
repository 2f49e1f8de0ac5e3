"""The mean face in numbers, and how bone and expression move it: rings of the surface, the 68 points, the relief.

Units and axes are those of `face_geometry`. Everything here is a small table and closed form: one call per frame.
"""

from __future__ import annotations

import numpy as np

from benchmark.data.procedural.face_types import BoneShape, FaceSemantics

# Rings from the crown to the chin: height y, half width, depth at the side, in front (without features), at the back.
CROWN = np.array(
    [
        [-1.12, 0.00, -0.30, -0.30, -0.30],
        [-1.08, 0.26, -0.28, 0.00, -0.62],
        [-0.98, 0.47, -0.27, 0.22, -0.88],
        [-0.82, 0.62, -0.25, 0.40, -1.06],
        [-0.62, 0.71, -0.22, 0.51, -1.16],
        [-0.40, 0.755, -0.19, 0.57, -1.18],
        [-0.20, 0.765, -0.17, 0.60, -1.14],
    ]
)
JAW = np.array(
    [
        [0.00, 0.755, -0.15, 0.59, -1.06],
        [0.20, 0.745, -0.13, 0.60, -0.94],
        [0.40, 0.722, -0.09, 0.62, -0.78],
        [0.59, 0.678, -0.02, 0.615, -0.58],
        [0.78, 0.605, 0.08, 0.60, -0.34],
        [0.94, 0.495, 0.20, 0.57, -0.06],
        [1.08, 0.350, 0.33, 0.56, 0.20],
        [1.185, 0.180, 0.42, 0.54, 0.38],
        [1.22, 0.000, 0.47, 0.47, 0.47],
    ]
)
EYE = np.array([[-0.515, 0.015], [-0.425, -0.075], [-0.31, -0.078], [-0.225, 0.025], [-0.31, 0.072], [-0.425, 0.07]])
BROW = np.array([[-0.64, -0.19], [-0.53, -0.28], [-0.40, -0.31], [-0.27, -0.285], [-0.145, -0.235]])
NOSE = np.array(
    [[0, -0.03], [0, 0.12], [0, 0.27], [0, 0.42], [-0.17, 0.50], [-0.085, 0.53], [0, 0.55], [0.085, 0.53], [0.17, 0.50]]
)
OUTER_LIP = np.array(
    [[-0.33, 0.78], [-0.20, 0.715], [-0.075, 0.68], [0, 0.697], [0.075, 0.68], [0.20, 0.715], [0.33, 0.78],
     [0.20, 0.875], [0.09, 0.915], [0, 0.923], [-0.09, 0.915], [-0.20, 0.875]]
)  # fmt: skip
INNER_LIP = np.array(
    [[-0.28, 0.78], [-0.10, 0.770], [0, 0.774], [0.10, 0.770], [0.28, 0.78], [0.10, 0.782], [0, 0.786], [-0.10, 0.782]]
)
EYE_CENTRE = np.array([-0.365, 0.02])
LIPS = np.concatenate([OUTER_LIP, INNER_LIP])
CHEEKS = np.array([[-0.47, 0.34], [0.47, 0.34]])  # where a blush sits
SEAM = 0.78  # height of the line between the lips
EAR_ROW, CHIN_ROW = len(CROWN), len(CROWN) + len(JAW) - 1

# Where each change of shape acts, on the rows of the tables above.
_ROW = np.arange(len(JAW))
_JAW_WIDE, _SMILE_WIDE, _CHIN_WIDE = (
    np.exp(-(((_ROW - row) / reach) ** 2)) for row, reach in ((4.5, 2.0), (4.0, 2.0), (7.0, 1.2))
)
_HINGE = np.clip((_ROW - 1.5) / 6.5, 0.0, 1.0) ** 1.3
_BROW_ARCH = np.column_stack([np.zeros(5), [1.0, -0.3, -1.0, -0.3, 0.6]])
_BROW_FURROW = np.column_stack(
    [np.multiply(0.05, [0.0, 0.3, 0.6, 0.9, 1.0]), np.multiply(0.06, [-0.2, 0.0, 0.3, 0.8, 1.0])]
)
_NOSE_LONGER = np.column_stack([np.zeros(9), np.clip((NOSE[:, 1] + 0.03) / 0.5, 0.0, 1.0)])
_CORNER = np.clip(np.abs(LIPS[:, 0]) / 0.33, 0.0, 1.0) ** 2
_LOWER = LIPS[:, 1] > SEAM + 1e-3
_GAPE = np.where(_LOWER, 0.27, -0.025) * (1.0 - np.clip(np.abs(LIPS[:, 0]) / 0.29, 0.0, 1.0) ** 2)
_MIRROR = np.array([-1.0, 1.0])


def rings_of(s: FaceSemantics) -> np.ndarray:
    """The ring table of one head, (16, 5) like `CROWN` over `JAW`."""
    b: BoneShape = s.bone
    rings = np.concatenate([CROWN, JAW])
    rings[:, 1] *= 1.0 + 0.045 * b.face_width
    y, width, *_ = below = rings[EAR_ROW:].T
    width *= (1.0 + 0.045 * b.jaw_width * _JAW_WIDE) * (1.0 + 0.06 * b.chin_width * _CHIN_WIDE)
    width *= 1.0 + 0.025 * s.smile * _SMILE_WIDE
    y *= 1.0 + 0.045 * b.face_length
    y += 0.24 * s.mouth_open * _HINGE
    below[2:4] -= 0.07 * s.mouth_open * _HINGE  # the jaw swings back as it opens
    return rings


def flat_points(s: FaceSemantics) -> np.ndarray:
    """x, y of landmarks 17..67 at frontal view, (51, 2)."""
    stretch = 1.0 + 0.045 * s.bone.face_length
    wide = 1.0 + 0.045 * s.bone.face_width
    eyes = [_eye(s.bone, s.blink_left, s.smile), _eye(s.bone, s.blink_right, s.smile)]
    brows = [_brow(s.bone, s.brow_left, s.furrow), _brow(s.bone, s.brow_right, s.furrow)]
    right_eye = (eyes[1] * _MIRROR)[[3, 2, 1, 0, 5, 4]]  # numbered from the inner corner
    points = [brows[0], (brows[1] * _MIRROR)[::-1], _nose(s.bone), eyes[0], right_eye, *_mouth(s)]
    return np.concatenate(points) * (wide, stretch)


def _eye(b: BoneShape, blink: float, smile: float) -> np.ndarray:
    local = (EYE - EYE_CENTRE) * (1.0 + 0.06 * b.eye_width, 1.0 + 0.14 * b.eye_height)
    x, y = local.T
    y[4:] -= 0.012 * max(smile, 0.0)
    y[1:3] += (y[:3:-1] - 0.012 - y[1:3]) * blink
    y += x * (0.06 * b.eye_tilt)
    x -= 0.018 * b.eye_spacing
    return local + EYE_CENTRE


def _brow(b: BoneShape, lift: float, furrow: float) -> np.ndarray:
    raised = np.array([0.0, -0.022 * b.brow_height - (0.10 if lift > 0 else 0.05) * lift])
    return BROW + raised + (0.016 * b.brow_arch) * _BROW_ARCH + furrow * _BROW_FURROW


def _nose(b: BoneShape) -> np.ndarray:
    return NOSE * (1.0 + 0.09 * b.nose_width, 1.0) + (0.03 * b.nose_length) * _NOSE_LONGER


def _mouth(s: FaceSemantics) -> tuple[np.ndarray, np.ndarray]:
    """The outer lip (12, 2) and the inner one (8, 2)."""
    b = s.bone
    fuller = 1.0 - 0.15 * max(s.smile, 0.0) + 0.25 * s.pucker
    x, y = LIPS.T.copy()
    y[:12] += (y[:12] - SEAM) * (np.where(_LOWER[:12], 1.0 + 0.15 * b.lower_lip, 1.0 + 0.18 * b.upper_lip) * fuller - 1)
    y += s.mouth_open * _GAPE - 0.085 * s.smile * _CORNER
    y += 0.05 * s.mouth_open + 0.012 * s.smile + 0.02 * b.mouth_height + 0.012 * b.nose_length
    x *= (1.0 + 0.075 * b.mouth_width) * (1.0 + 0.24 * s.smile) * (1.0 - 0.38 * s.pucker) * (1.0 - 0.10 * s.mouth_open)
    lips = np.stack([x, y], axis=-1)
    return lips[:12], lips[12:]


def bumps_of(s: FaceSemantics, flat: np.ndarray) -> np.ndarray:
    """Relief as Gaussians (B, 5): centre x, y, spreads x, y, height. They sit on the landmarks and move with them."""
    bridge, tip, base = flat[10], flat[13], flat[16]
    wing = flat[18]
    deep = 1.0 + 0.10 * s.bone.nose_depth
    along = [bridge + (tip - bridge) * f for f in (0.15, 0.5, 0.8)]
    bumps = [
        (0.0, along[0][1], 0.085, 0.14, 0.06 * deep),
        (0.0, along[1][1], 0.090, 0.13, 0.115 * deep),
        (0.0, along[2][1], 0.095, 0.10, 0.12 * deep),
        (0.0, tip[1] + 0.01, 0.105, 0.075, 0.15 * deep),
        (0.0, base[1] + 0.02, 0.10, 0.05, -0.02),
    ]
    mouth, low_lip, top_lip = flat[45:51].sum(axis=0) / 6, flat[40], flat[34]
    reach = float(flat[37][0])
    bumps += [
        (0.0, mouth[1], 0.8 * reach, 0.17, 0.05 + 0.03 * s.pucker),
        (0.0, float(low_lip[1]) - 0.03, 0.6 * reach, 0.05, 0.05 + 0.03 * s.pucker),
        (0.0, float(top_lip[1]) + 0.02, 0.6 * reach, 0.04, 0.035 + 0.03 * s.pucker),
        (0.0, float(low_lip[1]) + 0.07, 0.16, 0.05, -0.045),
    ]
    chin = 1.22 * (1.0 + 0.045 * s.bone.face_length) + 0.24 * s.mouth_open
    bumps.append((0.0, chin - 0.12, 0.17, 0.10, 0.06))
    for sign, eye, brow in ((-1, flat[19:25].sum(axis=0) / 6, flat[2]), (1, flat[25:31].sum(axis=0) / 6, flat[7])):
        cheek = max(s.smile, 0.0)
        bumps += [
            (sign * float(wing[0]) * 0.78, float(wing[1]) - 0.035, 0.062, 0.060, 0.10 * deep),
            (float(eye[0]), float(eye[1]) - 0.01, 0.19, 0.10, -0.095),
            (float(eye[0]), float(eye[1]), 0.10, 0.07, 0.045),
            (float(brow[0]), float(brow[1]) + 0.06, 0.24, 0.07, 0.045),
            (sign * 0.47, 0.33 - 0.05 * cheek, 0.17, 0.15, 0.055 + 0.05 * cheek),
        ]
    return np.array(bumps)
