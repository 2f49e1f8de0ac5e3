"""Intervals and tests, once for the whole project. NumPy and SciPy only; whatever draws is seeded, so a re-made report
is the same.

mean_interval(values)                      # scores (N,) over items, or (S, N) over training seeds and items
statistic_interval(matrices, f)            # a score of the whole set, from what each item adds to it
paired_difference(ours, theirs)            # difference of means on the same items, with its interval and p
holm([0.01, 0.04, 0.03])                   # adjusted p values
wilson(3, 96), exact_rate(3, 96)           # a rate of independent trials
crossed_rate(votes, items, raters)         # a rate of votes that share items and raters
bradley_terry(winners, losers, ...)        # strengths from paired comparisons
krippendorff_alpha(ratings)                # agreement between raters
votes_needed(0.60), design_effect(...)     # how many votes a study needs
"""

from benchmark.stats.agreement import krippendorff_alpha
from benchmark.stats.bootstrap import (
    FLIPS,
    RESAMPLES,
    mean_interval,
    paired_difference,
    percentile_interval,
    sign_flip_p,
    statistic_interval,
)
from benchmark.stats.interval import LEVEL, Difference, Interval
from benchmark.stats.multiplicity import holm
from benchmark.stats.power import design_effect, share_power, votes_needed
from benchmark.stats.preference import bradley_terry
from benchmark.stats.rates import CrossedRate, ExactRate, crossed_rate, exact_rate, wilson

__all__ = [
    "FLIPS",
    "LEVEL",
    "RESAMPLES",
    "CrossedRate",
    "Difference",
    "ExactRate",
    "Interval",
    "bradley_terry",
    "crossed_rate",
    "design_effect",
    "exact_rate",
    "holm",
    "krippendorff_alpha",
    "mean_interval",
    "paired_difference",
    "percentile_interval",
    "share_power",
    "sign_flip_p",
    "statistic_interval",
    "votes_needed",
    "wilson",
]
