"""What PG2 is told about a pose: one disc per joint, and a mask of the body or face around its limbs.

    maps = joint_maps(joints, 256, 256)      # (N, J, 2) px -> (N, J, 256, 256), 1 in the disc, -1 elsewhere
    mask = pose_mask(joints, 256, 256)       # (N, 1, 256, 256), 1 on the limbs, 0 elsewhere

Lengths are those of the published code for 256 px images and shrink with the shorter side (spec: systems 6).
"""

from __future__ import annotations

import functools
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.errors import BenchError
from benchmark.labelers.ibug68 import PARTS

RADIUS, CLOSING = 4.0, 2.0  # px at 256 px: of discs and limbs; half the closing's square of 5x5
SMALLEST_RADIUS = 0.71  # px: half a pixel's diagonal, so that no disc falls between pixels

BODY_LIMBS = (  # OpenPose's 18 joints as the code for the 256 px data set joins them, cross-links of the trunk included
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0)),
    *((0, 14), (14, 16), (0, 15), (15, 17), (1, 16), (1, 17), (8, 11), (11, 5), (8, 2), (16, 17)),
)
_LINES = [PARTS["jaw"], PARTS["right_brow"], PARTS["left_brow"], PARTS["nose"][:4], PARTS["nose"][4:]]
_RINGS = [PARTS["right_eye"], PARTS["left_eye"], PARTS["mouth"][:12], PARTS["mouth"][12:]]
FACE_LIMBS = tuple(limb for line in (*_LINES, *((*ring, ring[0]) for ring in _RINGS)) for limb in pairwise(line))
LIMBS = {18: BODY_LIMBS, 68: FACE_LIMBS}  # by number of joints


def limbs(joints: int) -> tuple[tuple[int, int], ...]:
    """The joints that are joined, as pairs of indices."""
    if joints not in LIMBS:
        raise BenchError(f"pg2: knows the limbs of 18 body joints and of 68 face landmarks, not of {joints} joints")
    return LIMBS[joints]


def joint_maps(joints: Tensor, height: int, width: int) -> Tensor:
    """joints (N, J, 2) x, y px -> (N, J, H, W): 1 within the radius of a joint, else -1; all -1 for a NaN joint."""
    x, y = _pixels(joints, height, width)
    x0, y0 = joints[..., None, None].unbind(2)
    reached = (x - x0).square() + (y - y0).square() <= radius(height, width) ** 2
    return reached.to(joints.dtype) * 2 - 1


def pose_mask(joints: Tensor, height: int, width: int) -> Tensor:
    """joints (N, J, 2) x, y px -> (N, 1, H, W): 1 within the radius of a limb, gaps closed, else 0 (PG2 sec 3.1).

    A limb with a NaN end is left out.
    """
    starts, ends = _limb_ends(joints.shape[1], joints.device)
    squares = _squared_distances(joints[:, starts], joints[:, ends], height, width)  # (N, L, H, W)
    mask = (squares <= radius(height, width) ** 2).any(1, keepdim=True).to(joints.dtype)
    reach = round(CLOSING * min(height, width) / 256)
    grown = F.max_pool2d(mask, 2 * reach + 1, 1, reach)
    return -F.max_pool2d(-grown, 2 * reach + 1, 1, reach)


@functools.cache  # a copy to the device makes the host wait
def _limb_ends(joints: int, device: torch.device) -> Tensor:
    """Indices of the first and the second joint of every limb, (2, L)."""
    return torch.tensor(limbs(joints), device=device).T


def radius(height: int, width: int) -> float:
    """Of discs and limbs, in px."""
    return max(SMALLEST_RADIUS, RADIUS * min(height, width) / 256)


def _pixels(points: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """x (W,) and y (H, 1) of the pixels' centres."""
    x, y = (torch.arange(size, device=points.device, dtype=points.dtype) for size in (width, height))
    return x, y[:, None]


def _squared_distances(starts: Tensor, ends: Tensor, height: int, width: int) -> Tensor:
    """Of every pixel's centre to every segment, in px squared: starts, ends (N, L, 2) -> (N, L, H, W)."""
    x, y = _pixels(starts, height, width)
    (x0, y0), (x1, y1) = (points[..., None, None].unbind(2) for points in (starts, ends))  # (N, L, 1, 1) each
    dx, dy = x1 - x0, y1 - y0
    right, down = x - x0, y - y0  # (N, L, 1, W), (N, L, H, 1)
    square = (dx.square() + dy.square()).clamp_min(1e-12)
    along = (right * (dx / square) + down * (dy / square)).clamp_(0, 1)  # (N, L, H, W): 0 at the start, 1 at the end
    across, below = torch.addcmul(right, along, dx, value=-1), torch.addcmul(down, along, dy, value=-1)
    return across.square_().addcmul_(below, below)
