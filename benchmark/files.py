"""Writing files so that a kill at any moment leaves either the old bytes or the new ones; and reading them back."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError


def write_atomic(path: Path, data: bytes, flush: bool = True) -> None:
    """Write `data` under a temporary name, flush it to the disk, rename. A full disk is one clear line; the old file
    stays. Without `flush` a power cut may lose the file, a kill may not: for what is many and easily made again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BenchError(
            f"{path}: cannot write: {error.strerror or error}; what was finished before is kept"
        ) from error


def write_json(path: Path, tree: Any) -> None:
    """Canonical JSON: sorted keys, two spaces, one newline at the end, so equal content is equal bytes."""
    write_atomic(path, (json.dumps(tree, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Parse a JSON file; missing or damaged is one line that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BenchError(f"{path}: no such file") from error
    except (ValueError, OSError) as error:
        raise BenchError(f"{path}: cannot be read: {error}") from error


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Append one JSON line, so that concurrent writers never interleave: in a single write, under a lock, as a network
    file system has no appending of its own and machines would write over each other's lines.
    """
    line = (json.dumps(record, sort_keys=True, ensure_ascii=False) + "\n").encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)  # ends with the handle, or its process
            # A kill in the middle of a write leaves half a line: start on a fresh one.
            if os.fstat(handle).st_size and not _ends_with_newline(path):
                line = b"\n" + line
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise BenchError(
            f"{path}: cannot append: {error.strerror or error}; what was finished before is kept"
        ) from error


def _ends_with_newline(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Records of a JSON-lines file; a half-written line (a kill while writing) is passed over."""
    if not path.exists():
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
