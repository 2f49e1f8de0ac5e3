"""The 23-channel dance label F(.) of pix2pixSC: DensePose, the OpenPose drawing, and one distance map per limb.

    label = pose_label(joints, densepose)      # uint8 (23, H, W), 255 = 1.0

Channels (spec: systems 1.6; pix2pixSC sec 4.1 "pose"): 0 V, 1 U and 2 part / 24 of DensePose; 3-5 the joints drawn as
coloured limbs (RGB); 6-22 the distance to each limb of `openpose18.LIMBS`. Lengths are px of a 256 px photo whatever
the size, so that a label at 64 px has the values of the same dancer at 256 px. Where the official code and this file
differ: a limb is averaged once with what lies under it (the official stroke also averages with its own earlier
stamps, which dims its border), joints keep their fraction of a pixel, and small labels are drawn finer and reduced
by area averages.
"""

from __future__ import annotations

import cv2
import numpy as np

from benchmark.errors import BenchError
from benchmark.labelers.openpose18 import COLOURS, JOINTS, LIMBS

CHANNELS = 3 + 3 + len(LIMBS)
PARTS = 24  # DensePose part numbers run from 1 to this; 0 is background
CANVAS = 256  # px: the photo size that the official brush sizes are for
BRUSH, THIN, DISC = 4.0, 2.0, 4.0  # px of the canvas: width of a limb, of a distance map's stroke, radius of its ends
SPREAD = 2.0  # px of the canvas per unit of a distance map
_BITS = 4  # OpenCV takes fixed-point coordinates with this many fractional bits


def pose_label(joints: np.ndarray, densepose: np.ndarray, draw_size: int | None = None) -> np.ndarray:
    """Draw the label of one dancer.

    Args:
        joints: float (18, 2) x, y in px of the photo, pixel centres at integers; NaN where a joint is not visible.
        densepose: uint8 (H, W, 3): part 0..24, U and V as 0..255, at the size of the photo.
        draw_size: long side of the canvas that limbs are drawn on before the reduction by area averages. Default: the
            official 256 from 128 px on (the photo's own beyond 256), twice the photo below.

    Returns:
        uint8 (23, H, W), 255 = 1.0.

    Raises:
        BenchError: arrays of another shape or type, part numbers above 24, or a joint with only one coordinate.
    """
    points = _checked(joints, densepose)
    height, width = densepose.shape[:2]
    size = max(height, width)
    draw = draw_size or (max(CANVAS, size) if size >= CANVAS // 2 else 2 * size)
    if draw < size:
        raise BenchError(f"pose_label: draw_size {draw} is smaller than the photo's {size}; give at least {size}")
    shape = round(height * draw / size), round(width * draw / size)
    points = (points + 0.5) * (draw / size) - 0.5
    label = np.empty((CHANNELS, height, width), np.uint8)
    label[:3] = densepose_channels(densepose)
    label[3:6] = np.moveaxis(_reduce(draw_limbs(points, shape, draw / CANVAS), (height, width)), -1, 0)
    for channel, (a, b) in enumerate(LIMBS, start=6):
        label[channel] = _reduce(_distance_map(points[a], points[b], shape, draw / CANVAS), (height, width))
    return label


def densepose_channels(densepose: np.ndarray) -> np.ndarray:
    """Part, U, V as uint8 (H, W, 3) -> channels V, U, part / 24 as uint8 (3, H, W): the order in which Pillow reads a
    part-U-V file that OpenCV wrote.
    """
    part, u, v = np.moveaxis(densepose, -1, 0)
    return np.stack([v, u, np.rint(part * (255 / PARTS)).astype(np.uint8)])


def parts_of(label: np.ndarray) -> np.ndarray:
    """The part numbers 0..24 back from a label: uint8 (..., 23, H, W) -> uint8 (..., H, W)."""
    return np.rint(label[..., 2, :, :] * (PARTS / 255)).astype(np.uint8)


def picture(label: np.ndarray) -> np.ndarray:
    """A label uint8 (23, H, W) to look at: the coloured limbs over the body parts in grey, uint8 (H, W, 3)."""
    limbs = np.moveaxis(label[3:6], 0, -1)
    return np.where(limbs.any(axis=-1, keepdims=True), limbs, (label[2] // 2)[..., None])


def draw_limbs(points: np.ndarray, shape: tuple[int, int], scale: float = 1.0) -> np.ndarray:
    """The OpenPose drawing on black: points (18, 2) px of a canvas (H, W) -> RGB uint8 (H, W, 3).

    Limbs come in the order of `LIMBS`; where one meets paint it leaves the mean of both colours.
    """
    canvas = np.zeros((*shape, 3), np.uint8)
    for (a, b), colour in zip(LIMBS, COLOURS, strict=True):
        if np.isnan(points[[a, b]]).any():
            continue
        mask = _stroke(points[a], points[b], shape, BRUSH * scale)
        for end in (points[a], points[b]):
            cv2.circle(mask, _fixed(end), round(DISC * scale * (1 << _BITS)), 1, -1, cv2.LINE_8, _BITS)
        under = canvas[mask > 0].astype(np.uint16)
        painted = under.any(axis=1, keepdims=True)
        canvas[mask > 0] = np.where(painted, (under + np.array(colour, np.uint16)) // 2, colour)
    return canvas


def flip_label(label: np.ndarray) -> np.ndarray:
    """Mirror a label (..., 23, H, W) left to right; channels stay where they are, as in the official code (spec:
    systems 1.4).
    """
    return label[..., ::-1].copy()


def _checked(joints: np.ndarray, densepose: np.ndarray) -> np.ndarray:
    points = np.asarray(joints, np.float64)
    if points.shape != (JOINTS, 2):
        raise BenchError(f"pose_label: joints have shape {points.shape}; expected (18, 2) in OpenPose COCO order")
    if (np.isnan(points).sum(axis=1) == 1).any() or np.isinf(points).any():
        raise BenchError("pose_label: a joint has only one coordinate, or an infinite one; set both to NaN")
    if densepose.ndim != 3 or densepose.shape[2] != 3 or densepose.dtype != np.uint8:
        raise BenchError(
            f"pose_label: densepose is {densepose.dtype} {densepose.shape}; expected uint8 (H, W, 3): part, U, V"
        )
    if densepose[..., 0].max() > PARTS:
        raise BenchError(
            f"pose_label: densepose part {densepose[..., 0].max()} does not exist; parts are 0 to 24 and come first"
        )
    size = max(densepose.shape[:2])
    if np.nanmax(np.abs(points), initial=0.0) > 3 * size:
        raise BenchError(f"pose_label: joints lie far outside a {size} px photo; give them in pixels of the photo")
    return points


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = np.rint(point * (1 << _BITS)).astype(int).tolist()
    return x, y


def _stroke(a: np.ndarray, b: np.ndarray, shape: tuple[int, int], width: float) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.line(mask, _fixed(a), _fixed(b), 1, max(1, round(width)), cv2.LINE_8, _BITS)
    return mask


def _distance_map(a: np.ndarray, b: np.ndarray, shape: tuple[int, int], scale: float) -> np.ndarray:
    """L1 distance to the limb a-b in px of the 256 px canvas, divided by 2, cut at 255; all 255 without the limb."""
    if np.isnan(a).any() or np.isnan(b).any():
        return np.full(shape, 255, np.uint8)
    background = 1 - _stroke(a, b, shape, THIN * scale)
    if background.all():
        return np.full(shape, 255, np.uint8)  # the limb lies outside the photo
    return cv2.convertScaleAbs(cv2.distanceTransform(background, cv2.DIST_L1, 3), alpha=1 / (SPREAD * scale))


def _reduce(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if image.shape[:2] == shape:
        return image
    return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA)
