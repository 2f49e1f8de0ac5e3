"""What training shows the procedural labelers besides clean renderings: pictures as young GANs make them, and pictures
that show nothing.
"""

from __future__ import annotations

import cv2
import numpy as np


def degraded(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a young GAN or a careless encoder does to a picture, uint8 (H, W, 3), each with its own probability."""
    image: np.ndarray = photo.astype(np.float32)
    rows, columns = photo.shape[:2]
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.6))
    if rng.random() < 0.25:
        small = cv2.resize(image, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        image = (image - 128) * rng.uniform(0.5, 1.3) + 128 + rng.normal(0, 20) + rng.normal(0, 12, 3)
    if rng.random() < 0.15:
        image[:] = image.mean(axis=2, keepdims=True)
    if rng.random() < 0.4:
        image += rng.normal(0, rng.uniform(2, 18), image.shape)
    if rng.random() < 0.2:  # the checkerboard of transposed convolutions
        image[rng.integers(2) :: 2, rng.integers(2) :: 2] += rng.normal(0, 14, 3)
    if rng.random() < 0.2:
        side = min(rows, columns)
        height, width = rng.integers(side // 10, side // 4, 2)
        y, x = rng.integers(0, rows - height), rng.integers(0, columns - width)
        image[y : y + height, x : x + width] = rng.uniform(0, 255, 3)
    return np.clip(image, 0, 255).astype(np.uint8)


def emptied(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A square picture of nobody: flat, gradient, noise, or a real frame taken apart until nothing of it is left."""
    side = photo.shape[0]
    kind = rng.integers(5)
    if kind == 0:
        flat = np.broadcast_to(rng.uniform(0, 255, 3), (side, side, 3))
        return np.clip(flat + rng.normal(0, rng.uniform(0, 6), (side, side, 3)), 0, 255).astype(np.uint8)
    if kind == 1:
        corners = rng.uniform(0, 255, (2, 2, 3)).astype(np.float32)
        return cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    if kind == 2:
        noise: np.ndarray = rng.uniform(0, 255, (side, side, 3)).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.1, 8))
        return (255 * (noise - noise.min()) / np.ptp(noise)).astype(np.uint8)
    if kind == 3:
        tiles = int(rng.choice([4, 8, 16]))
        edge = side // tiles
        pieces = photo.reshape(tiles, edge, tiles, edge, 3).swapaxes(1, 2).reshape(tiles * tiles, edge, edge, 3)
        pieces = rng.permutation(pieces).reshape(tiles, tiles, edge, edge, 3)
        return np.ascontiguousarray(pieces.swapaxes(1, 2).reshape(side, side, 3))
    spectrum = np.fft.rfft2(photo.astype(np.float32), axes=(0, 1))
    phase = np.exp(1j * np.angle(np.fft.rfft2(rng.normal(size=(side, side, 1)), axes=(0, 1))))
    return np.clip(np.fft.irfft2(np.abs(spectrum) * phase, s=(side, side), axes=(0, 1)), 0, 255).astype(np.uint8)


def moved(photo: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Turn, scale and shift a square photo and its points (..., 2) px together."""
    side = photo.shape[0]
    angle, factor = rng.normal(0, 6), np.exp(rng.normal(0, 0.08))
    matrix: np.ndarray = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), angle, factor)
    matrix[:, 2] += rng.normal(0, 0.03 * side, 2)
    photo = cv2.warpAffine(np.ascontiguousarray(photo), matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    return photo, points @ matrix[:, :2].T + matrix[:, 2]


def compressed(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A photo after JPEG of quality 20 to 90."""
    _, data = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 91))])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
