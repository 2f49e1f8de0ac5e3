"""Tables of several runs of one task: a row per method, a column per run, and what one run differs by from the first.

A column holds numbers of one protocol. A difference is drawn only between runs of the same exam under the same
protocol, paired over its items.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from benchmark.run.results import Difference, MethodRow, MetricRow, Preferred, RunView
from benchmark.stats import holm, paired_difference
from reports import compare
from reports.comparability import image_size
from reports.facing import NOT_RUN, value_cell
from reports.item_scores import ItemScores, item_scores
from reports.published import PublishedTable, load_paper
from reports.score_tables import ARROW
from reports.table import Cell, Row, Table, decimals_for, interval, number, p_value, percent

MINUS = "\N{MINUS SIGN}"
PAPER = (
    "Paper: as printed, under its own protocol; whether a run's numbers may be held against it stands in its report."
)


@dataclass(frozen=True)
class Run:
    """A run under the name that it has on the page."""

    label: str
    view: RunView

    @cached_property
    def scores(self) -> ItemScores:
        return item_scores(self.view)

    @cached_property
    def methods(self) -> Mapping[str, MethodRow]:
        return {method.name: method for method in self.view.results.methods}


@dataclass(frozen=True)
class Column:
    """One run's numbers of one metric."""

    run: Run
    metric: MetricRow

    def cell(self, name: str, digits: int) -> Cell:
        method = self.run.methods.get(name)
        if method is None:
            return Cell(reason=NOT_RUN)
        value = self.run.view.results.value(name, self.metric.id)
        cell = value_cell(value, method, self.metric, digits)
        return replace(cell, detail="; ".join([cell.detail, f"N = {value.n}"]).lstrip("; ")) if value else cell


def tables(runs: Sequence[Run]) -> list[Table]:
    """One for every measure that any of the runs has, those that the paper prints first; then votes."""
    found: dict[tuple[str, str], list[Column]] = {}
    for run in runs:
        for metric in compare.contested(run.view.results, run.view.results.metrics):
            found.setdefault((compare.family(metric.id), metric.title), []).append(Column(run, metric))
    ordered = sorted(found.items(), key=lambda entry: _place(runs[0].view.results.task, entry[0][0]))
    made = [_table(number, columns) for number, (_, columns) in enumerate(ordered, 1)]
    return [*made, *_vote_tables(runs)]


def exams_differ(a: RunView, b: RunView) -> str:
    """Why the items of two runs cannot be paired; "" where they are the same exam."""
    if image_size(a) != image_size(b):
        return f"images of {image_size(a)} and {image_size(b)} px"
    data = [view.manifest.get("data", {}) for view in (a, b)]
    if data[0].get("name") != data[1].get("name"):
        return f"data from {data[0].get('name')} and {data[1].get('name')}"
    if data[0].get("fingerprint") != data[1].get("fingerprint"):
        return "data of the same kind with another fingerprint"
    if a.items != b.items:
        return f"{len(a.items)} and {len(b.items)} items" if len(a.items) != len(b.items) else "other items"
    return ""


def _table(place: int, columns: Sequence[Column]) -> Table:
    first, metric = columns[0], columns[0].metric
    names = list(dict.fromkeys(name for column in columns for name in column.run.methods))
    values = [v.value for c in columns for v in c.run.view.results.values if v.metric == c.metric.id]
    digits = decimals_for(values)
    pairs = [(column, _differences(first, column)) for column in columns[1:]]
    drawn = [(column, found) for column, found in pairs if found]
    tests = _adjusted([found for _, found in drawn])
    several = len({column.metric.id for column in columns}) > 1
    printed = _printed(first.run.view.results.task, compare.family(metric.id))
    numbers = {name: cell for table, head in printed for name, cell in _paper_cells(table, head).items()}
    fine = decimals_for((end for found in tests for d in found.values() for end in (d.low, d.high)), at_least=digits)

    def row(name: str) -> Row:
        method = next(column.run.methods[name] for column in columns if name in column.run.methods)
        cells = [column.cell(name, digits) for column in columns]
        cells += [_difference_cell(metric, found.get(name), fine) for found in tests]
        cells += [numbers.get(name, Cell())] if numbers else []
        return Row(method.title, method.kind, tuple(cells), _unfinished(columns, name), method.note)

    rows = [row(name) for name in names]

    return Table(
        name=f"{first.run.view.results.task}-{place:02d}-{compare.family(metric.id)}",
        title=f"{_numbered(printed)}{metric.title} {ARROW.get(metric.better, '')}".strip(),
        subtitle=f"{metric.better} is better",
        columns=(
            *(column.run.label for column in columns),
            *(f"{column.run.label} {MINUS} {first.run.label}" for column, _ in drawn),
            *(["paper"] if numbers else []),
        ),
        rows=tuple(row for row in rows if row.kind != "reference" or any(cell.text for cell in row.cells)),
        protocol="; ".join(f"{c.run.label}: {c.metric.id}" for c in columns) if several else metric.id,
        notes=(*_notes(first, columns[1:], drawn), *([PAPER] if numbers else [])),
    )


def _printed(task: str, family: str) -> list[tuple[PublishedTable, str]]:
    """The paper's tables of this measure and task, each with its column."""
    found = []
    for table in load_paper("pix2pixsc").tables:
        if table.by == "task" and task in table.columns and family in table.families:
            found.append((table, task))
        if table.by == "score" and task == table.task and family in table.families:
            found.append((table, table.columns[table.families.index(family)]))
    return found


def _place(task: str, family: str) -> float:
    """By the number of the printed table; what has none comes after, as it was."""
    return min((table.number for table, _ in _printed(task, family)), default=math.inf)


def _numbered(printed: Sequence[tuple[PublishedTable, str]]) -> str:
    """ "Tables 1 and 4: "."""
    numbers = [str(table.number) for table, _ in printed]
    return f"Table{'s' if numbers[1:] else ''} {' and '.join(numbers)}: " if numbers else ""


def _paper_cells(table: PublishedTable, head: str) -> dict[str, Cell]:
    """{method: the printed number}, in the unit of ours."""
    digits, scale = table.decimals[table.columns.index(head)], 0.01 if "%" in head else 1.0
    digits += 2 if "%" in head else 0
    return {name: Cell(number(scale * v, digits), scale * v) for name, v in table.column(head).items()}


def _unfinished(columns: Sequence[Column], name: str) -> str:
    short = {c.run.label: m.unfinished for c in columns if (m := c.run.methods.get(name)) and m.unfinished}
    return "; ".join(f"{label}: {why}" for label, why in short.items())


def _differences(first: Column, other: Column) -> dict[str, Difference]:
    """{method: other minus first} over the items that both have; empty where nothing may be paired."""
    if first.metric.id != other.metric.id or first.metric.whole_set or exams_differ(first.run.view, other.run.view):
        return {}
    found = {}
    for name in first.run.methods:
        base, ours = (column.run.scores.of(column.metric.id, name) for column in (first, other))
        both = ~np.isnan(base - ours)
        if both.sum() >= 2:
            d = paired_difference(ours[both], base[both])
            ends = (d.value, d.low, d.high, d.p)
            found[name] = Difference(first.metric.id, name, first.run.label, *ends, int(both.sum()))
    return found


def _adjusted(families: Sequence[Mapping[str, Difference]]) -> list[dict[str, Difference]]:
    """All differences of a table are one family of tests."""
    p = iter(holm([found.p for family in families for found in family.values()]))
    return [{name: replace(found, p=float(next(p))) for name, found in family.items()} for family in families]


def _difference_cell(metric: MetricRow, found: Difference | None, digits: int) -> Cell:
    if found is None:
        return Cell()
    if not (found.value or found.low or found.high):
        return Cell(number(0.0, digits), 0.0, 0.0, 0.0, f"equal on all {found.n} items")
    limits = interval(found.low, found.high, digits)
    text, mark = number(found.value, digits, signed=True), compare.mark(metric, found)
    return Cell(text, found.value, found.low, found.high, f"{limits}; {p_value(found.p)}", mark)


def _notes(first: Column, others: Sequence[Column], drawn: Sequence[tuple[Column, object]]) -> Iterator[str]:
    """What was not compared and why; what marks mean."""
    for other in others:
        pair = f"{other.run.label} and {first.run.label}"
        why = exams_differ(first.run.view, other.run.view)
        if other.metric.id != first.metric.id:
            yield f"{pair} were measured under different protocols: their numbers cannot be compared."
        elif why:
            yield f"{pair} are not the same exam ({why}): nothing is paired."
    if first.metric.whole_set:
        yield "One value per set of images: nothing to pair over items, so no difference is tested."
    if drawn:
        yield (
            f"Differences to {first.run.label}: same items paired, means over each run's seeds, 95 % intervals; "
            "better, worse or not separable at 5 % (sign flips, Holm-adjusted over this table). They speak of new "
            "items and of these trainings, not of training again."
        )


def _vote_tables(runs: Sequence[Run]) -> list[Table]:
    """Studies that asked the same question in the same time share a table; simulated ones stand apart."""
    studies: dict[tuple[object, ...], list[tuple[Run, Mapping[str, Preferred]]]] = {}
    for run in runs:
        for study in run.view.preferences:
            votes = {vote.against: vote for vote in study.comparisons}
            studies.setdefault((*study.asked, study.simulated), []).append((run, votes))
    return [_vote_table(key, found, place) for place, (key, found) in enumerate(studies.items(), 1)]


def _vote_table(key: tuple[object, ...], found: Sequence[tuple[Run, Mapping[str, Preferred]]], place: int) -> Table:
    main, question, durations, simulated = key
    titles = compare.titles(*(run.view.results for run, _ in found))
    rivals = dict.fromkeys(rival for _, votes in found for rival in votes)

    def cell(vote: Preferred | None) -> Cell:
        if vote is None:
            return Cell(reason="not asked in this run")
        low, high = (None if end is None else 100 * end for end in (vote.low, vote.high))
        detail = "; ".join(part for part in (interval(low, high, 1), f"{vote.votes} votes") if part)
        return Cell(percent(vote.value), 100 * vote.value, low, high, detail)

    return Table(
        name=f"{found[0][0].view.results.task}-votes-{place}",
        title=f"Votes for {titles[str(main)]}",
        subtitle=f"“{question}”, {_time(durations)}; a row is the method it is compared with",
        columns=tuple(run.label for run, _ in found),
        rows=tuple(
            Row(titles[rival], "method", tuple(cell(votes.get(rival)) for _, votes in found)) for rival in rivals
        ),
        notes=("Each study asked its own people about its own pictures: no difference is tested.",),
        banner="Simulated votes: programs answered, not people." if simulated else "",
    )


def _time(durations: object) -> str:
    shown = ", ".join(str(ms) for ms in durations) if isinstance(durations, tuple) else ""
    return f"shown for {shown} ms" if shown else "in unlimited time"
