"""All runs of a folder on one page: `write_gallery(folder)` leaves `index.html` in it.

One line per run, newest first: a picture, task, methods, state, date, the first numbers of its main method, a link to
its report. `bench report --gallery FOLDER` writes it, and every report of a run in a folder called runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmark.errors import BenchError
from benchmark.files import write_atomic
from benchmark.run.results import RunView, is_suite, read_suite
from reports import compare
from reports.html import render
from reports.progress import progress
from reports.table import decimals_for, interval, number
from reports.thumbnails import data_uris

INDEX = "index.html"
MARK = "Gallery of runs: exemplar-bench"  # in the title: what else is called index.html is not ours to overwrite
BUDGET = 6 * 2**20  # bytes of all thumbnails
HEADLINES = 3  # numbers per run
NAMES = 4  # methods named before the rest are counted


@dataclass(frozen=True)
class Headline:
    """A number of the run's main method."""

    metric: str
    value: str
    interval: str


@dataclass(frozen=True)
class Line:
    """One run of one task, or why it cannot be shown."""

    name: str
    href: str  # of its report; "" where there is none yet
    task: str = ""
    preset: str = ""
    methods: str = ""
    state: str = ""
    created: str = ""
    main: str = ""
    headlines: tuple[Headline, ...] = ()
    thumbnail: str = ""
    alt: str = ""
    problem: str = ""
    together: str = ""  # the page of all tasks of its run


def write_gallery(folder: Path) -> Path:
    """Write the page atomically; returns its path. A run that cannot be read has a line that says why.

    Raises BenchError where the folder is none, or holds an index.html that is no gallery.
    """
    if not folder.is_dir():
        raise BenchError(f"--gallery {folder}: no such folder")
    path = folder / INDEX
    if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace")[:4000]:
        raise BenchError(f"{path}: is not a gallery that bench wrote; move it away first")
    lines = sorted(_lines(folder), key=lambda line: (line.created, line.name), reverse=True)
    write_atomic(
        path, render("gallery.html", {"folder": folder.absolute().name, "lines": lines, "mark": MARK}).encode()
    )
    return path


def _lines(folder: Path) -> list[Line]:
    """A line for every run folder, and for every task of one that has several."""
    found: list[tuple[Line, Path | None]] = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        if is_suite(place):
            found += _suite(place, folder)
        elif (place / "manifest.json").exists():
            found.append(_safely(place, place.name, place / "report.html", folder))
    uris = data_uris([picture for _, picture in found if picture], BUDGET)
    return [replace(line, thumbnail=uris.get(picture, "") if picture else "") for line, picture in found]


def _suite(place: Path, folder: Path) -> list[tuple[Line, Path | None]]:
    try:
        views = read_suite(place).views
    except BenchError as error:
        return [(Line(place.name, "", problem=str(error)), None)]
    begun = [view for view in views if (view.folder / "manifest.json").exists()]
    page = place / "report.html"
    together = quote(page.relative_to(folder).as_posix()) if page.exists() else ""
    found = [_safely(v.folder, f"{place.name}/{v.folder.name}", v.folder / "report.html", folder) for v in begun]
    return [(replace(line, together=together), picture) for line, picture in found]


def _safely(place: Path, name: str, report: Path, folder: Path) -> tuple[Line, Path | None]:
    """A damaged run is a line that says so: the others are shown all the same."""
    href = quote(report.relative_to(folder).as_posix()) if report.exists() else ""
    try:
        return _line(RunView(place), name, href)
    except (BenchError, KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        reason = str(error) if isinstance(error, BenchError) else f"damaged: {error!r}"
        return Line(name, href, problem=reason), None


def _line(view: RunView, name: str, href: str) -> tuple[Line, Path | None]:
    manifest = view.manifest
    has_results = (view.folder / "results.json").exists()
    main, headlines = _headlines(view) if has_results else ("", ())
    picture, alt = _picture(view) if has_results else (None, "")
    line = Line(
        name, href, manifest["task"], manifest["preset"], _listed(_titles(manifest)), progress(view).state,
        str(manifest.get("created", "")), main, headlines, alt=alt,
    )  # fmt: skip
    return line, picture


def _titles(manifest: Mapping[str, Any]) -> list[str]:
    """Of methods, then of pictures from elsewhere, references last."""
    rows = manifest.get("rows", {})
    found = [(rows.get(name, {}).get("kind"), rows.get(name, {}).get("title", name)) for name in manifest["methods"]]
    found += [("pictures", row.get("title") or row["name"]) for row in manifest.get("pictures", [])]
    return [title for kind, title in sorted(found, key=lambda row: row[0] == "reference")]


def _listed(titles: Sequence[str]) -> str:
    more = len(titles) - NAMES
    return ", ".join(titles if more <= 1 else [*titles[:NAMES], f"{more} more"])


def _headlines(view: RunView) -> tuple[str, tuple[Headline, ...]]:
    """The main method, and its numbers: the first metric of the whole set, then of each kind of item score."""
    results = view.results
    anchor = compare.anchor(results)
    title = compare.titles(results)[anchor]
    contested = compare.contested(results, results.metrics)
    whole = [metric for metric in contested if metric.whole_set][:1]
    families = ("counterfactual-l1", "lepe", "eye-patch")
    items = [metric for family in families for metric in contested if compare.family(metric.id) == family]
    first = {compare.family(metric.id): metric for metric in [*items[::-1], *whole]}
    found = []
    for metric in [*whole, *(first[family] for family in families if family in first)]:
        if value := results.value(anchor, metric.id):
            digits = decimals_for([value.value])
            found.append(Headline(metric.title, number(value.value, digits), interval(value.low, value.high, digits)))
    return title, tuple(found[:HEADLINES])


def _picture(view: RunView) -> tuple[Path | None, str]:
    """What the main method made for the first item, or where it made nothing the target."""
    anchor, items = compare.anchor(view.results), view.items
    if not items:
        return None, ""
    item = str(items[0]["id"])
    for path, what in ((view.image(anchor, item), anchor), (view.exam_image("target", item), "target")):
        if path.exists():
            return path, f"{what}, item {item}"
    return None, ""
