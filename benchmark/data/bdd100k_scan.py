"""Reading BDD100K once from end to end: which photos have a label map and a style, and what is wrong with the others.

    index = read_index(Path("bdd100k"), config.street)
    index.entries                           # usable items
    index.report                            # one line per kind of trouble, with counts and names

Layout of the dataset's archives (doc.bdd100k.com):

    images/10k|100k/{train,val}/<name>.jpg                      photos
    labels/sem_seg/masks/{train,val}/<name>.png                 19 train ids
    labels/pan_seg/bitmasks/{train,val}/<name>.png              41 ids in the red channel
    labels/sem_seg/colormaps/{train,val}/<name>.png             Cityscapes colours
    labels/det_20/det_{train,val}.json                          weather and time of day, for the 100k photos
    seg/{images,labels,color_labels}/{train,val}/...            the same in the archives of 2018
    labels/bdd100k_labels_images_{train,val}.json, labels/100k/{train,val}/<name>.json     likewise

The first kind of label map found is used for all; kinds are never mixed. A kind says its vocabulary, and a map with
an id outside it is refused: BDD100K's 41 ids and the 19 train ids share their first 19 numbers (spec: systems 1.7).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from benchmark.config import StreetConfig
from benchmark.errors import BenchError
from benchmark.files import read_json, write_json
from benchmark.labelers.cityscapes import BDD_NAMES, CLASSES, IGNORE, from_colours, to_train

PARTS = ("train", "val")
NAMED = 3  # examples per kind of trouble in a message; the index file has all


class Layout(NamedTuple):
    """Where one kind of label map lies, and what its numbers mean."""

    folder: str
    ending: str  # of a file name, after the photo's name
    vocabulary: str  # of `benchmark.labelers.cityscapes`, or "colours"


LAYOUTS = {  # by preference
    "sem_seg masks": Layout("labels/sem_seg/masks", ".png", "train-19"),
    "seg labels": Layout("seg/labels", "_train_id.png", "train-19"),
    "pan_seg bitmasks": Layout("labels/pan_seg/bitmasks", ".png", "bdd-41"),
    "sem_seg colormaps": Layout("labels/sem_seg/colormaps", ".png", "colours"),
    "seg color_labels": Layout("seg/color_labels", "_train_color.png", "colours"),
}
PHOTOS = ("images/10k", "images/100k", "seg/images")
ATTRIBUTES = ("labels/det_20/det_{}.json", "labels/bdd100k_labels_images_{}.json", "labels/100k/{}")


class Entry(NamedTuple):
    """One usable item; paths are relative to the dataset's folder."""

    split: str  # BDD100K's "train" or "val"
    weather: str
    time: str
    image: str
    label: str
    image_sha256: str
    label_sha256: str


@dataclass
class Index:
    """What a scan found. `bad`, `unattributed`, `ungrouped`: names by reason; only the first is the data's fault."""

    layout: str
    entries: list[Entry] = field(default_factory=list)
    bad: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unattributed: list[str] = field(default_factory=list)
    ungrouped: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    highest: int = 0  # largest id but 255 in any label map

    @property
    def report(self) -> list[str]:
        """Lines on what was left out, and why."""
        found = [_line(reason, names) for reason, names in sorted(self.bad.items())]
        found += [_line("no weather and time of day known", self.unattributed)] if self.unattributed else []
        return found + [_line(f"of no style group: {g}", names) for g, names in sorted(self.ungrouped.items())]


def read_index(folder: Path, street: StreetConfig) -> Index:
    """The index of a dataset: from a scan, or kept from an earlier one of the same files.

    Raises:
        BenchError: no label maps or no attributes there; a larger share of unusable items, or of items without
            attributes, than `street` allows; label maps of another vocabulary than their folder says.
    """
    layout = find_layout(folder)
    kept = _kept(folder, layout, street)
    if kept.is_file():
        tree = read_json(kept)
        index = Index(**{**tree, "entries": [Entry(*row) for row in tree["entries"]]})
    else:
        index = scan(folder, layout, street)
        for line in index.report:
            print(f"{folder}: left out: {line}", file=sys.stderr)
        write_json(kept, vars(index))
    _judge(folder, index, street)
    return index


def find_layout(folder: Path) -> str:
    """The first kind of label map that `folder` holds."""
    for name, layout in LAYOUTS.items():
        if any(next((folder / layout.folder / part).glob(f"*{layout.ending}"), None) for part in PARTS):
            return name
    wanted = ", ".join(f"{layout.folder}/train" for layout in LAYOUTS.values())
    raise BenchError(f"{folder}: no label maps of BDD100K; looked for PNG files in {wanted} (and val)")


def scan(folder: Path, layout: str, street: StreetConfig) -> Index:
    """Read every label map, its photo and its attributes."""
    from tqdm import tqdm

    index, known = Index(layout), read_attributes(folder)
    kind = LAYOUTS[layout]
    labels = [(part, p) for part in PARTS for p in sorted((folder / kind.folder / part).glob(f"*{kind.ending}"))]
    for part, label in tqdm(labels, desc="BDD100K", leave=False, disable=None):
        name = label.name.removesuffix(kind.ending)
        styled = known.get(name)
        if styled is None:
            index.unattributed.append(f"{part}/{name}")
        elif styled not in street.groups:
            index.ungrouped[", ".join(styled)].append(f"{part}/{name}")
        else:
            try:
                index.entries.append(_entry(folder, part, name, label, styled, index))
            except BenchError as error:
                index.bad[str(error)].append(f"{part}/{name}")
    named = {(part, label.name.removesuffix(kind.ending)) for part, label in labels}
    for part, name in _photo_names(folder):
        if (part, name) not in named:
            index.bad["photo without a label map"].append(f"{part}/{name}")
    return index


def read_attributes(folder: Path) -> dict[str, tuple[str, str]]:
    """Weather and time of day by photo name, from every attribute file there is, of all splits: the 10k photos of one
    split may be 100k photos of another.
    """
    files: list[Path] = []
    for pattern in ATTRIBUTES:
        for part in PARTS:
            path = folder / pattern.format(part)
            files += sorted(path.glob("*.json")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise BenchError(f"{folder}: no attributes; {ATTRIBUTES[0].format('train')} is in BDD100K's detection labels")
    found: dict[str, tuple[str, str]] = {}
    for path in files:
        try:
            tree = json.loads(path.read_bytes(), object_hook=_thin)
        except ValueError as error:
            raise BenchError(f"{path}: not JSON: {error}") from None
        for frame in tree if isinstance(tree, list) else [tree]:
            if isinstance(frame, tuple) and frame[1] is not None:
                found[Path(frame[0]).stem] = frame[1]
    return found


def decode(content: bytes, vocabulary: str) -> np.ndarray:
    """A label map's file -> train ids, uint8 (H, W). BenchError when it is no image, or not of that vocabulary."""
    ids = _ids(content, vocabulary)
    return ids if vocabulary == "colours" else to_train(ids, vocabulary)


def read_photo(content: bytes) -> np.ndarray:
    """A photo's file -> uint8 (H, W, 3) RGB; BenchError when it is no image, or half of one."""
    try:
        with Image.open(io.BytesIO(content)) as file:
            return np.asarray(file.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError):
        raise BenchError("unreadable photo") from None


def _ids(content: bytes, vocabulary: str) -> np.ndarray:
    """The numbers of a label map as they stand (train ids where it holds colours)."""
    try:
        with Image.open(io.BytesIO(content)) as file:
            if vocabulary == "colours":
                return from_colours(np.asarray(file.convert("RGB")))
            if vocabulary == "bdd-41" and file.mode in ("RGB", "RGBA"):
                return np.asarray(file)[..., 0]
            if file.mode not in ("L", "P"):
                raise BenchError(f"label map of mode {file.mode}, ids are expected")
            return np.asarray(file)
    except (UnidentifiedImageError, OSError, SyntaxError):
        raise BenchError("unreadable label map") from None


def _entry(folder: Path, part: str, name: str, label: Path, style: tuple[str, str], index: Index) -> Entry:
    """Check one item whole; BenchError says what is wrong with it."""
    photo = next((p for p in (folder / place / part / f"{name}.jpg" for place in PHOTOS) if p.is_file()), None)
    if photo is None:
        raise BenchError("label map without a photo")
    contents = photo.read_bytes(), label.read_bytes()
    vocabulary = LAYOUTS[index.layout].vocabulary
    picture, ids = read_photo(contents[0]), _ids(contents[1], vocabulary)
    if vocabulary != "colours":
        to_train(ids, vocabulary)
    height, width = picture.shape[:2]
    if ids.shape != (height, width):
        raise BenchError("photo and label map differ in size")
    if abs(width * 9 / (height * 16) - 1) > 0.01:
        raise BenchError("not 16:9")
    index.highest = max(index.highest, int(np.where(ids == IGNORE, 0, ids).max()))
    paths = (str(p.relative_to(folder)) for p in (photo, label))
    return Entry(part, *style, *paths, *(hashlib.sha256(c).hexdigest() for c in contents))


def _photo_names(folder: Path) -> Iterator[tuple[str, str]]:
    """Photos that ought to have a label map: the 10k set's. Of the 100k photos most have none."""
    for place in ("images/10k", "seg/images"):
        for part in PARTS:
            yield from ((part, path.stem) for path in sorted((folder / place / part).glob("*.jpg")))


def _thin(node: dict[str, Any]) -> Any:
    """Keep of an annotation file only what is needed, while it is being parsed: boxes make up nearly all of it."""
    if "weather" in node and "timeofday" in node:
        return (str(node["weather"]), str(node["timeofday"]))
    if "name" in node and ("attributes" in node or "frames" in node):
        styled = node.get("attributes")
        return (str(node["name"]), styled if isinstance(styled, tuple) else None)
    return None


def _judge(folder: Path, index: Index, street: StreetConfig) -> None:
    """Refuse a dataset of which too much is unusable."""
    bad = sum(map(len, index.bad.values()))
    styled = bad + len(index.entries) + sum(map(len, index.ungrouped.values()))
    total = styled + len(index.unattributed)
    reasons = "; ".join(index.report)
    if bad > street.max_bad * styled:
        raise BenchError(
            f"{folder}: {bad} of {styled} items are unusable, street.max_bad is {street.max_bad}: {reasons}"
        )
    if len(index.unattributed) > street.max_without_attributes * total:
        raise BenchError(
            f"{folder}: {len(index.unattributed)} of {total} items have no attributes, street.max_without_attributes "
            f"is {street.max_without_attributes}; unpack the detection labels of the 100k photos beside them"
        )
    if not index.entries:
        raise BenchError(f"{folder}: no item is usable: {reasons}")
    if LAYOUTS[index.layout].vocabulary == "bdd-41" and index.highest < len(CLASSES):
        raise BenchError(
            f"{folder}/{LAYOUTS[index.layout].folder}: no id above {len(CLASSES) - 1} in any map: these are train ids, "
            f"not BDD100K's {len(BDD_NAMES)}; they belong in {LAYOUTS['sem_seg masks'].folder}"
        )


def _line(reason: str, names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{len(names)} {reason} ({', '.join(names[:NAMED])}{more})"


def _kept(folder: Path, layout: str, street: StreetConfig) -> Path:
    """Where the index of exactly these files (by name, size and time) and groups is kept."""
    digest = hashlib.sha256(repr((str(folder.resolve()), layout, street.groups)).encode())
    for place in (*PHOTOS, LAYOUTS[layout].folder, "labels/det_20", "labels/100k", "labels"):
        for part in ("", *PARTS):
            if (folder / place / part).is_dir():
                for entry in sorted(os.scandir(folder / place / part), key=lambda e: e.name):
                    if entry.is_file():
                        stat = entry.stat()
                        digest.update(f"{place}/{part}/{entry.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "exemplar-bench" / "bdd100k" / f"{digest.hexdigest()[:16]}.json"
