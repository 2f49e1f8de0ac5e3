"""One printed column faced with one metric of a run: both numbers, both orders, and what stands between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from benchmark.run.results import MethodRow, MetricRow, RunView, Value
from reports import compare
from reports.comparability import agreement, obstacles
from reports.published import PublishedTable
from reports.table import Cell, decimals_for, interval, number, percent

NOT_RUN = "not in this run"
Line = tuple[str, str]  # what a row is called, and the method's name in the registry


@dataclass(frozen=True)
class Facing:
    """`head` is the printed column; the metric is None where the run has none that measures the same thing."""

    view: RunView
    printed: PublishedTable
    head: str
    metric: MetricRow | None

    @cached_property
    def numbers(self) -> Mapping[str, float]:
        """What the paper prints, by method."""
        return self.printed.column(self.head)

    @cached_property
    def places(self) -> int:
        return self.printed.decimals[self.printed.columns.index(self.head)]

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """What the run found, by method, in the printed unit."""
        scale = 100.0 if "%" in self.head else 1.0
        found = [v for v in self.view.results.values if self.metric and v.metric == self.metric.id]
        return {v.method: scaled(v, scale) for v in found}

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
        """Whether our number and the printed one may be subtracted."""
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

    @cached_property
    def methods(self) -> Mapping[str, MethodRow]:
        return {method.name: method for method in self.view.results.methods}

    def lines(self, published: Sequence[PublishedTable]) -> list[Line]:
        """The printed rows in printed order, the run's other methods, then references.

        A method that has a row in another printed table of the same measure (an ablation) stands there, not here.
        """
        twins = [table for table in published if table.families == self.printed.families]
        elsewhere = {row.method for table in twins for row in table.rows}
        others = [m for m in self.methods.values() if m.name not in self.numbers and m.name not in elsewhere]
        others = [m for m in others if m.kind != "reference" or m.name in self.values]
        others.sort(key=lambda method: method.kind == "reference")
        heads = {row.method: row.name for row in self.printed.rows} | compare.titles(self.view.results)
        names = [*(row.method for row in self.printed.rows), *(method.name for method in others)]
        return [(heads[name], name) for name in names]

    def ours(self, name: str) -> Cell:
        """Our number."""
        mark = compare.mark_of(self.view.results, self.metric, name) if self.metric else ""
        best = name == self.winner
        return value_cell(self.values.get(name), self.methods.get(name), self.metric, self.digits, best, mark)

    def paper(self, name: str) -> Cell:
        printed = self.numbers.get(name)
        return Cell() if printed is None else Cell(number(printed, self.places), printed)

    def difference(self, name: str) -> Cell:
        """Ours minus the printed number."""
        value, printed = self.values.get(name), self.numbers.get(name)
        gap = None if value is None or printed is None else value.value - printed
        return Cell() if gap is None else Cell(number(gap, self.places, signed=True), gap)

    def place(self, name: str) -> int | None:
        """Place among the methods that have both numbers, by ours."""
        return self._place(name, {other: self.values[other].value for other in self.competing})

    def printed_place(self, name: str) -> int | None:
        """The same by the printed numbers."""
        return self._place(name, {other: self.numbers[other] for other in self.competing})

    def _place(self, name: str, values: Mapping[str, float]) -> int | None:
        if name not in values:
            return None
        return 1 + sum(compare.is_ahead(self.printed.better, other, values[name]) for other in values.values())

    def notes(self) -> list[str]:
        """What a reader must know before comparing, and how the order of the methods came out."""
        if self.metric is None:
            return ["This run has no metric of this kind; the paper's numbers stand alone."]
        notes = []
        if self.obstacles:
            notes.append("Not comparable with the printed numbers: " + "; ".join(self.obstacles) + ".")
        elif self.competing:
            notes.append("The difference means something only if the data are the paper's own test set.")
        notes.append(agreement(self.view.results, self.metric, self.competing, self.numbers))
        return [note for note in notes if note]

    def reading(self) -> list[str]:
        """What marks mean, or why there are none."""
        if self.metric is None:
            return []
        legend = [compare.legend(self.view.results, [self.metric])]
        if self.metric.whole_set:
            legend.append("One value per set of images: no paired test over items, hence no mark and no bold.")
        return [note for note in legend if note]

    def floors(self) -> list[str]:
        """References measured under a protocol of their own stand in a note, as two protocols never share a column."""
        titles, notes = compare.titles(self.view.results), []
        for metric, value in compare.floors(self.view.results, self.metric) if self.metric else ():
            digits = decimals_for([value.value])
            limits = interval(value.low, value.high, digits)
            what = f" ({metric.notes['against']})" if "against" in metric.notes else ""
            shown = number(value.value, digits) + (f" ({limits})" if limits else "")
            notes.append(f"{titles[value.method]}{what}: {shown}, {metric.id}.")
        return notes


def facings(view: RunView, printed: PublishedTable) -> list[Facing]:
    """Each printed column about this run's task, with the first metric that measures the same thing."""
    task = view.results.task
    if printed.by == "task" and task in printed.columns:
        asked = [(task, printed.families)]
    elif printed.by == "score" and task == printed.task:
        asked = [(head, (name,)) for head, name in zip(printed.columns, printed.families, strict=True)]
    else:
        return []
    return [Facing(view, printed, head, next(iter(rivals(view, *families)), None)) for head, families in asked]


def rivals(view: RunView, *families: str) -> list[MetricRow]:
    """The run's metrics of these families, without floors."""
    return compare.contested(view.results, compare.find(view.results, *families))


def scaled(value: Value, scale: float) -> Value:
    """The same value in another unit."""
    low, high = (None if end is None else end * scale for end in (value.low, value.high))
    return replace(value, value=value.value * scale, low=low, high=high)


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


def rate_cell(rate: float | None) -> Cell:
    return Cell() if rate is None else Cell(percent(rate), rate)
