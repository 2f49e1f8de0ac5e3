"""A rate with its interval: of independent trials, or of votes that share items and raters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtri, stdtr, stdtrit

from benchmark.errors import BenchError
from benchmark.stats.crossed import codes, crossed_covariance
from benchmark.stats.interval import LEVEL, Interval


@dataclass(frozen=True)
class ExactRate(Interval):
    """A rate with Clopper and Pearson's interval and the two-sided p of "the true rate is `against`"."""

    p: float
    against: float


@dataclass(frozen=True)
class CrossedRate(Interval):
    """A rate of votes with its two-way clustered interval.

    `design_effect`: how many times larger the variance is than that of as many independent votes.
    """

    votes: int
    items: int
    raters: int
    design_effect: float

    def p(self, against: float = 0.5) -> float:
        """Two-sided p of "the true rate is `against`" (between 0 and 1), by what the interval is made of: Student's t
        on the logit; where all votes agree, the exact test with one vote for each item or rater, whichever are fewer.
        """
        fewer = min(self.items, self.raters)
        if self.value in (0.0, 1.0):
            return exact_rate(round(self.value * fewer), fewer, against).p
        error = math.sqrt(self.design_effect / (self.votes * self.value * (1 - self.value)))
        return float(2 * stdtr(fewer - 1, -abs(float(logit(self.value) - logit(against))) / error))


def wilson(successes: int, trials: int, level: float = LEVEL) -> Interval:
    """A rate with Wilson's score interval (Wilson 1927). Raises BenchError unless 0 <= successes <= trials > 0."""
    if not 0 <= successes <= trials or trials == 0:
        raise BenchError(f"rate: {successes} of {trials} is not a rate")
    z = float(ndtri((1 + level) / 2))
    rate = successes / trials
    centre = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    # at 0 and at all, the end is the rate itself; rounding must not put it outside
    return Interval(rate, min(max(centre - half, 0.0), rate), max(min(centre + half, 1.0), rate))


def exact_rate(successes: int, trials: int, against: float = 0.5, level: float = LEVEL) -> ExactRate:
    """A rate with its exact binomial test against a known one (Clopper and Pearson 1934). The trials have to be
    independent, which votes are not that share raters or items: see `crossed_rate`.

    Raises BenchError unless 0 <= successes <= trials > 0 and 0 <= against <= 1.
    """
    from scipy.stats import binomtest  # half a second to import, and only studies need it

    if not 0 <= successes <= trials or trials == 0 or not 0 <= against <= 1:
        raise BenchError(f"rate: {successes} of {trials} against {against} is not a rate")
    test = binomtest(successes, trials, against)
    ends = test.proportion_ci(confidence_level=level, method="exact")
    return ExactRate(successes / trials, float(ends.low), float(ends.high), float(test.pvalue), against)


def crossed_rate(votes: ArrayLike, items: ArrayLike, raters: ArrayLike, level: float = LEVEL) -> CrossedRate:
    """Share of true `votes` (V,), where `items` (V,) and `raters` (V,) say, by any label, what each was about and whose
    it was.

    Votes on one item agree for the item's sake and votes of one rater for the rater's, so the variance is clustered
    both ways (Cameron, Gelbach and Miller 2011), and never taken for smaller than that of independent votes. The
    interval is symmetric on the logit, with Student's t of one less than the fewer of items and raters. Simulated
    crossed studies are covered in 93 to 97 % (spec: studies 6).

    When all votes agree nothing is known of the clusters: then Wilson's interval, counting one vote for each item or
    rater, whichever are fewer.

    Raises BenchError for lists of unequal length and fewer than two items or raters.
    """
    won = np.asarray(votes, dtype=np.float64)
    (item, item_count), (rater, rater_count) = codes(items), codes(raters)
    if won.ndim != 1 or not won.shape == item.shape == rater.shape:
        raise BenchError(f"votes: {won.shape} votes, {item.shape} items and {rater.shape} raters do not match")
    if not np.isin(won, (0, 1)).all():
        raise BenchError("votes: each has to be 0 or 1 (False or True)")
    fewer = min(item_count, rater_count)
    if fewer < 2:
        raise BenchError(f"votes: {item_count} items by {rater_count} raters; an interval needs two of each")
    n, share = len(won), float(won.mean())
    if share in (0.0, 1.0):
        ends = wilson(round(share * fewer), fewer, level)
        return CrossedRate(share, ends.low, ends.high, n, item_count, rater_count, design_effect=n / fewer)
    crossed, independent = (float(m[0, 0]) for m in crossed_covariance((won - share)[:, None], item, rater))
    variance = max(crossed, independent) / n**2
    half = float(stdtrit(fewer - 1, (1 + level) / 2)) * math.sqrt(variance) / (share * (1 - share))
    low, high = (float(expit(logit(share) + side * half)) for side in (-1, 1))
    return CrossedRate(share, low, high, n, item_count, rater_count, variance * n / (share * (1 - share)))
