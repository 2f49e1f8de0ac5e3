"""What a definition costs and what it can show (spec: studies 6).

Votes that share pairs and raters tell less than as many independent ones; the design effect says how much less.
"""

from __future__ import annotations

import math

from benchmark.stats import design_effect, share_power, votes_needed
from benchmark.survey.design import Design


def effect(design: Design, comparisons: int, item_share: float, rater_share: float, raters: int | None = None) -> float:
    """Design effect of one comparison: every cell has `raters` votes, and a rater gives its share of their trials."""
    each = min(design.cells, design.study.trials / comparisons)
    return design_effect(raters or design.study.raters, max(1.0, each), item_share, rater_share)


def plan_lines(design: Design, comparisons: int, item_share: float, rater_share: float) -> list[str]:
    """Votes, people, minutes and the smallest preference that would be found."""
    study = design.study
    votes, people = design.cells * study.raters, design.people(comparisons)
    shown = study.trials + study.catch + study.repeats + study.practice
    loss = effect(design, comparisons, item_share, rater_share)
    times = f" at {len(study.durations_ms)} exposure times" if study.durations_ms else ""
    smallest = next((s / 1000 for s in range(505, 1000, 5) if share_power(s / 1000, int(votes / loss)) >= 0.8), None)
    return [
        f"{design.preset}: {study.pairs} pairs{times}, {study.raters} people each, {comparisons} comparisons",
        f"  votes     {votes} a comparison, {votes * comparisons} in all",
        f"  people    {people}, each {shown} trials in about {study.minutes} minutes, when nobody drops out",
        f"  effect    {loss:.1f}: {votes} votes tell as much as {votes / loss:.0f} independent ones",
        f"  finds     a true preference of {smallest:.1%} or more (80 % power, two-sided 5 %)"
        if smallest
        else "  finds     nothing with 80 % power: more pairs or more people",
    ]


def detectable(design: Design, comparisons: int, share: float, item_share: float, rater_share: float) -> list[str]:
    """What it takes to find a true preference of `share` with 80 % power."""
    alone = votes_needed(share)
    lines = [
        f"to find a true preference of {share:.1%} (80 % power, two-sided 5 %), of {alone} independent votes; here",
    ]
    for raters in sorted({10, design.study.raters}):
        loss = effect(design, comparisons, item_share, rater_share, raters)
        pairs = -(-math.ceil(alone * loss) // raters)
        people = max(raters, -(-pairs * raters * comparisons // design.study.trials))
        lines.append(
            f"  {raters} people a pair: {pairs} pairs, {pairs * raters} votes a comparison (design effect {loss:.1f}), "
            f"{people} people for {comparisons} comparisons"
        )
    return lines
