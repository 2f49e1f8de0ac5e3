"""Which label photo goes with which exemplar photo: what `--label L --exemplar E` and `--pairs-list FILE` stand for."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmark.errors import BenchError, nearest

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
HOW = ("zip", "product")
COLUMNS = ("label", "exemplar", "out")
_NAMED = 5  # photos that an error message names before it counts


@dataclass(frozen=True)
class PhotoPair:
    """Draw the content of `label` in the style of `exemplar` and call the result `name` (no suffix; may hold "/")."""

    label: Path
    exemplar: Path
    name: str


def list_pairs(label: Path, exemplar: Path, how: str = "zip") -> list[PhotoPair]:
    """Pairs of two photos or folders. A photo goes with every photo of a folder.

    Two folders: "zip" pairs photos of the same name (suffix aside), "product" every label with every exemplar.

    Raises:
        BenchError: nothing there, no photos in a folder, photos or results of one name, or, for "zip", photos without a
            partner.
    """
    labels, exemplars = _photos("--label", label), _photos("--exemplar", exemplar)
    if how == "zip" and label.is_dir() and exemplar.is_dir():
        _check_partners(labels, exemplars)
        return [PhotoPair(path, exemplars[name], name) for name, path in labels.items()]
    pairs = [PhotoPair(a, b, f"{x}__{y}") for x, a in labels.items() for y, b in exemplars.items()]
    _check_names("--label, --exemplar", pairs, "rename a photo, or name results with --pairs-list FILE")
    return pairs


def read_pairs(table: Path) -> list[PhotoPair]:
    """Pairs from a CSV file with the columns label, exemplar and, where wanted, out (the result's name).

    Photos are relative to the file's own folder, results to the output folder.

    Raises:
        BenchError: unreadable, a column missing or unknown, a photo missing, two results of one name; with the line.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"--pairs-list {table}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    for column in reader.fieldnames or ():
        if column not in COLUMNS:
            raise BenchError(f"{table}: unknown column {column!r}{nearest(column, COLUMNS)}")
    for column in COLUMNS[:2]:
        if column not in (reader.fieldnames or ()):
            raise BenchError(
                f"{table}: no column {column!r}; the first line must be label,exemplar or label,exemplar,out"
            )
    pairs = [_row(table, reader.line_num, row) for row in reader]
    if not pairs:
        raise BenchError(f"{table}: holds no pairs")
    _check_names(str(table), pairs, "tell them apart in the column out")
    return pairs


def _check_names(where: str, pairs: Sequence[PhotoPair], advice: str) -> None:
    """BenchError where one result would overwrite another."""
    twice = [name for name, count in Counter(pair.name for pair in pairs).items() if count > 1]
    if twice:
        raise BenchError(f"{where}: {len(twice)} results share a name ({twice[0]}); {advice}")


def _row(table: Path, number: int, row: Mapping[str | None, str | None]) -> PhotoPair:
    photos = []
    for column in COLUMNS[:2]:
        path = table.parent / (row[column] or "").strip()
        if not path.is_file():
            raise BenchError(f"{table}: line {number}: {column}: {row[column] or '(empty)'}: no such file")
        photos.append(path)
    out = PurePosixPath((row.get("out") or "").strip() or f"{photos[0].stem}__{photos[1].stem}")
    if out.is_absolute() or ".." in out.parts:
        raise BenchError(f"{table}: line {number}: out: {out}: must be a name inside the output folder")
    return PhotoPair(photos[0], photos[1], str(out.with_suffix("") if out.suffix.lower() == ".png" else out))


def _photos(option: str, place: Path) -> dict[str, Path]:
    """Photos by name, sorted; `place` is one photo or a folder of them, searched to the bottom."""
    if place.is_file():
        return {place.stem: place}
    if not place.is_dir():
        raise BenchError(f"{option} {place}: no such file or folder")
    found: dict[str, Path] = {}
    for path in sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")):
        name = "__".join(path.relative_to(place).with_suffix("").parts)
        if name in found:
            raise BenchError(
                f"{option} {place}: two photos called {name}: {found[name].name} and {path.name}; rename one"
            )
        found[name] = path
    if not found:
        raise BenchError(f"{option} {place}: no photos ({' '.join(SUFFIXES)})")
    return found


def _check_partners(labels: Mapping[str, Path], exemplars: Mapping[str, Path]) -> None:
    alone = [path for name, path in labels.items() if name not in exemplars]
    alone += [path for name, path in exemplars.items() if name not in labels]
    if alone:
        more = f" and {len(alone) - _NAMED} more" if len(alone) > _NAMED else ""
        raise BenchError(
            f"--label, --exemplar: {len(alone)} photos have no partner of the same name: "
            f"{', '.join(path.name for path in alone[:_NAMED])}{more}; for every label with every exemplar add "
            "--pairs product, for a choice of your own --pairs-list FILE"
        )
