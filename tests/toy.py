"""A task of coloured squares with methods that take no time: for tests of the runner, the commands and the results."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from pathlib import Path

import numpy as np

from benchmark.config import Config
from benchmark.data.batches import Mirror
from benchmark.data.source import Clip, Frame
from benchmark.protocols import FitReport, FitRun, ItemScores, MethodSetup, Sample, TaskInfo

SIZE = 8


class ToySource:
    """Clip k is a square of colour k; frame i moves it. The true answer exists."""

    name, height, width, detector = "procedural-toy", SIZE, SIZE, "procedural"
    clips = tuple(
        Clip(f"t{k}", split, tuple(range(6))) for k, split in enumerate(["train"] * 3 + ["val"] * 2 + ["test"] * 3)
    )

    def __init__(self, fingerprint: str = "toy") -> None:
        self.fingerprint = hashlib.sha256(fingerprint.encode()).hexdigest()

    def _draw(self, place: Frame, colour: Frame) -> np.ndarray:
        image = np.full((SIZE, SIZE, 3), 30, np.uint8)
        shade = 80 + 20 * int(colour.clip[1:])
        image[2:6, place.index % 4 : place.index % 4 + 3] = (shade, 255 - shade, shade // 2)
        return image

    def image(self, frame: Frame) -> np.ndarray:
        return self._draw(frame, frame)

    def truth(self, label_of: Frame, style_of: Frame) -> np.ndarray:
        return self._draw(label_of, style_of)

    def regions(self, label_of: Frame, style_of: Frame) -> dict[str, np.ndarray]:
        return {"face": self.image(label_of)[..., 0] != 30}

    def landmarks(self, frame: Frame) -> np.ndarray:
        return np.zeros((68, 2), np.float32) + frame.index

    def label(self, frame: Frame) -> np.ndarray:
        return np.repeat((self.image(frame)[None, ..., 0] != 30).astype(np.uint8) * 255, 2, axis=0)


class ToyTask:
    name, title, metrics, main_method = "toy", "Squares", ("toy-l1",), "toy-good"
    methods = ("real", "toy-good", "toy-bad")

    def info(self, config: Config) -> TaskInfo:
        return TaskInfo("toy", 2, SIZE, SIZE)

    def source(self, config: Config, data: str | None) -> ToySource:
        return ToySource(data or "toy")

    def mirror(self, config: Config) -> Mirror:
        return Mirror(lambda label: label[..., ::-1].copy(), lambda joints, width: joints * [-1, 1] + [width - 1, 0])

    def label_picture(self, label: np.ndarray) -> np.ndarray:
        return np.repeat(label[0][..., None], 3, axis=2)


class ToyMetric:
    name = "toy-l1"

    def score(self, exam, images: np.ndarray) -> list[ItemScores]:
        values = np.abs(images.astype(float) - exam.truths).mean(axis=(1, 2, 3)) / 127.5
        return [ItemScores("toy-l1[8px]", "Toy L1", "lower", [float(v) for v in values])]


class Good:
    """Answers with the exemplar, dimmed by what `fit` counted; misbehaves on demand through TOY_* variables."""

    title, reference = "Good", False

    def __init__(self, setup: MethodSetup) -> None:
        self.setup, self.steps = setup, 0

    @classmethod
    def refuses(cls, task: TaskInfo) -> str | None:
        return None

    def parameters_count(self) -> int:
        return 1

    def fit(self, pairs, run: FitRun) -> FitReport:
        total = self.setup.config.train.steps
        last = run.folder / "last.json"
        start = json.loads(last.read_text())["step"] if last.exists() else 0
        limit = int(os.environ.get("TOY_STOP_AT", total))
        for step in range(start, min(total, limit)):
            pairs.batch(step)
            last.write_text(json.dumps({"step": step + 1}))
            if os.environ.get("TOY_KILL_AT") == str(step):
                os.kill(os.getpid(), signal.SIGKILL)
            if os.environ.get("TOY_INTERRUPT_AT") == str(step):
                raise KeyboardInterrupt
        self.steps = min(total, limit)
        return FitReport(self.steps, 0.01, finished=self.steps == total)

    def synthesize(self, x, I, F_I):  # noqa: E741
        return I * (1 - 0.001 * self.steps)

    def save(self, folder: Path) -> None:
        (folder / "weights.json").write_text(json.dumps({"steps": self.steps}))

    def load(self, folder: Path) -> None:
        self.steps = json.loads((folder / "weights.json").read_text())["steps"]


class Bad(Good):
    title = "Bad <b>&"

    def synthesize(self, x, I, F_I):  # noqa: E741
        return -I


class Broken(Good):
    title = "Broken"

    def fit(self, pairs, run: FitRun) -> FitReport:
        raise RuntimeError("the toy broke\nin two lines")


class NeedsJoints(Good):
    title = "Needs joints"

    @classmethod
    def refuses(cls, task: TaskInfo) -> str | None:
        return None if task.joints else "needs joints"


class Borrower(Good):
    """Good, answering in the negative."""

    title, trained_as = "Borrower", "toy-good"

    def synthesize(self, x, I, F_I):  # noqa: E741
        return -super().synthesize(x, I, F_I)


class WrongShape(Good):
    title = "Wrong shape"

    def synthesize(self, x, I, F_I):  # noqa: E741
        return I[:, :, :4]


class Real(Good):
    title, reference = "Real target", True

    def answer(self, sample: Sample):
        return sample.z


ENTRIES = {
    "tasks": {"toy": "ToyTask"},
    "methods": {
        "real": "Real",
        "toy-good": "Good",
        "toy-bad": "Bad",
        "toy-broken": "Broken",
        "toy-shape": "WrongShape",
        "toy-joints": "NeedsJoints",
        "toy-borrower": "Borrower",
    },
    "metrics": {"toy-l1": "ToyMetric"},
}


def entries(group: str):
    """What `benchmark.registry` would find if the toy were an installed plug-in."""
    from importlib.metadata import EntryPoint

    found = ENTRIES.get(group, {})
    return {name: EntryPoint(name, f"tests.toy:{attribute}", f"benchmark.{group}") for name, attribute in found.items()}
