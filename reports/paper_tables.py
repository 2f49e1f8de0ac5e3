"""The paper's tables with our numbers beside the printed ones, or, where the protocols differ, our order beside theirs.

A difference is printed only when nothing stands between the numbers (see `comparability`). Otherwise the table says
what does, and compares the order of the methods, which survives a change of protocol better than any value.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.run.results import MetricRow, RunView, Value
from reports.facing import Facing, facings, rate_cell, rivals
from reports.preference import preference_table
from reports.published import PublishedTable
from reports.side_by_side import side_by_side
from reports.table import Cell, Row, Table, with_strips


def paper_tables(view: RunView, published: Sequence[PublishedTable]) -> list[Table]:
    """The printed tables that are about this run's task: one table per metric of ours that measures the same thing, or
    one with all scores side by side where the paper prints several.
    """
    tables = []
    for printed in published:
        if printed.by == "rival":
            voted = preference_table(view, printed)
            tables += [voted] if voted else []
        faced = facings(view, printed)
        if printed.by == "score" and faced:
            tables.append(side_by_side(printed, faced, published))
        elif faced:
            metrics: list[MetricRow | None] = [*rivals(view, *printed.families)] or [None]
            own = [Facing(view, printed, view.results.task, metric) for metric in metrics]
            tables += [facing_table(facing, published, index) for index, facing in enumerate(own)]
    return tables


def shared_tables(view: RunView, published: Sequence[PublishedTable]) -> list[Table]:
    """Of another paper's tables those in which the run has at least two of the printed methods."""
    shared = [table for table in published if any(len(facing.competing) > 1 for facing in facings(view, table))]
    return paper_tables(view, shared)


def unanswered(view: RunView, published: Sequence[PublishedTable]) -> list[str]:
    """The printed tables this page has no table for, each with the reason."""
    task, notes = view.results.task, []
    for printed in published:
        where = f"Table {printed.number} ({printed.title.lower()}: {printed.measure})"
        if task not in printed.tasks:
            notes.append(f"{where} is about another task: {', '.join(printed.tasks)}.")
        elif printed.by == "rival" and preference_table(view, printed) is None:
            mains = ", ".join(study.main for study in view.preferences)
            about = f"its study is about {mains}" if mains else "which this run has none of"
            notes.append(f"{where} needs people's votes, {about}.")
    return notes


def facing_table(facing: Facing, published: Sequence[PublishedTable], index: int = 0) -> Table:
    """`index` counts the metrics that face the same printed table, so that their exports have different names."""
    printed, metric = facing.printed, facing.metric
    beside = ("paper", "difference") if facing.comparable else ("order here", "order in paper", "paper")
    return Table(
        name=f"table{printed.number}-{printed.name}" + (f"-{index + 1}" if index else ""),
        title=f"Table {printed.number}. {printed.title}",
        subtitle=f"{metric.title if metric else printed.measure}; {printed.better} is better",
        columns=("ours", *beside, *(["not found"] if facing.not_found else []), "N"),
        rows=with_strips(tuple(_row(facing, *line) for line in facing.lines(published))),
        protocol=metric.id if metric else "",
        notes=(*facing.notes(), *facing.reading(), *facing.floors()),
    )


def _row(facing: Facing, head: str, name: str) -> Row:
    value, method = facing.values.get(name), facing.methods.get(name)
    cells = [facing.ours(name), *_beside(facing, name)]
    if facing.not_found:
        cells.append(rate_cell(facing.not_found.get(name)))
    cells.append(_count_cell(value) if value else Cell())
    if method is None:
        return Row(head, "absent", tuple(cells))
    return Row(head, method.kind, tuple(cells), method.unfinished, method.note)


def _beside(facing: Facing, name: str) -> list[Cell]:
    """What stands beside our number: the printed one and the difference, or both orders."""
    if facing.comparable:
        return [facing.paper(name), facing.difference(name)]
    places = facing.place(name), facing.printed_place(name)
    return [*(Cell() if place is None else Cell(str(place), place) for place in places), facing.paper(name)]


def _count_cell(value: Value) -> Cell:
    """N, and beneath it how many seeds and failures where there is more than one seed or any failure."""
    seeds = [f"{value.seeds} seeds"] if value.seeds > 1 else []
    failed = [f"{value.failures} failed"] if value.failures else []
    return Cell(str(value.n), value.n, detail=", ".join(seeds + failed))
