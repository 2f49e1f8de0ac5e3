"""The files of a cell as bytes, for machines that do not see the run folder.

data = pack(run, [cell.folder(run), cell.images(run)])
unpack(data, elsewhere)
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

from benchmark.files import write_atomic
from benchmark.run.locks import LOCK


def pack(run: Path, places: Iterable[Path], without: str = "") -> bytes:
    """An uncompressed tar (weights and PNG do not shrink) of the files below `places`, named from `run`.

    Folders called `without`, locks and half-written files stay behind.
    """
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for path in sorted(file for place in places for file in _files(place)):
            inside = path.relative_to(run)
            if without in inside.parts or path.name == LOCK or path.suffix == ".tmp":
                continue
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # an old checkpoint, dropped since it was listed
                continue
            entry = tarfile.TarInfo(inside.as_posix())
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return whole.getvalue()


def unpack(data: bytes, run: Path) -> list[Path]:
    """Write the files below `run`, each whole or not at all; returns their paths."""
    written = []
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            path = run / entry.name
            if content is None or not path.resolve().is_relative_to(run.resolve()):
                raise ValueError(f"{entry.name}: not a file of a run")
            write_atomic(path, content.read(), flush=False)
            written.append(path)
    return written


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
