"""One encoder, one size and one length of file for every picture of a study, so that none of them tells a method.

Lossless WebP up to 512 px, above that quality 95; no metadata but a run of spaces that makes all files equally long (an
XMP packet is meant to be padded so, and decoders pass over it). Nothing else of the source file survives.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from benchmark.errors import BenchError
from benchmark.survey.material import Picture

LOSSLESS_UP_TO = 512
COARSE = 8  # how many times smaller the coarse copy is


def encode(picture: Picture, pixels: int) -> tuple[bytes, tuple[int, int]]:
    """The picture as WebP with its longer side at `pixels`; also its (width, height)."""
    image = _read(picture.path)
    if picture.coarse:
        image = _resize(image, image.width // COARSE, image.height // COARSE)
    scale = pixels / max(image.size)
    image = _resize(image, round(image.width * scale), round(image.height * scale))
    file = io.BytesIO()
    lossless = pixels <= LOSSLESS_UP_TO
    image.save(file, "WEBP", lossless=lossless, quality=80 if lossless else 95, method=2, xmp=b"  ")
    return file.getvalue(), image.size


def pad(data: bytes, length: int) -> bytes:
    """A WebP file that ends in an XMP chunk, lengthened with spaces; the length is even, as RIFF wants it."""
    extra = length - len(data)
    if extra < 0 or extra % 2:
        raise ValueError(f"cannot pad {len(data)} bytes to {length}")
    start = data.rindex(b"XMP ")
    (size,) = struct.unpack_from("<I", data, start + 4)
    if start + 8 + size != len(data):
        raise ValueError("the XMP chunk is not the last")
    padded = bytearray(data + b" " * extra)
    struct.pack_into("<I", padded, start + 4, size + extra)
    struct.pack_into("<I", padded, 4, length - 8)
    return bytes(padded)


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except FileNotFoundError as error:
        raise BenchError(f"{path}: no such picture; finish the run first") from error
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise BenchError(f"{path}: cannot be read as a picture: {error}") from error


def _resize(image: Image.Image, width: int, height: int) -> Image.Image:
    size = (max(1, width), max(1, height))
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)
