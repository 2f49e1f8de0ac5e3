"""The cards above the fold: what the paper claims, and what this run says to it, pair by pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.run.results import MetricRow, Preferred, Results, RunView
from reports import compare
from reports.facing import facings
from reports.preference import answering
from reports.published import PublishedTable
from reports.table import decimals_for, interval, number, p_value
from reports.vote_claims import unlike

FACE_FIRST = ("face", "foreground", "whole", "")


@dataclass(frozen=True)
class Line:
    """One pair of methods on the card."""

    against: str  # title of the other method
    ours: str  # "0.12 (0.11 to 0.13)"
    theirs: str
    verdict: str  # "as in the paper"
    sentence: str  # "behind, as in the paper"
    tone: str  # "good" | "bad" | "open"
    evidence: str  # "difference -0.19 (-0.21 to -0.17), p < 0.001"; "" without a test


@dataclass(frozen=True)
class Card:
    """A claim, the measure that speaks to it, and the pairs. Without lines, `reason` says why."""

    claim: str
    measure: str
    method: str
    lines: tuple[Line, ...]
    reason: str = ""
    table: str = ""  # name of the table on the page that has the numbers; "" where there is none

    @property
    def verdict(self) -> str:
        """The verdict of all pairs, or how many go the paper's way."""
        if not self.lines:
            return "no verdict"
        kinds = {line.verdict for line in self.lines}
        if len(kinds) == 1:
            return kinds.pop()
        good, bad = (sum(line.tone == tone for line in self.lines) for tone in ("good", "bad"))
        if not good and not bad:
            return "open"
        against = f", {bad} clearly against it" if bad else ""
        return f"{good} of {len(self.lines)} clearly as claimed{against}"

    @property
    def tone(self) -> str:
        tones = {line.tone for line in self.lines}
        return tones.pop() if len(tones) == 1 else "open"


def cards(view: RunView, published: Sequence[PublishedTable]) -> list[Card]:
    """Style first, then one card per printed column about this task, then what people said."""
    results = view.results
    faced = [facing for table in published for facing in facings(view, table)]
    rivals = list(faced[0].numbers) if faced else [m.name for m in compare.ranked(results)]
    found = [_style(results, rivals)] if any(m.id.startswith("counterfactual-l1[") for m in results.metrics) else []
    for facing in faced:
        competing = [name for name in facing.numbers if not _is_reference(results, name)]
        column = f", {facing.head}" if facing.printed.by == "score" else ""
        claim = f"{facing.printed.title} (Table {facing.printed.number}{column})"
        card = _card(results, claim, facing.metric, competing, facing.numbers)
        found.append(replace(card, table=f"table{facing.printed.number}-{facing.printed.name}"))
    votes = [_votes(view, table) for table in published]
    return sorted(found + [card for card in votes if card], key=lambda card: card.table)


def _votes(view: RunView, printed: PublishedTable) -> Card | None:
    """Whether people prefer what they preferred in the paper; None where no study answers the table."""
    study = answering(view, printed)
    if study is None:
        return None
    row = next(row for row in printed.rows if row.method == study.main)
    claim, table = f"{printed.title} (Table {printed.number})", f"table{printed.number}-{printed.name}"
    titles = dict(zip(printed.methods, printed.columns, strict=True))
    if apart := unlike(study, printed):
        return Card(claim, "votes", row.name, (), apart, table)
    theirs = dict(zip(printed.methods, row.values, strict=True))
    lines = tuple(_vote(vote, titles, theirs[vote.against]) for vote in study.comparisons if vote.against in theirs)
    return Card(claim, "votes", row.name, lines, table=table)


def _vote(vote: Preferred, titles: Mapping[str, str], printed: float) -> Line:
    """One comparison of the study; decided by its adjusted p against one half."""
    share, decided = 100 * vote.value, vote.p is not None and vote.p < compare.LEVEL
    agrees = (share > 50) == (printed > 50)
    verdict = ("as in the paper" if agrees else "against the paper") if decided else "not separable"
    if vote.p is None:
        verdict = "untested"
    limits = interval(vote.low and 100 * vote.low, vote.high and 100 * vote.high, 1)
    return Line(
        against=titles.get(vote.against, vote.against),
        ours=f"{number(share, 1)} %",
        theirs=f"{number(100 - share, 1)} %",
        verdict=verdict,
        sentence=f"{'preferred' if share > 50 else 'not preferred'}, {verdict}" if decided else verdict,
        tone="open" if not decided else "good" if agrees else "bad",
        evidence=f"{limits}, {p_value(vote.p)}" if limits and vote.p is not None else "",
    )


def _is_reference(results: Results, name: str) -> bool:
    return any(method.kind == "reference" for method in results.methods if method.name == name)


def _style(results: Results, rivals: Sequence[str]) -> Card:
    """The paper's main claim, scored against the true answer; its own evidence was people's votes (Table 3)."""
    metric = next(m for region in FACE_FIRST for m in compare.find(results, "counterfactual-l1", inside=region))
    # Copying the exemplar keeps its style perfectly; whoever is not nearer to the truth than that has not synthesised.
    return _card(results, "Style follows the exemplar", metric, [*rivals, "copy-exemplar"], {})


def _card(
    results: Results, claim: str, metric: MetricRow | None, rivals: Sequence[str], printed: Mapping[str, float]
) -> Card:
    titles = compare.titles(results)
    anchor = compare.anchor(results)
    method = titles[anchor]
    if metric is None:
        return Card(claim, "", method, (), "this run has no such metric")
    others = [name for name in rivals if name != anchor]
    found = [p for name in others if (p := compare.pair(results, metric, anchor, name, printed))]
    lines = tuple(_line(results, metric, pair, titles[pair.against]) for pair in found)
    if lines:
        return Card(claim, metric.title, method, lines)
    problems = [f"{m.title}: {m.problem}" for m in results.methods if m.name in (anchor, *others) and m.problem]
    return Card(claim, metric.title, method, (), "; ".join(problems) or "no other method of that table is in this run")


def _line(results: Results, metric: MetricRow, pair: compare.Pair, title: str) -> Line:
    digits = decimals_for(v.value for v in results.values if v.metric == metric.id)

    def shown(value: float, low: float | None, high: float | None, signed: bool = False) -> str:
        limits = interval(low, high, digits)
        return number(value, digits, signed) + (f" ({limits})" if limits else "")

    test = pair.test
    claimed = pair.ahead if pair.agrees is None else pair.agrees
    return Line(
        against=title,
        ours=number(pair.ours.value, digits),
        theirs=number(pair.theirs.value, digits),
        verdict=pair.verdict,
        sentence=pair.sentence,
        tone="open" if not pair.is_separable else "good" if claimed else "bad",
        evidence=f"difference {shown(test.value, test.low, test.high, True)}, {p_value(test.p)}" if test else "",
    )
