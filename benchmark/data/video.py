"""Video files to frames, with PyAV: `for number, frame in Video(path).frames(every=10)`.

A video that breaks off is read as far as it goes and says so in `Video.problem`; one that cannot be read at all raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmark.errors import BenchError

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")


class UnreadableVideo(BenchError):
    """Not one frame can be decoded; the message is one line that names the file."""


def find_videos(folder: Path) -> list[Path]:
    """All video files below `folder`, sorted by path; BenchError if there is none."""
    if not folder.is_dir():
        raise BenchError(f"{folder}: not a folder; --videos takes a folder of video files")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise BenchError(f"{folder}: no video files ({' '.join(SUFFIXES)}); put one video per person there")
    return found


class Video:
    """One video file; when `frames` has met the end, `problem` is None or one line on what was wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = None

    def frames(self, every: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (frame number, uint8 (H, W, 3) RGB, upright) of every `every`-th frame, from frame 0.

        Raises:
            UnreadableVideo: empty file, not a video, or no frame can be decoded.
        """
        import av

        if self.path.stat().st_size == 0:
            raise UnreadableVideo(f"{self.path.name}: the file is empty (0 bytes)")
        read, declared = 0, 0
        try:
            with av.open(str(self.path)) as container:
                if not container.streams.video:
                    raise UnreadableVideo(f"{self.path.name}: holds no video stream")
                stream = container.streams.video[0]
                declared = stream.frames
                for frame in container.decode(stream):
                    if read % every == 0:
                        yield read, upright(frame.to_ndarray(format="rgb24"), frame.rotation)
                    read += 1
        except av.error.FFmpegError as error:
            if not read:
                raise UnreadableVideo(f"{self.path.name}: cannot be decoded ({error.strerror})") from None
            self.problem = f"damaged after frame {read - 1} ({error.strerror})"
        if not read:
            raise UnreadableVideo(f"{self.path.name}: no frame can be decoded")
        # Containers may count a few frames that an edit list hides; a real cut loses more than that.
        if self.problem is None and read < 0.98 * declared - 2:
            self.problem = f"cut short: {read} of {declared} frames could be decoded"

    def length(self) -> int:
        """Number of frames according to the container, 0 where it does not say; for progress only."""
        import av

        try:
            with av.open(str(self.path)) as container:
                return container.streams.video[0].frames if container.streams.video else 0
        except av.error.FFmpegError:
            return 0


def upright(frame: np.ndarray, degrees: float) -> np.ndarray:
    """Turn a frame (H, W, 3) counter-clockwise, as its file asks: phones store portraits lying down."""
    return np.ascontiguousarray(np.rot90(frame, round(degrees / 90)))
