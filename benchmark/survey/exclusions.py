"""Whose votes are left out of the analysis, by rules that were there before any vote, and how many each rule costs.

    kept, steps = exclude(votes, study.design.exclusions)

The definition of a study holds its rules, in the table [exclusions], and is frozen at build. A person who is left out
is paid all the same: the rules speak of the analysis only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Any

from benchmark.errors import BenchError

Vote = Mapping[str, Any]  # a row of `export.table(study, "votes")`


@dataclass(frozen=True)
class Rules:
    """The table [exclusions]: what makes all votes of a rater be left out."""

    catch_wrong: int = 1  # more wrong answers to catch trials than this; 1 forgives a slip of the finger
    least_ms: float = 300.0  # a median answer sooner than this: nobody looks at two pictures and chooses in less
    one_sided: int = 10  # the same side in every trial, where there are at least so many (chance: 1 in 512)

    def __post_init__(self) -> None:
        for name, least in (("catch_wrong", 0), ("least_ms", 0), ("one_sided", 2)):
            if getattr(self, name) < least:
                both = f"exclusions.{name}, --{name.replace('_', '-')}"
                raise BenchError(f"{both}: at least {least}, got {getattr(self, name)}")

    @property
    def in_words(self) -> tuple[str, ...]:
        """Each rule, in the order in which they are applied."""
        return (
            f"more than {self.catch_wrong} wrong in catch trials",
            f"median answer under {self.least_ms:g} ms",
            f"always the same side in {self.one_sided} or more trials",
        )

    def changes(self, frozen: Rules) -> tuple[str, ...]:
        """In words, what differs from the rules that the study was built with."""
        return tuple(
            f"{field.name} {getattr(self, field.name):g}, built with {getattr(frozen, field.name):g}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(frozen, field.name)
        )


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
    for rule, fits in zip(rules.in_words, _tests(rules), strict=True):
        out = [rater for rater in trials if fits(trials[rater], catches.get(rater, []))]
        steps.append(Step(rule, len(out), sum(len(trials.pop(rater)) for rater in out)))
    return [vote for theirs in trials.values() for vote in theirs], tuple(steps)


def is_left(vote: Vote) -> bool:
    """Whether the picture on the left was chosen."""
    return bool(vote["chosen"] == vote["side"])


def _tests(rules: Rules) -> tuple[Callable[[list[Vote], list[Vote]], bool], ...]:
    """Does a rule fit a rater's trials and catch trials? In the order of `Rules.in_words`."""
    return (
        lambda _, catches: sum(vote["chosen"] != vote["right"] for vote in catches) > rules.catch_wrong,
        lambda trials, _: median(vote["rt_ms"] for vote in trials) < rules.least_ms,
        lambda trials, _: len(trials) >= rules.one_sided and len({is_left(vote) for vote in trials}) == 1,
    )


def _by_rater(votes: Iterable[Vote]) -> dict[int, list[Vote]]:
    grouped: dict[int, list[Vote]] = {}
    for vote in votes:
        grouped.setdefault(vote["rater"], []).append(vote)
    return grouped
