"""What people preferred in studies of a run's pictures: `preference*.json` in the run folder, one file a study.

`bench survey analyze --into RUN` writes them; reports read them through `benchmark.run.results`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError
from benchmark.files import read_json, write_json

SCHEMA = 1
PREFERENCE = "preference.json"  # of the first study; others stand beside it as preference-<study>.json


@dataclass(frozen=True)
class Voted:
    """A share of votes, 0 to 1. The interval reckons with shared pairs and people; None where there are too few."""

    value: float
    low: float | None
    high: float | None
    votes: int


@dataclass(frozen=True)
class TimedVotes:
    """The share at one exposure time."""

    duration_ms: int
    share: Voted


@dataclass(frozen=True)
class PairVotes:
    """The votes of one test item, over all exposure times."""

    item: str
    won: int
    votes: int


@dataclass(frozen=True)
class Preferred:
    """Share of votes (0 to 1) for the main method against a rival. The interval and `p` (Holm-adjusted over the study's
    comparisons, against one half) reckon with shared items and raters; None where a study has too few of either.

    What has a default is absent from files of earlier versions.
    """

    against: str
    value: float
    low: float | None
    high: float | None
    p: float | None
    wilson: tuple[float, float]  # as if all votes were independent
    exact_p: float  # the same, Holm-adjusted
    design_effect: float | None
    votes: int
    counted: int  # votes before any rule left some out
    wanted: int  # votes that the study's definition asks for
    items: int
    raters: int
    p_alone: float | None = None  # before Holm
    everybody: Voted | None = None  # without any exclusion
    without_one: tuple[float, float] | None = None  # least and largest share when one person is left out
    agreement: tuple[float, float, float] | None = None  # Krippendorff's alpha and its interval
    durations: tuple[TimedVotes, ...] = ()
    pairs: tuple[PairVotes, ...] = ()  # most preferred first


@dataclass(frozen=True)
class Strength:
    """A method's place on one scale for all of them (Bradley and Terry), in log odds, with its interval."""

    method: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LeftOut:
    """What one rule of exclusion took."""

    rule: str
    raters: int
    votes: int


@dataclass(frozen=True)
class VoteFlow:
    """From everybody let in to the votes analysed."""

    admitted: int
    test_sessions: int
    without_votes: int
    surplus: int
    discarded: int
    counted: int
    steps: tuple[LeftOut, ...]
    raters: int
    votes: int


@dataclass(frozen=True)
class Preference:
    """The content of a file. Simulated: votes of programs, never to be shown as people's."""

    study: str
    preset: str
    question: str
    main: str
    simulated: bool
    raters_wanted: int  # people for every pair
    durations_ms: tuple[int, ...]  # exposure times; empty: unlimited
    excluded_raters: int
    excluded_votes: int
    comparisons: tuple[Preferred, ...]
    rules_changed: tuple[str, ...] = ()  # what differs from the rules frozen with the study
    flow: VoteFlow | None = None
    left: Voted | None = None  # votes for the picture on the left
    catch_right: Voted | None = None  # right answers to catch trials
    repeated: Voted | None = None  # repeats answered as the first time
    strengths: tuple[Strength, ...] = ()  # best first; empty for two methods
    schema: int = SCHEMA

    @property
    def asked(self) -> tuple[str, str, tuple[int, ...]]:
        """What a study is about; a later one about the same takes its place in a run."""
        return self.main, self.question, self.durations_ms


def write_preference(folder: Path, preference: Preference) -> Path:
    """Write a study's file atomically, in place of one that asked the same of the same method; returns its path.

    Simulated votes never take the place of people's.
    """
    path = _place(folder, preference)
    if preference.simulated and path.exists() and not read_preference(path).simulated:
        raise BenchError(f"{path}: holds people's votes; simulated ones do not replace them, remove it first")
    write_json(path, dataclasses.asdict(preference))
    return path


def _place(folder: Path, preference: Preference) -> Path:
    first = folder / PREFERENCE
    if not first.exists():
        return first
    for path in _files(folder):
        try:
            if read_preference(path).asked == preference.asked:
                return path
        except BenchError:  # it can only be written again; not by programs, for it may have held people's votes
            if preference.simulated:
                raise
            return path
    return folder / f"preference-{preference.study}.json"


def read_preferences(folder: Path) -> tuple[Preference, ...]:
    """Every study that was analysed into a run, the first one first."""
    return tuple(read_preference(path) for path in _files(folder))


def _files(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("preference*.json") if path.name == PREFERENCE or path.stem[10:11] == "-"]
    return sorted(found, key=lambda path: (path.name != PREFERENCE, path.name))


def read_preference(path: Path) -> Preference:
    """Read one file; a newer schema, a missing or a damaged file is one clear line."""
    tree = read_json(path)
    try:
        if tree["schema"] != SCHEMA:
            raise BenchError(f"{path}: schema {tree['schema']!r}; this version reads schema {SCHEMA}: analyze again")
        nested = {name: _voted(tree.get(name)) for name in ("left", "catch_right", "repeated")}
        flow = tree.get("flow")
        if flow:
            nested["flow"] = VoteFlow(**{**flow, "steps": tuple(LeftOut(**step) for step in flow["steps"])})
        lists = {name: tuple(tree.get(name, ())) for name in ("durations_ms", "rules_changed")}
        lists["strengths"] = tuple(Strength(**row) for row in tree.get("strengths", ()))
        return Preference(**{**tree, **nested, **lists, "comparisons": tuple(map(_preferred, tree["comparisons"]))})
    except (KeyError, TypeError, AttributeError) as error:
        raise BenchError(f"{path}: damaged: {error}; write it again with `bench survey analyze --into`") from error


def _preferred(row: Mapping[str, Any]) -> Preferred:
    pairs = {name: tuple(row[name]) for name in ("wilson", "without_one", "agreement") if row.get(name)}
    timed = tuple(TimedVotes(one["duration_ms"], Voted(**one["share"])) for one in row.get("durations", ()))
    shown = tuple(PairVotes(**pair) for pair in row.get("pairs", ()))
    return Preferred(**{**row, **pairs, "everybody": _voted(row.get("everybody")), "durations": timed, "pairs": shown})


def _voted(tree: Mapping[str, Any] | None) -> Any:
    return Voted(**tree) if tree else None
