"""The page of a run at work: `write_progress(folder, every)` leaves `progress.html` in the run folder.

It shows the state of every cell, the losses so far and a guess at the time left, and reloads itself every `every`
seconds, without a script and without asking anybody but its own file; written with None, it no longer does. `bench
report RUN --watch` writes it again whenever the run leaves something new.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from benchmark.files import write_atomic
from benchmark.run.results import RunView, is_suite, read_suite
from reports.curves import Panel, log_panel
from reports.html import render
from reports.progress import Progress, progress

PAGE = "progress.html"


@dataclass(frozen=True)
class Part:
    """One task of the run. `href`: its report, where there is one already."""

    task: str
    progress: Progress
    panels: tuple[Panel, ...]
    href: str


def write_progress(folder: Path, every: float | None) -> tuple[Path, str, bool]:
    """Write the page atomically; returns its path, the state in one line, and whether every cell has ended."""
    views = read_suite(folder).views if is_suite(folder) else [RunView(folder)]
    parts = [_part(view, folder) for view in views if (view.folder / "manifest.json").exists()]
    waiting = [view.folder.name for view in views if not (view.folder / "manifest.json").exists()]
    content = {
        "name": folder.absolute().name,
        "parts": parts,
        "waiting": waiting,
        "every": every,
        "now": datetime.datetime.now().isoformat(" ", "seconds"),
    }
    path = folder / PAGE
    write_atomic(path, render("watch.html", content).encode())
    several = len(views) > 1
    told = [f"{part.task}: {part.progress.sentence}" if several else part.progress.sentence for part in parts]
    return (
        path,
        "; ".join([*told, *(f"{task}: not begun" for task in waiting)]),
        not waiting and all(part.progress.ended for part in parts),
    )


def _part(view: RunView, folder: Path) -> Part:
    found = progress(view)
    titles = {cell.method: cell.title for cell in found.cells}
    logs = {name: {s: log for s in view.manifest["seeds"] if (log := view.log(name, s))} for name in titles}
    panels = tuple(log_panel(f"{view.manifest['task']}-{name}", titles[name], log) for name, log in logs.items() if log)
    report = view.folder / "report.html"
    href = report.relative_to(folder).as_posix() if report.exists() else ""
    return Part(view.manifest["task"], found, panels, href)
