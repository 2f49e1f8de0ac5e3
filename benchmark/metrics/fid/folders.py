"""Folders of pictures: what is in them, and every picture as 8-bit RGB or one line that says why not.

    pictures = scan(folder)             # recursive, any case of extension, in order of relative path
    data, sha256 = read(pictures[0].path)
    pixels = decode(pictures[0].path, data)   # uint8 (3, H, W)

What keeps its meaning is converted and counted (grey, palette, black and white, an alpha that is opaque everywhere).
What would need a guess is refused: transparency, 16 bits, CMYK and other colour spaces, several frames. An orientation
in EXIF is not applied, as in every FID tool.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from benchmark.errors import BenchError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
MODES = ("1", "L", "P", "RGB", "RGBA", "LA", "PA")


@dataclass(frozen=True)
class Picture:
    """One file of a set: its name below the folder, without extension, is what pairs it with another set's."""

    path: Path
    name: str


def scan(folder: Path) -> list[Picture]:
    """Every picture below `folder`, in order of relative path. BenchError when there is no folder or no picture."""
    if not folder.is_dir():
        raise BenchError(f"{folder}: {'is a file, not a folder' if folder.exists() else 'no such folder'}")
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not paths:
        raise BenchError(f"{folder}: holds no picture; looked for {', '.join(SUFFIXES)} in it and below")
    relative = {path: path.relative_to(folder) for path in paths}
    ordered = sorted(paths, key=lambda path: relative[path].as_posix())
    return [Picture(path, relative[path].with_suffix("").as_posix()) for path in ordered]


def left_out(folder: Path) -> list[Path]:
    """Files below `folder` that `scan` takes for no pictures, hidden ones aside, in order."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(p for p in files if p.suffix.lower() not in SUFFIXES and not p.name.startswith("."))


def list_sha256(pictures: Sequence[Picture], digests: Sequence[str]) -> str:
    """One hash for a set: over "name sha256" of every file, sorted."""
    lines = sorted(f"{picture.name} {digest}\n" for picture, digest in zip(pictures, digests, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read(path: Path) -> tuple[bytes, str]:
    """The bytes of a file and their sha256."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BenchError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not data:
        raise BenchError(f"{path}: is empty (0 bytes)")
    return data, hashlib.sha256(data).hexdigest()


def describe(path: Path, data: bytes) -> tuple[str, tuple[int, int]]:
    """Mode and (width, height) of a file's bytes, from its header."""
    with _opened(path, data) as image:
        return image.mode, image.size


def decode(path: Path, data: bytes) -> np.ndarray:
    """uint8 (3, H, W) RGB of a file's bytes; BenchError names the file and what it is."""
    with _opened(path, data) as image:
        _refuse(path, image)
        rgb = image if image.mode == "RGB" else image.convert("RGB")
        pixels = np.asarray(rgb)  # decodes: a truncated file shows here
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))


@contextmanager
def _opened(path: Path, data: bytes) -> Iterator[Image.Image]:
    try:
        with Image.open(io.BytesIO(data)) as image:
            yield image
    except UnidentifiedImageError as error:
        raise BenchError(f"{path}: cannot be read as a picture: its bytes are of no known format") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BenchError(f"{path}: cannot be read as a picture, truncated or damaged: {error}") from error


def _refuse(path: Path, image: Image.Image) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise BenchError(f"{path}: holds {frames} frames; save the one you mean as 8-bit RGB")
    if image.mode.startswith(("I", "F")) or any(";16" in str(tile) for tile in getattr(image, "tile", ())):
        raise BenchError(f"{path}: has more than 8 bits per channel ({image.mode}); save it as 8-bit RGB")
    if image.mode not in MODES:
        raise BenchError(f"{path}: has colours of type {image.mode}; save it as 8-bit RGB")
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
        raise BenchError(f"{path}: is partly transparent; save it as 8-bit RGB on the background you mean")
