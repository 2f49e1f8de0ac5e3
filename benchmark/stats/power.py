"""How many votes a study needs, and how much of their number is lost to shared items and raters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from benchmark.errors import BenchError
from benchmark.stats.interval import LEVEL

MOST_VOTES = 100_000


def share_power(share: float, votes: ArrayLike, level: float = LEVEL) -> np.ndarray:
    """Probability that so many independent votes (one number or many) of which `share` go one way let the two-sided
    exact binomial test reject 1/2; as many probabilities.
    """
    from scipy.stats import binom  # half a second to import, and only studies need it

    n, tail = np.asarray(votes), (1 - level) / 2
    edge = binom.ppf(tail, n, 0.5)
    edge = edge - (binom.cdf(edge, n, 0.5) > tail)  # the largest count whose tail is within half of the error, or -1
    found: np.ndarray = binom.cdf(edge, n, share) + binom.sf(n - edge - 1, n, share)
    return found


def votes_needed(share: float, power: float = 0.8, level: float = LEVEL, design_effect: float = 1.0) -> int:
    """Votes after which a true preference of `share` is found with at least this power, for every larger number too
    (the exact test's power goes up and down as its whole-numbered limit moves), times the design effect.

    Raises BenchError for a share that is not in (0.5, 1], a power not in (0, 1), an effect below 1, and where more than
    100,000 independent votes would be needed.
    """
    if not 0.5 < share <= 1 or not 0 < power < 1 or not design_effect >= 1:
        raise BenchError(
            "votes needed: a share over 0.5 up to 1, a power between 0 and 1, a design effect of at least 1; "
            f"got {share}, {power}, {design_effect}"
        )
    z_level, z_power = ndtri((1 + level) / 2), ndtri(power)
    roughly = ((z_level / 2 + z_power * math.sqrt(share * (1 - share))) / (share - 0.5)) ** 2
    if roughly > MOST_VOTES:
        raise BenchError(f"votes needed: more than {MOST_VOTES} for a share of {share}; nobody could tell it from 1/2")
    counts = np.arange(1, round(1.5 * roughly) + 100)  # the teeth are over well before
    short = int(counts[share_power(share, counts, level) < power].max(initial=0))
    return math.ceil((short + 1) * design_effect)


def design_effect(votes_per_item: float, votes_per_rater: float, item_share: float, rater_share: float) -> float:
    """How many times more votes are needed than if they were independent, at least 1: 1 + (m - 1) rho for items and for
    raters (Kish 1965, for two crossed clusterings).

    item_share, rater_share: the share of a vote's variance that lies between items and between raters, 0 to 1.
    """
    if (
        min(votes_per_item, votes_per_rater) < 1
        or not 0 <= item_share + rater_share <= 1
        or min(item_share, rater_share) < 0
    ):
        raise BenchError(
            "design effect: at least one vote for each item and rater, shares of variance from 0 to 1 together; got "
            f"{votes_per_item}, {votes_per_rater}, {item_share}, {rater_share}"
        )
    return 1 + (votes_per_item - 1) * item_share + (votes_per_rater - 1) * rater_share
