"""A contact sheet of a prepared folder: one clip a row, frames spread over its length, points or limbs drawn over."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmark.data.prepared import PreparedFrames
from benchmark.data.source import Frame
from benchmark.labelers.openpose18 import JOINTS
from benchmark.labelers.pose_label import CANVAS, draw_limbs

_GREEN = (60, 230, 90)


def write_prepared_sheet(path: Path, source: PreparedFrames, clips: int, frames: int) -> None:
    """Write a PNG of the first `clips` clips with `frames` frames each; a shorter clip leaves its last cells grey."""
    cell = source.height
    shown = source.clips[:clips]
    sheet = np.full((len(shown) * cell, frames * cell, 3), 128, np.uint8)
    for row, clip in enumerate(shown):
        count = min(frames, len(clip))
        for column, index in enumerate(np.linspace(0, len(clip) - 1, count).round().astype(int)):
            frame = Frame(clip.id, int(index))
            y, x = row * cell, column * cell
            points = source.landmarks(frame)
            marked = with_limbs if len(points) == JOINTS else with_points
            sheet[y : y + cell, x : x + cell] = marked(source.image(frame), points)
    Image.fromarray(sheet).save(path)


def with_points(photo: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """A copy of a photo uint8 (H, W, 3) with the landmarks (68, 2) px drawn as dots."""
    drawn = photo.copy()
    for point in np.rint(landmarks * 16).astype(int):  # 4 fractional bits
        cv2.circle(drawn, tuple(int(v) for v in point), max(photo.shape[0] * 16 // 160, 8), _GREEN, -1, cv2.LINE_AA, 4)
    return drawn


def with_limbs(photo: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """A copy of a photo uint8 (H, W, 3) with the limbs of the joints (18, 2) px in the label's colours, brightened."""
    limbs = draw_limbs(joints.astype(np.float64), photo.shape[:2], photo.shape[0] / CANVAS)
    bright = np.minimum(limbs.astype(np.uint16) * 5 // 3, 255).astype(np.uint8)
    return np.where(limbs.any(axis=2, keepdims=True), bright, photo)
