"""pix2pixHD + DPST: pix2pixHD paints the label, Deep Photo Style Transfer gives the result the exemplar's style.

    bench run --task face --methods pix2pixhd-dpst --preset demo

Training is pix2pixHD's own, to the bit; the transfer has nothing to learn and works per image when it is asked for.
The SC paper says only "default image, then DPST" (sec 4.1; spec: systems 5); docs/fidelity.md lists what was chosen.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from baselines.photo_style import masks
from baselines.photo_style.layers import transfer_layers
from baselines.photo_style.objective import Pictures
from baselines.photo_style.transfer import TransferOptions, transfer
from baselines.pix2pixhd import Pix2PixHD, Pix2PixHDOptions, Pix2PixHDTrainer
from benchmark.errors import BenchError, nearest
from benchmark.protocols import MethodSetup, Sample, TaskInfo

STARTS = ("noise", "content")
NOISE = 1e-4  # deviation in grey levels of 0..255


@dataclass(frozen=True)
class PhotoStyleOptions(TransferOptions, Pix2PixHDOptions):
    """pix2pixHD's options, those of the transfer, and how one is put behind the other."""

    start: str = "noise"  # of stage 1: "noise" as in the original, or "content", which needs fewer iterations
    smallest: float = 0.0008  # a region with less of the exemplar joins its neighbour: 50 px of 256x256
    at_once: int = 8  # images solved side by side

    def __post_init__(self) -> None:
        Pix2PixHDOptions.__post_init__(self)
        TransferOptions.__post_init__(self)
        where = "method.pix2pixhd-dpst"
        if self.start not in STARTS:
            raise BenchError(f"{where}.start: unknown {self.start!r}{nearest(self.start, STARTS)}")
        if self.at_once < 1 or not 0 <= self.smallest <= 1:
            raise BenchError(f"{where}: expected at_once of at least 1 and smallest, a share, in 0..1")


class PhotoStyle(Pix2PixHD):
    """pix2pixHD's weights and training; another `synthesize`."""

    title: ClassVar[str] = "pix2pixHD + DPST"
    trained_as: ClassVar[str] = "pix2pixhd"  # whose finished weights serve as they are
    Options = PhotoStyleOptions
    options: PhotoStyleOptions

    def __init__(self, setup: MethodSetup) -> None:
        super().__init__(setup)
        self.features()  # loaded here, not in the time that the first image takes

    @classmethod
    def refuses(cls, task: TaskInfo) -> str | None:
        return None if task.name in masks.TASKS else f"needs region masks, and has none for labels of {task.name}"

    def trainer(self) -> Pix2PixHDTrainer:
        return _Painter(self)

    @torch.no_grad()
    def synthesize(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741 - the protocol's names
        """As `TrainedMethod.synthesize`. An image does not depend on what else is in the batch, but for rounding."""
        content = super().synthesize(x, I, F_I)
        size = self.options.at_once
        batches = zip(content.split(size), x.split(size), I.split(size), F_I.split(size), strict=True)
        return torch.cat([self._transfer(*batch) for batch in batches])

    def _transfer(self, content: Tensor, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741
        task, device = self.setup.task.name, self.setup.device
        here, there = masks.regions(task, x), masks.regions(task, F_I)
        here, there = masks.join_missing(task, here, there, self.options.smallest)
        start = content if self.options.start == "content" else self._noise(x, I)
        pictures = Pictures(*(part.to(device) for part in (content, I, here, there)))
        return transfer(transfer_layers(self.features()), pictures, start.to(device), self.options).to(x.device)

    def _noise(self, x: Tensor, I: Tensor) -> Tensor:  # noqa: E741
        """A grey image with the original's faint noise, seeded by what is asked for and not by its place."""
        rows = []
        for label, exemplar in zip(x, I, strict=True):
            asked = zlib.crc32(exemplar.cpu().numpy().tobytes(), zlib.crc32(label.cpu().numpy().tobytes()))
            source = torch.Generator().manual_seed(self.setup.seed << 32 | asked)
            rows.append(torch.randn(exemplar.shape, generator=source))
        return torch.stack(rows) * (NOISE / 127.5)


class _Painter(Pix2PixHDTrainer):
    """pix2pixHD's trainer, whose sample grids show what is trained: the picture before its transfer."""

    def preview(self, sample: Sample) -> Tensor:
        return Pix2PixHD.synthesize(self.method, sample.x, sample.I, sample.F_I)
