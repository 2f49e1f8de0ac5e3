"""Rendered frames on disk, shared by all processes of a machine and by its later runs.

    cache = open_cache(source)                 # None where it cannot or shall not be kept
    cache.put("image", Frame("face-00003", 2), pixels)
    cache.get("image", Frame("face-00003", 2))   # the same pixels, in any process; None before they were put

The worlds lie in $BENCH_FRAMES (or ~/.cache/exemplar-bench/frames; "off" keeps none), one folder each, named by the
source's fingerprint and the code that draws it. Each kind of array is one .npy file that readers map into memory, with
a slot for every frame and a checksum in every slot. A slot counts only if its checksum holds, so a kill, a power cut,
or two processes that fill the same slot can cost time, never a wrong pixel. `LIMIT` bounds one world and all of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import shutil
import threading
import zlib
from pathlib import Path

import numpy as np

from benchmark.data.source import Frame, Source

LIMIT = 4 << 30  # bytes
SPARE = 1 << 30  # bytes that stay free on the disk for what a run itself writes


class SlotFile:
    """Arrays of one shape and type in the numbered slots of one file; made when the first array arrives."""

    def __init__(self, path: Path, slots: int) -> None:
        self._path, self._slots = path, slots
        self._records: np.ndarray | None = None
        self._offset = 0
        self._whole: set[int] = set()  # slots whose checksum this process has seen to hold
        self._off = False
        self._open()

    def get(self, slot: int) -> np.ndarray | None:
        """The array of a slot, a read-only view of the file; None when it holds none."""
        if self._records is None and not self._open():
            return None
        assert self._records is not None
        data = self._records["data"][slot]
        if slot not in self._whole:
            if int(self._records["crc"][slot]) != _checksum(data, slot):
                return None
            self._whole.add(slot)
        return data

    def put(self, slot: int, array: np.ndarray) -> bool:
        """Fill a slot; False when the disk or the limit forbids it, or the array is not like those before it."""
        if self._off or not (self._open() or self._make(array)):
            return False
        assert self._records is not None
        kind = self._records.dtype["data"]
        if (array.dtype, array.shape) != (kind.base, kind.shape):
            return False
        record = np.zeros((), self._records.dtype)
        record["crc"], record["data"] = _checksum(array, slot), array
        try:  # by a write: a full disk is an error here, but ends a process that stores into a map
            with open(self._path, "r+b", buffering=0) as file:
                file.seek(self._offset + slot * record.nbytes)
                file.write(record.tobytes())
        except OSError:
            self._off = True
        return not self._off

    def _open(self) -> bool:
        """Map the file if it is there; one that is damaged is thrown away."""
        if self._records is not None:
            return True
        try:
            mapped = np.load(self._path, mmap_mode="r")
            if mapped.shape != (self._slots,) or mapped.dtype.names != ("crc", "data"):
                raise ValueError("a file of another make")
        except (ValueError, EOFError):
            self._path.unlink(missing_ok=True)
            return False
        except OSError:
            return False
        self._offset, self._records = mapped.offset, np.asarray(mapped)
        return True

    def _make(self, array: np.ndarray) -> bool:
        """Make the file, with empty slots for arrays like this one; sparse, so a slot takes space once it is filled."""
        record = np.dtype([("crc", "<u4"), ("data", array.dtype, array.shape)])
        size = self._slots * record.itemsize
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            taken = sum(file.stat().st_size for file in self._path.parent.glob("*.npy"))
            if taken + size > LIMIT or size + SPARE > shutil.disk_usage(self._path.parent).free:
                raise OSError("no room")
            with open(temporary, "wb") as file:
                header = {
                    "descr": np.lib.format.dtype_to_descr(record),
                    "fortran_order": False,
                    "shape": (self._slots,),
                }
                np.lib.format.write_array_header_1_0(file, header)
                file.truncate(file.tell() + size)
            with contextlib.suppress(FileExistsError):  # another process was first: its file serves both
                os.link(temporary, self._path)
        except OSError:
            self._off = True
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        return not self._off and self._open()


class FrameCache:
    """The arrays of one source: for every kind ("image", "label", "joints") a `SlotFile` with a slot for each frame."""

    def __init__(self, folder: Path, source: Source) -> None:
        starts = np.cumsum([0, *(len(clip) for clip in source.clips)]).tolist()
        self._slots = {
            clip.id: range(first, last) for clip, first, last in zip(source.clips, starts, starts[1:], strict=False)
        }
        self._folder, self._frames = folder, starts[-1]
        self._files: dict[str, SlotFile] = {}

    def get(self, kind: str, frame: Frame) -> np.ndarray | None:
        """The array of a frame, read-only; None when it is not there (yet)."""
        slot = self._slot(frame)
        return None if slot is None else self._file(kind).get(slot)

    def put(self, kind: str, frame: Frame, array: np.ndarray) -> bool:
        """Keep the array of a frame; False when it cannot be kept."""
        slot = self._slot(frame)
        return slot is not None and self._file(kind).put(slot, array)

    def _slot(self, frame: Frame) -> int | None:
        slots = self._slots.get(frame.clip, range(0))
        return slots[frame.index] if 0 <= frame.index < len(slots) else None

    def _file(self, kind: str) -> SlotFile:
        if kind not in self._files:
            self._files[kind] = SlotFile(self._folder / f"{kind}.npy", self._frames)
        return self._files[kind]


def open_cache(source: Source) -> FrameCache | None:
    """The cache of a rendered source; None if it is switched off or there is no place that can be written."""
    chosen = os.environ.get("BENCH_FRAMES")
    if chosen == "off":
        return None
    try:
        root = Path(chosen) if chosen else Path.home() / ".cache" / "exemplar-bench" / "frames"
        folder = root / _key(source)
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)  # last used now
        _drop_oldest(folder)
    except (OSError, RuntimeError, TypeError):  # nowhere to write, no home, a source without a source file
        return None
    return FrameCache(folder, source)


def _key(source: Source) -> str:
    """Names the pixels: the fingerprint and the code behind it, whose changes need not show in the fingerprint."""
    import cv2

    import benchmark.labelers

    digest = hashlib.sha256(f"{source.fingerprint} {np.__version__} {cv2.__version__}".encode())
    for folder in (Path(inspect.getfile(type(source))).parent, Path(benchmark.labelers.__path__[0])):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:24]


def _drop_oldest(current: Path) -> None:
    """Remove the worlds that were not used for longest, until what is left takes less than `LIMIT`."""
    worlds = sorted((p for p in current.parent.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    room = LIMIT
    for world in worlds:
        room -= sum(file.stat().st_blocks * 512 for file in world.iterdir())
        if room < 0 and world != current:
            shutil.rmtree(world, ignore_errors=True)


def _checksum(array: np.ndarray, slot: int) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data, slot + 1)  # an empty slot must not look like a picture of zeros
