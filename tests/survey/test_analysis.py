"""What the analysis says of votes made by hand, against SciPy, statsmodels and plain counts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from benchmark import stats
from benchmark.errors import BenchError
from benchmark.run.votes import read_preference
from benchmark.survey import analysis, export, people, progress, telling
from benchmark.survey.analysis import Analysis, analyze, share
from benchmark.survey.exclusions import Rules, Step, exclude
from benchmark.survey.folder import Study
from benchmark.survey.into_run import write_into
from benchmark.survey.voting import Answer, Refused, next_trial, submit
from tests.reports.fake_run import write_fake_run

Make = Callable[..., Study]
Choose = Callable[[dict[str, Any], int], bool]  # what is shown, who -> the left one?


def trial(rater: int, pair: int, chosen: int = 0, **more: Any) -> dict[str, Any]:
    """A row of the table of votes."""
    row = {"rater": rater, "pair": pair, "item": f"item{pair % 10}", "comparison": "rival", "chosen": chosen}
    row |= {"kind": "trial", "state": "counted", "side": (rater + pair) % 2, "rt_ms": 900.0, "duration_ms": None}
    row |= {"method_a": "ours", "method_b": "rival", "right": None, "mode": "live", "source": "open"}
    return row | more


def catch(rater: int, wrong: bool, pair: int = 99) -> dict[str, Any]:
    return trial(rater, pair, chosen=int(wrong), kind="catch", right=0)


def fill(study: Study, choose: Choose, mode: str = "live", rt_ms: float = 900.0) -> None:
    """People come one after another, each to the end, until nobody is let in."""
    for who in range(200):
        try:
            session = people.session_of(people.enter(study, people.Arrival(mode=mode), 0.0))
        except Refused:
            return
        shown = next_trial(study, session, 0.0)
        while not shown["end"]:
            timed = shown["duration_ms"] is not None
            exposed = {"on_ms": 0.0, "off_ms": float(shown["duration_ms"]), "frames": 7} if timed else {}
            exposed |= {"refresh_hz": 60.0, "skew_frames": 0} if timed else {}
            answer = Answer(left=choose(shown, who), rt_ms=rt_ms, **exposed)
            shown = submit(study, session, shown["key"], answer, 0.0)["next"]
    raise AssertionError("the study never filled")


def by_chance(seed: int) -> Choose:
    draw = random.Random(seed)
    return lambda _shown, _who: draw.random() < 0.5


# ---------------------------------------------------------------- shares


def test_a_share_is_what_the_statistics_say() -> None:
    draw = np.random.default_rng(5)
    votes = [trial(rater, pair, int(draw.random() < 0.3)) for rater in range(7) for pair in range(10)]
    won = [vote["chosen"] == 0 for vote in votes]
    found = share(won, votes)
    assert (found.won, found.votes, found.items, found.raters) == (sum(won), 70, 10, 7)
    assert found.value == sum(won) / 70
    assert found.wilson == pytest.approx(proportion_confint(sum(won), 70, method="wilson"))
    assert found.exact_p == pytest.approx(scipy_stats.binomtest(sum(won), 70).pvalue)
    crossed = stats.crossed_rate(won, [vote["pair"] for vote in votes], [vote["rater"] for vote in votes])
    assert (found.low, found.high, found.design_effect) == (crossed.low, crossed.high, crossed.design_effect)


def test_p_of_one_voice_is_that_of_as_many_votes_as_raters() -> None:
    votes = [trial(rater, pair) for rater in range(6) for pair in range(10)]
    found = share([True] * 60, votes)
    assert found.p == pytest.approx(2 * 0.5**6) and found.exact_p == pytest.approx(2 * 0.5**60)


def test_few_votes_have_a_share_and_no_interval() -> None:
    one = share([True], [trial(0, 0)])
    assert (one.value, one.low, one.p) == (1.0, None, None) and "two" in one.problem
    assert share([], []).problem == "no votes"


# ---------------------------------------------------------------- exclusions


def test_every_rule_takes_whom_it_should_and_nobody_twice() -> None:
    votes = [trial(0, pair) for pair in range(12)]  # sides alternate: an honest one
    votes += [catch(0, wrong=True, pair=98), catch(0, wrong=False)]  # one slip is forgiven
    votes += [trial(1, pair) for pair in range(3)] + [catch(1, True, 97), catch(1, True, 98)]
    votes += [trial(2, pair, rt_ms=120.0) for pair in range(4)]
    votes += [trial(3, pair, chosen=(3 + pair) % 2, rt_ms=50.0) for pair in range(12)]  # also one-sided: counted once
    votes += [trial(4, pair, chosen=(4 + pair) % 2) for pair in range(12)]
    votes += [trial(5, pair, chosen=(5 + pair) % 2) for pair in range(9)]  # one-sided, too few to tell
    votes += [trial(6, 0, state="surplus"), trial(7, 0, kind="practice")]
    kept, steps = exclude(votes, Rules())
    assert {vote["rater"] for vote in kept} == {0, 5} and len(kept) == 21
    assert [(step.raters, step.votes) for step in steps] == [(1, 3), (2, 16), (1, 12)]
    assert steps[0] == Step("more than 1 wrong in catch trials", 1, 3)
    loose, none = exclude(votes, Rules(catch_wrong=2, least_ms=0, one_sided=13))
    assert len(loose) == 52 and sum(step.votes for step in none) == 0


def test_the_rules_are_frozen_with_the_study_and_a_change_is_said(make: Make) -> None:
    study = make(pairs=4, raters=4, trials=4, exclusions=Rules(least_ms=1000.0))
    fill(study, by_chance(1))  # every answer takes 900 ms
    frozen = analyze(Study.open(study.folder))
    assert frozen.rules == Rules(least_ms=1000.0) and frozen.rules_changed == () and frozen.flow.votes == 0
    assert "CHANGED" not in "\n".join(telling.lines(frozen))
    eased = analyze(study, Rules(least_ms=300.0))
    assert eased.flow.votes == 16 and eased.rules_changed == ("least_ms 300, built with 1000",)
    assert "CHANGED after the study was built: least_ms 300, built with 1000" in "\n".join(telling.lines(eased))
    tree = json.loads((study.folder / "study.json").read_text())
    tree["design"]["exclusions"]["least_ms"] = 300.0  # nor can the record be changed behind the study's back
    (study.folder / "study.json").write_text(json.dumps(tree))
    with pytest.raises(BenchError, match="changed since the study was built"):
        Study.open(study.folder)


def test_rules_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BenchError, match="--least-ms: at least 0, got -1"):
        Rules(least_ms=-1)
    with pytest.raises(BenchError, match="--one-sided: at least 2, got 1"):
        Rules(one_sided=1)


# ---------------------------------------------------------------- a whole study


def token_of_main(study: Study) -> set[str]:
    """Addresses of the main method's pictures, which no page tells."""
    from sqlalchemy import select

    from benchmark.survey.tables import cell

    with study.store.read() as connection:
        return {f"/i/{row.image_a}.webp" for row in connection.execute(select(cell.c.image_a))}


def test_a_study_in_which_all_prefer_the_main_method(make: Make) -> None:
    study = make(pairs=4, raters=4, trials=4)
    ours = token_of_main(study)
    fill(study, lambda shown, _: shown["left"] in ours)
    found = analyze(study)
    (only,) = found.comparisons
    assert (only.share.won, only.share.votes, only.share.value, only.wanted) == (16, 16, 1.0, 16)
    assert only.p == only.share.p == pytest.approx(2 * 0.5**4)  # one comparison: nothing to adjust
    assert only.without_one == (1.0, 1.0) and only.agreement.problem.startswith("agreement: every rating is the same")
    assert found.left.value == 0.5  # sides are balanced, so the left won exactly half
    assert [row.value for row in only.pairs] == [1.0] * 4 and found.strengths == {}
    assert found.flow.votes == found.flow.counted == 16 and found.flow.raters == found.flow.admitted == 4


def test_the_numbers_are_those_of_the_exported_table(make: Make) -> None:
    study = make(pairs=6, raters=5, trials=6, repeats=2)
    fill(study, by_chance(3))
    rows = [row for row in export.table(study, "votes")[1] if (row["kind"], row["state"]) == ("trial", "counted")]
    found = analyze(study)
    (only,) = found.comparisons
    assert only.share.won == sum(row["chosen"] == 0 for row in rows) and only.share.votes == len(rows) == 30
    left = sum((row["side"] == 0) == (row["chosen"] == 0) for row in rows)
    assert found.left.won == left
    for pair in only.pairs:
        votes = [row for row in rows if row["item"] == pair.item]
        assert (pair.won, pair.votes) == (sum(row["chosen"] == 0 for row in votes), 5)
        assert (pair.low, pair.high) == pytest.approx(proportion_confint(pair.won, 5, method="wilson"))
    without = [[row["chosen"] == 0 for row in rows if row["rater"] != who] for who in {row["rater"] for row in rows}]
    assert only.without_one == pytest.approx((min(map(np.mean, without)), max(map(np.mean, without))))
    units = sorted({row["pair"] for row in rows})
    ratings = [
        [next((r["chosen"] for r in rows if (r["rater"], r["pair"]) == (who, unit)), np.nan) for unit in units]
        for who in sorted({row["rater"] for row in rows})
    ]
    assert only.agreement.value == pytest.approx(stats.krippendorff_alpha(ratings).value)
    assert found.repeated.votes > 0


def test_test_sessions_and_surplus_are_apart(make: Make) -> None:
    study = make(pairs=4, raters=2, trials=4)
    tester = people.session_of(people.enter(study, people.Arrival(mode="test"), 0.0))
    shown = next_trial(study, tester, 0.0)
    submit(study, tester, shown["key"], Answer(True, 900.0), 0.0)
    people.enter(study, people.Arrival(), -1e6)  # came, looked, and left long ago
    fill(study, by_chance(1))
    flow = analyze(study).flow
    assert (flow.test_sessions, flow.without_votes, flow.admitted, flow.raters) == (1, 1, 3, 2)
    assert flow.surplus == 0 and flow.votes == 8


def test_exclusions_change_the_share_and_stand_beside_it(make: Make) -> None:
    study = make(pairs=6, raters=6, trials=6)
    ours = token_of_main(study)
    fill(study, lambda shown, who: (shown["left"] in ours) == (who != 0))  # the first one votes against all others
    strict = analyze(study, Rules(one_sided=2, least_ms=1000.0))
    assert strict.comparisons[0].share.problem == "no votes" and strict.comparisons[0].p is None
    assert strict.comparisons[0].everybody.value == pytest.approx(5 / 6)
    assert strict.flow.steps[1] == Step("median answer under 1000 ms", 6, 36)
    low, high = analyze(study).comparisons[0].without_one or (0, 0)
    assert (low, high) == pytest.approx((24 / 30, 1.0))


def test_every_exposure_time_has_its_share(make: Make) -> None:
    study = make(pairs=4, raters=3, trials=4, durations_ms=(125, 500))
    ours = token_of_main(study)
    fill(study, lambda shown, _: (shown["left"] in ours) == (shown["duration_ms"] == 500))
    (only,) = analyze(study).comparisons
    assert [(timed.duration_ms, timed.share.value) for timed in only.durations] == [(125, 0.0), (500, 1.0)]
    assert only.share.value == 0.5 and only.wanted == only.share.votes == 24
    assert "125 ms   0.0 %" in "\n".join(telling.lines(analyze(study)))


def test_comparisons_are_adjusted_together_and_methods_get_strengths() -> None:
    draw = np.random.default_rng(0)
    votes = [
        trial(rater, 10 * rival + pair, int(draw.random() > chance), comparison=name, method_b=name)
        for rater in range(9)
        for rival, (name, chance) in enumerate([("one", 0.9), ("two", 0.65), ("three", 0.5)])
        for pair in range(10)
    ]
    found = [analysis._comparison(name, votes, votes, 90, False) for name in ("one", "two", "three")]
    adjusted = analysis._adjusted(found)
    for name in ("p", "exact_p"):
        raw = [getattr(comparison.share, name) for comparison in found]
        assert [getattr(c, name) for c in adjusted] == pytest.approx(multipletests(raw, method="holm")[1])
    strengths, problem = analysis._strengths(votes)
    assert problem == "" and set(strengths) == {"ours", "one", "two", "three"}
    assert [one.value for one in strengths.values()] == sorted((one.value for one in strengths.values()), reverse=True)
    for comparison in found:  # every rival met the main method only: the gap is the share's logit
        gap = strengths["ours"].value - strengths[comparison.against].value
        assert gap == pytest.approx(np.log(comparison.share.value / (1 - comparison.share.value)), abs=1e-5)
    never = [vote | {"chosen": 0} for vote in votes]
    assert analysis._strengths(never)[0] == {} and "no common scale" in analysis._strengths(never)[1]


def test_an_empty_study_is_analysed_without_an_error(make: Make) -> None:
    found = analyze(make())
    assert found.comparisons[0].share.problem == "no votes" and found.flow.admitted == 0
    assert "no votes" in "\n".join(telling.lines(found, pairs=True))
    json.dumps(found.to_dict(), allow_nan=False)


# ---------------------------------------------------------------- into a run


@pytest.fixture
def of_run(tmp_path: Path) -> tuple[Path, Study]:
    """A fake run, and an empty study of its pictures."""
    from benchmark.run.results import RunView
    from benchmark.survey.folder import create
    from benchmark.survey.material import from_run
    from tests.survey.conftest import small_design

    write_fake_run(tmp_path / "run", items=6, side=16)
    design = small_design(pairs=4, raters=4, trials=4)
    material = from_run(RunView(tmp_path / "run"), design, "pix2pixsc", ("pix2pixhd",))
    return tmp_path / "run", create(tmp_path / "of_run", design, material)[0]


def test_a_run_gets_what_the_report_needs(of_run: tuple[Path, Study]) -> None:
    run, study = of_run
    with pytest.raises(BenchError, match="no vote is left to be analysed"):
        write_into(run, study, analyze(study))
    assert not (run / "preference.json").exists()
    fill(study, by_chance(4))
    found: Analysis = analyze(study)
    path = write_into(run, study, found)
    written, share = read_preference(path), found.comparisons[0].share
    assert path.name == "preference.json" and written.study == study.id and not written.simulated
    (only,) = written.comparisons
    assert (only.against, only.value, only.low, only.high) == ("pix2pixhd", share.value, share.low, share.high)
    assert (only.votes, only.counted, only.items, only.raters, only.wanted) == (16, 16, 4, 4, 16)
    assert only.p_alone == share.p and only.without_one == found.comparisons[0].without_one
    assert only.everybody is not None and only.everybody.value == share.value
    assert [(p.item, p.won, p.votes) for p in only.pairs] == [
        (p.item, p.won, p.votes) for p in found.comparisons[0].pairs
    ]
    assert written.flow is not None and vars(written.flow) | {"steps": ()} == vars(found.flow) | {"steps": ()}
    assert [vars(step) for step in written.flow.steps] == [vars(step) for step in found.flow.steps]
    assert written.left is not None and written.left.value == found.left.value


def test_simulated_votes_are_marked_and_never_replace_peoples(of_run: tuple[Path, Study]) -> None:
    run, study = of_run
    fill(study, by_chance(4), mode="simulated")
    found = analyze(study)
    assert found.simulated and "SIMULATED" in "\n".join(telling.lines(found))
    assert progress.summary(study, 0.0).simulated and json.loads(export.as_json(study))["simulated"] is True
    write_into(run, study, found)
    tree = json.loads((run / "preference.json").read_text())
    assert tree["simulated"] is True
    (run / "preference.json").write_text(json.dumps(tree | {"simulated": False}))
    with pytest.raises(BenchError, match="holds people's votes"):
        write_into(run, study, found)


def test_a_study_of_other_pictures_is_refused(of_run: tuple[Path, Study], make: Make, tmp_path: Path) -> None:
    run, study = of_run
    fill(study, by_chance(4))
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"id": "another"}))
    with pytest.raises(BenchError, match="is run another, but the study shows pictures of run face-2026"):
        write_into(run, study, analyze(study))
    other = make()
    with pytest.raises(BenchError, match="has no method 'secretours'"):
        write_into(run, other, analyze(other))
    with pytest.raises(BenchError, match="not a finished run"):
        write_into(tmp_path, study, analyze(study))


def test_damaged_and_newer_files_are_one_line(tmp_path: Path) -> None:
    for content, said in (("{}", "damaged"), ("[]", "damaged"), ('{"schema": 9}', "schema 9"), ("{", "cannot be read")):
        (tmp_path / "preference.json").write_text(content)
        with pytest.raises(BenchError, match=said):
            read_preference(tmp_path / "preference.json")


def test_the_command_prints_and_writes(of_run: tuple[Path, Study], capsys: pytest.CaptureFixture[str]) -> None:
    from tests.cli.test_bench import bench

    run, study = of_run
    fill(study, by_chance(4))
    code, out, err = bench(capsys, "survey", "analyze", str(study.folder), "--pairs", "--into", str(run))
    assert (code, err) == (0, "") and "16 votes of 4 people analysed" in out and f"bench report {run}" in out
    assert "pairs: pix2pixsc against pix2pixhd" in out and "not finished" not in out
    code, out, _ = bench(capsys, "survey", "analyze", str(study.folder), "--json")
    assert code == 0 and json.loads(out)["comparisons"][0]["share"]["votes"] == 16
    code, out, _ = bench(capsys, "survey", "analyze", str(study.folder), "--least-ms", "2000")
    assert code == 0 and "least_ms 2000, built with 300" in out and "= 0 votes of 0 people analysed" in out
    code, _, err = bench(capsys, "survey", "analyze", str(study.folder), "--one-sided", "0")
    assert code == 2 and "--one-sided: at least 2" in err
