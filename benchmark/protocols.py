"""What a plug-in must be: the shapes that travel between the exam and the methods.

A method in ten lines:

    class Mean:
        title = "Mean image"
        def __init__(self, setup: MethodSetup): ...
        def fit(self, pairs: Pairs, run: FitRun) -> FitReport: ...
        def synthesize(self, x, I, F_I): return I * 0        # (N, 3, H, W) in [-1, 1]
        def save(self, folder): ...
        def load(self, folder): ...

and one entry point in the group `benchmark.methods` naming it. No torch here at import time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import torch

    from benchmark.config import Config
    from benchmark.data.batches import Mirror
    from benchmark.data.source import Source
    from benchmark.features import FeatureNetwork


@dataclass(frozen=True)
class Sample:
    """A batch of training or test items, batch first, float32 tensors on the CPU.

    Label maps lie in [0, 1], photos in [-1, 1]. `consistent` says, per item, whether the exemplar was drawn as having
    the target's style (pix2pixSC sec 3.3); it is never parsed from a file name.
    """

    x: torch.Tensor  # (N, C, H, W) label map asked for
    z: torch.Tensor  # (N, 3, H, W) target photo, F(z) = x
    I: torch.Tensor  # (N, 3, H, W) exemplar photo  # noqa: E741 - the paper's name
    F_I: torch.Tensor  # (N, C, H, W) label map of the exemplar
    consistent: torch.Tensor  # (N,) bool
    C: torch.Tensor  # (N, 3, H, W) partner with the exemplar's style
    D: torch.Tensor  # (N, 3, H, W) partner with another style
    joints: torch.Tensor | None = None  # (N, J, 2) x, y of z's joints or landmarks in px, NaN where not visible

    def __len__(self) -> int:
        return self.x.shape[0]


class Pairs(Protocol):
    """An endless, seeded stream of training batches: the same (seed, step) always gives the same batch."""

    label_channels: int
    height: int
    width: int

    def batch(self, step: int) -> Sample:
        """The batch of one training step; `step` counts from 0."""

    def preview(self) -> Sample:
        """A few fixed items of the validation split (of the training split where there is none), for sample grids."""


@dataclass(frozen=True)
class TaskInfo:
    """What a method may know about the task when it is built."""

    name: str  # "face"
    label_channels: int
    height: int
    width: int
    joints: int = 0  # J: landmarks or body joints behind a label; 0 where a label has none


@dataclass(frozen=True)
class MethodSetup:
    """Everything a method is built from."""

    name: str  # registry name, e.g. "pix2pixsc-no-sc"
    task: TaskInfo
    config: Config
    seed: int
    features: FeatureNetwork | None = (
        None  # shared perceptual network, loaded once per process, when first used; None for an untrained method
    )
    device: str = "cpu"


@dataclass(frozen=True)
class Evaluation:
    """Scores of a method in the middle of its training, on items of the validation split."""

    scores: Mapping[str, float]  # by metric id
    value: float  # the one that `train.keep_best` names
    better: str  # "lower" | "higher"


@dataclass
class FitRun:
    """Where a fit writes and how long it may take."""

    folder: Path  # checkpoints, logs and sample grids of this cell
    resume: bool = True
    deadline: float | None = None  # time.monotonic() value after which to stop cleanly at the next step
    progress: bool = True
    label_picture: Callable[[np.ndarray], np.ndarray] | None = None  # as the task's, for sample grids
    evaluate: Callable[[], Evaluation] | None = None  # scores the method as it is now; asked for by train.keep_best
    fork: Path | None = None  # folder of another fit (as `folder`), from whose newest checkpoint to set out


@dataclass(frozen=True)
class FitReport:
    """What a fit did. `finished` is False when the time budget ended it before its planned last step."""

    steps: int
    seconds: float
    finished: bool = True
    losses: Mapping[str, float] = field(default_factory=dict)
    best: Mapping[str, Any] | None = None  # {"step", "value"} of the weights that train.keep_best kept
    forked_from: Mapping[str, Any] | None = (
        None  # {"folder", "checkpoint", "step", "changed"} where FitRun.fork was used
    )


Fit = TypeVar("Fit", bound=Callable[..., FitReport])


def honours(*options: str) -> Callable[[Fit], Fit]:
    """Marks a method's `fit` as one that does what these options of `bench train` ask: "fork" (sets out from
    `FitRun.fork`) and "devices" (shares each batch with the processes of torch.distributed). A `fit` without the mark
    is refused them: it would train as if they had not been given, in every process anew.
    """

    def mark(fit: Fit) -> Fit:
        fit.honours = frozenset(options)  # type: ignore[attr-defined]
        return fit

    return mark


class Method(Protocol):
    """An example-guided synthesis method.

    `reference = True` marks a row that is not a method but a yardstick (the target itself, the exemplar
    copied); only such a row is given the target, through `answer`. A class that sets `wants_joints = True` is called
    with a fourth argument, the asked label's joints (N, J, 2) in px.
    """

    title: ClassVar[str]
    reference: ClassVar[bool]

    def __init__(self, setup: MethodSetup) -> None: ...

    @classmethod
    def refuses(cls, task: TaskInfo) -> str | None:
        """Why this method cannot do `task` ("needs joints"), or None when it can."""

    def parameters_count(self) -> int:
        """Trainable parameters of what `synthesize` runs (0 for a reference)."""

    def fit(self, pairs: Pairs, run: FitRun) -> FitReport: ...

    def synthesize(self, x: torch.Tensor, I: torch.Tensor, F_I: torch.Tensor) -> torch.Tensor:  # noqa: E741
        """x (N, C, H, W) in [0, 1], I (N, 3, H, W) in [-1, 1], F_I (N, C, H, W) -> (N, 3, H, W) in [-1, 1]."""

    def save(self, folder: Path) -> None:
        """Write what `load` needs to synthesize, into an existing folder."""

    def load(self, folder: Path) -> None: ...


@runtime_checkable
class Reference(Protocol):
    """A yardstick row: sees the whole sample, also the target."""

    def answer(self, sample: Sample) -> torch.Tensor:
        """(N, 3, H, W) in [-1, 1]."""


class LandmarkDetector(Protocol):
    """Finds the points of a label in a photo."""

    name: str
    protocol: str  # names the weights, e.g. "dlib-68[shape_predictor_68_face_landmarks]"

    def detect(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, 3) -> float32 (N, J, 2) x, y in pixels, NaN where nothing was found: the whole row for a face
        or nobody, single joints of a body that do not show.
        """


class SceneParser(Protocol):
    """Says what each pixel of a street photo shows. Registered as a labeler; built with one string argument."""

    name: str
    protocol: str  # names the weights and the size they see, e.g. "danet-c0dbfa5f,1024px"

    def parse(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, 3) RGB -> uint8 (N, H, W) train ids, 0..18 (255 where a parser abstains)."""


@dataclass(frozen=True)
class ItemScores:
    """One metric on one method's images: a value per item, or one value for the whole set."""

    metric: str  # the id with its protocol, e.g. "lepe[procedural-1a2b,64px]"
    title: str  # the plain name, e.g. "LEPE"
    better: str  # "lower" | "higher"
    values: list[float | None]  # one per item; None where the metric failed on it. [v] when `whole_set`
    whole_set: bool = False
    low: float | None = None  # interval of a whole-set value (per-item metrics get theirs from benchmark.stats)
    high: float | None = None
    failure: str = ""  # what None means, e.g. "no landmarks found"
    notes: Mapping[str, Any] = field(default_factory=dict)  # N of both sets, weights sha256, ...
    # What the metric saw, for a report to draw over the images: points float (N, J, 2) in px, NaN where not found, or
    # bool (N, H, W) of the pixels read as another class than was asked. Kept beside the scores, not in them.
    seen: np.ndarray | None = None


class Metric(Protocol):
    """Scores one method's images of the whole test set.

    One that not every task or machine can use may have a classmethod `refuses(task: TaskInfo) -> str | None`, as a
    method has: where `eval.extra_metrics` names it, the run is then refused before it begins.
    """

    name: str  # registry name, e.g. "frechet"

    def score(self, exam: Exam, images: np.ndarray) -> list[ItemScores]:
        """images uint8 (N, H, W, 3), in item order -> one or more scores."""


@dataclass(frozen=True)
class Exam:
    """The test set as a metric sees it; arrays uint8 (N, H, W, 3), in item order."""

    items: list[str]
    targets: np.ndarray
    exemplars: np.ndarray
    target_landmarks: np.ndarray  # float32 (N, J, 2) of the asked label, NaN where a body's joint does not show
    consistent: np.ndarray  # bool (N,)
    truths: np.ndarray | None  # rendered true answers; None for real photos
    regions: Mapping[str, np.ndarray] | None  # bool (N, H, W) by region name; None for real photos
    config: Config
    reference: bool = False  # the images are the targets themselves
    target_parsing: np.ndarray | None = None  # uint8 (N, H, W) train ids of the asked label, 255 = unknown; street only


class Task(Protocol):
    """A task of the benchmark: source + F(.) + metrics. Published numbers live with the reports."""

    name: str
    title: str
    metrics: tuple[str, ...]  # registry names
    methods: tuple[str, ...]  # what `--methods all` runs; installed plug-ins are added
    main_method: str  # paired differences are taken against it

    def info(self, config: Config) -> TaskInfo: ...

    def source(self, config: Config, data: str | None) -> Source: ...

    def mirror(self, config: Config) -> Mirror:
        """How labels and joints of a mirrored sample are made."""

    def label_picture(self, label: np.ndarray) -> np.ndarray:
        """A label uint8 (C, H, W) for people to look at: uint8 (H, W, 3)."""
