"""Photos for sketch -> face: the crop of the official preparation (spec: systems 1.5) round the largest face."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.data.boxes import Box
from benchmark.data.dropped import BadInput
from benchmark.data.face_crop import crop_box, cut_face
from benchmark.data.photos.reading import MIN_CROP, Reading, read_photo
from benchmark.errors import BenchError
from benchmark.labelers.face_label import face_label
from benchmark.labelers.landmarks import get_detector
from benchmark.protocols import TaskInfo

# Of the photo's short side: faces of at least that size are looked for, else smaller ones; else there is none.
SHARES = (1 / 8, 1 / 16)


class FacePhotos:
    """`PhotoReader`. With `as_is` the photo is the crop, and the detector need not find faces in whole photos."""

    option, usual, note = "detector", "dlib", ""

    def __init__(self, detector: Any, info: TaskInfo, as_is: bool) -> None:
        if not as_is and not hasattr(detector, "faces"):
            raise BenchError(f"--detector {detector.name}: cannot find faces in whole photos; take {self.usual}")
        self._detector, self._size, self._as_is = detector, info.width, as_is
        self.protocol = str(detector.protocol)

    @staticmethod
    def labeler(name: str, argument: str) -> Any:
        if argument:
            raise BenchError(f"--detector {name}:{argument}: landmark detectors take no argument")
        return get_detector(name)

    def read(self, path: Path) -> Reading:
        photo = read_photo(path)
        box, faces = ((0, 0, photo.shape[1], photo.shape[0]), 1) if self._as_is else self._find(photo)
        image, points = cut_face(photo, box, self._detector, self._size)
        note = f"{faces} faces, the largest was taken" if faces > 1 else ""
        return Reading(image, points, partial(face_label, points, self._size), note)

    def _find(self, photo: np.ndarray) -> tuple[Box, int]:
        """The crop round the largest face, and how many there are."""
        least = min(MIN_CROP, self._size)
        for share in SHARES:
            found = self._detector.faces(photo, max(least / 2, min(photo.shape[:2]) * share))
            if found:
                largest = max(found, key=lambda points: np.prod(np.ptp(points, axis=0)))
                return crop_box(largest, photo.shape, least), len(found)
        raise BadInput("no face")
