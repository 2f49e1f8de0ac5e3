"""Labels as pictures: MUNIT's domain a.

    domain = LabelDomain(task, "rgb", "munit")
    a = domain(x)                    # (N, C, H, W) in [0, 1] -> (N, domain.channels, H, W) in [-1, 1]

MUNIT translates between pictures. "rgb" renders a label as one, which is most likely what the paper's authors fed
(spec: systems 3); "raw" takes all label channels, and then fits any task.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from benchmark.errors import BenchError, nearest
from benchmark.protocols import TaskInfo

KINDS = ("rgb", "raw")

# Cityscapes' colours of the 19 train ids, in their order; everything else stays black
STREET_COLOURS = (
    (128, 64, 128),  # road
    (244, 35, 232),  # sidewalk
    (70, 70, 70),  # building
    (102, 102, 156),  # wall
    (190, 153, 153),  # fence
    (153, 153, 153),  # pole
    (250, 170, 30),  # traffic light
    (220, 220, 0),  # traffic sign
    (107, 142, 35),  # vegetation
    (152, 251, 152),  # terrain
    (70, 130, 180),  # sky
    (220, 20, 60),  # person
    (255, 0, 0),  # rider
    (0, 0, 142),  # car
    (0, 0, 70),  # truck
    (0, 60, 100),  # bus
    (0, 80, 100),  # train
    (0, 0, 230),  # motorcycle
    (119, 11, 32),  # bicycle
)


def _sketch(x: Tensor) -> Tensor:
    """Face: channel 0, the drawn edges, in all three colours (spec: systems 1.5)."""
    return x[:, :1].expand(-1, 3, -1, -1)


def _body_parts(x: Tensor) -> Tensor:
    """Dance: the DensePose picture, channels 0 to 2 (spec: systems 1.6)."""
    return x[:, :3]


def _palette(x: Tensor) -> Tensor:
    """Street: the colour of each pixel's class, from a one-hot of the train ids (spec: systems 1.7)."""
    if x.shape[1] not in (19, 20):
        raise BenchError(
            f"street label of {x.shape[1]} channels: colours are known for 19 train ids, or these and unknown; "
            'use label_domain = "raw"'
        )
    colours = x.new_tensor(STREET_COLOURS) / 255  # (19, 3)
    return (x[:, :19].movedim(1, -1) @ colours).movedim(-1, 1)


RENDERERS: dict[str, Callable[[Tensor], Tensor]] = {"face": _sketch, "dance": _body_parts, "street": _palette}


def rgb_label(task: str, x: Tensor) -> Tensor:
    """A label map of `task`, (N, C, H, W) in [0, 1], as pictures (N, 3, H, W) in [0, 1]; BenchError if unknown."""
    if task not in RENDERERS:
        raise BenchError(f"labels of task {task!r} have no rendering as RGB (known: {', '.join(RENDERERS)})")
    return RENDERERS[task](x)


class LabelDomain:
    """`kind` is "rgb" or "raw"; `method` names the table of the configuration in errors."""

    def __init__(self, task: TaskInfo, kind: str, method: str) -> None:
        where = f"method.{method}.label_domain"
        if kind not in KINDS:
            raise BenchError(f"{where}: unknown {kind!r}{nearest(kind, KINDS)}")
        if kind == "rgb" and task.name not in RENDERERS:
            raise BenchError(f'{where}: no RGB rendering of the labels of task {task.name!r}; use "raw"')
        self.task, self.kind = task.name, kind
        self.channels = 3 if kind == "rgb" else task.label_channels

    def __call__(self, x: Tensor) -> Tensor:
        picture = rgb_label(self.task, x) if self.kind == "rgb" else x
        return picture * 2 - 1
