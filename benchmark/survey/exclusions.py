"""Whose votes are left out of the analysis, by rules that were there before any vote, and how many each rule costs.

    kept, flow = exclude(votes, Rules())

A person who is left out is paid all the same: the rules speak of the analysis only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmark.errors import BenchError

Vote = Mapping[str, Any]  # a row of `export.table(study, "votes")`


@dataclass(frozen=True)
class Rules:
    """What makes all votes of a rater be left out."""

    catch_wrong: int = 1  # more wrong answers to catch trials than this; 1 forgives a slip of the finger
    least_ms: float = 300.0  # a median answer sooner than this: nobody looks at two pictures and chooses in less
    one_sided: int = 10  # the same side in every trial, where there are at least so many (chance: 1 in 512)

    def __post_init__(self) -> None:
        for name, least in (("catch_wrong", 0), ("least_ms", 0), ("one_sided", 2)):
            if getattr(self, name) < least:
                raise BenchError(f"--{name.replace('_', '-')}: at least {least}, got {getattr(self, name)}")


@dataclass(frozen=True)
class Step:
    """How many raters and counted votes one rule leaves out, of those that the rules before it left."""

    rule: str
    raters: int
    votes: int


def counted(votes: Iterable[Vote], kind: str = "trial") -> list[Vote]:
    """Answers of one kind that are for the analysis: no surplus, no test sessions."""
    return [vote for vote in votes if vote["kind"] == kind and vote["state"] == "counted"]


def exclude(votes: Sequence[Vote], rules: Rules) -> tuple[list[Vote], tuple[Step, ...]]:
    """The counted trials that are left, and what each rule took. A rater whom two rules fit is counted at the first."""
    trials, catches = _by_rater(counted(votes)), _by_rater(counted(votes, "catch"))
    steps = []
    for rule, fits in _tests(rules):
        out = [rater for rater in trials if fits(trials[rater], catches.get(rater, []))]
        steps.append(Step(rule, len(out), sum(len(trials.pop(rater)) for rater in out)))
    return [vote for theirs in trials.values() for vote in theirs], tuple(steps)


def is_left(vote: Vote) -> bool:
    """Whether the picture on the left was chosen."""
    return bool(vote["chosen"] == vote["side"])


def _tests(rules: Rules) -> tuple[tuple[str, Callable[[list[Vote], list[Vote]], bool]], ...]:
    return (
        (
            f"more than {rules.catch_wrong} wrong in catch trials",
            lambda _, catches: sum(vote["chosen"] != vote["right"] for vote in catches) > rules.catch_wrong,
        ),
        (
            f"median answer under {rules.least_ms:g} ms",
            lambda trials, _: median(vote["rt_ms"] for vote in trials) < rules.least_ms,
        ),
        (
            f"always the same side in {rules.one_sided} or more trials",
            lambda trials, _: len(trials) >= rules.one_sided and len({is_left(vote) for vote in trials}) == 1,
        ),
    )


def _by_rater(votes: Iterable[Vote]) -> dict[int, list[Vote]]:
    grouped: dict[int, list[Vote]] = {}
    for vote in votes:
        grouped.setdefault(vote["rater"], []).append(vote)
    return grouped
