"""Several runs on one page: `write_runs([folder, folder], out)` leaves `report.html` and `tables/` in `out`.

For every task that the runs have: what differs in their settings, a table per measure with a column per run, and the
same items as each run paints them. Written again at any time by `bench report FOLDER FOLDER`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmark.errors import BenchError
from benchmark.run.results import RunView, is_suite, read_suite
from reports import compare
from reports.bibliography import Bibliography
from reports.comparability import joint_warnings
from reports.grid import EXAM_COLUMNS, Grid, Line, framed, note_of
from reports.html import write_page
from reports.provenance import command, flatten, summary
from reports.run_tables import Run, exams_differ, tables
from reports.table import Table
from reports.thumbnails import data_uris

SETTINGS = ("preset", "seeds", "methods", "config", "data", "code", "weights", "versions", "device", "git")
SHOWN = 6  # items in the grid
ABSENT = "–"


@dataclass(frozen=True)
class Entry:
    """A run in the list at the head of the page."""

    label: str
    task: str
    summary: str
    command: str
    href: str


@dataclass(frozen=True)
class Setting:
    """Something in which the runs differ: one value per run."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One task."""

    task: str
    runs: tuple[Run, ...]
    exam: str  # whether all took the same one
    settings: tuple[Setting, ...]
    tables: tuple[Table, ...]
    grid: Grid | None


def write_runs(folders: Sequence[Path], out: Path | None = None) -> Path:
    """Write the page of at least two run folders, of one task or several each, into `out`, or else beside the first
    run; returns the path of report.html.

    Raises BenchError where a folder has no results, and where `out` is a run folder itself.
    """
    out, runs = out or default_folder(folders), _runs(folders)
    if is_suite(out) or (out / "manifest.json").exists():
        raise BenchError(f"--out {out}: is a run folder, whose own report would be lost; give another folder")
    tasks = dict.fromkeys(run.view.results.task for run in runs)
    parts = [_part([run for run in runs if run.view.results.task == task], out) for task in tasks]
    content: dict[str, Any] = {
        "count": len(folders),
        "tasks": ", ".join(tasks),
        "entries": [_entry(run, out) for run in runs],
        "warnings": joint_warnings([(run.label, run.view) for run in runs]),
        "parts": parts,
    }
    every_table = [table for part in parts for table in part.tables]
    return write_page(out, "runs.html", content, every_table, Bibliography.of([run.view for run in runs]))


def default_folder(folders: Sequence[Path]) -> Path:
    """Beside the first run, named by all of them."""
    names = "+".join(label.replace("/", "-") for label in _labels(folders))
    return folders[0].absolute().parent / f"side-by-side-{names[:120]}"


def _runs(folders: Sequence[Path]) -> list[Run]:
    found = []
    for folder, label in zip(folders, _labels(folders), strict=True):
        views = read_suite(folder).views if is_suite(folder) else [RunView(folder)]
        done = [view for view in views if (view.folder / "results.json").exists()]
        if not done:
            raise BenchError(f"{folder}: no results yet (no results.json); give folders that `bench run` finished")
        found += [Run(label, view) for view in done]
    return found


def _labels(folders: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that tell them apart."""
    paths = [folder.absolute().parts for folder in folders]
    for length in range(1, max(map(len, paths)) + 1):
        names = ["/".join(parts[-length:]) for parts in paths]
        if len(set(names)) == len(names):
            return [name.lstrip("/") for name in names]
    raise BenchError(f"{folders[0]}: given twice; each run stands beside others once")


def _entry(run: Run, out: Path) -> Entry:
    page = quote(os.path.relpath(run.view.folder / "report.html", out).replace(os.sep, "/"))
    argv = command(run.view.manifest.get("argv", []))
    return Entry(run.label, run.view.results.task, summary(run.view), argv, page)


def _part(runs: Sequence[Run], out: Path) -> Part:
    return Part(
        runs[0].view.results.task,
        tuple(runs),
        _exam(runs),
        tuple(_settings(runs)),
        tuple(tables(runs)),
        _grid(runs, out),
    )


def _exam(runs: Sequence[Run]) -> str:
    first, *others = runs
    if not others:
        return f"Only {first.label} has this task."
    apart = {run.label: why for run in others if (why := exams_differ(first.view, run.view))}
    if not apart:
        return f"All took the same exam of {len(first.view.items)} items: differences are paired over its items."
    said = "; ".join(f"{label}: {why}" for label, why in apart.items())
    return f"Not the same exam as {first.label}'s, so nothing is paired with it: {said}."


def _settings(runs: Sequence[Run]) -> list[Setting]:
    """What is not the same in all manifests."""
    facts = [
        dict(fact for key in SETTINGS if key in run.view.manifest for fact in flatten(key, run.view.manifest[key]))
        for run in runs
    ]
    names = dict.fromkeys(name for found in facts for name in found)
    lines = [Setting(name, tuple(found.get(name, ABSENT) for found in facts)) for name in names]
    return [line for line in lines if len(set(line.values)) > 1]


def _grid(runs: Sequence[Run], out: Path) -> Grid | None:
    """The same items as each run's main method paints them; None where the exams or the methods are not the same."""
    first = runs[0].view
    method = compare.anchor(first.results)
    same = [run for run in runs if not exams_differ(first, run.view) and method in run.methods]
    if len(same) < 2:
        return None
    records = {str(item["id"]): item for item in first.items}
    drawn = random.Random(first.results.seeds[0]).sample(range(len(records)), min(SHOWN, len(records)))
    items = [list(records)[place] for place in sorted(drawn)]
    exam = [kind for kind in EXAM_COLUMNS if any(first.exam_image(kind, item).exists() for item in items)]
    before, after = ([kind for kind in exam if (kind in ("label", "exemplar")) == early] for early in (True, False))

    def paths(item: str) -> list[tuple[str, Path]]:
        return [
            *((EXAM_COLUMNS[kind], first.exam_image(kind, item)) for kind in before),
            *((run.label, run.view.image(method, item)) for run in same),
            *((EXAM_COLUMNS[kind], first.exam_image(kind, item)) for kind in after),
        ]

    uris = data_uris(path for item in items for _, path in paths(item))

    return Grid(
        f"{runs[0].methods[method].title} of each run",
        f"{len(items)} of {len(records)} items, drawn by the first run's seed; the first seed of each run.",
        tuple(head for head, _ in paths(items[0])) if items else (),
        tuple(
            Line(
                item,
                note_of(records[item]),
                tuple(framed(f"{head}, item {item}", path, uris, out) for head, path in paths(item)),
            )
            for item in items
        ),
    )
