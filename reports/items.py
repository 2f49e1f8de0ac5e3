"""A sheet for every item of the test set, on pages beside the report: all pictures at full size, what was asked and
what was found drawn over them, every score and where it ranks.

    items/index.html              all items in one table, to sort and to filter
    items/000.html, 001.html ...  `PER_PAGE` sheets each

Pictures are not copied: the pages show those of the run folder.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from benchmark.files import write_atomic
from benchmark.run.results import WRONG, MethodRow, MetricRow, RunView
from reports import compare
from reports.grid import PER_PAGE, Column, anchor_of, columns_of, note_of
from reports.html import environment
from reports.item_scores import WITHOUT_ORDER, ItemScores, rankers
from reports.overlays import UNITS, Overlay, Points, points
from reports.score_tables import ARROW
from reports.table import decimals_for, number

LIMIT = 500  # rows of the index that are laid out at once; more make a browser wait


@dataclass(frozen=True)
class Shot:
    """One picture. Without `src` it is a marked hole and `hole` says why."""

    name: str
    kind: str  # "exam" | "method"
    alt: str
    src: str = ""
    hole: str = ""
    asked: str = ""  # path of the label's own points, where the picture is of the label
    overlay: Overlay | None = None
    wrong: str = ""  # address of the mask of pixels that were read otherwise than asked


@dataclass(frozen=True)
class Sheet:
    """One item. `rows` are (metric, its cells by method): value and rank, "3 of 48", the method's best item first."""

    item: str
    anchor: str
    back: str  # address of the place in the report where the item stands
    note: str
    shots: tuple[Shot, ...]
    rows: tuple[tuple[str, Markup], ...]


@dataclass(frozen=True)
class Shelf:
    """Where the pictures of one column lie, and the file names there: one look at a folder instead of one at each of a
    hundred thousand files. Addresses as seen from `items/`.
    """

    column: Column
    folder: str
    pictures: frozenset[str]
    mask_folder: str
    masks: frozenset[str]


@dataclass(frozen=True)
class Sheets:
    """What the sheets of a run are made from, read once."""

    view: RunView
    scores: ItemScores
    shown: frozenset[str] = frozenset()  # items that the report shows pictures of, where their sheets lead back to

    def write(self) -> Path:
        """Write every page; returns the index. Pages of a longer test set before this one are removed."""
        folder = self.view.folder / "items"
        names = [f"{page:03d}.html" for page in range(-(-len(self.scores.items) // PER_PAGE))]
        size = self.size
        for page, name in enumerate(names):
            start = page * PER_PAGE
            content = {
                "task": self.view.results.task,
                "sheets": [self.sheet(place) for place in range(start, min(start + PER_PAGE, len(self.scores.items)))],
                "methods": [row.title for row in self.methods],
                "width": size[0],
                "height": size[1],
                "units": UNITS,
                "has_points": self.points is not None,
                "has_masks": any((self.view.folder / "cells").glob(f"*/*/{WRONG}")),
                "before": names[page - 1] if page else "",
                "after": names[page + 1] if page + 1 < len(names) else "",
            }
            write_atomic(folder / name, environment().get_template("items.html").render(content).encode(), flush=False)
        for old in folder.glob("[0-9]*.html"):
            if old.name not in names:
                old.unlink()
        index = folder / "index.html"
        write_atomic(index, environment().get_template("item_index.html").render(self._index()).encode())
        return index

    def sheet(self, place: int) -> Sheet:
        item = self.scores.items[place]
        rows = tuple((f"{m.title} {ARROW.get(m.better, '')}".strip(), self._cells(m, place)) for m in self.metrics)
        file = quote(f"{item}.png")
        shots = tuple(self._shot(shelf, item, file) for shelf in self._shelves)
        back = f"../report.html#{quote(anchor_of(item)) if item in self.shown else 'pictures'}"
        return Sheet(item, anchor_of(item), back, _origin(self.view.items[place]), shots, rows)

    @cached_property
    def columns(self) -> list[Column]:
        return columns_of(self.view)

    @cached_property
    def methods(self) -> list[MethodRow]:
        """Those with any score, references last."""
        scored = {method for by_method in self.scores.table.values() for method in by_method}
        rows = [row for row in self.view.results.methods if row.name in scored]
        return sorted(rows, key=lambda row: row.kind == "reference")

    @cached_property
    def metrics(self) -> list[MetricRow]:
        return [m for m in self.view.results.metrics if m.id in self.scores.table]

    @cached_property
    def points(self) -> Points | None:
        return points(self.view)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures, in pixels."""
        from PIL import Image, UnidentifiedImageError

        for item in self.scores.items[:20]:
            for column in self.columns:
                try:
                    with Image.open(self._path(column, item)) as image:
                        return image.size
                except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
                    continue
        return 1, 1

    @cached_property
    def _digits(self) -> dict[str, int]:
        """Decimals by metric, as a typical value needs them."""
        return {
            metric: decimals_for(v for values in by_method.values() for v in values[:200].tolist())
            for metric, by_method in self.scores.table.items()
        }

    def _path(self, column: Column, item: str) -> Path:
        return self.view.exam_image(column.folder, item) if column.exam else self.view.image(column.folder, item)

    @cached_property
    def _shelves(self) -> list[Shelf]:
        return [self._shelf(column) for column in self.columns]

    def _shelf(self, column: Column) -> Shelf:
        pictures = self._path(column, "x").parent
        seed = self.view.results.seeds[0] if self.view.results.seeds else 0
        masks = self.view.wrong_pixels(column.folder, "x", seed).parent
        return Shelf(column, self._address(pictures), _listing(pictures), self._address(masks), _listing(masks))

    def _address(self, folder: Path) -> str:
        """Seen from `items/`."""
        return "../" + quote(folder.relative_to(self.view.folder).as_posix())

    def _shot(self, shelf: Shelf, item: str, file: str) -> Shot:
        column, drawn = shelf.column, self.points
        kind, alt = "exam" if column.exam else "method", f"{column.head}, item {item}"
        if f"{item}.png" not in shelf.pictures:
            return Shot(column.head, kind, alt, hole=column.problem or "no image")
        address = f"{shelf.folder}/{file}"
        if column.exam:
            of_label = drawn is not None and column.folder != "exemplar"
            return Shot(column.head, kind, alt, address, asked=drawn.asked_path(item) if drawn and of_label else "")
        overlay = drawn.overlay(column.folder, item) if drawn else None
        wrong = f"{shelf.mask_folder}/{file}" if f"{item}.png" in shelf.masks else ""
        return Shot(column.head, kind, alt, address, overlay=overlay, wrong=wrong)

    def _cells(self, metric: MetricRow, place: int) -> Markup:
        """The cells of a row. A million of them: made here, of nothing but numbers, so that none needs escaping."""
        digits, cells = self._digits[metric.id], []
        for values, ranks, count in self._ranked[metric.id]:
            if math.isnan(values[place]):
                cells.append('<td class="missing">no score</td>')
            else:
                rank = f"<small>{ranks[place]} of {count}</small>" if count else ""
                cells.append(f"<td>{number(values[place], digits)}{rank}</td>")
        return Markup("".join(cells))

    @cached_property
    def _ranked(self) -> dict[str, list[tuple[list[float], list[int], int]]]:
        """By metric, for every method: values, ranks, and how many items the ranks are among; 0 where all are equal or
        the metric is a rate of failure, so that there is no order.
        """
        found: dict[str, list[tuple[list[float], list[int], int]]] = {}
        for metric in self.metrics:
            ordered = not compare.family(metric.id).endswith(WITHOUT_ORDER)
            for method in self.methods:
                ranks = self.scores.ranks(metric, method.name)
                count = int((ranks > 0).sum()) if ordered and ranks.max(initial=0) > 1 else 0
                values = self.scores.of(metric.id, method.name).tolist()
                found.setdefault(metric.id, []).append((values, ranks.tolist(), count))
        return found

    def _index(self) -> dict[str, Any]:
        """One line an item: the anchor's score on every metric that ranks items."""
        anchor = compare.anchor(self.view.results)
        metrics = rankers(self.view, self.scores)
        return {
            "task": self.view.results.task,
            "anchor": compare.titles(self.view.results)[anchor],
            "heads": [f"{m.title} {ARROW.get(m.better, '')}".strip() for m in metrics],
            "lines": list(self._index_lines(metrics, anchor)),
            "limit": LIMIT,
            "pages": [
                (f"{start // PER_PAGE:03d}.html", self.scores.items[start])
                for start in range(0, len(self.scores.items), PER_PAGE)
            ],
        }

    def _index_lines(
        self, metrics: Sequence[MetricRow], anchor: str
    ) -> Iterator[tuple[str, str, str, list[tuple[float, str] | None]]]:
        """(item, address, note, (value, text) or None by metric)."""
        columns = [(self.scores.of(m.id, anchor).tolist(), self._digits[m.id]) for m in metrics]
        for place, item in enumerate(self.scores.items):
            values = [None if v[place] != v[place] else (v[place], number(v[place], d)) for v, d in columns]
            address = f"{place // PER_PAGE:03d}.html#{quote(anchor_of(item))}"
            yield item, address, note_of(self.view.items[place]), values


def _listing(folder: Path) -> frozenset[str]:
    return frozenset(os.listdir(folder)) if folder.is_dir() else frozenset()


def _origin(record: dict[str, Any]) -> str:
    """Where label and exemplar come from, and whether they share a style."""
    named = [f"{what}: {_frame(record[what])}" for what in ("label", "exemplar") if record.get(what)]
    return "; ".join([*named, *([note_of(record)] if note_of(record) else [])])


def _frame(place: Any) -> str:
    """ "clip dance-00035.2, frame 12"; of a file edited by hand whatever stands there."""
    return f"clip {place[0]}, frame {place[1]}" if isinstance(place, list) and len(place) == 2 else str(place)
