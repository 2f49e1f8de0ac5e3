"""What stands behind people's votes: exposure times, exclusions, side bias, who was left out, and every pair.

One `StudyPart` for each study that was analysed into a run; Table 3 and the plots stand with the paper's tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark import stats
from benchmark.run.results import PairVotes, Preference, Preferred, RunView, Voted, VoteFlow
from reports import compare
from reports.grid import Grid, Line, Picture, framed
from reports.preference import BANNER, preference_tables, protocol
from reports.published import PublishedTable
from reports.table import Cell, Row, Table, interval, number, p_value, percent, with_strips
from reports.thumbnails import data_uris

SHOWN = 3  # pairs with pictures at either end
BUDGET = 2**20  # bytes of all their pictures
TOO_FEW = "too few votes, or not recorded"  # files of earlier versions do not have all of it


@dataclass(frozen=True)
class PairRow:
    """The votes of one pair of pictures."""

    item: str
    share: str
    interval: str
    votes: str


@dataclass(frozen=True)
class Pairs:
    """Every pair of one comparison, most preferred first, and pictures of both ends."""

    title: str
    grid: Grid
    rows: tuple[PairRow, ...]


@dataclass(frozen=True)
class StudyPart:
    """Everything of one study, as plain data."""

    key: str
    question: str
    protocol: str
    banner: str
    tables: tuple[Table, ...]
    flow: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]
    pairs: tuple[Pairs, ...]


def study_parts(view: RunView, elsewhere: Sequence[PublishedTable]) -> list[StudyPart]:
    """A part for every study; printed tables in `elsewhere` are shown where they belong."""
    votes: dict[str, list[Table]] = {study.study: [] for study in view.preferences}
    for table in preference_tables(view, elsewhere):
        owner = next(study for study in view.preferences if table.protocol == protocol(study))
        votes[owner.study].append(table)
    return [_part(view, study, votes[study.study]) for study in view.preferences]


def _part(view: RunView, study: Preference, votes: Sequence[Table]) -> StudyPart:
    names = compare.titles(view.results)
    timed = [exposure_table(study, names)] if study.durations_ms else []
    strengths = [strength_table(study, names)] if study.strengths else []
    tables = (*votes, *timed, robustness_table(study, names), *strengths)
    return StudyPart(
        key=study.study,
        question=study.question,
        protocol=protocol(study),
        banner=BANNER if study.simulated else "",
        tables=tables,
        flow=tuple(flow_lines(study.flow)) if study.flow else (),
        checks=tuple(checks(study)),
        pairs=tuple(_pairs(view, study, row, names) for row in study.comparisons if row.pairs),
    )


def exposure_table(study: Preference, names: compare.Titles) -> Table:
    """A row for each rival, a column for each exposure time."""
    times = [f"{ms} ms" for ms in study.durations_ms]

    def row(found: Preferred) -> Row:
        shares = {timed.duration_ms: timed.share for timed in found.durations}
        cells = tuple(_share_cell(shares.get(ms)) for ms in study.durations_ms)
        return Row(names[found.against], "method", cells)

    return Table(
        name=f"preference-{study.study}-times",
        title="By exposure time" + _marked(study),
        subtitle=f"share of votes for {names[study.main]}, %",
        columns=tuple(times),
        rows=tuple(map(row, study.comparisons)),
        protocol=protocol(study),
        banner=BANNER if study.simulated else "",
    )


def robustness_table(study: Preference, names: compare.Titles) -> Table:
    """Does the result hang on the rules, on one person, or on how votes are reckoned?"""

    def row(found: Preferred) -> Row:
        share = Voted(found.value, found.low, found.high, found.votes)
        naive = Cell(
            interval(100 * found.wilson[0], 100 * found.wilson[1], 1), detail=f"exact {p_value(found.exact_p)}"
        )
        without = alpha = effect = Cell(reason=TOO_FEW)
        if found.without_one:
            least, most = found.without_one
            without = Cell(interval(100 * least, 100 * most, 1))
        if found.agreement:
            alpha = Cell(number(found.agreement[0], 2), detail=interval(*found.agreement[1:], 2))
        if found.design_effect is not None:
            effect = Cell(number(found.design_effect, 1), found.design_effect)
        cells = (_share_cell(share), _share_cell(found.everybody), without, naive, effect, alpha)
        return Row(names[found.against], "method", cells)

    return Table(
        name=f"preference-{study.study}-robustness",
        title="What the result hangs on" + _marked(study),
        subtitle=f"share of votes for {names[study.main]}, %",
        columns=("as analysed", "without exclusions", "without any one person", "Wilson", "design effect", "agreement"),
        rows=tuple(map(row, study.comparisons)),
        protocol=protocol(study),
        notes=(
            "Wilson's interval and the exact p (Holm-adjusted) take every vote for independent, as other papers do; "
            "they promise too much. Agreement is Krippendorff's alpha: 1: all agree, 0: all choose by chance.",
        ),
        banner=BANNER if study.simulated else "",
    )


def strength_table(study: Preference, names: compare.Titles) -> Table:
    """All methods on one scale, where there are more than two."""
    rows = tuple(
        Row(
            names[one.method],
            "method",
            (Cell(number(one.value, 2), one.value, one.low, one.high, interval(one.low, one.high, 2)),),
        )
        for one in study.strengths
    )
    return Table(
        name=f"preference-{study.study}-strengths",
        title="Strengths" + _marked(study),
        subtitle="Bradley and Terry's, log odds; more is preferred",
        columns=("strength",),
        rows=with_strips(rows),
        protocol=protocol(study),
        banner=BANNER if study.simulated else "",
    )


def _marked(study: Preference) -> str:
    return " (simulated votes)" if study.simulated else ""


def _share_cell(share: Voted | None) -> Cell:
    if share is None:
        return Cell(reason="not recorded")
    low, high = (None if end is None else 100 * end for end in (share.low, share.high))
    return Cell(number(100 * share.value, 1), 100 * share.value, low, high, interval(low, high, 1))


def flow_lines(flow: VoteFlow) -> list[str]:
    """From everybody let in to the votes analysed."""
    return [
        f"{flow.admitted} people let in, {flow.without_votes} of them without a counted vote; "
        f"{flow.test_sessions} test sessions apart",
        f"{flow.counted} votes counted; apart from these {flow.surplus} surplus, {flow.discarded} trials discarded",
        *(f"less {step.votes} votes of {step.raters} people: {step.rule}" for step in flow.steps),
        f"{flow.votes} votes of {flow.raters} people analysed",
    ]


def checks(study: Preference) -> list[tuple[str, str]]:
    """Side bias, catch trials, repeats, and what was changed; those that the study has."""
    named = (
        ("Left side chosen", study.left),
        ("Catch trials right", study.catch_right),
        ("Repeats answered alike", study.repeated),
    )
    found = [(name, _in_words(share)) for name, share in named if share]
    return found + [("Rule changed after the study was built", change) for change in study.rules_changed]


def _in_words(share: Voted) -> str:
    ends = "" if share.low is None or share.high is None else f" ({percent(share.low)} to {percent(share.high)})"
    return f"{percent(share.value)}{ends} of {share.votes}"


def _pairs(view: RunView, study: Preference, found: Preferred, names: compare.Titles) -> Pairs:
    main, rival = names[study.main], names[found.against]
    ends = dict.fromkeys([*found.pairs[:SHOWN], *found.pairs[-SHOWN:]])
    kinds = {"Exemplar": "exemplar", main: study.main, rival: found.against}
    known = {method.name for method in view.results.methods}

    def path(name: str, item: str) -> Path:
        return view.image(name, item) if name in known else view.exam_image(name, item)

    uris = data_uris((path(name, pair.item) for pair in ends for name in kinds.values()), BUDGET)

    def picture(head: str, pair: PairVotes) -> Picture:
        at = path(kinds[head], pair.item)
        score = {main: f"{pair.won} votes", rival: f"{pair.votes - pair.won} votes"}.get(head, "")
        return framed(f"{head}, item {pair.item}", at, uris, view.folder, score=score)

    lines = tuple(Line(pair.item, "", tuple(picture(head, pair) for head in kinds)) for pair in ends)
    how = f"The {SHOWN} pairs in which most people chose {main}, and the {SHOWN} in which fewest did."
    return Pairs(
        f"{main} against {rival}",
        Grid("Most and least preferred", how, tuple(kinds), lines),
        tuple(map(_pair_row, found.pairs)),
    )


def _pair_row(pair: PairVotes) -> PairRow:
    rate = stats.wilson(pair.won, pair.votes)
    ends = interval(100 * rate.low, 100 * rate.high, 0)
    return PairRow(pair.item, number(100 * rate.value, 0), ends, f"{pair.won} of {pair.votes}")
