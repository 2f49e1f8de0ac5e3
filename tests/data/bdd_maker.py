"""A tiny tree in BDD100K's published layout: `write_bdd(folder, "sem_seg masks")`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.data.bdd100k_scan import LAYOUTS
from benchmark.labelers.cityscapes import BDD_IDS, CLASSES, IGNORE, colours

SIZE = (36, 64)
STYLES = (("clear", "daytime"), ("rainy", "night"), ("foggy", "daytime"))  # the last is of no group


def train_ids(number: int) -> np.ndarray:
    """The parsing of photo `number`: sky over road, a car, something unknown."""
    ids = np.full(SIZE, CLASSES.index("road"), np.uint8)
    ids[: 12 + number] = CLASSES.index("sky")
    ids[20:28, 8 : 24 + number] = CLASSES.index("car")
    ids[-4:] = IGNORE
    return ids


def photo(number: int) -> np.ndarray:
    """Photo `number`: the parsing's colours, darker with the number."""
    return (colours(train_ids(number)).astype(np.uint16) * (20 - number % 20) // 20).astype(np.uint8)


def stored(ids: np.ndarray, layout: str) -> Image.Image:
    """A label map as `layout` stores it."""
    vocabulary = LAYOUTS[layout].vocabulary
    if vocabulary == "colours":
        return Image.fromarray(colours(ids))
    if vocabulary == "train-19":
        return Image.fromarray(ids)
    bdd = np.zeros(256, np.uint8)  # unknown is 0, unlabeled
    for train, name in enumerate(CLASSES):
        bdd[train] = BDD_IDS[name]
    bitmask = np.zeros((*ids.shape, 4), np.uint8)
    bitmask[..., 0] = bdd[ids]
    bitmask[..., 3] = 1  # instance numbers: not read
    return Image.fromarray(bitmask)


def write_bdd(folder: Path, layout: str = "sem_seg masks", per_style: int = 2) -> Path:
    """Photos <part>00.. of each split, `per_style` of each of STYLES, with label maps and attributes."""
    old = layout.startswith("seg ")
    for part in ("train", "val"):
        photos = folder / ("seg/images" if old else "images/10k") / part
        labels = folder / LAYOUTS[layout].folder / part
        photos.mkdir(parents=True)
        labels.mkdir(parents=True)
        frames = []
        for number in range(per_style * len(STYLES)):
            name, (weather, time) = f"{part}{number:02d}", STYLES[number % len(STYLES)]
            Image.fromarray(photo(number)).save(photos / f"{name}.jpg", quality=95)
            stored(train_ids(number), layout).save(labels / f"{name}{LAYOUTS[layout].ending}")
            box = {"category": "car", "attributes": {"occluded": False}, "box2d": {"x1": 1, "y1": 2}}
            attributes = {"weather": weather, "scene": "city street", "timeofday": time}
            frames.append({"name": f"{name}.jpg", "attributes": attributes, "labels": [box]})
        path = folder / ("labels/bdd100k_labels_images_{}.json" if old else "labels/det_20/det_{}.json").format(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(frames))
    return folder
