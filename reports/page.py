"""The report of one run: `write_report(folder)` leaves `report.html`, a sheet for every item in `items/`,
`tables/*.{csv,json,md,tex}`, `tables/references.bib` and `claims.{csv,json}` in the run folder.

One offline file: no request leaves it, it needs no JavaScript (which adds sorting, filtering and a wipe between two
pictures), follows light and dark, prints, and fits a phone. The
only input is the run folder as `benchmark.run.results.RunView` shows it, so a report can be written again at any
time: `bench report runs/<id>`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.run.results import RunView
from reports.bibliography import Bibliography
from reports.claim_rows import claims, write_claims
from reports.comparability import warnings
from reports.cost import cost_table
from reports.curves import panels
from reports.grid import first_look, grids
from reports.html import write_page
from reports.item_scores import ItemScores, item_scores
from reports.items import Sheets
from reports.paper_tables import paper_tables, shared_tables, unanswered
from reports.people import study_parts
from reports.plots import costs, spreads, votes
from reports.provenance import provenance, summary
from reports.published import load_paper
from reports.score_tables import counterfactual_tables, other_table
from reports.verdicts import cards
from reports.wording import wording


def write_report(run_folder: Path) -> Path:
    """Write the page and its tables, each atomically; returns the path of report.html.

    Raises BenchError when the run has no readable results yet, or when the page would pass 15 MB.
    """
    view = RunView(Path(run_folder))
    scores = item_scores(view)
    content = collect(view, scores)
    Sheets(view, scores, frozenset(line.item for grid in content["grids"] for line in grid.lines)).write()
    write_claims(view.folder, content["claims"])
    return write_page(view.folder, "page.html", content, content["every_table"], Bibliography.of([view]))


def collect(view: RunView, scores: ItemScores) -> dict[str, Any]:
    """Everything the template shows, as plain data."""
    results, paper = view.results, load_paper("pix2pixsc")
    printed = paper_tables(view, paper.tables)
    truths = counterfactual_tables(results)
    other = other_table(results, paper.tables)
    cost = cost_table(view)
    older = load_paper("pix2pixhd")
    beside = shared_tables(view, older.tables)
    people = study_parts(view, paper.tables)
    pictures = grids(view, scores)
    return {
        "results": results,
        "summary": summary(view),
        "warnings": warnings(view),
        "wording": wording(results.task),
        "paper": paper,
        "cards": cards(view, paper.tables),
        "paper_tables": printed,
        "older_paper": older,
        "older_tables": beside,
        "unanswered": unanswered(view, paper.tables),
        "people": people,
        "truth_tables": truths,
        "claims": claims([view], [results.task]),
        "other_table": other,
        "first_look": first_look(view, pictures[0]) if pictures else None,
        "grids": pictures,
        "panels": panels(view),
        "learning": panels(view, "metrics"),
        "spreads": spreads(view, scores),
        "vote_plots": votes(view),
        "cost_plots": costs(cost),
        "cost": cost,
        "provenance": provenance(view),
        "every_table": [
            *printed,
            *beside,
            *(table for part in people for table in part.tables),
            *truths,
            *([other] if other else []),
            cost,
        ],
    }
