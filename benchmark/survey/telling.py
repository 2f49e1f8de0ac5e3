"""An analysis as lines of text, for the terminal."""

from __future__ import annotations

from benchmark.survey.analysis import Analysis, Comparison, Estimate, Flow, Share

HEAD = f"{'':24} {'share':>7}  {'95 % interval':<16} {'p':>7}  {'Wilson':<16} {'exact p':>7}  votes pairs people effect"


def lines(found: Analysis, pairs: bool = False) -> list[str]:
    """Everything; with `pairs` also every pair of pictures."""
    told = [f"{found.title}: {found.preset}, {_time(found)}", f'asked: "{found.question}"']
    if found.simulated:
        told.append("SIMULATED VOTES: programs answered, not people")
    told += ["", f"share of votes for {found.main} against", HEAD]
    told += [_comparison_line(comparison) for comparison in found.comparisons]
    told += [
        "  Interval and p reckon with shared pairs and people; Wilson and exact p take votes for independent.",
        "  Both p are against 50 % and adjusted by Holm over comparisons.",
        *_timed(found),
        "",
        *_strengths(found),
        "robustness",
        *(line for comparison in found.comparisons for line in _robustness(comparison)),
        "",
        "votes",
        *_flow(found.flow),
        *(f"  RULE CHANGED after the study was built: {change}" for change in found.rules_changed),
        f"  left side chosen          {_in_words(found.left)}",
        f"  catch trials right        {_in_words(found.catch_right)}",
        f"  repeats answered alike    {_in_words(found.repeated)}",
    ]
    if pairs:
        told += [line for comparison in found.comparisons for line in _pairs(found.main, comparison)]
    return told


def _time(found: Analysis) -> str:
    shown = ", ".join(str(ms) for ms in found.durations_ms)
    return f"shown for {shown} ms" if shown else "unlimited time"


def _comparison_line(comparison: Comparison) -> str:
    share = comparison.share
    if share.value is None or share.wilson is None:
        return f"  {comparison.against:<22} {share.problem}"
    unknown = share.low is None or share.high is None
    interval = "none" if unknown else _range(share.low, share.high)
    effect = "" if share.design_effect is None else f"{share.design_effect:.1f}"
    line = (
        f"  {comparison.against:<22} {_percent(share.value):>7}  {interval:<16} {_p(comparison.p):>7}  "
        f"{_range(*share.wilson):<16} {_p(comparison.exact_p):>7}  {share.votes:>5} {share.items:>5} {share.raters:>6} "
        f"{effect:>6}"
    )
    missing = comparison.wanted - comparison.everybody.votes
    notes = [share.problem] if share.problem else []
    notes += [f"{missing} of {comparison.wanted} votes still to come"] if missing else []
    return line + (f"  ({'; '.join(notes)})" if notes else "")


def _timed(found: Analysis) -> list[str]:
    told = []
    for comparison in found.comparisons:
        if comparison.durations:
            told += ["", f"{found.main} against {comparison.against}, by time shown"]
            told += [f"  {timed.duration_ms:>6} ms   {_in_words(timed.share)}" for timed in comparison.durations]
    return told


def _strengths(found: Analysis) -> list[str]:
    if found.strengths_problem:
        return [f"strengths: {found.strengths_problem}", ""]
    if not found.strengths:
        return []
    named = [f"  {name:<22} {_number(estimate)}" for name, estimate in found.strengths.items()]
    return ["strengths (Bradley-Terry, log odds)", *named, ""]


def _robustness(comparison: Comparison) -> list[str]:
    if comparison.share.value is None:
        return []
    alone = comparison.without_one
    return [
        f"  {comparison.against:<22} without exclusions {_in_words(comparison.everybody)}",
        *([f"  {'':<22} without any one person {_range(*alone)}"] if alone else []),
        *(f"  {'':<22} source {one.source}: {_in_words(one.share)}" for one in comparison.sources),
        f"  {'':<22} agreement (alpha) {_number(comparison.agreement)}",
    ]


def _flow(flow: Flow) -> list[str]:
    return [
        f"  {flow.admitted} people let in, {flow.without_votes} of them without a counted vote; "
        f"{flow.test_sessions} test sessions apart",
        f"  {flow.counted} votes counted; apart from these {flow.surplus} surplus, {flow.discarded} trials discarded",
        *(f"  - {step.votes} votes of {step.raters} people: {step.rule}" for step in flow.steps),
        f"  = {flow.votes} votes of {flow.raters} people analysed",
    ]


def _pairs(main: str, comparison: Comparison) -> list[str]:
    told = ["", f"pairs: {main} against {comparison.against} (share, Wilson's interval, votes)"]
    for row in comparison.pairs:
        told.append(
            f"  {row.item:<22} {_percent(row.value):>7}  {_range(row.low, row.high):<16} {row.won} of {row.votes}"
        )
    return told


def _in_words(share: Share) -> str:
    if share.value is None:
        return share.problem
    if share.low is None or share.high is None:
        return f"{_percent(share.value)} of {share.votes} ({share.problem})"
    return f"{_percent(share.value)} ({_range(share.low, share.high)}) of {share.votes}, {_p(share.p, 'p = ')}"


def _number(estimate: Estimate) -> str:
    if estimate.value is None:
        return estimate.problem
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"


def _p(p: float | None, before: str = "") -> str:
    if p is None:
        return ""
    return f"{before.replace('= ', '')}<0.001" if p < 0.001 else f"{before}{p:.3f}"
