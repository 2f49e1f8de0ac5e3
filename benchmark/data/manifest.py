"""The manifest of a prepared data set: a JSON header line and a JSON line per clip, with the sha256 of every file.

manifest = read_manifest(folder);  manifest.header["size"];  manifest.clips[0]["images"]
changed_files(folder)              # what no longer is what prepare wrote
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError
from benchmark.files import sha256_file, write_atomic

MANIFEST = "manifest.jsonl"
FORMATS = {"face": "exemplar-bench prepared faces", "dance": "exemplar-bench prepared dancers"}
VERSION = 1
_HEADER_FIELDS = ("task", "size", "detector", "protocol")  # those that reading needs
_CLIP_FIELDS = ("clip", "split", "video", "times", "images", "sha256", "landmarks", "landmarks_sha256", "rows")


@dataclass(frozen=True)
class Manifest:
    """`header`: settings and per-video report; `clips`: one mapping per clip with the fields of `_CLIP_FIELDS`, and
    "parts" and "parts_sha256" where frames have part maps.
    """

    header: dict[str, Any]
    clips: list[dict[str, Any]]
    sha256: str  # of the manifest file itself, hence of everything it lists


def write_manifest(folder: Path, header: dict[str, Any], clips: Iterable[dict[str, Any]]) -> Path:
    """Write `folder`/manifest.jsonl in one step: a reader sees the old one or the new one, never half of it.

    `header["task"]` is one of `FORMATS`.
    """
    lines = [{"format": FORMATS[header["task"]], "version": VERSION, **header}, *clips]
    text = "".join(json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n" for line in lines)
    path = folder / MANIFEST
    write_atomic(path, text.encode())
    return path


def read_manifest(folder: Path, task: str | None = None) -> Manifest:
    """Read and check the manifest of a folder prepared for `task`, or for any.

    Raises:
        BenchError: no such folder or manifest, a line that is not JSON, another format, version or task, a missing
            field, a task that the format does not name.
    """
    path = folder / MANIFEST
    if not path.is_file():
        what = "is not a folder" if not folder.is_dir() else f"has no {MANIFEST}"
        chosen = f" --task {task}" if task not in (None, "face") else ""
        raise BenchError(f"{folder}: {what}; make one with: bench data prepare{chosen} --videos DIR --out {folder}")
    content = path.read_bytes()
    header, *clips = _parse(path, content)
    if header.get("format") not in FORMATS.values() or header.get("version") != VERSION:
        raise BenchError(f"{path}: line 1: not a version {VERSION} manifest of prepared videos; prepare them again")
    if task is not None and header["format"] != FORMATS[task]:
        raise BenchError(f"{folder}: holds {header['format'].split()[-1]}, of no use to the {task} task")
    for number, line in enumerate([header, *clips], start=1):
        missing = [field for field in (_HEADER_FIELDS if number == 1 else _CLIP_FIELDS) if field not in line]
        if missing:
            raise BenchError(f"{path}: line {number}: field {missing[0]!r} is missing; prepare the videos again")
    prepared_for = next(known for known, written in FORMATS.items() if written == header["format"])
    if header["task"] != prepared_for:
        raise BenchError(
            f"{path}: line 1: task {header['task']!r} in {header['format']}; did you mean {prepared_for!r}?"
        )
    return Manifest(header, clips, hashlib.sha256(content).hexdigest())


def changed_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, "missing" or "changed") for every listed file that is not what prepare wrote. Reads all of them."""
    for clip in read_manifest(folder).clips:
        names = [*clip["images"], clip["landmarks"], *clip.get("parts", [])]
        digests = [*clip["sha256"], clip["landmarks_sha256"], *clip.get("parts_sha256", [])]
        for name, digest in zip(names, digests, strict=True):
            path = folder / name
            if not path.is_file():
                yield name, "missing"
            elif sha256_file(path) != digest:
                yield name, "changed"


def _parse(path: Path, content: bytes) -> list[dict[str, Any]]:
    lines = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            parsed = json.loads(line)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise BenchError(f"{path}: line {number}: not a JSON object; the file is damaged, prepare the videos again")
        lines.append(parsed)
    if not lines:
        raise BenchError(f"{path}: line 1: the file is empty; prepare the videos again")
    return lines
