"""What a run will do, decided before anything is computed: cells, configuration, data, and the identity of all of it.

A plan is made without importing torch, so that a mistake, or a finished run, is told at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark import registry
from benchmark.config import Config
from benchmark.data.source import Source
from benchmark.errors import BenchError, nearest
from benchmark.files import sha256_file
from benchmark.protocols import Metric, Task
from benchmark.run.world import World

STAGES = ("fit", "synthesize", "score")


@dataclass(frozen=True)
class Cell:
    """One method under one seed."""

    method: str
    seed: int

    def folder(self, run: Path) -> Path:
        return run / "cells" / self.method / str(self.seed)

    def images(self, run: Path) -> Path:
        return run / "images" / self.method / str(self.seed)

    def __str__(self) -> str:
        return f"{self.method}@{self.seed}"


@dataclass(frozen=True)
class Plan:
    """A run before it runs."""

    task: Task
    config: Config
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    world: World

    @property
    def cells(self) -> list[Cell]:
        return [Cell(method, seed) for seed in self.seeds for method in self.methods]

    @cached_property
    def refused(self) -> dict[str, str]:
        """Methods of the plan that cannot do its task, each with its reason ("needs joints"). Imports the methods."""
        info = self.task.info(self.config)
        reasons = {name: registry.get("methods", name).refuses(info) for name in self.methods}
        return {name: reason for name, reason in reasons.items() if reason}

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What must agree for a folder to be continued: everything that a cell's bytes depend on."""
        return {
            "task": self.task.name,
            "config": json.loads(json.dumps(self.config.to_dict())),
            "data": {
                "name": self.world.source.name,
                "fingerprint": self.world.source.fingerprint,
                **({"pair_labels": sha256_file(Path(labels))} if (labels := self.config.pairs.labels) else {}),
            },
            "code": {method: code_version(registry.where("methods", method)) for method in self.methods},
        }

    @property
    def id(self) -> str:
        """Folder name under runs/: the same command gives the same name, and so continues its own run."""
        tree = {**self.identity, "methods": self.methods, "seeds": self.seeds}
        digest = hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()
        return f"{self.task.name}-{self.config.preset}-{digest[:8]}"


def make_plan(task_name: str, config: Config, methods: str, seeds: Sequence[int], data: str | None) -> Plan:
    """Check every name and return the plan. `methods` is "all" or a comma-separated list."""
    task: Task = registry.get("tasks", task_name)()
    names, checked = _method_names(task, methods), _seeds(seeds)
    _check_metrics(task, config)
    config = resolve(config, World(task, config, data).source)
    return Plan(task, config, names, checked, World(task, config, data))


def find_cell(plan: Plan, text: str) -> Cell:
    """The cell of a plan that "METHOD:SEED" names; BenchError names the nearest where there is none."""
    cells = {f"{cell.method}:{cell.seed}": cell for cell in plan.cells}
    if text not in cells:
        raise BenchError(f"--cell {text!r}: no cell METHOD:SEED of this plan{nearest(text, cells)}")
    return cells[text]


def folder_name(plans: Sequence[Plan]) -> str:
    """Folder under runs/ of a plan, or of several tasks' plans together."""
    if len(plans) == 1:
        return plans[0].id
    digest = hashlib.sha256(" ".join(plan.id for plan in plans).encode()).hexdigest()
    return f"{'+'.join(plan.task.name for plan in plans)}-{plans[0].config.preset}-{digest[:8]}"


def resolve(config: Config, source: Source) -> Config:
    """Replace what the configuration leaves to the data by its name, so that the saved configuration is the run."""
    ev = config.eval
    if ev.detector == "source":
        ev = replace(ev, detector=source.detector)
    if ev.parser == "source":
        ev = replace(ev, parser=getattr(source, "parser", ""))
    return replace(config, eval=ev)


def _method_names(task: Task, text: str) -> tuple[str, ...]:
    known = registry.names("methods")
    if text.strip() == "all":
        listed = [name for name in task.methods if name in known]
        ours = {"models", "baselines"}
        plug_ins = [n for n in known if registry.where("methods", n).split(".")[0].split(":")[0] not in ours]
        return tuple(dict.fromkeys([*listed, *plug_ins]))
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise BenchError(f"--methods: name at least one of {', '.join(known)}, or all")
    for name in names:
        if name not in known:
            raise BenchError(f"--methods: unknown method {name!r}{nearest(name, [*known, 'all'])}")
    return tuple(dict.fromkeys(names))


def _check_metrics(task: Task, config: Config) -> None:
    """Refuse at once what would fail after hours of training."""
    for name in config.eval.extra_metrics:
        find_metric(name, task, config, "eval.extra_metrics")


def find_metric(name: str, task: Task, config: Config, asked_by: str) -> Callable[[], Metric]:
    """The metric called `name`; BenchError, opening with `asked_by`, for an unknown one and one that cannot score the
    task.
    """
    try:
        metric = registry.get("metrics", name)
    except BenchError as error:
        raise BenchError(f"{asked_by}: {error}") from error
    reason = metric.refuses(task.info(config)) if hasattr(metric, "refuses") else None
    if reason:
        raise BenchError(f"{asked_by}: {name!r} cannot score the task {task.name}: {reason}")
    found: Callable[[], Metric] = metric
    return found


def _seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    if not seeds or any(seed < 0 for seed in seeds):
        raise BenchError(f"--seeds: one or more whole numbers from 0, got {list(seeds)}")
    return tuple(dict.fromkeys(seeds))


def code_version(where: str) -> str:
    """sha256 (16 hex digits) over the Python files that a "module:attribute" method is made of: its own top-level
    package and the training code.
    """
    digest = hashlib.sha256()
    for package in sorted({where.split(":")[0].split(".")[0], "models"}):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
        for file in files:
            digest.update(file.name.encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
