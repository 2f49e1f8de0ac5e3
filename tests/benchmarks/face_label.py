"""How fast is the face label, and how much faster than a per-pixel loop? Run: `python tests/benchmarks/face_label.py`.

`loop_label` is the slow label, written point by point and pixel by pixel from the specification; the tests' oracle.
"""

from __future__ import annotations

import math
import time

import numpy as np

EDGES = [
    [*range(17), *range(68, 83), 0], [17, 18, 19, 20, 21], [22, 23, 24, 25, 26],
    [28, 31], [31, 32, 33, 34, 35], [35, 28],
    [36, 37, 38, 39], [39, 40, 41, 36], [42, 43, 44, 45], [45, 46, 47, 42],
    [48, 49, 50, 51, 52, 53, 54], [54, 55, 56, 57, 58, 59, 48], [60, 61, 62, 63, 64], [64, 65, 66, 67, 60],
]  # fmt: skip


def example_face(size: int) -> np.ndarray:
    """A plain frontal face, float32 (68, 2) px, in the place the official crop gives it."""
    jaw = [(0.5 - 0.24 * math.cos(math.pi * k / 16), 0.46 + 0.30 * math.sin(math.pi * k / 16)) for k in range(17)]
    brow = [(0.31, 0.41), (0.34, 0.385), (0.38, 0.38), (0.42, 0.385), (0.455, 0.40)]
    nose = [(0.5, 0.45), (0.5, 0.49), (0.5, 0.53), (0.5, 0.57)]
    nose += [(0.46, 0.595), (0.48, 0.603), (0.5, 0.61), (0.52, 0.603), (0.54, 0.595)]
    eye = [(0.345, 0.455), (0.37, 0.44), (0.40, 0.44), (0.425, 0.458), (0.40, 0.468), (0.37, 0.468)]
    other_brow = [(1 - x, y) for x, y in reversed(brow)]
    other_eye = [(1 - x, y) for x, y in (eye[3], eye[2], eye[1], eye[0], eye[5], eye[4])]
    lips = [(0.42, 0.665), (0.45, 0.653), (0.48, 0.645), (0.5, 0.65), (0.52, 0.645), (0.55, 0.653), (0.58, 0.665)]
    lips += [(0.55, 0.695), (0.52, 0.705), (0.5, 0.707), (0.48, 0.705), (0.45, 0.695)]
    lips += [(0.43, 0.667), (0.48, 0.662), (0.5, 0.664), (0.52, 0.662), (0.57, 0.667)]
    lips += [(0.52, 0.682), (0.5, 0.684), (0.48, 0.682)]
    unit = np.array(jaw + brow + other_brow + nose + eye + other_eye + lips)
    return (unit * size - 0.5).astype(np.float32)


def loop_label(landmarks: np.ndarray, size: int, draw: int) -> np.ndarray:
    """The label by plain loops: uint8 (15, size, size), drawn at `draw` px and reduced by Pillow."""
    from PIL import Image

    points = [((x + 0.5) * 512 / size - 0.5, (y + 0.5) * 512 / size - 0.5) for x, y in landmarks.astype(float)]
    ear = (points[0][1] + points[16][1]) / 2
    points += [(x, ear + math.floor((ear - y) * 2 / 3)) for x, y in points[15:0:-1]]

    planes = []
    for edge in EDGES:
        on = [[False] * draw for _ in range(draw)]
        for start in range(0, len(edge) - 1, 2):
            for px, py in _sample([points[i] for i in edge[start : start + 3]], draw):
                column, row = math.floor((px + 0.5) * draw / 512 - 0.5), math.floor((py + 0.5) * draw / 512 - 0.5)
                for y, x in ((row, column), (row, column + 1), (row + 1, column), (row + 1, column + 1)):
                    if 0 <= x < draw and 0 <= y < draw:
                        on[y][x] = True
        planes.append(on)
    sketch = [[255 * any(plane[y][x] for plane in planes) for x in range(draw)] for y in range(draw)]
    canvases = [sketch] + [_distances(plane, draw) for plane in planes]
    reduced = [Image.fromarray(np.array(c, np.uint8)).resize((size, size), Image.Resampling.BILINEAR) for c in canvases]
    return np.stack([np.asarray(image) for image in reduced])


def _sample(run: list[tuple[float, float]], draw: int) -> list[tuple[float, float]]:
    xs, ys = zip(*run, strict=True)
    tall = max(ys) - min(ys) > max(xs) - min(xs)
    along, across = (ys, xs) if tall else (xs, ys)
    fit = np.polyfit(along, across, len(run) - 1)
    if len(run) == 3 and abs(fit[0]) > 1:
        return []
    count = max(math.ceil(abs(along[-1] - along[0]) / min(1.0, 512 / draw)), 1)
    stations = [along[0] + (along[-1] - along[0]) * k / count for k in range(count + 1)]
    return [(float(np.polyval(fit, s)), s) if tall else (s, float(np.polyval(fit, s))) for s in stations]


def _distances(on: list[list[bool]], draw: int) -> list[list[int]]:
    """Two-pass city-block distance, in px of the 512 px face, divided by 3 and cut at 255."""
    far = 10**9
    d = [[0 if on[y][x] else far for x in range(draw)] for y in range(draw)]
    for y in range(draw):
        for x in range(draw):
            d[y][x] = min(d[y][x], d[y - 1][x] + 1 if y else far, d[y][x - 1] + 1 if x else far)
    for y in reversed(range(draw)):
        for x in reversed(range(draw)):
            d[y][x] = min(d[y][x], d[y + 1][x] + 1 if y + 1 < draw else far, d[y][x + 1] + 1 if x + 1 < draw else far)
    return [[min(round(v * 512 / draw / 3), 255) for v in row] for row in d]


def main() -> None:
    import cv2

    from benchmark.labelers.face_label import face_label

    cv2.setNumThreads(1)
    for size, draw, repeats in ((64, 128, 200), (256, 512, 30)):
        landmarks = example_face(size)
        start = time.perf_counter()
        loop_label(landmarks, size, draw)
        slow = time.perf_counter() - start
        face_label(landmarks, size)
        start = time.perf_counter()
        for _ in range(repeats):
            face_label(landmarks, size)
        fast = (time.perf_counter() - start) / repeats
        print(f"{size:4d} px: {fast * 1e3:6.2f} ms; per-pixel loop {slow * 1e3:7.0f} ms: {slow / fast:4.0f} times")


if __name__ == "__main__":
    main()
