"""dlib's HOG face finder and 68-point predictor: the paper's F(.) for real faces (spec: systems 1.5).

Needs the extra `face`. The weights are opened by path: importing `face_recognition_models` would need pkg_resources.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmark.errors import BenchError
from benchmark.labelers.ibug68 import POINTS

_WEIGHTS = "shape_predictor_68_face_landmarks.dat"
_FINDER_SIDE = 80  # px: the smallest face that dlib's HOG finder sees


class DlibDetector:
    """Finds faces with dlib: `detect` in crops (the `LandmarkDetector` contract), `faces` in whole video frames."""

    name = "dlib"

    def __init__(self) -> None:
        self._dlib = import_dlib("labeler dlib")
        weights = _weights_file()
        self._finder = self._dlib.get_frontal_face_detector()
        self._predictor = self._dlib.shape_predictor(str(weights))
        self.protocol = f"dlib-68[{_digest(weights)[:8]}]"

    def detect(self, images: np.ndarray) -> np.ndarray:
        """Landmarks of the largest face of each crop: uint8 (N, H, W, 3) RGB -> float32 (N, 68, 2) px, NaN rows
        where none.

        Every crop is searched for faces down to a quarter of its side, so that 64 px crops are treated as 256 px ones.
        """
        landmarks = np.full((len(images), POINTS, 2), np.nan, np.float32)
        for row, image in enumerate(images):
            found = self.faces(image, smallest=min(image.shape[:2]) / 4)
            if found:
                landmarks[row] = max(found, key=lambda points: np.prod(np.ptp(points, axis=0)))
        return landmarks

    def faces(self, image: np.ndarray, smallest: float = _FINDER_SIDE) -> list[np.ndarray]:
        """Landmarks float32 (68, 2) px of every face at least `smallest` px wide in a photo uint8 (H, W, 3) RGB."""
        scale = _FINDER_SIDE / smallest
        searched = image if scale == 1 else _resized(image, scale)
        detailed, detail_scale = (searched, scale) if scale > 1 else (image, 1.0)
        found = []
        for box in self._finder(np.ascontiguousarray(searched), 0):
            edges = (np.array([box.left(), box.top(), box.right(), box.bottom()]) + 0.5) * (detail_scale / scale) - 0.5
            shape = self._predictor(np.ascontiguousarray(detailed), self._dlib.rectangle(*map(round, edges)))
            points = np.array([(point.x, point.y) for point in shape.parts()], np.float32)
            found.append((points + 0.5) / detail_scale - 0.5)
        return found


def _resized(image: np.ndarray, scale: float) -> np.ndarray:
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def import_dlib(who: str) -> Any:
    """The module; a BenchError that begins with `who` and says what to install where it is missing."""
    try:
        import dlib
    except ImportError:
        raise BenchError(f"{who}: the library dlib is not installed; pip install 'exemplar-bench[face]'") from None
    return dlib


def _weights_file() -> Path:
    """The 68-point weights: from the PyPI package face-recognition-models or Debian's libdlib-data."""
    package = importlib.util.find_spec("face_recognition_models")
    folders = [Path(folder) / "models" for folder in (package.submodule_search_locations or [])] if package else []
    for folder in [*folders, Path("/usr/share/dlib")]:
        if (folder / _WEIGHTS).is_file():
            return folder / _WEIGHTS
    raise BenchError(
        f"labeler dlib: {_WEIGHTS} not found; pip install 'exemplar-bench[face]' (or apt install libdlib-data)"
    )


@cache
def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
