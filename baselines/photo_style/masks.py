"""Region masks out of label maps: where the style of which part of the exemplar goes.

    content, style = regions("face", x), regions("face", F_I)              # (N, M, H, W) of 0 and 1
    content, style = join_missing("face", content, style, smallest=0.0008)

The papers do not say which masks they used; docs/fidelity.md lists ours. Every pixel lies in exactly one region.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from baselines.photo_style import face_masks
from benchmark.errors import BenchError, nearest
from benchmark.labelers.cityscapes import CLASSES
from benchmark.labelers.pose_label import PARTS

Joins = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Regions:
    """How a task's labels are cut up. A region that the exemplar lacks joins the other of its pair, in this order."""

    names: tuple[str, ...]
    channels: int  # of a label
    find: Callable[[np.ndarray], np.ndarray]  # labels (N, C, H, W) in [0, 1] -> (N, H, W) indices of `names`
    joins: Joins


def _table(groups: Mapping[str, tuple[int, ...]], size: int) -> np.ndarray:
    """Class number -> index of the group that holds it; 0, the first group, for classes in none."""
    table = np.zeros(size, np.int64)
    for index, members in enumerate(groups.values()):
        table[list(members)] = index
    return table


BODY: dict[str, tuple[int, ...]] = {  # DensePose's part numbers
    "background": (0,),
    "torso": (1, 2),
    "hands": (3, 4),
    "feet": (5, 6),
    "legs": tuple(range(7, 15)),
    "arms": tuple(range(15, 23)),
    "head": (23, 24),
}
SCENE: dict[str, tuple[int, ...]] = {
    "unknown": (len(CLASSES),),
    **{
        name: tuple(CLASSES.index(member) for member in members)
        for name, members in {
            "ground": ("road", "sidewalk", "terrain"),
            "built": ("building", "wall", "fence", "pole", "traffic light", "traffic sign"),
            "plants": ("vegetation",),
            "sky": ("sky",),
            "people": ("person", "rider"),
            "vehicles": ("car", "truck", "bus", "train", "motorcycle", "bicycle"),
        }.items()
    },
}
_BODY_OF, _SCENE_OF = _table(BODY, PARTS + 1), _table(SCENE, len(CLASSES) + 1)


def body_regions(labels: np.ndarray) -> np.ndarray:
    """Dance labels (N, 23, H, W) in [0, 1]: channel 2 is DensePose's part / 24 (spec: systems 1.6)."""
    return _BODY_OF[np.rint(labels[:, 2] * PARTS).astype(np.int64)]


def scene_regions(labels: np.ndarray) -> np.ndarray:
    """Street labels (N, 20, H, W), one-hot train ids and unknown."""
    return _SCENE_OF[labels.argmax(1)]


TASKS = {
    "face": Regions(
        face_masks.NAMES,
        15,
        face_masks.face_regions,
        (("brows", "face"), ("nose", "face"), ("eyes", "face"), ("mouth", "face"), ("face", "background")),
    ),
    "dance": Regions(
        tuple(BODY),
        23,
        body_regions,
        (
            ("hands", "arms"),
            ("feet", "legs"),
            ("arms", "torso"),
            ("legs", "torso"),
            ("head", "torso"),
            ("torso", "background"),
        ),
    ),
    "street": Regions(
        tuple(SCENE),
        20,
        scene_regions,
        (
            ("people", "vehicles"),
            ("vehicles", "ground"),
            ("sky", "built"),
            ("plants", "built"),
            ("built", "ground"),
            ("ground", "unknown"),
        ),
    ),
}


def of_task(task: str) -> Regions:
    """The regions of a task's labels; BenchError for a task without."""
    if task not in TASKS:
        raise BenchError(f"task {task!r}: no region masks for photo style transfer{nearest(task, TASKS)}")
    return TASKS[task]


def regions(task: str, labels: Tensor) -> Tensor:
    """Labels (N, C, H, W) in [0, 1] -> masks (N, M, H, W) of 0 and 1, on the labels' device.

    BenchError for a task without regions or labels of another number of channels.
    """
    cut = of_task(task)
    if labels.shape[1] != cut.channels:
        raise BenchError(f"{task} label of {labels.shape[1]} channels: region masks need {cut.channels}")
    numbers = torch.from_numpy(cut.find(labels.cpu().numpy()))
    return F.one_hot(numbers, len(cut.names)).permute(0, 3, 1, 2).to(labels.device, torch.float32).contiguous()


def join_missing(task: str, content: Tensor, style: Tensor, smallest: float) -> tuple[Tensor, Tensor]:
    """Masks (N, M, H, W) of both pictures, where each region covers at least `smallest` of the style picture, or none.

    A region that the style picture lacks would be pulled to a zero Gram, so it joins its neighbour, in both pictures;
    the last one is dropped: no style is asked of it (spec: systems 5).
    """
    cut = of_task(task)
    content, style = content.clone(), style.clone()
    for name, neighbour in (*cut.joins, (cut.names[0], None)):
        here = cut.names.index(name)
        missing = (style[:, here].mean((1, 2)) < smallest)[:, None, None]
        for masks in (content, style):
            moved = masks[:, here] * missing
            masks[:, here] -= moved
            if neighbour is not None:
                masks[:, cut.names.index(neighbour)] += moved
    return content, style
