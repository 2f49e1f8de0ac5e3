"""What people preferred in studies of this run's pictures, beside what they preferred in the papers: Table 3 of
pix2pixSC, Tables 2 and 4 of pix2pixHD, and a table of its own for a study that no paper has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmark.run.results import Preference, Preferred, RunView
from reports import compare
from reports.comparability import is_rendered
from reports.published import PublishedTable, load_paper
from reports.table import Cell, Row, Table, interval, number, p_value, with_strips
from reports.vote_claims import same_question

BANNER = "Simulated votes: programs answered, not people. Nothing here says what anybody prefers."
PAPERS = ("pix2pixsc", "pix2pixhd")
SHORT = {"pix2pixsc": "pix2pixSC", "pix2pixhd": "pix2pixHD"}
COLUMNS = ("paper", "p", "votes", "pairs", "people")


def answering(view: RunView, printed: PublishedTable) -> Preference | None:
    """The run's study that answers a printed table of votes: of its method against one of its rivals, on its task.

    Of several, one that asked the paper's question, in unlimited time, of people.
    """
    if printed.by != "rival" or view.results.task != printed.task:
        return None
    rows = {row.method for row in printed.rows}
    fit = [s for s in view.preferences if s.main in rows and {c.against for c in s.comparisons} & set(printed.methods)]
    return min(
        fit, key=lambda s: (not same_question(s, printed), bool(s.durations_ms), s.simulated, s.study), default=None
    )


def preference_table(view: RunView, printed: PublishedTable, prefix: str = "") -> Table | None:
    """The printed table of votes with the run's own study beside it; None where no study answers it. `prefix` goes
    before the name of its files, where another paper has a table of that number.
    """
    found = answering(view, printed)
    if found is None:
        return None
    row = next(row for row in printed.rows if row.method == found.main)
    numbers = dict(zip(printed.methods, zip(printed.columns, row.values, strict=True), strict=True))
    return Table(
        name=f"{prefix}table{printed.number}-{printed.name}",
        title=f"Table {printed.number}. {printed.title}" + _marked(found),
        subtitle=f"{printed.measure}; a row is the method it is compared with",
        columns=(_votes(found), *COLUMNS),
        rows=with_strips(tuple(_rows(view, found, numbers, printed.decimals[0]))),
        protocol=protocol(found),
        notes=tuple(notes(view, found, printed)),
        banner=BANNER if found.simulated else "",
    )


def study_table(view: RunView, found: Preference) -> Table:
    """A study that no printed table has."""
    title = compare.titles(view.results)[found.main]
    rows = tuple(_rows(view, found, {}, 1))
    return Table(
        name=f"preference-{found.study}",
        title=f"Preference for {title}{_marked(found)}",
        subtitle=f"share of votes for {title}, %; a row is the method it is compared with",
        columns=(_votes(found), *COLUMNS[1:]),
        rows=with_strips(tuple(replace(row, cells=(row.cells[0], *row.cells[2:])) for row in rows)),
        protocol=protocol(found),
        notes=("No printed table asks this of this method and task.", *notes(view, found, None)),
        banner=BANNER if found.simulated else "",
    )


def preference_tables(view: RunView, elsewhere: Sequence[PublishedTable] = ()) -> list[Table]:
    """A table for every study of the run: beside each printed one that it answers, but for those in `elsewhere`, or
    alone.
    """
    tables, told = [], set()
    for key in PAPERS:
        paper = load_paper(key)
        for printed in paper.tables:
            study = answering(view, printed)
            if study is not None:
                told.add(study.study)
                if printed not in elsewhere and (table := preference_table(view, printed, f"{key}-")):
                    tables.append(replace(table, title=f"{SHORT[key]}, {table.title}"))
    return tables + [study_table(view, study) for study in view.preferences if study.study not in told]


def _marked(found: Preference) -> str:
    return " (simulated votes)" if found.simulated else ""


def _votes(found: Preference) -> str:
    return "simulated votes" if found.simulated else "ours"


def protocol(found: Preference) -> str:
    """The conditions of the study in one name."""
    shown = f"{','.join(str(ms) for ms in found.durations_ms)}ms" if found.durations_ms else "unlimited"
    return f"preference[{found.preset},{shown},{found.raters_wanted} people a pair,study {found.study}]"


def notes(view: RunView, found: Preference, printed: PublishedTable | None) -> list[str]:
    """What stands between our numbers and the printed ones, if any, and what the study left out."""
    apart = "; ".join(_obstacles(view, found, printed)) if printed else ""
    to_come = sum(row.wanted - row.counted for row in found.comparisons)
    out = f"{found.excluded_votes} votes of {found.excluded_raters} people are left out by the rules of the study."
    return [
        f"People were asked: {found.question}",
        *([f"Not comparable with the printed numbers: {apart}."] if apart else []),
        "The interval reckons with votes that share pairs and people; p is against 50 %, adjusted by Holm.",
        *([out] if found.excluded_raters else []),
        *(f"A rule changed after the study was built: {change}." for change in found.rules_changed),
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
    if not same_question(found, printed):
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
