"""`precomputed`: parsings that somebody made elsewhere, with any parser in the world.

    get_parser("precomputed:FOLDER")    # FOLDER/images/a/b.png is parsed by FOLDER/labels/a/b.png

Copy the pictures to be parsed (a run's images folder, or frames of a data set) to FOLDER/images, let your parser write
one id map per picture to FOLDER/labels: single-channel PNG, same path and size, 19 train ids and 255. A picture finds
its map by its pixels, so a map can never be taken for another picture's; FOLDER/protocol.txt, one line, names the
parser in every score.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from benchmark.errors import BenchError
from benchmark.files import sha256_file
from benchmark.labelers.cityscapes import to_train

PICTURES = (".png", ".jpg", ".jpeg")


class PrecomputedParser:
    """Contract as `benchmark.protocols.SceneParser`.

    Raises:
        BenchError: a folder without images, labels or protocol.txt; later, a picture that is not among the images, or
            a map that is missing, of another size or of another vocabulary.
    """

    name = "precomputed"

    def __init__(self, argument: str = "") -> None:
        self.folder = Path(argument)
        images, note = self.folder / "images", self.folder / "protocol.txt"
        if not argument or not images.is_dir() or not (self.folder / "labels").is_dir():
            raise BenchError(
                f"eval.parser: precomputed:{argument}: expected a folder with images/ and labels/ (docs/labelers.md)"
            )
        parser = note.read_text(encoding="utf-8").strip() if note.is_file() else ""
        if not parser or len(parser.splitlines()) > 1:
            raise BenchError(f"{note}: one line that names the parser and its weights is needed")
        paths = sorted(p for p in images.rglob("*") if p.suffix.lower() in PICTURES)
        self._maps = {
            _key(_pixels(p)): (self.folder / "labels" / p.relative_to(images)).with_suffix(".png") for p in paths
        }
        digests = (sha256_file(path) for path in sorted(set(self._maps.values())) if path.is_file())
        self.protocol = f"precomputed-{hashlib.sha256(''.join(digests).encode()).hexdigest()[:8]}-{parser}"

    def parse(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, 3) RGB -> uint8 (N, H, W) train ids, looked up."""
        return np.stack([self._map(image) for image in images])

    def _map(self, image: np.ndarray) -> np.ndarray:
        path = self._maps.get(_key(image))
        if path is None:
            raise BenchError(
                f"{self.folder / 'images'}: one of the pictures to parse is not among the {len(self._maps)} there; "
                "copy the pictures of this very run, and parse them"
            )
        if not path.is_file():
            raise BenchError(f"{path}: missing: its picture is in images/")
        try:
            return read_ids(path, image.shape[:2])
        except BenchError as error:
            raise BenchError(f"{path}: {error}") from None


def read_ids(path: Path, size: tuple[int, int]) -> np.ndarray:
    """A single-channel PNG of train ids, uint8 (H, W) of `size`; BenchError for anything else."""
    try:
        with Image.open(path) as file:
            if file.mode not in ("L", "P"):
                raise BenchError(f"mode {file.mode}: a single-channel map of ids is needed, not a picture of colours")
            ids = np.asarray(file)
    except (UnidentifiedImageError, OSError) as error:
        raise BenchError(f"not a readable image ({error})") from None
    if ids.shape != size:
        raise BenchError(f"{ids.shape[1]}x{ids.shape[0]} px, its picture has {size[1]}x{size[0]}")
    return to_train(ids, "train-19")


def _pixels(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as file:
            return np.asarray(file.convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise BenchError(f"{path}: not a readable image ({error})") from None


def _key(image: np.ndarray) -> str:
    return hashlib.sha256(f"{image.shape}".encode() + np.ascontiguousarray(image).tobytes()).hexdigest()
