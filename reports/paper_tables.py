"""The paper's tables with our numbers beside the printed ones, or, where the protocols differ, our order beside theirs.

A difference is printed only when nothing stands between the numbers (see `comparability`). Otherwise the table says
what does, and compares the order of the methods, which survives a change of protocol better than any value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmark.run.results import MethodRow, MetricRow, RunView, Value
from reports import compare
from reports.comparability import agreement, obstacles
from reports.published import PublishedTable
from reports.table import Cell, Row, Table, decimals_for, interval, number, percent, with_strips

NOT_RUN = "not in this run"


def paper_tables(view: RunView, published: Sequence[PublishedTable]) -> list[Table]:
    """A table per printed table with a column for this task, and per metric of ours that measures the same thing."""
    tables = []
    for printed in published:
        if printed.by == "task" and view.results.task in printed.columns:
            metrics = compare.contested(view.results, compare.find(view.results, *printed.families))
            tables += [Facing(view, printed, metric, published).table(n) for n, metric in enumerate(metrics or [None])]
    return tables


def unanswered(view: RunView, published: Sequence[PublishedTable]) -> list[str]:
    """The printed tables this page has no table for, each with the reason."""
    task, notes = view.results.task, []
    for printed in published:
        where = f"Table {printed.number} ({printed.title.lower()}: {printed.measure})"
        if task not in printed.tasks:
            notes.append(f"{where} is about another task: {', '.join(printed.tasks)}.")
        elif printed.by == "rival":
            notes.append(f"{where} needs people's votes, which this run has none of.")
    return notes


@dataclass(frozen=True)
class Facing:
    """One printed table faced with one metric of the run (None: the run has no such metric)."""

    view: RunView
    printed: PublishedTable
    metric: MetricRow | None
    published: Sequence[PublishedTable]

    @cached_property
    def numbers(self) -> Mapping[str, float]:
        return self.printed.column(self.view.results.task)

    @cached_property
    def places(self) -> int:
        return self.printed.decimals[self.printed.columns.index(self.view.results.task)]

    @cached_property
    def values(self) -> Mapping[str, Value]:
        return {v.method: v for v in self.view.results.values if self.metric and v.metric == self.metric.id}

    @cached_property
    def competing(self) -> list[str]:
        """Methods with both a value here and a printed number."""
        return [m.name for m in compare.ranked(self.view.results) if m.name in self.values and m.name in self.numbers]

    @cached_property
    def obstacles(self) -> list[str]:
        if self.metric is None or not self.competing:
            return []
        return obstacles(self.view, self.printed, self.metric, max(self.values[name].n for name in self.competing))

    @property
    def comparable(self) -> bool:
        return bool(self.competing) and not self.obstacles

    @cached_property
    def digits(self) -> int:
        return self.places if self.comparable else decimals_for(v.value for v in self.values.values())

    @cached_property
    def winner(self) -> str:
        return compare.best(self.view.results, self.metric) if self.metric else ""

    @cached_property
    def not_found(self) -> Mapping[str, float]:
        """Share of items on which the instrument found nothing, where the metric has such a companion (LEPE has)."""
        if self.metric is None:
            return {}
        companion = f"{compare.family(self.metric.id)}-failures[{compare.protocol(self.metric.id)}]"
        return {v.method: v.value for v in self.view.results.values if v.metric == companion}

    def table(self, index: int) -> Table:
        """`index` counts the metrics that face the same printed table, so that their exports have different names."""
        beside = ("paper", "difference") if self.comparable else ("order here", "order in paper", "paper")
        return Table(
            name=f"table{self.printed.number}-{self.printed.name}" + (f"-{index + 1}" if index else ""),
            title=f"Table {self.printed.number}. {self.printed.title}",
            subtitle=f"{self.metric.title if self.metric else self.printed.measure}; {self.printed.better} is better",
            columns=("ours", *beside, *(["not found"] if self.not_found else []), "N"),
            rows=with_strips(tuple(self.row(*line) for line in self.lines())),
            protocol=self.metric.id if self.metric else "",
            notes=tuple(self.notes()),
        )

    def lines(self) -> list[tuple[str, str, MethodRow | None]]:
        """(head, name, method): the printed rows in printed order, the run's other methods, then references.

        A method that has a row in another printed table of the same measure (an ablation) stands there, not here.
        """
        ours = {method.name: method for method in self.view.results.methods}
        twins = [table for table in self.published if table.families == self.printed.families]
        elsewhere = {row.method for table in twins for row in table.rows}
        others = [m for m in ours.values() if m.name not in self.numbers and m.name not in elsewhere]
        others = [m for m in others if m.kind != "reference" or m.name in self.values]
        others.sort(key=lambda method: method.kind == "reference")
        heads = {row.method: row.name for row in self.printed.rows} | {m.name: m.title for m in ours.values()}
        names = [*(row.method for row in self.printed.rows), *(method.name for method in others)]
        return [(heads[name], name, ours.get(name)) for name in names]

    def row(self, head: str, name: str, method: MethodRow | None) -> Row:
        value = self.values.get(name)
        mark = compare.mark_of(self.view.results, self.metric, name) if self.metric else ""
        ours = value_cell(value, method, self.metric, self.digits, best=name == self.winner, mark=mark)
        cells = [ours, *self.beside(name, value)]
        if self.not_found:
            rate = self.not_found.get(name)
            cells.append(Cell() if rate is None else Cell(percent(rate), rate))
        cells.append(count_cell(value) if value else Cell())
        if method is None:
            return Row(head, "absent", tuple(cells))
        return Row(head, method.kind, tuple(cells), method.unfinished, method.note)

    def beside(self, name: str, value: Value | None) -> list[Cell]:
        """What stands beside our number: the printed one and the difference, or both orders."""
        printed = self.numbers.get(name)
        paper = Cell() if printed is None else Cell(number(printed, self.places), printed)
        if self.comparable:
            gap = None if value is None or printed is None else value.value - printed
            return [paper, Cell() if gap is None else Cell(number(gap, self.places, signed=True), gap)]
        here = self.rank(name, {n: self.values[n].value for n in self.competing})
        return [here, self.rank(name, {n: self.numbers[n] for n in self.competing}), paper]

    def rank(self, name: str, values: Mapping[str, float]) -> Cell:
        """Place among the methods that have both numbers."""
        if name not in values:
            return Cell()
        place = 1 + sum(compare.is_ahead(self.printed.better, other, values[name]) for other in values.values())
        return Cell(str(place), place)

    def notes(self) -> list[str]:
        if self.metric is None:
            return ["This run has no metric of this kind; the paper's numbers stand alone."]
        notes = []
        if self.obstacles:
            notes.append("Not comparable with the printed numbers: " + "; ".join(self.obstacles) + ".")
        elif self.competing:
            notes.append("The difference means something only if the data are the paper's own test set.")
        notes.append(agreement(self.view.results, self.metric, self.competing, self.numbers))
        notes.append(compare.legend(self.view.results, [self.metric]))
        if self.metric.whole_set:
            notes.append("One value per set of images: no paired test over items, hence no mark and no bold.")
        notes += self.floors()
        return [note for note in notes if note]

    def floors(self) -> list[str]:
        """References measured under a protocol of their own stand in a note, as two protocols never share a column."""
        titles, notes = {method.name: method.title for method in self.view.results.methods}, []
        for metric, value in compare.floors(self.view.results, self.metric) if self.metric else ():
            digits = decimals_for([value.value])
            limits = interval(value.low, value.high, digits)
            what = f" ({metric.notes['against']})" if "against" in metric.notes else ""
            shown = number(value.value, digits) + (f" ({limits})" if limits else "")
            notes.append(f"{titles.get(value.method, value.method)}{what}: {shown}, {metric.id}.")
        return notes


def value_cell(
    value: Value | None,
    method: MethodRow | None,
    metric: MetricRow | None,
    digits: int,
    best: bool = False,
    mark: str = "",
) -> Cell:
    """Our number with its interval, or the reason why there is none."""
    if value:
        shown = interval(value.low, value.high, digits)
        return Cell(number(value.value, digits), value.value, value.low, value.high, shown, mark, best)
    if method is None:
        return Cell(reason=NOT_RUN)
    if metric is None:
        return Cell(reason=method.problem or "no such metric in this run")
    return Cell(reason=method.problem or metric.failure or "no value recorded")


def count_cell(value: Value) -> Cell:
    """N, and beneath it how many seeds and failures where there is more than one seed or any failure."""
    seeds = [f"{value.seeds} seeds"] if value.seeds > 1 else []
    failed = [f"{value.failures} failed"] if value.failures else []
    return Cell(str(value.n), value.n, detail=", ".join(seeds + failed))
