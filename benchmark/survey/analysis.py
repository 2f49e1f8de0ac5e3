"""What the votes of a study say: `bench survey analyze STUDY`.

    found = analyze(Study.open(folder))
    found.comparisons[0].share.value        # 0.89: share of votes for the main method
    found.to_dict()                         # plain JSON

Only votes that hold one of the study's places take part (never surplus ones nor those of test sessions), less those of
raters whom a rule of `benchmark.survey.exclusions` leaves out. Every share comes with an interval that knows that votes
share pairs and raters, and with the naive one beside it (spec: studies 6).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark import stats
from benchmark.errors import BenchError
from benchmark.survey import export
from benchmark.survey.exclusions import Rules, Step, Vote, counted, exclude, is_left
from benchmark.survey.folder import Study


@dataclass(frozen=True)
class Share:
    """A share of votes, 0 to 1. `low`, `high`, `p` and `design_effect` reckon with shared items and raters; Wilson's
    interval and the exact p take every vote for independent. p is against one half. None where `problem` says why.
    """

    won: int
    votes: int
    items: int
    raters: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    design_effect: float | None = None
    wilson: tuple[float, float] | None = None
    exact_p: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Timed:
    """The share at one exposure time."""

    duration_ms: int
    share: Share


@dataclass(frozen=True)
class Sourced:
    """The share of those who came one way: by an open link, a recruiter, or a study without a server."""

    source: str
    share: Share


@dataclass(frozen=True)
class PairRow:
    """The votes of one pair, over all exposure times; `low` and `high` are Wilson's (each vote is another person's)."""

    item: str
    won: int
    votes: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, or why there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Comparison:
    """The main method against one rival. `p` and `exact_p` are those of `share`, adjusted by Holm over the study's
    comparisons. `everybody`: the share without any exclusion. `without_one`: the least and the largest share that
    leaving out a single rater gives.
    """

    against: str
    share: Share
    p: float | None
    exact_p: float | None
    wanted: int  # votes that the definition asks for
    everybody: Share
    without_one: tuple[float, float] | None
    agreement: Estimate  # Krippendorff's alpha between raters
    durations: tuple[Timed, ...]  # empty where time is unlimited
    sources: tuple[Sourced, ...]  # empty where all votes came one way
    pairs: tuple[PairRow, ...]  # most preferred first


@dataclass(frozen=True)
class Flow:
    """Where raters and votes went, from everybody who was let in to the votes analysed."""

    admitted: int  # people; test sessions apart
    test_sessions: int
    without_votes: int  # admitted, but no vote of theirs was counted
    surplus: int  # votes that no place was left for
    discarded: int  # trials shown out of tolerance
    counted: int  # votes before the rules
    steps: tuple[Step, ...]
    raters: int  # analysed
    votes: int  # analysed


@dataclass(frozen=True)
class Analysis:
    """Everything. `strengths`: Bradley and Terry's, best first, by log odds; empty for two methods."""

    study: str
    title: str
    preset: str
    question: str
    main: str
    simulated: bool
    raters_wanted: int
    durations_ms: tuple[int, ...]
    rules: Rules
    rules_changed: tuple[str, ...]  # what differs from the rules frozen at build
    flow: Flow
    comparisons: tuple[Comparison, ...]
    left: Share  # votes for the picture on the left
    catch_right: Share  # right answers to catch trials, of everybody
    repeated: Share  # repeats that were answered as the first time, of everybody
    strengths: dict[str, Estimate]
    strengths_problem: str

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def analyze(study: Study, rules: Rules | None = None) -> Analysis:
    """Read the votes and work out everything, by the study's own rules unless others are given.

    A study without votes has shares without values, and no error.
    """
    rules = rules or study.design.exclusions
    votes: Sequence[Vote] = export.table(study, "votes")[1]
    kept, steps = exclude(votes, rules)
    everybody, config = counted(votes), study.design.study
    with study.store.read() as connection:
        simulated = study.is_simulated(connection)
    wanted = study.design.cells * config.raters
    found = [_comparison(name, kept, everybody, wanted, bool(config.durations_ms)) for name in study.comparisons]
    strengths, problem = _strengths(kept)
    return Analysis(
        study=study.id,
        title=config.title,
        preset=study.design.preset,
        question=config.question,
        main=study.main,
        simulated=simulated,
        raters_wanted=config.raters,
        durations_ms=config.durations_ms,
        rules=rules,
        rules_changed=rules.changes(study.design.exclusions),
        flow=_flow(study, votes, kept, steps),
        comparisons=_adjusted(found),
        left=share([is_left(vote) for vote in kept], kept),
        catch_right=_catches(counted(votes, "catch")),
        repeated=_repeats(everybody, counted(votes, "repeat")),
        strengths=strengths,
        strengths_problem=problem,
    )


def share(won: Sequence[bool], votes: Sequence[Vote]) -> Share:
    """The share of true `won`, one for each of `votes`."""
    items, raters = [vote["item"] for vote in votes], [vote["rater"] for vote in votes]
    bare = Share(sum(won), len(votes), len(set(items)), len(set(raters)))
    if not votes:
        return dataclasses.replace(bare, problem="no votes")
    naive, exact = stats.wilson(bare.won, bare.votes), stats.exact_rate(bare.won, bare.votes)
    bare = dataclasses.replace(bare, value=naive.value, wilson=(naive.low, naive.high), exact_p=exact.p)
    if min(bare.items, bare.raters) < 2:
        return dataclasses.replace(bare, problem="an interval needs two pairs and two raters")
    rate = stats.crossed_rate(won, items, raters)
    return dataclasses.replace(bare, low=rate.low, high=rate.high, p=rate.p(), design_effect=rate.design_effect)


def _comparison(name: str, kept: Sequence[Vote], everybody: Sequence[Vote], wanted: int, timed: bool) -> Comparison:
    own = [vote for vote in kept if vote["comparison"] == name]
    durations = sorted({vote["duration_ms"] for vote in own}) if timed else []
    return Comparison(
        against=name,
        share=_preferred(own),
        p=None,
        exact_p=None,
        wanted=wanted,
        everybody=_preferred([vote for vote in everybody if vote["comparison"] == name]),
        without_one=_without_one(own),
        agreement=_agreement(own),
        durations=tuple(Timed(ms, _preferred([vote for vote in own if vote["duration_ms"] == ms])) for ms in durations),
        sources=_sources(own),
        pairs=_pairs(own),
    )


def _adjusted(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """With p over all comparisons that have one."""
    p, exact = (_holm([getattr(c.share, name) for c in comparisons]) for name in ("p", "exact_p"))
    return tuple(dataclasses.replace(c, p=one, exact_p=two) for c, one, two in zip(comparisons, p, exact, strict=True))


def _holm(values: Sequence[float | None]) -> list[float | None]:
    adjusted = iter(stats.holm([value for value in values if value is not None]))
    return [None if value is None else next(adjusted) for value in values]


def _is_main(vote: Vote) -> bool:
    """Method a of a pair is the main one."""
    return bool(vote["chosen"] == 0)


def _preferred(votes: Sequence[Vote]) -> Share:
    return share([_is_main(vote) for vote in votes], votes)


def _sources(votes: Sequence[Vote]) -> tuple[Sourced, ...]:
    ways = sorted({vote["source"] for vote in votes})
    shares = [Sourced(way, _preferred([vote for vote in votes if vote["source"] == way])) for way in ways]
    return tuple(shares) if len(shares) > 1 else ()


def _without_one(votes: Sequence[Vote]) -> tuple[float, float] | None:
    """The range of the share when any one rater is left out."""
    given = Counter(vote["rater"] for vote in votes)
    won = Counter(vote["rater"] for vote in votes if _is_main(vote))
    if len(given) < 2:
        return None
    shares = [(won.total() - won[who]) / (given.total() - given[who]) for who in given]
    return min(shares), max(shares)


def _pairs(votes: Sequence[Vote]) -> tuple[PairRow, ...]:
    given = Counter(vote["item"] for vote in votes)
    won = Counter(vote["item"] for vote in votes if _is_main(vote))
    rows = []
    for item, count in given.items():
        rate = stats.wilson(won[item], count)
        rows.append(PairRow(item, won[item], count, rate.value, rate.low, rate.high))
    return tuple(sorted(rows, key=lambda row: (-row.value, row.item)))


def _agreement(votes: Sequence[Vote]) -> Estimate:
    """Raters by pairs (at each exposure time), which method each chose."""
    people = {who: row for row, who in enumerate(sorted({vote["rater"] for vote in votes}))}
    shown = dict.fromkeys((vote["pair"], vote["duration_ms"]) for vote in votes)
    column = {unit: number for number, unit in enumerate(shown)}
    ratings = np.full((len(people), len(shown)), np.nan)  # (R, U)
    for vote in votes:
        ratings[people[vote["rater"]], column[vote["pair"], vote["duration_ms"]]] = vote["chosen"]
    try:
        return _estimate(stats.krippendorff_alpha(ratings))
    except BenchError as error:
        return Estimate(problem=str(error))


def _strengths(votes: Sequence[Vote]) -> tuple[dict[str, Estimate], str]:
    methods = {vote[side] for vote in votes for side in ("method_a", "method_b")}
    if len(methods) < 3:
        return {}, ""
    sides = [("method_a", "method_b") if _is_main(vote) else ("method_b", "method_a") for vote in votes]
    winners, losers = ([vote[side[place]] for vote, side in zip(votes, sides, strict=True)] for place in (0, 1))
    try:
        fitted = stats.bradley_terry(
            winners, losers, [vote["item"] for vote in votes], [vote["rater"] for vote in votes]
        )
    except BenchError as error:
        return {}, str(error)
    return {name: _estimate(strength) for name, strength in fitted.items()}, ""


def _estimate(found: stats.Interval) -> Estimate:
    return Estimate(found.value, found.low, found.high)


def _catches(votes: Sequence[Vote]) -> Share:
    return share([vote["chosen"] == vote["right"] for vote in votes], votes)


def _repeats(trials: Sequence[Vote], repeats: Sequence[Vote]) -> Share:
    """A repeat shows an earlier trial with the sides exchanged; those of surplus trials have nothing to agree with."""
    first = {(vote["rater"], vote["pair"]): vote["chosen"] for vote in trials}
    known = [vote for vote in repeats if (vote["rater"], vote["pair"]) in first]
    return share([vote["chosen"] == first[vote["rater"], vote["pair"]] for vote in known], known)


def _flow(study: Study, votes: Sequence[Vote], kept: Sequence[Vote], steps: tuple[Step, ...]) -> Flow:
    modes = {row["id"]: row["mode"] for row in export.table(study, "raters")[1]}
    people = [who for who, mode in modes.items() if mode != "test"]
    everybody = counted(votes)
    surplus = [v for v in votes if v["kind"] == "trial" and v["state"] == "surplus" and v["mode"] != "test"]
    discards = export.table(study, "discards")[1]
    return Flow(
        admitted=len(people),
        test_sessions=len(modes) - len(people),
        without_votes=len(set(people) - {vote["rater"] for vote in everybody}),
        surplus=len(surplus),
        discarded=sum(modes[row["rater"]] != "test" for row in discards),
        counted=len(everybody),
        steps=steps,
        raters=len({vote["rater"] for vote in kept}),
        votes=len(kept),
    )
