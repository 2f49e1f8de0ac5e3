"""Every claim of the papers judged on a run: reproduced, not reproduced, inconclusive, or not tested.

judge(whole_ledger(), [RunView(folder)])

Scores of items are compared by the paired test of `benchmark.stats` over items and seeds, and p is adjusted by Holm
over all claims judged together. A score of a whole set has no items to pair: it is inconclusive where the two intervals
overlap, unless the results hold a paired difference, which then brings its own p. Votes bring the p and the interval of
their study, which know that votes share pairs and people (see `vote_claims`). To be conclusive a claim needs both,
p below 5 % and an interval on one side of nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmark import stats
from benchmark.run.results import MetricRow, RunView
from reports import compare, vote_claims
from reports.facing import Facing, facings
from reports.ledger import Claim

VERDICTS = ("reproduced", "not reproduced", "inconclusive", "not tested")
Scores = Mapping[tuple[str, str], np.ndarray]  # (method, metric) -> (seeds, items), NaN where the metric failed


@dataclass(frozen=True)
class Gain(stats.Interval):
    """By how much `ahead` is better than `behind`, as a share of the larger of both values: within -1..1 for scores
    that are never negative, above 0 where the claim's direction holds. The ends are NaN where there is no interval.
    """

    p: float | None = None  # None: a whole set's score, compared by its interval
    items: int = 0


@dataclass(frozen=True)
class Judged:
    """A claim with what the run says to it."""

    claim: Claim
    reason: str = ""  # why it could not be tested, or not be decided
    facing: Facing | None = None  # the run's column; None where it has none
    gain: Gain | None = None
    votes: tuple[float, float] | None = None  # percent for each of the two, where people were asked
    adjusted: float | None = None  # p after Holm

    @property
    def ours(self) -> tuple[float, float] | None:
        """Our two numbers, in the printed unit."""
        if self.gain is None or self.facing is None:
            return self.votes
        ahead, behind = (self.facing.values[name].value for name in (self.claim.ahead, self.claim.behind))
        return ahead, behind

    @property
    def verdict(self) -> str:
        if self.gain is None:
            return "not tested"
        decided = self.gain.low > 0 or self.gain.high < 0  # never so where the ends are NaN
        if not decided or (self.adjusted is not None and self.adjusted >= compare.LEVEL):
            return "inconclusive"
        return "reproduced" if self.gain.value > 0 else "not reproduced"


def judge(ledger: Sequence[Claim], views: Sequence[RunView]) -> list[Judged]:
    """All claims of the ledger that can be judged, in order; `views` holds at most one run of each task. Holm's family
    is every claim among them that has a p.
    """
    runs = {view.results.task: view for view in views}
    scores = {task: read_scores(view) for task, view in runs.items()}
    found = [_examine(c, runs.get(c.task), scores.get(c.task, {})) for c in ledger if c.is_judged]
    adjusted = iter(stats.holm([judged.gain.p for judged in found if judged.gain and judged.gain.p is not None]))
    return [
        replace(judged, adjusted=next(adjusted)) if judged.gain and judged.gain.p is not None else judged
        for judged in found
    ]


def tally(judged: Sequence[Judged]) -> str:
    """ "3 reproduced, 1 not reproduced, 20 not tested"."""
    counts = Counter(one.verdict for one in judged)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])


def read_scores(view: RunView) -> Scores:
    """Scores of items as tables over seeds and items."""
    seeds = {str(seed): row for row, seed in enumerate(view.results.seeds)}
    items = {str(item["id"]): column for column, item in enumerate(view.items)}
    tables: dict[tuple[str, str], np.ndarray] = {}
    for line in view.scores:
        row, column = seeds.get(str(line.get("seed"))), items.get(str(line.get("item")))
        if row is None or column is None:  # of the whole set, or of what the run no longer has
            continue
        key = str(line.get("method")), str(line.get("metric"))
        table = tables.setdefault(key, np.full((len(seeds), len(items)), np.nan))
        value = line.get("value")
        table[row, column] = value if isinstance(value, int | float) else np.nan
    return tables


def _examine(claim: Claim, view: RunView | None, scores: Scores) -> Judged:
    if view is None:
        return Judged(claim, f"no results for {claim.task}")
    if claim.table.by == "rival":
        found = vote_claims.examine(claim, view)
        gain = _turned(found.gain, 1.0, found.p, found.items) if found.gain else None
        return Judged(claim, found.reason, gain=gain, votes=found.votes)
    facing = next(found for found in facings(view, claim.table) if found.head == claim.column)
    missing = _missing(claim, facing)
    if facing.metric is None or missing:
        return Judged(claim, missing or "no such metric in this run", facing)
    columns = [(name, facing.metric.id) for name in (claim.ahead, claim.behind)]
    if not facing.metric.whole_set and not all(column in scores for column in columns):
        return Judged(claim, "the scores of the items are not in the run folder", facing)
    gain = _gain(claim, view, facing.metric, scores)
    if gain.p is None and np.isnan(gain.low):
        return Judged(claim, "one value for each seed, without an interval", facing, gain)
    return Judged(claim, "", facing, gain)


def _missing(claim: Claim, facing: Facing) -> str:
    """Why one of the two methods has no value here."""
    for name in (claim.ahead, claim.behind):
        if name not in facing.methods:
            return f"{claim.title(name)} is not in this run"
        if facing.metric and name not in facing.values:
            return f"{claim.title(name)}: {facing.methods[name].problem or 'no value'}"
    return ""


def _gain(claim: Claim, view: RunView, metric: MetricRow, scores: Scores) -> Gain:
    """The difference in the claim's favour, as a share of the larger value."""
    first, second = (view.results.value(name, metric.id) for name in (claim.ahead, claim.behind))
    assert first and second
    sign = -1 if metric.better == "lower" else 1
    larger = max(abs(first.value), abs(second.value)) or 1.0
    found = _paired(claim, view, metric, scores)
    if found:
        return _turned(found, sign / larger, found.p, found.items)
    ends = [end for value in (first, second) for end in (value.low, value.high) if end is not None]
    value = first.value - second.value
    if len(ends) < 4:
        return Gain(sign * value / larger, np.nan, np.nan)
    # reaches nothing exactly where the two intervals touch
    return _turned(stats.Interval(value, ends[0] - ends[3], ends[1] - ends[2]), sign / larger)


def _paired(claim: Claim, view: RunView, metric: MetricRow, scores: Scores) -> stats.Difference | None:
    """The paired test over items and seeds; for a whole set, the difference that the results hold, if any."""
    if metric.whole_set:
        known = compare.difference(view.results, metric.id, claim.ahead, claim.behind)
        return stats.Difference(known.value, known.low, known.high, known.p, known.n) if known else None
    tables = (scores[name, metric.id] for name in (claim.ahead, claim.behind))
    # somebody's pictures, made once, stand against every seed
    first, second = np.broadcast_arrays(*(table[~np.isnan(table).all(axis=1)] for table in tables))
    both = ~(np.isnan(first) | np.isnan(second)).any(axis=0)
    return stats.paired_difference(first[:, both], second[:, both]) if both.sum() >= 2 else None


def _turned(found: stats.Interval, factor: float, p: float | None = None, items: int = 0) -> Gain:
    low, high = sorted((found.low * factor, found.high * factor))
    return Gain(found.value * factor, low, high, p, items)
