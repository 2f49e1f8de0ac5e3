"""The vocabularies of street parsings, and the only doors between them: 19 train ids, Cityscapes' 34, BDD100K's 41.

    train = to_train(png, "bdd-41")         # uint8 (H, W) of the 41 ids -> train ids, 255 = unknown
    train = from_colours(rgb)               # uint8 (H, W, 3) colour map -> train ids
    rgb = colours(train)                    # and back, for people to look at

Inside this project a parsing always holds train ids: 0..18 and 255. The three vocabularies share the numbers 0..18 but
not their meaning (7 is a traffic sign, a road, a road), and mixing two gives a tensor that nothing downstream can tell
from a good one (spec: systems 1.7). Hence a map is never read without its vocabulary being named.

Names, ids and colours: cityscapesScripts' label table and BDD100K's format page (doc.bdd100k.com/format.html).
"""

from __future__ import annotations

import numpy as np

from benchmark.errors import BenchError, nearest

IGNORE = 255  # unknown: never scored, and a channel of its own in the label
CLASSES = (
    "road",
    "sidewalk",
    "building",
    "wall",
    "fence",
    "pole",
    "traffic light",
    "traffic sign",
    "vegetation",
    "terrain",
    "sky",
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "train",
    "motorcycle",
    "bicycle",
)  # in the order of the train ids
PALETTE = np.array(
    [
        (128, 64, 128),
        (244, 35, 232),
        (70, 70, 70),
        (102, 102, 156),
        (190, 153, 153),
        (153, 153, 153),
        (250, 170, 30),
        (220, 220, 0),
        (107, 142, 35),
        (152, 251, 152),
        (70, 130, 180),
        (220, 20, 60),
        (255, 0, 0),
        (0, 0, 142),
        (0, 0, 70),
        (0, 60, 100),
        (0, 80, 100),
        (0, 0, 230),
        (119, 11, 32),
    ],
    np.uint8,
)  # (19, 3) RGB by train id; unknown is black

CITYSCAPES_IDS = dict(
    zip(CLASSES, (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33), strict=True)
)  # Cityscapes' own ids of the 19 classes; its other ids up to 33 are not evaluated
BDD_NAMES = (
    "unlabeled",
    "dynamic",
    "ego vehicle",
    "ground",
    "static",
    "parking",
    "rail track",
    "road",
    "sidewalk",
    "bridge",
    "building",
    "fence",
    "garage",
    "guard rail",
    "tunnel",
    "wall",
    "banner",
    "billboard",
    "lane divider",
    "parking sign",
    "pole",
    "polegroup",
    "street light",
    "traffic cone",
    "traffic device",
    "traffic light",
    "traffic sign",
    "traffic sign frame",
    "terrain",
    "vegetation",
    "sky",
    "person",
    "rider",
    "bicycle",
    "bus",
    "car",
    "caravan",
    "motorcycle",
    "trailer",
    "train",
    "truck",
)  # BDD100K's 41 ids, in order (panoptic maps; the list of the official pix2pixSC script)
BDD_IDS = {name: BDD_NAMES.index(name) for name in CLASSES}

_INVALID = 254  # a table's answer to an id outside its vocabulary; no vocabulary has it


def _table(ids: dict[str, int], count: int) -> np.ndarray:
    """Lookup (256,) uint8 from a vocabulary's ids 0..count-1 and 255 to train ids."""
    table = np.full(256, _INVALID, np.uint8)
    table[:count] = IGNORE
    table[IGNORE] = IGNORE
    for train, name in enumerate(CLASSES):
        table[ids[name]] = train
    return table


VOCABULARIES = {
    "train-19": _table({name: train for train, name in enumerate(CLASSES)}, len(CLASSES)),
    "cityscapes-34": _table(CITYSCAPES_IDS, 34),
    "bdd-41": _table(BDD_IDS, len(BDD_NAMES)),
}


def to_train(ids: np.ndarray, vocabulary: str) -> np.ndarray:
    """uint8 (H, W) of a named vocabulary -> train ids, uint8 (H, W), 0..18 and 255.

    Raises:
        BenchError: unknown vocabulary, or an id that it does not have (the map is of another one).
    """
    if vocabulary not in VOCABULARIES:
        raise BenchError(f"unknown label vocabulary {vocabulary!r}{nearest(vocabulary, VOCABULARIES)}")
    train = VOCABULARIES[vocabulary][ids]
    if (train == _INVALID).any():
        wrong = np.unique(ids[train == _INVALID])
        fitting = [name for name, table in VOCABULARIES.items() if (table[wrong] != _INVALID).all()]
        hint = f"; {' and '.join(fitting)} would have {'them' if len(wrong) > 1 else 'it'}" if fitting else ""
        raise BenchError(f"label ids {', '.join(map(str, wrong[:5]))} do not exist in {vocabulary}{hint}")
    return train


def from_colours(rgb: np.ndarray) -> np.ndarray:
    """Colour map uint8 (H, W, 3) in `PALETTE` -> train ids, uint8 (H, W); black is unknown.

    Raises:
        BenchError: a colour that no class has (a map of other colours, or a lossy JPEG of one).
    """
    known = np.concatenate([PALETTE, np.zeros((1, 3), np.uint8)])
    order = np.argsort(_packed(known))
    packed = _packed(rgb)
    place = np.searchsorted(_packed(known)[order], packed).clip(max=len(known) - 1)
    train = np.append(np.arange(len(CLASSES), dtype=np.uint8), np.uint8(IGNORE))[order][place]
    wrong = _packed(known)[order][place] != packed
    if wrong.any():
        raise BenchError(f"colour {tuple(rgb[wrong][0].tolist())} belongs to no class of the Cityscapes palette")
    return train


def colours(train: np.ndarray) -> np.ndarray:
    """Train ids uint8 (..., H, W) -> RGB uint8 (..., H, W, 3); unknown is black."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(PALETTE)] = PALETTE
    return table[train]


def _packed(rgb: np.ndarray) -> np.ndarray:
    wide = rgb.astype(np.int64)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
