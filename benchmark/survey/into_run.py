"""From an analysis to RUN/preference.json, which the run's report shows: as Table 3 where the paper asked the same.

bench survey analyze STUDY --into RUN
"""

from __future__ import annotations

from pathlib import Path

from benchmark.errors import BenchError, nearest
from benchmark.files import read_json
from benchmark.run.results import (
    LeftOut,
    PairVotes,
    Preference,
    Preferred,
    RunView,
    Strength,
    TimedVotes,
    Voted,
    VoteFlow,
    is_suite,
    write_preference,
)
from benchmark.survey.analysis import Analysis, Comparison, Estimate, Flow, Share
from benchmark.survey.folder import Study


def write_into(run: Path, study: Study, found: Analysis) -> Path:
    """Write RUN/preference.json, or beside it where another question was asked before; returns the path.

    Raises BenchError for a study of another run, methods that the run does not have, and a study without votes.
    """
    _require_same(run, study)
    voted = [comparison for comparison in found.comparisons if comparison.share.votes]
    if not voted:
        raise BenchError(f"{study.folder}: no vote is left to be analysed; nothing was written")
    return write_preference(run, preference(found, voted))


def preference(found: Analysis, voted: list[Comparison]) -> Preference:
    """What a report needs of an analysis; `voted`: its comparisons that have votes."""
    return Preference(
        study=found.study,
        preset=found.preset,
        question=found.question,
        main=found.main,
        simulated=found.simulated,
        raters_wanted=found.raters_wanted,
        durations_ms=found.durations_ms,
        excluded_raters=sum(step.raters for step in found.flow.steps),
        excluded_votes=sum(step.votes for step in found.flow.steps),
        comparisons=tuple(map(_preferred, voted)),
        rules_changed=found.rules_changed,
        flow=_flow(found.flow),
        left=_voted(found.left),
        catch_right=_voted(found.catch_right),
        repeated=_voted(found.repeated),
        strengths=tuple(
            Strength(name, *ends) for name, estimate in found.strengths.items() if (ends := _ends(estimate))
        ),
    )


def _flow(flow: Flow) -> VoteFlow:
    steps = tuple(LeftOut(step.rule, step.raters, step.votes) for step in flow.steps)
    return VoteFlow(**{**vars(flow), "steps": steps})


def _voted(share: Share) -> Voted | None:
    return None if share.value is None else Voted(share.value, share.low, share.high, share.votes)


def _ends(found: Estimate) -> tuple[float, float, float] | None:
    if found.value is None or found.low is None or found.high is None:
        return None
    return found.value, found.low, found.high


def _preferred(comparison: Comparison) -> Preferred:
    share = comparison.share
    assert share.value is not None and share.wilson is not None and comparison.exact_p is not None  # it has votes
    return Preferred(
        against=comparison.against,
        value=share.value,
        low=share.low,
        high=share.high,
        p=comparison.p,
        wilson=share.wilson,
        exact_p=comparison.exact_p,
        design_effect=share.design_effect,
        votes=share.votes,
        counted=comparison.everybody.votes,
        wanted=comparison.wanted,
        items=share.items,
        raters=share.raters,
        p_alone=share.p,
        everybody=_voted(comparison.everybody),
        without_one=comparison.without_one,
        agreement=_ends(comparison.agreement),
        durations=tuple(
            TimedVotes(timed.duration_ms, voted) for timed in comparison.durations if (voted := _voted(timed.share))
        ),
        pairs=tuple(PairVotes(row.item, row.won, row.votes) for row in comparison.pairs),
    )


def _require_same(run: Path, study: Study) -> None:
    """The pictures that people saw have to be this run's. Of a study built from folders only the names of the methods
    can be checked.
    """
    if is_suite(run):
        raise BenchError(f"--into {run}: holds several tasks; give the folder of one, e.g. {run / 'face'}")
    if not (run / "results.json").is_file():
        raise BenchError(f"--into {run}: not a finished run")
    view = RunView(run)
    origin = read_json(study.folder / "study.json").get("origin", "")
    if origin.startswith("run ") and origin.split()[1] != view.manifest["id"]:
        raise BenchError(f"--into {run}: is run {view.manifest['id']}, but the study shows pictures of {origin}")
    known = [row.name for row in view.results.methods]
    for name in (study.main, *study.comparisons):
        if name not in known:
            raise BenchError(f"--into {run}: has no method {name!r}, which the study is about{nearest(name, known)}")
