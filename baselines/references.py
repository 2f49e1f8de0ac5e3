"""Reference rows: not methods, but yardsticks a table needs to be read.

`real` is the target itself, the best any method could do; `copy-exemplar` returns the exemplar unchanged: perfect
style, no regard to the label.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from torch import Tensor

from benchmark.errors import BenchError
from benchmark.protocols import FitReport, FitRun, MethodSetup, Pairs, Sample, TaskInfo


class _Untrained:
    """A row without parameters: nothing to fit, save or load."""

    reference: ClassVar[bool] = True

    def __init__(self, setup: MethodSetup) -> None:
        self.setup = setup

    @classmethod
    def refuses(cls, task: TaskInfo) -> str | None:
        return None

    def parameters_count(self) -> int:
        return 0

    def fit(self, pairs: Pairs, run: FitRun) -> FitReport:
        return FitReport(steps=0, seconds=0.0)

    def save(self, folder: Path) -> None:
        pass

    def load(self, folder: Path) -> None:
        pass


class Real(_Untrained):
    """The target photo itself."""

    title: ClassVar[str] = "Real target"

    def answer(self, sample: Sample) -> Tensor:
        """(N, 3, H, W) in [-1, 1]."""
        return sample.z

    def synthesize(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741 - the protocol's name
        raise BenchError("real: is the target itself and cannot be synthesised from a label and an exemplar")


class CopyExemplar(_Untrained):
    """The exemplar, unchanged."""

    title: ClassVar[str] = "Copy exemplar"

    def synthesize(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741
        return I
