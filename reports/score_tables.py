"""Tables of scores that have no printed counterpart: distance to the true answer, and whatever else was measured."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.run.results import MethodRow, MetricRow, Results
from reports import compare
from reports.facing import NOT_RUN, value_cell
from reports.published import PublishedTable
from reports.table import Cell, Row, Table, decimals_for, with_strips
from reports.wording import wording

REGIONS = ("face", "foreground", "whole")
ARROW = {"lower": "↓", "higher": "↑"}


def counterfactual_tables(results: Results) -> list[Table]:
    """Distance to the true answer: L1 and features first, the two classic image measures in a second table."""
    groups = (
        ("counterfactual", "Distance to the true answer", ("counterfactual-l1", "counterfactual-features")),
        ("counterfactual-psnr-ssim", "The same in PSNR and SSIM", ("counterfactual-psnr", "counterfactual-ssim")),
    )
    subtitle = f"true answer: {wording(results.task).truth}"
    tables = []
    for name, title, families in groups:
        metrics = [metric for family in families for metric in _by_region(compare.find(results, family))]
        if metrics:
            tables.append(score_table(results, metrics, name, title, subtitle))
    return tables


def other_table(results: Results, published: Sequence[PublishedTable]) -> Table | None:
    """Every metric that no other table shows, so that nothing measured is hidden."""
    shown = {family for table in published for family in table.families}
    rest = [
        metric
        for metric in compare.contested(results, results.metrics)
        if (family := compare.family(metric.id)) not in shown
        and not family.startswith("counterfactual")
        and family.removesuffix("-failures") not in shown
    ]
    return (
        score_table(results, rest, "other-scores", "Other scores", "Measures that no printed table has.")
        if rest
        else None
    )


def score_table(results: Results, metrics: Sequence[MetricRow], name: str, title: str, subtitle: str) -> Table:
    """Methods down, metrics across. Marks are read against one method, the anchor; bold is the separable best."""

    def row(method: MethodRow) -> Row:
        cells = tuple(score_cell(results, metric, method) for metric in metrics)
        return Row(method.title, method.kind, cells, method.unfinished, method.note)

    ordered = sorted(results.methods, key=lambda method: method.kind == "reference")
    return Table(
        name=name,
        title=title,
        subtitle=subtitle,
        columns=tuple(f"{_head(metric)} {ARROW.get(metric.better, '')}".strip() for metric in metrics),
        rows=with_strips(tuple(row(method) for method in ordered)),
        protocol="; ".join(metric.id for metric in metrics),
        notes=tuple(_notes(results, metrics)),
    )


def joint_table(found: Sequence[tuple[Results, MetricRow]], name: str, title: str) -> Table:
    """One metric of each of several tasks: methods down, tasks across."""
    rows: dict[str, MethodRow] = {method.name: method for results, _ in found for method in results.methods}
    known = [{method.name: method for method in results.methods} for results, _ in found]

    def row(name: str, any_method: MethodRow) -> Row:
        columns = zip(found, known, strict=True)
        cells = tuple(score_cell(results, metric, methods.get(name)) for (results, metric), methods in columns)
        return Row(any_method.title, any_method.kind, cells)

    notes = [note for results, metric in found for note in (f"{results.task}: {n}" for n in _notes(results, [metric]))]
    return Table(
        name=name,
        title=title,
        subtitle="; ".join(f"{results.task}: {wording(results.task).truth}" for results, _ in found),
        columns=tuple(f"{results.task}, {_head(metric)} {ARROW.get(metric.better, '')}" for results, metric in found),
        rows=tuple(row(n, m) for n, m in sorted(rows.items(), key=lambda item: item[1].kind == "reference")),
        protocol="; ".join(dict.fromkeys(metric.id for _, metric in found)),
        notes=tuple(notes),
    )


def score_cell(results: Results, metric: MetricRow, method: MethodRow | None) -> Cell:
    """One method on one metric, with its mark; None for a method that the run does not have."""
    if method is None:
        return Cell(reason=NOT_RUN)
    digits = decimals_for(v.value for v in results.values if v.metric == metric.id)
    best, mark = compare.best(results, metric) == method.name, compare.mark_of(results, metric, method.name)
    return value_cell(results.value(method.name, metric.id), method, metric, digits, best, mark)


def _by_region(metrics: Sequence[MetricRow]) -> list[MetricRow]:
    """Face first: skin, hair and age live there, and a good background must not pay for a bad face."""
    order = {region: place for place, region in enumerate(REGIONS)}
    return sorted(metrics, key=lambda metric: order.get(_region(metric), len(order)))


def _region(metric: MetricRow) -> str:
    return compare.protocol(metric.id).split(",")[0]


def _head(metric: MetricRow) -> str:
    family = compare.family(metric.id)
    if not family.startswith("counterfactual-"):
        return metric.title
    measure = family.removeprefix("counterfactual-")
    name = measure if measure == "features" else measure.upper()
    return f"{name}, {_region(metric)}" if _region(metric) in REGIONS else name


def _notes(results: Results, metrics: Sequence[MetricRow]) -> list[str]:
    ids = {metric.id for metric in metrics}
    counts = sorted({value.n for value in results.values if value.metric in ids})
    size = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1]))) if counts else "0"
    notes = [
        f"N = {size}. ↓ lower is better, ↑ higher is better. Means with 95 % intervals.",
        compare.legend(results, metrics),
    ]
    return [note for note in notes if note]
