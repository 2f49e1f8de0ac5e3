"""Dance videos for tests, with what OpenPose and DensePose would say of them: rendered dancers, or a plain figure.

The figure is 18 joints at fixed places of a box; its picture is a bright rectangle filling that box, and its part map
has part 1 there. A red square marks the neck, so that a test can see in a crop where the neck went.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.data.procedural.dance import densepose, joints, render, sample_clip
from tests.data.video_maker import write_video

FIGURE = np.array(
    [
        (0.5, 0.1), (0.5, 0.2), (0.3, 0.2), (0.1, 0.4), (0.0, 0.6), (0.7, 0.2), (0.9, 0.4), (1.0, 0.6), (0.4, 0.55),
        (0.4, 0.8), (0.4, 1.0), (0.6, 0.55), (0.6, 0.8), (0.6, 1.0), (0.45, 0.05), (0.55, 0.05), (0.4, 0.08), (0.6, 0),
    ]
)  # fmt: skip
WIDTH, HEIGHT = 320, 240


def figure(x: float, y: float, width: float = 60, height: float = 120) -> np.ndarray:
    """Joints (18, 2) px of a figure whose box has its upper left corner at x, y."""
    return (FIGURE * (width, height) + (x, y)).astype(np.float32)


def figure_frame(*people: np.ndarray) -> np.ndarray:
    """Picture uint8 (HEIGHT, WIDTH, 3) of figures."""
    frame = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    for person in people:
        (x0, y0), (x1, y1) = np.rint(person.min(axis=0)).astype(int), np.rint(person.max(axis=0)).astype(int)
        frame[y0 : y1 + 1, x0 : x1 + 1] = 210
        x, y = np.rint(person[1]).astype(int)
        frame[y - 4 : y + 5, x - 4 : x + 5] = (230, 20, 20)
    return frame


def part_map(person: np.ndarray) -> np.ndarray:
    """Part, U, V uint8 (HEIGHT, WIDTH, 3) of a figure: part 1 in its box."""
    frame = figure_frame(person)
    return np.where((frame.max(axis=2) > 125)[..., None], np.array([1, 100, 200]), 0).astype(np.uint8)


def openpose_text(*people: np.ndarray) -> str:
    """OpenPose's file for people (18, 2) px, NaN where a joint is not found."""
    return json.dumps(
        {"version": 1.1, "people": [{"person_id": [-1], "pose_keypoints_2d": flat(person)} for person in people]}
    )


def flat(person: np.ndarray) -> list[float]:
    """x, y, confidence of every joint in one list; 0, 0, 0 for one that is not found."""
    sure = np.isfinite(person).all(axis=1, keepdims=True)
    return np.where(sure, np.hstack([person, np.full_like(sure, 0.8, np.float64)]), 0.0).ravel().tolist()


def write_joints(folder: Path, video: str, number: int, *people: np.ndarray) -> Path:
    """A file as OpenPose names it."""
    path = folder / f"{video}_{number:012d}_keypoints.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(openpose_text(*people))
    return path


def write_parts(folder: Path, video: str, number: int, parts: np.ndarray) -> Path:
    """Part, U, V as DensePose's tool writes them: with OpenCV, so that the part is the file's blue."""
    path = folder / video / f"{number:06d}_IUV.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(parts[..., ::-1])).save(path)
    return path


def write_figures(folder: Path, name: str, people: list[list[np.ndarray]]) -> None:
    """A video of figures in folder/videos and their joints in folder/joints, one list of people a frame."""
    write_video(folder / "videos" / f"{name}.mp4", [figure_frame(*frame) for frame in people])
    for number, frame in enumerate(people):
        write_joints(folder / "joints", name, number, *frame)


def write_dancers(folder: Path, dancers: int = 2, frames: int = 6, size: int = 128) -> None:
    """Rendered dancers: folder/videos, folder/joints, folder/parts."""
    for dancer in range(dancers):
        name = f"dancer{dancer}"
        clip, look = sample_clip(0, dancer, frames)
        write_video(folder / "videos" / f"{name}.mp4", [render(state, look, size) for state in clip])
        for number, state in enumerate(clip):
            write_joints(folder / "joints", name, number, joints(state, size))
            write_parts(folder / "parts", name, number, densepose(state, size))
