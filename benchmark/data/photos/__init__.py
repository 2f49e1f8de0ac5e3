"""F(.) on single photos from anywhere: find the subject, crop it as the training data was cropped, draw its label.

    reader = open_reader("face", config, info, detector="dlib")
    reading = reader.read(path)                   # Dropped("no face"): nothing to draw a label from
    reading.image, reading.label()                # uint8 (H, W, 3), uint8 (C, H, W)

A labeler whose name begins with "procedural" knows rendered pictures only. It is not used on photos unless asked for by
name, and then takes each picture as it is, for cut out already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmark.data.dropped import Dropped
from benchmark.data.photos.dance import DancePhotos
from benchmark.data.photos.face import FacePhotos
from benchmark.data.photos.reading import PhotoReader, Reading
from benchmark.data.photos.street import StreetPhotos
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from benchmark.config import Config
    from benchmark.protocols import TaskInfo

__all__ = ["READERS", "Dropped", "PhotoReader", "Reading", "open_reader"]

READERS: dict[str, Any] = {"face": FacePhotos, "dance": DancePhotos, "street": StreetPhotos}
RENDERED = "procedural"  # how the names of labelers of rendered pictures begin


def open_reader(task: str, config: Config, info: TaskInfo, detector: str = "", parser: str = "") -> PhotoReader:
    """The reader of a task with the labeler "name" or "name:argument"; "" means the run's own if that knows photos.

    Raises:
        BenchError: a task that has no reader, a labeler of the wrong kind, or one whose library or weights are missing.
    """
    if task not in READERS:
        raise BenchError(f"synthesize: the {task} task cannot label photos; {', '.join(READERS)} can")
    cls = READERS[task]
    asked = {"detector": detector, "parser": parser}
    for option, value in asked.items():
        if value and option != cls.option:
            raise BenchError(f"--{option} {value}: the {task} task reads photos with --{cls.option}, e.g. {cls.usual}")
    spec = asked[cls.option] or _own(config, cls.option) or cls.usual
    name, _, argument = spec.partition(":")
    labeler = cls.labeler(name, argument)
    reader: PhotoReader = cls(labeler, info, as_is=name.startswith(RENDERED))
    return reader


def _own(config: Config, option: str) -> str:
    """The labeler that the run is scored with; "" where it knows rendered pictures only, or there is none."""
    own: str = getattr(config.eval, option)
    return "" if own == "source" or own.startswith(RENDERED) else own
