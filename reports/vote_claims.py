"""What people's votes say to a claim about preferences. Votes of programs never judge one.

A share of votes is put on the scale of every other claim: how much larger the votes of `ahead` are than those of
`behind`, as a share of the larger of both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.run.results import Preference, Preferred, RunView
from benchmark.stats import Interval
from reports.ledger import Claim
from reports.published import PublishedTable


@dataclass(frozen=True)
class Verdict:
    """`votes`: percent for `ahead` and for `behind`; `gain` (its ends NaN where there is no interval) and `p`, before
    any adjustment; or the `reason` why there is none.
    """

    reason: str = ""
    votes: tuple[float, float] | None = None
    gain: Interval | None = None
    p: float | None = None
    items: int = 0


def examine(claim: Claim, view: RunView) -> Verdict:
    """The one study that asked what the paper asked, of the same two methods."""
    if claim.behind not in claim.table.methods:
        return Verdict("compares the votes of two studies against the same rival")
    if not view.preferences:
        return Verdict("needs people's votes")
    studies = [study for study in view.preferences if not unlike(study, claim.table)]
    if not studies:
        return Verdict(unlike(view.preferences[0], claim.table))
    for study in studies:
        for row in study.comparisons:
            if (study.main, row.against) == (claim.ahead, claim.behind):
                return _judged(row, turned=False)
            if (row.against, study.main) == (claim.ahead, claim.behind):
                return _judged(row, turned=True)
    return Verdict(f"no study compared {claim.title(claim.ahead)} with {claim.title(claim.behind)}")


def same_question(study: Preference, printed: PublishedTable) -> bool:
    """Whether people were asked what the paper asked, capitals and marks apart."""

    def plain(text: str) -> str:
        return " ".join("".join(c for c in text.casefold() if c.isalnum() or c.isspace()).split())

    return printed.survey is None or plain(study.question) == plain(printed.survey.question)


def unlike(study: Preference, printed: PublishedTable) -> str:
    """Why a study cannot judge a table's claims; "" where it can."""
    if study.simulated:
        return "the votes are simulated: programs answered, not people"
    if not same_question(study, printed):
        return f'people were asked "{study.question}"'
    if study.durations_ms:
        return "the time to look was limited, the paper's was not"
    return ""


def gain_of(share: float) -> float:
    """How much larger a share of votes is than the rest, as a share of the larger: 0.75 -> 2/3, 0.25 -> -2/3."""
    return (2 * share - 1) / max(share, 1 - share)


def _judged(row: Preferred, turned: bool) -> Verdict:
    shares = [row.value, row.low, row.high]
    value, low, high = (np.nan if share is None else 1 - share if turned else share for share in shares)
    low, high = (high, low) if turned else (low, high)
    votes = 100 * value, 100 * (1 - value)
    gain = Interval(*(gain_of(share) for share in (value, low, high)))
    if np.isnan(low):
        return Verdict("too few pairs or people for an interval", votes, gain)
    return Verdict("", votes, gain, row.p if row.p_alone is None else row.p_alone, row.items)
