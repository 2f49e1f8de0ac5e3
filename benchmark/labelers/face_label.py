"""The 15-channel face label F(.) of pix2pixSC: a sketch of the landmarks and one distance map per sketch edge.

    label = face_label(landmarks, size=256)      # uint8 (15, 256, 256), 255 = 1.0

Implements spec: systems 1.5 (pix2pixSC sec 4.1 "face"). All geometry is computed in the official 512 px canvas,
whatever the canvas it is drawn on, so that a label at 64 px has the values of the same face at 256 px. Where the
official code and this file differ: the 2x2 brush is centred on the curve (the official one sits a pixel up and
left), landmarks keep their fraction of a pixel, and a curve that leaves the canvas is cut off instead of smeared
along the border.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from benchmark.errors import BenchError
from benchmark.labelers.ibug68 import EDGES, POINTS

CHANNELS = 1 + len(EDGES)
CANVAS = 512  # px: the size the official geometry is written for (brush, /3, |a| > 1, integer division)
PART_NAMES = ("background", "face", "brows", "nose", "eyes", "mouth", "tongue")

_FILLS = (  # polygons of `part_map`, painted in this order
    (1, EDGES["face"]),
    (2, EDGES["right_brow"]),
    (2, EDGES["left_brow"]),
    (3, (28, 31, 32, 33, 34, 35)),
    (4, tuple(range(36, 42))),
    (4, tuple(range(42, 48))),
    (5, tuple(range(48, 60))),
    (6, tuple(range(60, 68))),
)

# Swapped on a mirrored label when left and right are to keep their anatomical meaning (channel numbers).
_SIDES = [list(EDGES).index(name) + 1 for name in EDGES if name.startswith("right_")]
_OTHER_SIDES = [list(EDGES).index(name.replace("right_", "left_")) + 1 for name in EDGES if name.startswith("right_")]


def _pieces() -> tuple[np.ndarray, np.ndarray]:
    """Cut every edge into runs of 3 points, step 2: point indices (P, 4) and edge number (P,).

    A run's middle is the mean of its columns 1 and 2: a last run of 2 points becomes a straight "parabola".
    """
    runs, owners = [], []
    for number, edge in enumerate(EDGES.values()):
        for start in range(0, len(edge) - 1, 2):
            run = edge[start : start + 3]
            runs.append((run[0], run[1], run[1], run[2]) if len(run) == 3 else (run[0], run[0], run[1], run[1]))
            owners.append(number)
    return np.array(runs), np.array(owners)


_RUNS, _OWNERS = _pieces()


def face_label(landmarks: np.ndarray, size: int, draw_size: int | None = None) -> np.ndarray:
    """Draw the label of one face.

    Args:
        landmarks: float (68, 2) x, y in px of a `size` x `size` photo, pixel centres at integers.
        size: side of the label in px.
        draw_size: side of the canvas it is drawn on before the bilinear reduction. Default: the official 512 from
            256 px on (`size` itself beyond 512), twice `size` below. Distances are always in px of the 512 px face.

    Returns:
        uint8 (15, size, size), 255 = 1.0. Channel 0: all edges, white on black. Channels 1-14 (in the order of
        `ibug68.EDGES`): L1 distance to that edge, divided by 3, cut at 255.

    Raises:
        BenchError: landmarks of another shape, not finite, or further than one image side outside the image.
    """
    points = _checked(landmarks, size)
    draw = draw_size or (max(CANVAS, size) if size >= CANVAS // 2 else 2 * size)
    if draw < size:
        raise BenchError(f"face_label: draw_size {draw} is smaller than size {size}; give at least {size}")
    background = _draw_edges(_close_contour(_to_canvas(points, size)), draw)  # (14, draw, draw), 0 on the edge

    label = np.empty((CHANNELS, size, size), np.uint8)
    label[0] = _reduce(255 * (1 - background.min(axis=0)), size)
    for channel, plane in enumerate(background, start=1):
        label[channel] = _reduce(_distance_map(plane, CANVAS / draw), size)
    return label


def face_label_unit(landmarks: np.ndarray, size: int, draw_size: int | None = None) -> np.ndarray:
    """`face_label` as float32 (15, size, size) in [0, 1], the range in which networks take it."""
    return face_label(landmarks, size, draw_size).astype(np.float32) / 255.0


def flip_label(label: np.ndarray, swap_left_right: bool = False) -> np.ndarray:
    """Mirror a label (15, H, W) left to right.

    The official code leaves the channels where they are, so that a flipped face has its right eye in the left eye's
    channel (spec: systems 1.4); `swap_left_right` exchanges the brow and eye channels so that they keep their meaning.
    """
    flipped = label[..., ::-1].copy()
    if swap_left_right:
        flipped[_SIDES + _OTHER_SIDES] = flipped[_OTHER_SIDES + _SIDES]
    return flipped


def part_map(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Filled parts of the face, uint8 (size, size) with the numbers of `PART_NAMES`; arguments as `face_label`."""
    closed = _close_contour(_to_canvas(_checked(landmarks, size), size))
    points = np.rint(_from_canvas(closed, size) * 16).astype(np.int32)  # fillPoly takes 4 fractional bits
    parts = np.zeros((size, size), np.uint8)
    for number, polygon in _FILLS:
        cv2.fillPoly(parts, [points[list(polygon)]], number, shift=4)
    return parts


def _checked(landmarks: np.ndarray, size: int) -> np.ndarray:
    points = np.asarray(landmarks, np.float64)
    if points.shape != (POINTS, 2):
        raise BenchError(f"face_label: landmarks have shape {points.shape}; expected (68, 2)")
    if not np.isfinite(points).all():
        raise BenchError("face_label: landmarks hold NaN or infinity (no face was found); drop the frame")
    if points.min() < -size or points.max() > 2 * size:
        raise BenchError(
            f"face_label: landmarks span {points.min():.0f}..{points.max():.0f} px, far outside a {size} px image; "
            "give them in pixels of the image"
        )
    return points


def _to_canvas(points: np.ndarray, size: int) -> np.ndarray:
    return (points + 0.5) * (CANVAS / size) - 0.5


def _from_canvas(points: np.ndarray, size: int) -> np.ndarray:
    return (points + 0.5) * (size / CANVAS) - 0.5


def _close_contour(points: np.ndarray) -> np.ndarray:
    """Append the forehead: jaw points 15..1 mirrored about the mean ear height, 2/3 as far. (68, 2) -> (83, 2)."""
    ear_height = (points[0, 1] + points[16, 1]) / 2
    forehead = points[15:0:-1].copy()
    forehead[:, 1] = ear_height + np.floor((ear_height - forehead[:, 1]) * 2 / 3)
    return np.concatenate([points, forehead])


def _draw_edges(points: np.ndarray, draw: int) -> np.ndarray:
    """Stamp the curve of every edge with a 2x2 brush: uint8 (14, draw, draw), 0 on the edge and 1 elsewhere."""
    curves, kept = _parabolas(points, step=min(1.0, CANVAS / draw))
    corners = np.floor(_from_canvas(curves[kept], draw)).astype(np.int64)  # (P, T, 2): upper left pixel of the brush
    # What falls outside lands in a margin of 2 px that is cut off afterwards.
    x, y = np.moveaxis(np.clip(corners, -2, draw) + 2, -1, 0)
    side = draw + 4
    canvas = np.ones((len(EDGES), side, side), np.uint8)
    corner = (_OWNERS[kept][:, None] * side + y) * side + x
    for offset in (0, 1, side, side + 1):
        canvas.reshape(-1)[corner + offset] = 0
    return canvas[:, 2:-2, 2:-2]


def _parabolas(points: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate every piece by a parabola and sample it: curves (P, T, 2) and which are drawn (P,).

    y is a function of x, or x of y where the piece is taller than wide. Pieces with |a| > 1 (1/px of the 512 px canvas)
    are not drawn: they are loops that no function of one coordinate can follow.
    """
    first, middle, last = points[_RUNS[:, 0]], points[_RUNS[:, 1:3]].mean(axis=1), points[_RUNS[:, 3]]
    run = np.stack([first, middle, last], axis=1)  # (P, 3, 2)
    tall = np.ptp(run[..., 1], axis=1) > np.ptp(run[..., 0], axis=1)
    run[tall] = run[tall, :, ::-1]
    u, v = run[..., 0], run[..., 1]  # (P, 3)

    with np.errstate(divide="ignore", invalid="ignore"):
        # Newton's form; 0/0 is a repeated point and has no slope of its own, x/0 is a loop and is dropped below.
        slopes = _nan_to_zero(np.diff(v) / np.diff(u))  # (P, 2)
        bend = _nan_to_zero(np.diff(slopes)[:, 0] / (u[:, 2] - u[:, 0]))  # (P,)
    kept = np.isfinite(slopes).all(axis=1) & (np.abs(bend) <= 1)
    slope, bend = np.where(kept, slopes[:, 0], 0.0), np.where(kept, bend, 0.0)

    length = np.abs(u[:, 2] - u[:, 0])
    steps = np.maximum(np.ceil(length / step), 1)
    # Short pieces repeat their last sample: every row then has the same number of samples.
    t = np.minimum(np.arange(int(steps.max()) + 1) / steps[:, None], 1.0)  # (P, T)
    u_t = u[:, :1] + (u[:, 2:] - u[:, :1]) * t
    v_t = v[:, :1] + slope[:, None] * (u_t - u[:, :1]) + bend[:, None] * (u_t - u[:, :1]) * (u_t - u[:, 1:2])
    curves = np.stack([u_t, v_t], axis=-1)
    curves[tall] = curves[tall, :, ::-1]
    return curves, kept


def _nan_to_zero(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), 0.0, values)


def _distance_map(background: np.ndarray, scale: float) -> np.ndarray:
    """L1 distance in px of the 512 px canvas to the nearest 0 of `background`, divided by 3, cut at 255."""
    if background.all():
        return np.full(background.shape, 255, np.uint8)  # nothing was drawn: infinitely far
    return cv2.convertScaleAbs(cv2.distanceTransform(background, cv2.DIST_L1, 3), alpha=scale / 3)


def _reduce(image: np.ndarray, size: int) -> np.ndarray:
    """Bilinear reduction by the triangle filter of Pillow's BILINEAR; halving, the usual case, by OpenCV."""
    if image.shape[0] == size:
        return image
    if image.shape[0] == 2 * size:
        # (1 3 3 1) / 8 is (1 2 1) / 4 followed by the mean of pairs: 5 times faster than the general filter.
        smooth = cv2.GaussianBlur(image, (3, 3), 0, borderType=cv2.BORDER_REPLICATE)
        return cv2.resize(smooth, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))
