"""Photos for scene parsing -> street view: the middle of the photo in the task's aspect."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmark.data.boxes import cut, resized
from benchmark.data.photos.reading import Reading, middle_box, read_photo
from benchmark.labelers.parsing import get_parser
from benchmark.labelers.street_label import street_label
from benchmark.protocols import SceneParser, TaskInfo

PARSED = 1280  # px: the width of BDD100K's photos; wider ones are parsed at this width


class StreetPhotos:
    """`PhotoReader`. `precomputed:DIR` needs the photos to lie in DIR/images, with their maps in DIR/labels."""

    option, usual, note = "parser", "danet", ""

    def __init__(self, parser: SceneParser, info: TaskInfo, as_is: bool) -> None:
        self._parser, self._size = parser, (info.width, info.height)
        self.protocol = parser.protocol

    @staticmethod
    def labeler(name: str, argument: str) -> SceneParser:
        return get_parser(f"{name}:{argument}" if argument else name)

    def read(self, path: Path) -> Reading:
        photo = read_photo(path)
        box = middle_box(photo, self._size)
        ids = cv2.resize(self._parse(photo, box), self._size, interpolation=cv2.INTER_NEAREST_EXACT)
        image = resized(cut(photo, box), self._size)
        return Reading(image, np.zeros((0, 2), np.float32), partial(street_label, ids))

    def _parse(self, photo: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        """Train ids of what lies in the box, uint8, at any size."""
        if self._parser.name == "precomputed":  # finds a map by the pixels of the whole file
            return cut(self._parser.parse(photo[None])[0], box)
        seen = cut(photo, box)
        if seen.shape[1] > PARSED:
            seen = resized(seen, (PARSED, max(round(PARSED * seen.shape[0] / seen.shape[1]), 1)))
        return self._parser.parse(seen[None])[0]
