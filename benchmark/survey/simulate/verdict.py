"""Is every pair balanced, and does the analysis find what was put in?

told = verdict(copy, crowd)
told.balanced, told.lines(traffic)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select

from benchmark.survey import export
from benchmark.survey.analysis import Share, analyze
from benchmark.survey.exclusions import counted
from benchmark.survey.folder import Study
from benchmark.survey.simulate.crowd import Crowd
from benchmark.survey.simulate.visitor import Traffic
from benchmark.survey.tables import cell

HEAD = f"  {'':24} {'taste':>7} {'expected':>9} {'found':>7}  {'95 % interval':<16} covered"
SHOWN = 10  # cells that are not balanced


@dataclass(frozen=True)
class Row:
    """Something that was put in. `taste`: what raters who look would choose; `expected`: that with lapses and side
    bias, which is what votes can tell.
    """

    name: str
    taste: float | None
    expected: float
    found: Share

    @property
    def covered(self) -> bool:
        low, high = self.found.low, self.found.high
        return low is not None and high is not None and low <= self.expected <= high

    def line(self) -> str:
        taste = "" if self.taste is None else f"{self.taste:.1%}"
        if self.found.value is None or self.found.low is None or self.found.high is None:
            return f"  {self.name:<24} {taste:>7} {self.expected:>9.1%} {self.found.problem}"
        between = f"{100 * self.found.low:.1f} to {100 * self.found.high:.1f}"
        covered = "yes" if self.covered else "NO"
        return f"  {self.name:<24} {taste:>7} {self.expected:>9.1%} {self.found.value:>7.1%}  {between:<16} {covered}"


@dataclass(frozen=True)
class Verdict:
    """`wrong`: a line for every cell that does not have its votes, distinct raters and sides."""

    cells: int
    raters: int
    wrong: tuple[str, ...]
    rows: tuple[Row, ...]
    excluded: int  # raters

    @property
    def balanced(self) -> bool:
        return not self.wrong

    def lines(self, traffic: Traffic) -> list[str]:
        """All of it as text."""
        times = sorted(traffic.times_ms)
        late = times[int(len(times) * 0.99)] if times else 0.0
        told = [
            f"{traffic.came} simulated raters came, {traffic.left} of them left half-way; the analysis excludes "
            f"{self.excluded}",
            f"{len(times)} requests in {traffic.seconds:.0f} s, {len(times) / traffic.seconds:.0f} a second, "
            f"p99 {late:.0f} ms, {traffic.repeated} repeated",
        ]
        if self.balanced:
            told.append(
                f"balanced: {self.cells} of {self.cells} pairs have {self.raters} distinct raters, sides as due"
            )
        else:
            told.append(f"NOT BALANCED: {len(self.wrong)} of {self.cells} pairs")
            told += [f"  {line}" for line in self.wrong[:SHOWN]]
            told += [f"  and {len(self.wrong) - SHOWN} more"] if len(self.wrong) > SHOWN else []
        return [*told, HEAD, *(row.line() for row in self.rows)]


def verdict(study: Study, crowd: Crowd) -> Verdict:
    """Count the votes anew and analyse them by the study's own rules."""
    found = analyze(study)
    rows = [
        Row(f"against {one.against}", crowd.taste[one.against], crowd.expected(one.against), one.share)
        for one in found.comparisons
    ]
    rows.append(Row("left side chosen", None, crowd.expected_left, found.left))
    excluded = sum(step.raters for step in found.flow.steps)
    cells, wrong = imbalance(study)
    return Verdict(cells, study.design.study.raters, wrong, tuple(rows), excluded)


def imbalance(study: Study) -> tuple[int, tuple[str, ...]]:
    """How many cells there are, and a line for each that lacks votes, has too many, one person twice or a side too
    often. From the votes themselves, not from the counters that the allocation keeps.
    """
    with study.store.read() as connection:
        cells = connection.execute(select(cell).where(cell.c.study == study.id, cell.c.kind == "trial")).all()
    sides: Counter[tuple[int, int | None, int]] = Counter()
    people: dict[tuple[int, int | None], set[int]] = {}
    for vote in counted(export.table(study, "votes")[1]):
        which = vote["pair"], vote["duration_ms"]
        sides[*which, vote["side"]] += 1
        people.setdefault(which, set()).add(vote["rater"])
    wrong = []
    for row in cells:
        which = row.pair, row.duration_ms
        left, right, distinct = sides[*which, 0], sides[*which, 1], len(people.get(which, ()))
        if (left, right, distinct) != (row.need0, row.need1, row.need0 + row.need1):
            shown = "" if row.duration_ms is None else f" at {row.duration_ms} ms"
            wrong.append(
                f"{row.comparison} {row.item}{shown}: {left} + {right} votes of {distinct} raters, "
                f"not {row.need0} + {row.need1}"
            )
    return len(cells), tuple(wrong)
