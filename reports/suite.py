"""The report of a run over several tasks: `write_suite(folder)` leaves `report.html` and `tables/` beside the tasks'
own folders, each of which has its full report.

The page answers the paper's question at once: Tables 1, 2 and 6 with a column for each task, what the paper claims
of each, and how the pictures look. Written again at any time by `bench report FOLDER`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.run.results import MetricRow, RunView, SuiteView, read_suite
from reports import compare
from reports.bibliography import Bibliography
from reports.claim_rows import claims, write_claims
from reports.comparability import joint_warnings
from reports.facing import facings
from reports.grid import Grid, first_look, grids
from reports.html import write_page
from reports.preference import preference_table, preference_tables
from reports.provenance import command, summary
from reports.published import PublishedTable, load_paper
from reports.score_tables import REGIONS, joint_table
from reports.side_by_side import side_by_side
from reports.table import Table
from reports.verdicts import Card, cards
from reports.wording import Wording, wording


@dataclass(frozen=True)
class Part:
    """One task on the page."""

    task: str
    folder: str  # its own report is <folder>/report.html
    summary: str
    wording: Wording
    cards: tuple[Card, ...]
    first_look: Grid | None


def write_suite(folder: Path) -> Path:
    """Write the page of the tasks that have results, and its tables; returns the path of report.html."""
    suite = read_suite(Path(folder))
    views = [view for view in suite.views if (view.folder / "results.json").exists()]
    content = collect(suite, views)
    write_claims(suite.folder, content["claims"])
    return write_page(
        suite.folder, "suite.html", content, content["tables"] + content["truth_tables"], Bibliography.of(views)
    )


def collect(suite: SuiteView, views: Sequence[RunView]) -> dict[str, Any]:
    """Everything the template shows, as plain data."""
    paper = load_paper("pix2pixsc")
    return {
        "tasks": ", ".join(view.results.task for view in views),
        "preset": views[0].results.preset if views else "",
        "paper": paper,
        "parts": [part(view, paper.tables) for view in views],
        "tables": paper_tables(views, paper.tables),
        "truth_tables": truth_tables(views),
        "warnings": joint_warnings([(view.results.task, view) for view in views]),
        "claims": claims(views, suite.tasks),
        "missing": [task for task in suite.tasks if task not in {view.results.task for view in views}],
        "command": command(suite.argv),
    }


def part(view: RunView, published: Sequence[PublishedTable]) -> Part:
    drawn = grids(view)
    look = beside(first_look(view, drawn[0]), view.folder.name) if drawn else None
    task = view.results.task
    return Part(
        task,
        view.folder.name,
        summary(view),
        wording(task),
        tuple(cards(view, published)),
        look,
    )


def beside(grid: Grid, folder: str) -> Grid:
    """The same pictures, whose full images lie in a folder beside the page."""
    lines = tuple(
        replace(line, pictures=tuple(replace(p, href=f"{folder}/{p.href}" if p.href else "") for p in line.pictures))
        for line in grid.lines
    )
    return replace(grid, lines=lines)


def paper_tables(views: Sequence[RunView], published: Sequence[PublishedTable]) -> list[Table]:
    """The printed tables that some task of the run has a column in."""
    tables = []
    for printed in published:
        found = [facing for view in views for facing in facings(view, printed)]
        tables += [side_by_side(printed, found, published)] if found else []
        tables += [voted for view in views if (voted := preference_table(view, printed))]
    return tables + [table for view in views for table in preference_tables(view, published)]


def truth_tables(views: Sequence[RunView]) -> list[Table]:
    """Distance to the rendered true answer, a column per task: the region that style lives in."""
    found = [(view.results, metric) for view in views if (metric := _style_metric(view))]
    return [joint_table(found, "counterfactual", "Distance to the true answer")] if found else []


def _style_metric(view: RunView) -> MetricRow | None:
    by_region = (compare.find(view.results, "counterfactual-l1", inside=region) for region in REGIONS)
    return next((metric for metrics in by_region for metric in metrics), None)
