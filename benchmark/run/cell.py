"""One cell (method x seed) through its three stages: fit, synthesize, score. Each leaves files, so each can be
resumed.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark import registry
from benchmark.errors import BenchError
from benchmark.files import write_json
from benchmark.protocols import FitRun, ItemScores, MethodSetup
from benchmark.run.memory import peak_memory_mb, reset_peak_memory
from benchmark.run.plan import Cell
from benchmark.run.png import load_png, save_png
from benchmark.run.results import RunView
from benchmark.run.seen import write_seen
from benchmark.run.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmark.config import Config
    from benchmark.protocols import FitReport, Method, Task

WEIGHTS = "weights"  # folder inside a cell's folder that `Method.save` fills


@dataclass
class CellRun:
    """A cell at work. `progress(total, label)` gives a tqdm-like bar; `deadline` is a time.monotonic() value or
    None; `lender` is the cell whose weights stand in for a training of its own; `fork` is a cell's folder, from whose
    newest checkpoint a training that has none of its own sets out.
    """

    cell: Cell
    run: Path
    world: World
    progress: Callable[[int, str], Any]
    deadline: float | None = None
    show: bool = True
    lender: Cell | None = None
    fork: Path | None = None

    @property
    def folder(self) -> Path:
        return self.cell.folder(self.run)

    @property
    def is_reference(self) -> bool:
        return bool(registry.get("methods", self.cell.method).reference)

    def method(self) -> Method:
        """A fresh instance of the cell's method; None of its weights are loaded yet."""
        return build_method(self.cell.method, self.world, self.cell.seed)

    def fit(self) -> dict[str, Any]:
        """Train, or go on training, or take the lender's weights; save what `synthesize` needs. Images of earlier
        weights are dropped.
        """
        method = self.method()
        (self.folder / WEIGHTS).mkdir(parents=True, exist_ok=True)
        outcome = self._borrow(method, self.lender) if self.lender else self._train(method)
        method.save(self.folder / WEIGHTS)
        shutil.rmtree(self.cell.images(self.run), ignore_errors=True)
        return {**outcome, "parameters": method.parameters_count()}

    def assist(self) -> None:
        """Train as one of several processes that is not the first: nothing is kept, the first writes."""
        self._fitted(self.method())

    def _train(self, method: Method) -> dict[str, Any]:
        reset_peak_memory()
        report = self._fitted(method)
        untrained = report.finished and not report.steps
        special = {"best": report.best, "forked_from": report.forked_from}
        return {
            "steps": report.steps,
            "planned": 0 if untrained else planned_steps(self.world.config, self.cell.method),
            "finished": report.finished,
            "fit_seconds": report.seconds,
            "losses": dict(report.losses),
            "peak_memory_mb": peak_memory_mb(),
            **{key: dict(told) for key, told in special.items() if told},
        }

    def _fitted(self, method: Method) -> FitReport:
        train = self.world.config.for_method(self.cell.method).train
        run = FitRun(self.folder, True, self.deadline, self.show, self.world.task.label_picture, fork=self.fork)
        if train.keep_best:
            from benchmark.run.validation import validation

            run.evaluate = validation(self.world, method, train.keep_best, train.evaluate_items)
        return method.fit(self.world.pairs(self.cell.method, self.cell.seed), run)

    def _borrow(self, method: Method, lender: Cell) -> dict[str, Any]:
        """The lender's weights and the record of its training, also where that was cut short."""
        fit = RunView(self.run).stages(lender.method, lender.seed).get("fit", {})
        if fit.get("state") != "done":
            raise BenchError(f"uses the weights of {lender.method}, whose training failed: {fit.get('reason', '')}")
        method.load(lender.folder(self.run) / WEIGHTS)
        kept = ("steps", "planned", "finished", "fit_seconds", "losses", "peak_memory_mb")
        return {"weights_of": lender.method, **{key: fit[key] for key in kept}}

    def synthesize(self) -> dict[str, Any]:
        """Make the image of every test item that has none yet."""
        import torch

        from benchmark.data.batches import to_bytes

        method = self.method()
        if not method.reference:
            method.load(self.folder / WEIGHTS)
        out = self.cell.images(self.run)
        out.mkdir(parents=True, exist_ok=True)
        todo = [item for item in self.world.items if not (out / f"{item.id}.png").exists()]
        size, seconds = self.world.config.eval.batch, 0.0
        with self.progress(len(todo), f"{self.cell} synthesize") as bar, torch.no_grad():
            for start in range(0, len(todo), size):
                items = todo[start : start + size]
                sample = self.world.sample(items)
                began = time.perf_counter()
                images = answer(method, sample)
                seconds += time.perf_counter() - began
                expected = (len(items), 3, sample.z.shape[2], sample.z.shape[3])
                if tuple(images.shape) != expected:
                    raise BenchError(
                        f"method {self.cell.method!r}: synthesize returned {tuple(images.shape)}, expected {expected}"
                    )
                if not bool(torch.isfinite(images).all()):
                    where = f"items {items[0].id}..{items[-1].id}"
                    raise BenchError(f"method {self.cell.method!r}: synthesize returned NaN or infinity for {where}")
                for item, pixels in zip(items, to_bytes(images), strict=True):
                    save_png(out / f"{item.id}.png", pixels)
                bar.update(len(items))
        return {"images": len(self.world.items), "made": len(todo), "synthesis_seconds": seconds}

    def score(self) -> dict[str, Any]:
        """Run every metric of the task, and those asked for, on the cell's images; write the cell's scores.json."""
        exam = self.world.exam
        images = np.stack(
            [load_png(self.cell.images(self.run) / f"{item}.png", exam.targets.shape[1:]) for item in exam.items]
        )
        exam = replace(exam, reference=self.is_reference and bool((images == exam.targets).all()))
        scores: list[ItemScores] = []
        names = metric_names(self.world.task, self.world.config)
        with self.progress(len(names), f"{self.cell} score") as bar:
            for name in names:
                scores += registry.get("metrics", name)().score(exam, images)
                bar.update(1)
        write_seen(self.run, self.folder, exam, scores)
        plain = [{**vars(score), "notes": dict(score.notes)} for score in scores]
        write_json(self.folder / "scores.json", [{k: v for k, v in row.items() if k != "seen"} for row in plain])
        return {"metrics": len(scores)}


def no_bar(total: int, label: str) -> Any:
    """In place of a progress bar where nobody watches, or another bar is on the screen."""
    return contextlib.nullcontext(_Silent())


class _Silent:
    def update(self, count: int) -> None: ...


def metric_names(task: Task, config: Config) -> list[str]:
    """What a cell is scored by: the task's metrics, then those that the configuration adds."""
    return list(dict.fromkeys([*task.metrics, *config.eval.extra_metrics]))


def planned_steps(config: Config, method: str) -> int:
    """Steps of a method's whole training."""
    return config.for_method(method).train.total


def build_method(name: str, world: World, seed: int) -> Method:
    """Construct a registered method for a task; one that refuses the task is an error with its reason."""
    from benchmark.features import late_features
    from benchmark.run.devices import choose_device

    cls = registry.get("methods", name)
    info = world.task.info(world.config)
    why = cls.refuses(info)
    if why:
        raise BenchError(f"does not apply: {why}")
    device = choose_device()
    features = None if cls.reference else late_features(world.config.loss.features, device)
    method: Method = cls(MethodSetup(name, info, world.config.for_method(name), seed, features, device))
    return method


def answer(method: Any, sample: Any) -> Any:
    """A method sees label, exemplar and the exemplar's label; only a reference that defines `answer` sees the target
    too.
    """
    if method.reference and hasattr(method, "answer"):
        return method.answer(sample)
    wanted = (sample.joints,) if getattr(method, "wants_joints", False) else ()
    return method.synthesize(sample.x, sample.I, sample.F_I, *wanted)
