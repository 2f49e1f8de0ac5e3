"""Several comparisons as columns of one table: the tasks of Tables 1 and 2, the scores of Table 6."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.facing import NOT_RUN, Facing, Line
from reports.published import PublishedTable
from reports.table import Cell, Row, Table, percent


def side_by_side(printed: PublishedTable, faced: Sequence[Facing], published: Sequence[PublishedTable]) -> Table:
    """Two columns for each of `faced`: our number and the printed one, with both places beneath it."""
    notes = [f"{facing.head}: {note}" for facing in faced for note in [*facing.notes(), *facing.floors()]]
    heads = [(facing.head, f"{facing.head}, paper") for facing in faced]
    return Table(
        name=f"table{printed.number}-{printed.name}",
        title=f"Table {printed.number}. {printed.title}",
        subtitle=f"{_measure(faced, printed)}; {printed.better} is better",
        columns=tuple(head for pair in heads for head in pair),
        rows=tuple(_row(faced, *line) for line in _lines(faced, published)),
        protocol="; ".join(f"{_count(facing)}{facing.metric.id}" for facing in faced if facing.metric),
        notes=tuple(dict.fromkeys([*notes, *(note for facing in faced for note in facing.reading())])),
    )


def _measure(faced: Sequence[Facing], printed: PublishedTable) -> str:
    """What stands below "ours"; the printed measure's name too where it is another, as an FID is of Inception only."""
    ours = list(dict.fromkeys(facing.metric.title for facing in faced if facing.metric))
    if not ours or ours == [printed.measure]:
        return printed.measure
    return f"{' or '.join(ours)}; printed: {printed.measure}"


def _lines(faced: Sequence[Facing], published: Sequence[PublishedTable]) -> list[Line]:
    """Every line of every column once, references last."""
    heads = {name: head for facing in faced for head, name in facing.lines(published)}
    heads |= {name: method.title for facing in faced for name, method in facing.methods.items() if name in heads}
    return sorted(((head, name) for name, head in heads.items()), key=lambda line: _kind(faced, line[1]) == "reference")


def _row(faced: Sequence[Facing], head: str, name: str) -> Row:
    cells = tuple(cell for facing in faced for cell in (_ours(facing, name), _printed(facing, name)))
    return Row(head, _kind(faced, name), cells, _unfinished(faced, name))


def _unfinished(faced: Sequence[Facing], name: str) -> str:
    """Why the method's training is shorter than planned, by task where there are several."""
    runs = {f.view.results.task: m.unfinished for f in faced if (m := f.methods.get(name)) and m.unfinished}
    several = len({facing.view.results.task for facing in faced}) > 1
    return "; ".join(f"{task}: {why}" if several else why for task, why in runs.items())


def _kind(faced: Sequence[Facing], name: str) -> str:
    return next((facing.methods[name].kind for facing in faced if name in facing.methods), "absent")


def _ours(facing: Facing, name: str) -> Cell:
    """Our number; its failure rate beside the interval, as a capped mean hides failures."""
    cell, rate = facing.ours(name), facing.not_found.get(name)
    if name not in facing.methods and name not in facing.numbers:
        return Cell(reason=NOT_RUN)
    return replace(cell, detail=f"{cell.detail}; {percent(rate)} not found") if rate and cell.text else cell


def _printed(facing: Facing, name: str) -> Cell:
    """The printed number, and where it places the method among those of both."""
    cell, here, there = facing.paper(name), facing.place(name), facing.printed_place(name)
    return replace(cell, detail=f"place {there}, here {here}") if here else cell


def _count(facing: Facing) -> str:
    """The items behind the column."""
    counts = {value.n for value in facing.values.values()}
    return f"N = {max(counts)}, " if counts else ""
