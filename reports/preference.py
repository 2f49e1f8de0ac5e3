"""Table 3: what people preferred in a study of this run's pictures, beside what they preferred in the paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmark.run.results import Preference, Preferred, RunView
from reports.comparability import is_rendered
from reports.published import PublishedTable
from reports.table import Cell, Row, Table, interval, number, p_value, with_strips

BANNER = "Simulated votes: programs answered, not people. Nothing here says what anybody prefers."
COLUMNS = ("paper", "p", "votes", "pairs", "people")


def preference_table(view: RunView, printed: PublishedTable) -> Table | None:
    """The printed table of votes with the run's own study beside it; None where there is no study, or its main method
    has no row in the table.
    """
    found = view.preference
    row = next((row for row in printed.rows if found and row.method == found.main), None)
    if found is None or row is None:
        return None
    simulated = "simulated votes" if found.simulated else "ours"
    numbers = dict(zip(printed.methods, zip(printed.columns, row.values, strict=True), strict=True))
    return Table(
        name=f"table{printed.number}-{printed.name}",
        title=f"Table {printed.number}. {printed.title}" + (" (simulated votes)" if found.simulated else ""),
        subtitle=f"{printed.measure}; a row is the method it is compared with",
        columns=(simulated, *COLUMNS),
        rows=with_strips(tuple(_rows(view, found, numbers, printed.decimals[0]))),
        protocol=protocol(found),
        notes=tuple(notes(view, found, printed)),
        banner=BANNER if found.simulated else "",
    )


def protocol(found: Preference) -> str:
    """The conditions of the study in one name."""
    shown = f"{','.join(str(ms) for ms in found.durations_ms)}ms" if found.durations_ms else "unlimited"
    return f"preference[{found.preset},{shown},{found.raters_wanted} people a pair,study {found.study}]"


def notes(view: RunView, found: Preference, printed: PublishedTable) -> list[str]:
    """What stands between our numbers and the printed ones, and what the study left out."""
    text = "Not comparable with the printed numbers: " + "; ".join(_obstacles(view, found, printed)) + "."
    to_come = sum(row.wanted - row.counted for row in found.comparisons)
    out = f"{found.excluded_votes} votes of {found.excluded_raters} people are left out by the rules of the study."
    return [
        f"People were asked: {found.question}",
        text,
        "The interval reckons with votes that share pairs and people; p is against 50 %, adjusted by Holm.",
        *([out] if found.excluded_raters else []),
        *([f"The study is not finished: {to_come} votes are still to come."] if to_come else []),
    ]


def _obstacles(view: RunView, found: Preference, printed: PublishedTable) -> Iterator[str]:
    if found.simulated:
        yield "the votes are simulated"
    yield "other people judged"
    if is_rendered(view):
        yield "the data are rendered, the paper's are recorded"
    asked = printed.survey
    if asked is None:
        return
    if found.question != asked.question:
        yield f'the paper asked "{asked.question}"'
    if found.durations_ms:
        yield "the time to look was limited, the paper's was not"
    if found.raters_wanted < asked.raters:
        yield f"{found.raters_wanted} people a pair, the paper had at least {asked.raters}"
    yield asked.open


def _rows(view: RunView, found: Preference, numbers: dict[str, tuple[str, float]], decimals: int) -> Iterator[Row]:
    """The paper's rivals in its order, then those that only the study has."""
    voted = {row.against: row for row in found.comparisons}
    kinds = {method.name: method for method in view.results.methods}
    for name in dict.fromkeys([*numbers, *voted]):
        head, value = numbers.get(name, (kinds[name].title if name in kinds else name, None))
        paper = Cell() if value is None else Cell(number(value, decimals), value)
        if name in voted:
            kind = kinds[name].kind if name in kinds else "method"
            cells = (_ours(voted[name], decimals), paper, *_evidence(voted[name]))
            yield Row(head, "method" if kind == "reference" else kind, cells)
        else:
            yield Row(head, "absent", (Cell(reason="not in the study"), paper, *[Cell()] * 4))


def _ours(row: Preferred, decimals: int) -> Cell:
    value = 100 * row.value
    low, high = (None if end is None else 100 * end for end in (row.low, row.high))
    return Cell(number(value, decimals), value, low, high, interval(low, high, decimals))


def _evidence(row: Preferred) -> Sequence[Cell]:
    """p and N."""
    p = (
        Cell(reason="too few pairs or people")
        if row.p is None
        else Cell(p_value(row.p).removeprefix("p ").lstrip("= "), row.p)
    )
    return (p, *(Cell(str(count), count) for count in (row.votes, row.items, row.raters)))
