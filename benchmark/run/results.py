"""A run folder seen from outside: what `bench run` leaves and what reports read.

    manifest.json     what was run and with what: config, seeds, versions, device, hashes, argv, git
    items.json        the test set: one record per item
    cells.jsonl       one line per finished or failed stage of a cell (method x seed), with seconds
    scores.jsonl      one line per (method, seed, metric, item), or per whole-set value
    results.json      the summary: values with intervals, paired differences. Holds no times or
                      dates, so a resumed run gives the bytes of an unbroken one
    cells/<method>/<seed>/log.jsonl, grids/, weights/      what training left
    cells/<method>/<seed>/points.jsonl, wrong/             what detector or parser saw in its images
    images/<method>/<seed>/<item>.png                      what the method made
    cells/<name>/<seed>/, images/<name>/<seed>/            the same for pictures that `bench evaluate` was given
    images/_exam/{label,exemplar,target,truth}/<item>.png  what it was asked, shown, and should have made
    images/_exam/points.jsonl                              the points that the labels ask for, where they have any
    preference*.json  what people preferred, a file for each study analysed into the run (`bench survey analyze --into`)

A run over several tasks is a folder with a run folder per task, named by it, and suite.json: the tasks and the command.

`RunView(folder)` reads all of it lazily. Of `benchmark`, `reports` imports this module, `stats`, `files` and `errors`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError
from benchmark.files import read_json, read_lines, write_json
from benchmark.run.records import Damaged, fits, records
from benchmark.run.records import strict as strict
from benchmark.run.votes import LeftOut as LeftOut
from benchmark.run.votes import PairVotes as PairVotes
from benchmark.run.votes import Preference as Preference
from benchmark.run.votes import Preferred as Preferred
from benchmark.run.votes import Strength as Strength
from benchmark.run.votes import TimedVotes as TimedVotes
from benchmark.run.votes import Voted as Voted
from benchmark.run.votes import VoteFlow as VoteFlow
from benchmark.run.votes import read_preferences as read_preferences
from benchmark.run.votes import write_preference as write_preference

SCHEMA = 1
EXAM = "_exam"
POINTS = "points.jsonl"
WRONG = "wrong"
SUITE = "suite.json"


class NewerSchema(BenchError):
    """results.json was written by a later version of this program."""


@dataclass(frozen=True)
class MethodRow:
    """A row of the run. `kind`: "method", "pictures" (somebody's finished images: ranked, of unknown cost) or
    "reference" (the target itself, the exemplar copied: never ranked).
    """

    name: str
    title: str
    kind: str
    parameters: int
    problem: str = ""  # why it has no values: "does not apply: needs joints", or what failed
    unfinished: str = ""  # why its training is shorter than planned, e.g. "time budget: 812 of 2000 steps"
    note: str = ""  # where the row comes from: "weights of pix2pixhd", "evaluated from pictures"


@dataclass(frozen=True)
class MetricRow:
    """A column of numbers. `id` carries the protocol; numbers of two ids never share a column."""

    id: str
    title: str
    better: str  # "lower" | "higher"
    whole_set: bool
    failure: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Value:
    """One method on one metric: the mean over items and seeds (or the whole-set value), with a 95 % interval."""

    method: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int  # items behind the value (per seed)
    failures: int  # items on which the metric failed, over all seeds
    seeds: int


@dataclass(frozen=True)
class Difference:
    """Paired difference `method` minus `against` over the items both have, with a 95 % interval; `p` is
    Holm-adjusted within the metric.
    """

    metric: str
    method: str
    against: str
    value: float
    low: float
    high: float
    p: float
    n: int


@dataclass(frozen=True)
class Results:
    """The content of results.json."""

    task: str
    preset: str
    seeds: tuple[int, ...]
    items: int
    methods: tuple[MethodRow, ...]
    metrics: tuple[MetricRow, ...]
    values: tuple[Value, ...]
    differences: tuple[Difference, ...]
    cautions: tuple[str, ...] = ()  # what makes the numbers incomparable with published ones, one sentence each
    schema: int = SCHEMA

    def value(self, method: str, metric: str) -> Value | None:
        """The cell of the table, or None where there is none."""
        return next((v for v in self.values if v.method == method and v.metric == metric), None)


def write_results(folder: Path, results: Results) -> None:
    """Write results.json atomically, as `results.schema.json` describes it."""
    write_json(folder / "results.json", strict(dataclasses.asdict(results)))


def read_results(folder: Path) -> Results:
    """Read results.json; another schema, a missing or a damaged file is one clear line."""
    path = folder / "results.json"
    tree = read_json(path)
    _check_schema(path, tree)
    try:
        results = Results(
            task=tree["task"],
            preset=tree["preset"],
            seeds=tuple(tree["seeds"]),
            items=tree["items"],
            methods=records(MethodRow, tree["methods"], "methods"),
            metrics=records(MetricRow, tree["metrics"], "metrics"),
            values=records(Value, tree["values"], "values"),
            differences=records(Difference, tree["differences"], "differences"),
            cautions=tuple(tree["cautions"]),
        )
        _check(results)
    except (KeyError, TypeError, AttributeError, Damaged) as error:
        raise BenchError(f"{path}: damaged: {error}; run `bench run` on the folder again to rebuild it") from error
    return results


def _check(results: Results) -> None:
    """What no row can know of itself; raises Damaged."""
    if not results.seeds or not all(fits(seed, int) for seed in results.seeds):
        raise Damaged(f"seeds are {list(results.seeds)}, not one or more whole numbers")
    if not fits(results.items, int):
        raise Damaged(f"items is {results.items!r}, not how many there are")
    for what in (results.task, results.preset, *results.cautions):
        if not isinstance(what, str):
            raise Damaged(f"task, preset or a caution is {what!r}, not a text")
    if wrong := [metric.id for metric in results.metrics if metric.better not in ("lower", "higher")]:
        raise Damaged(f"better of metric {wrong[0]!r} is neither lower nor higher")


def _check_schema(path: Path, tree: Any) -> None:
    """Older files are rebuilt from the folder's scores; newer ones need a newer program."""
    found = tree.get("schema") if isinstance(tree, dict) else None
    if found == SCHEMA:
        return
    told = f"{path}: schema {found!r}; this version reads schema {SCHEMA}"
    if isinstance(found, int) and found > SCHEMA:
        raise NewerSchema(f"{told}: upgrade exemplar-bench")
    raise BenchError(f"{told}: run `bench run` on the folder again, which makes it anew from the scores")


MANIFEST: dict[str, Any] = {  # what readers take apart
    **dict.fromkeys(("config", "data", "code", "device", "versions", "weights", "rows"), dict),
    "git": (dict, type(None)),  # null where the code is in no repository
    **dict.fromkeys(("argv", "methods", "seeds", "pictures"), list),
}


@dataclass(frozen=True)
class RunView:
    """A run folder, read lazily."""

    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """manifest.json; keys: id, created, task, preset, methods, seeds, config, data, data_path, code, rows
        ({method: title, kind, package}), pictures ([{name, title, folder, sha256, ...}]), device, versions, weights,
        argv, git.
        """
        path = self.folder / "manifest.json"
        tree: dict[str, Any] = read_json(path)
        if not isinstance(tree, dict):
            raise BenchError(f"{path}: damaged: not an object; take the file from a copy of the run")
        for key, kind in MANIFEST.items():
            if key in tree and not isinstance(tree[key], kind):
                what = "a list" if kind is list else "an object"
                raise BenchError(f"{path}: damaged: {key} is not {what}; take the file from a copy of the run")
        return tree

    @cached_property
    def results(self) -> Results:
        return read_results(self.folder)

    @cached_property
    def preferences(self) -> tuple[Preference, ...]:
        """What people preferred, one for each study analysed into the run."""
        return read_preferences(self.folder)

    @cached_property
    def items(self) -> list[dict[str, Any]]:
        """Test items in order: {"id", "label": [clip, index], "exemplar": [clip, index], "consistent"}."""
        path = self.folder / "items.json"
        items: list[dict[str, Any]] = read_json(path)
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise BenchError(f"{path}: damaged: not a list of objects; take the file from a copy of the run")
        ids = [item.get("id") for item in items]
        if wrong := [place for place, name in enumerate(ids) if not isinstance(name, str | int)]:
            raise BenchError(f"{path}: damaged: item {wrong[0]} has no id; take the file from a copy of the run")
        if len(set(ids)) < len(ids):
            twice = next(name for name in ids if ids.count(name) > 1)
            raise BenchError(f"{path}: damaged: two items are called {twice!r}; take the file from a copy of the run")
        return items

    @cached_property
    def cells(self) -> dict[tuple[str, int], dict[str, dict[str, Any]]]:
        """Newest record of each stage: {(method, seed): {stage: record}}; stages fit, synthesize, score.

        A record has "state" ("done" | "failed" | "stale" | "not-applicable"), "seconds", and where it failed or does
        not apply "reason"; fit adds "steps", "planned", "finished", "fit_seconds", "losses", "parameters",
        "peak_memory_mb", "weights_of" where they are another method's, "best" where `train.keep_best` chose them and
        "forked_from" where the training set out from another run's (docs/training.md); synthesize adds
        "images", for pictures also "sha256" of their listing.
        """
        table: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
        for record in read_lines(self.folder / "cells.jsonl"):
            if fits(record.get("method"), str) and fits(record.get("seed"), int) and fits(record.get("stage"), str):
                table.setdefault((record["method"], record["seed"]), {})[record["stage"]] = record
        return table

    def stages(self, method: str, seed: int) -> dict[str, dict[str, Any]]:
        """The records of one of `cells`; empty where it has not begun."""
        return self.cells.get((method, seed), {})

    @cached_property
    def scores(self) -> list[dict[str, Any]]:
        """Per-item scores: {"method", "seed", "metric", "item" (None for a whole-set value), "value" (None = the
        metric failed)}.
        """
        return list(read_lines(self.folder / "scores.jsonl"))

    def image(self, method: str, item: str, seed: int | None = None) -> Path:
        """What `method` made for `item`; the first seed unless told."""
        return self.folder / "images" / method / str(self.results.seeds[0] if seed is None else seed) / f"{item}.png"

    def exam_image(self, what: str, item: str) -> Path:
        """`what` is "label", "exemplar", "target" or "truth" (the last only where truth can be rendered)."""
        return self.folder / "images" / EXAM / what / f"{item}.png"

    def asked_points(self) -> Iterator[dict[str, Any]]:
        """{"item", "points": [[x, y] in px or null, ...]} of labels, in item order; nothing where there are none."""
        return read_lines(self.folder / "images" / EXAM / POINTS)

    def seen_points(self, method: str, seed: int) -> Iterator[dict[str, Any]]:
        """The same as the detector found them in the method's images."""
        return read_lines(self.folder / "cells" / method / str(seed) / POINTS)

    def wrong_pixels(self, method: str, item: str, seed: int) -> Path:
        """The mask of pixels that the parser read as another class than was asked: red, else transparent."""
        return self.folder / "cells" / method / str(seed) / WRONG / f"{item}.png"

    def log(self, method: str, seed: int) -> list[dict[str, Any]]:
        """Training log lines: {"step", "seconds", "losses": {name: value}}; empty for what does not train.

        Where `train.keep_best` evaluated, also "metrics": {id: score on validation items}.
        """
        return list(read_lines(self.folder / "cells" / method / str(seed) / "log.jsonl"))


@dataclass(frozen=True)
class SuiteView:
    """The folder of a run over several tasks."""

    folder: Path
    tasks: tuple[str, ...]
    argv: list[str]

    @property
    def views(self) -> list[RunView]:
        """A view per task, in order, whether or not its run has come to anything yet."""
        return [RunView(self.folder / task) for task in self.tasks]


def is_suite(folder: Path) -> bool:
    return (folder / SUITE).is_file()


def write_suite(folder: Path, tasks: Sequence[str], argv: list[str]) -> None:
    """Write suite.json atomically. Tasks may be added; a folder that holds a run of one task is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "manifest.json").exists():
        raise BenchError(f"{folder}: holds a run of one task; use another --out for several")
    if is_suite(folder):
        known = read_suite(folder)
        tasks, argv = (
            tuple(dict.fromkeys([*known.tasks, *tasks])),
            known.argv if set(tasks) <= set(known.tasks) else argv,
        )
    write_json(folder / SUITE, {"tasks": list(tasks), "argv": argv})


def read_suite(folder: Path) -> SuiteView:
    """Read suite.json; a missing or damaged file is one clear line."""
    tree = read_json(folder / SUITE)
    try:
        return SuiteView(folder, tuple(str(task) for task in tree["tasks"]), [str(word) for word in tree["argv"]])
    except (KeyError, TypeError) as error:
        raise BenchError(f"{folder / SUITE}: damaged: {error}; run `bench run` with the same --task again") from error
