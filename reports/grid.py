"""The picture grids of Figures 5 to 10: label, exemplar, every method, target, true answer, one item a line."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmark.run.results import EXAM, MethodRow, RunView
from reports import compare
from reports.item_scores import ItemScores, item_scores
from reports.selection import Choice, choices
from reports.table import decimals_for, number
from reports.thumbnails import data_uris

PER_PAGE = 50  # items on a page of `items/`
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
    href: str = ""  # its page in `items/`
    anchor: str = ""  # where its sheet leads back to; of the lines about one item only the first has it


@dataclass(frozen=True)
class Grid:
    """Lines under common heads."""

    title: str
    explanation: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Column:
    """Pictures of one kind: a method's, or the exam's."""

    head: str
    folder: str  # method name, or the exam's picture kind
    exam: bool
    problem: str = ""


def grids(view: RunView, scores: ItemScores | None = None) -> list[Grid]:
    """The items of `selection.choices`; the first grid is the one drawn by the run's first seed."""
    scores = scores or item_scores(view)
    chosen = choices(view, scores)
    columns = columns_of(view)
    uris = data_uris(_path(view, column, item) for choice in chosen for item in choice.items for column in columns)
    records = {str(item["id"]): item for item in view.items}
    heads = tuple(column.head for column in columns)
    names = [column.folder for column in columns if not column.exam]
    found, shown = [], set[str]()
    for choice in chosen:
        beneath = _beneath(scores, choice, names)
        lines = [
            Line(
                item,
                "; ".join(part for part in (choice.notes.get(item, ""), note_of(records.get(item, {}))) if part),
                tuple(_picture(view, column, item, uris, beneath.get((item, column.folder), "")) for column in columns),
                href=item_address(scores.place_of[item], item),
                anchor="" if item in shown else anchor_of(item),
            )
            for item in choice.items
        ]
        shown |= set(choice.items)
        found.append(Grid(choice.title, choice.explanation, heads, tuple(lines)))
    return found


def _beneath(scores: ItemScores, choice: Choice, methods: Sequence[str]) -> dict[tuple[str, str], str]:
    """{(item, method): the printed value} of the choice's metric."""
    if choice.metric is None:
        return {}
    metric = choice.metric.id
    shown = {
        (item, method): float(scores.of(metric, method)[scores.place_of[item]])
        for item in choice.items
        for method in methods
    }
    known = {key: value for key, value in shown.items() if not math.isnan(value)}
    digits = decimals_for(known.values())
    return {key: number(value, digits) for key, value in known.items()}


def columns_of(view: RunView) -> list[Column]:
    methods = [Column(_head(m), m.name, False, m.problem) for m in compare.ranked(view.results)]
    label, exemplar, target, truth = (Column(head, kind, True) for kind, head in EXAM_COLUMNS.items())
    has_truth = any((view.folder / "images" / EXAM / "truth").glob("*.png"))
    return [label, exemplar, *methods, target, *([truth] if has_truth else [])]


def _head(method: MethodRow) -> str:
    return f"{method.title} (from pictures)" if method.kind == "pictures" else method.title


def _path(view: RunView, column: Column, item: str) -> Path:
    return view.exam_image(column.folder, item) if column.exam else view.image(column.folder, item)


def _picture(view: RunView, column: Column, item: str, uris: dict[Path, str], score: str) -> Picture:
    alt = f"{column.head}, item {item}"
    return framed(alt, _path(view, column, item), uris, view.folder, column.problem, score)


def framed(alt: str, path: Path, uris: Mapping[Path, str], page: Path, problem: str = "", score: str = "") -> Picture:
    """The thumbnail of `path` with a link to it, as seen from the folder `page`; a hole with its reason where `uris`
    has none.
    """
    if path in uris:
        return Picture(alt, uris[path], quote(os.path.relpath(path, page).replace(os.sep, "/")), score=score)
    return Picture(alt, hole=problem or ("damaged file" if path.exists() else "no image"), score=score)


def item_address(place: int, item: str) -> str:
    """Where an item has its full sheet, seen from report.html."""
    return f"items/{place // PER_PAGE:03d}.html#{quote(anchor_of(item))}"


def anchor_of(item: str) -> str:
    return "item-" + "-".join(item.split())


def note_of(record: dict[str, Any]) -> str:
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
