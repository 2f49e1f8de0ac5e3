"""The picture grid of Figure 5: label, exemplar, every method, target, true answer; items drawn by seed, not hand."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import quote

from benchmark.run.results import MethodRow, MetricRow, RunView
from reports import compare
from reports.table import decimals_for, number
from reports.thumbnails import data_uris

DRAWN = 10
EXTREMES = 3
EXAM_COLUMNS = {"label": "Label", "exemplar": "Exemplar", "target": "Target", "truth": "True answer"}


@dataclass(frozen=True)
class Picture:
    """A cell of the grid; without `src` it is a marked hole and `hole` says why."""

    alt: str
    src: str = ""
    href: str = ""  # the full image, beside the page
    hole: str = ""
    score: str = ""


@dataclass(frozen=True)
class Line:
    """One test item."""

    item: str
    note: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Grid:
    """Lines under common heads."""

    title: str
    explanation: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class _Column:
    head: str
    folder: str  # method name, or the exam's picture kind
    exam: bool
    problem: str = ""


def grids(view: RunView) -> list[Grid]:
    """Items drawn by the run's first seed, then the best and worst of the anchor method."""
    seed = view.results.seeds[0] if view.results.seeds else 0
    ids = [str(item["id"]) for item in view.items]
    drawn = sorted(random.Random(seed).sample(range(len(ids)), min(DRAWN, len(ids))))
    metric = _ranking_metric(view)
    anchor = compare.anchor(view.results)
    title = next((m.title for m in view.results.methods if m.name == anchor), anchor)
    scores = _item_scores(view, metric)
    beneath = f" Beneath each result: {metric.title}, {metric.better} is better." if metric and scores else ""
    how = f"{len(drawn)} of {len(ids)} items, drawn by seed {seed}.{beneath}"
    plans = [("As in Figure 5", how, [ids[i] for i in drawn])]
    if metric and (scored := sorted((s[anchor], item) for item, s in scores.items() if anchor in s)):
        ends = (scored[:EXTREMES], scored[-EXTREMES:][::-1])
        good, bad = ends if metric.better == "lower" else ends[::-1]
        by = f"By {metric.title}, {metric.better} is better."
        plans.append((f"Best {len(good)} of {title}", by, [item for _, item in good]))
        plans.append((f"Worst {len(bad)} of {title}", by, [item for _, item in bad]))
    columns = _columns(view)
    uris = data_uris(_path(view, column, item) for _, _, items in plans for item in items for column in columns)
    records = {str(item["id"]): item for item in view.items}
    digits = decimals_for(v for s in scores.values() for v in s.values())

    def line(item: str) -> Line:
        pictures = []
        for column in columns:
            value = None if column.exam else scores.get(item, {}).get(column.folder)
            score = "" if value is None else number(value, digits)
            pictures.append(_picture(view, column, item, uris, score))
        return Line(item, _note(records.get(item, {})), tuple(pictures))

    heads = tuple(column.head for column in columns)
    return [Grid(name, explanation, heads, tuple(map(line, items))) for name, explanation, items in plans if items]


def _ranking_metric(view: RunView) -> MetricRow | None:
    """Counterfactual L1 (face first) where truth is known, else the eye-patch distance."""
    results = view.results
    by_region = [compare.find(results, "counterfactual-l1", inside=r) for r in ("face", "foreground", "whole")]
    return next((m for found in (*by_region, compare.find(results, "eye-patch")) for m in found), None)


def _item_scores(view: RunView, metric: MetricRow | None) -> dict[str, dict[str, float]]:
    """{item: {method: mean over seeds}} of one metric."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record in view.scores if metric else ():
        if metric and record["metric"] == metric.id and record["item"] is not None and record["value"] is not None:
            values[str(record["item"]), record["method"]].append(record["value"])
    table: dict[str, dict[str, float]] = defaultdict(dict)
    for (item, method), found in values.items():
        table[item][method] = fmean(found)
    return table


def _columns(view: RunView) -> list[_Column]:
    methods = [_Column(_head(m), m.name, False, m.problem) for m in compare.ranked(view.results)]
    label, exemplar, target, truth = (_Column(head, kind, True) for kind, head in EXAM_COLUMNS.items())
    has_truth = any(view.exam_image("truth", str(item["id"])).exists() for item in view.items)
    return [label, exemplar, *methods, target, *([truth] if has_truth else [])]


def _head(method: MethodRow) -> str:
    return f"{method.title} (from pictures)" if method.kind == "pictures" else method.title


def _path(view: RunView, column: _Column, item: str) -> Path:
    return view.exam_image(column.folder, item) if column.exam else view.image(column.folder, item)


def _picture(view: RunView, column: _Column, item: str, uris: dict[Path, str], score: str) -> Picture:
    path = _path(view, column, item)
    alt = f"{column.head}, item {item}"
    if path in uris:
        return Picture(alt, uris[path], quote(path.relative_to(view.folder).as_posix()), score=score)
    return Picture(alt, hole=column.problem or ("damaged file" if path.exists() else "no image"), score=score)


def _note(record: dict[str, Any]) -> str:
    if "consistent" not in record:
        return ""
    return "exemplar shares the target's style" if record["consistent"] else "exemplar of another style"


def first_look(view: RunView, drawn: Grid, items: int = 3) -> Grid:
    """The head of the drawn items, with the columns that show the idea: asked, shown, made, and what was right."""
    anchor = next((_head(m) for m in view.results.methods if m.name == compare.anchor(view.results)), "")
    last = EXAM_COLUMNS["truth"] if EXAM_COLUMNS["truth"] in drawn.columns else EXAM_COLUMNS["target"]
    heads = [head for head in (EXAM_COLUMNS["label"], EXAM_COLUMNS["exemplar"], anchor, last) if head in drawn.columns]
    at = [drawn.columns.index(head) for head in heads]
    lines = tuple(Line(line.item, "", tuple(line.pictures[i] for i in at)) for line in drawn.lines[:items])
    return Grid("", f"The first {len(lines)} of the items drawn by seed.", tuple(heads), lines)
