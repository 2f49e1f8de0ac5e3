"""Verdicts against hand-made cases, SciPy's tests and statsmodels' Holm; the section and its files."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests

from benchmark.run.results import Difference, RunView, Value, write_results
from reports import claim_rows
from reports.claims import Gain, Judged, judge, read_scores, tally
from reports.ledger import load_ledger, whole_ledger
from reports.page import write_report
from tests.reports.fake_run import METHODS, write_fake_run

CLAIM = load_ledger("pix2pixsc")[0]
LEPE = "lepe[procedural-1a2b,64px]"
FACE = [claim for claim in whole_ledger() if claim.task == "face"]


def of(judged: list[Judged], name: str) -> Judged:
    return next(one for one in judged if one.claim.id == name)


def changed(run: Path, **fields: object) -> RunView:
    """The run with other results."""
    write_results(run, dataclasses.replace(RunView(run).results, **fields))
    return RunView(run)


@pytest.mark.parametrize(
    ("gain", "adjusted", "verdict"),
    [
        (None, None, "not tested"),
        (Gain(0.2, 0.1, 0.3, p=0.001, items=50), 0.004, "reproduced"),
        (Gain(-0.2, -0.3, -0.1, p=0.001, items=50), 0.004, "not reproduced"),
        (Gain(0.2, 0.1, 0.3, p=0.02, items=50), 0.06, "inconclusive"),  # lost to Holm
        (Gain(0.2, -0.1, 0.5, p=0.001, items=50), 0.004, "inconclusive"),  # the interval crosses: the seeds disagree
        (Gain(0.2, 0.1, 0.3), None, "reproduced"),  # a whole set's score, intervals apart
        (Gain(0.2, 0.0, 0.4), None, "inconclusive"),  # they touch
        (Gain(0.2, math.nan, math.nan), None, "inconclusive"),
    ],
)
def test_verdict(gain: Gain | None, adjusted: float | None, verdict: str) -> None:
    assert Judged(CLAIM, gain=gain, adjusted=adjusted).verdict == verdict


def test_scores_of_items_are_paired(clean_run: Path) -> None:
    view = RunView(clean_run)
    one = of(judge(FACE, [view]), "sc-t2-face-pix2pixhd-pix2pixsc")
    lines = [line for line in view.scores if line["metric"] == LEPE]
    ahead, behind = (
        np.array([line["value"] for line in lines if line["method"] == m]) for m in ("pix2pixhd", "pix2pixsc")
    )
    assert one.gain is not None and one.gain.items == 14
    assert one.gain.value == pytest.approx((behind.mean() - ahead.mean()) / behind.mean(), rel=1e-3)
    assert one.gain.p == pytest.approx(scipy_stats.ttest_rel(ahead, behind).pvalue, abs=0.003)
    assert 0 < one.gain.low < one.gain.value < one.gain.high < 1


def test_holm_runs_over_all_claims_that_have_a_p(clean_run: Path) -> None:
    tested = [one for one in judge(FACE, [RunView(clean_run)]) if one.gain and one.gain.p is not None]
    assert len(tested) == 4  # LEPE once, eyes three times
    _, adjusted, _, _ = multipletests([one.gain.p for one in tested if one.gain], method="holm")
    assert [one.adjusted for one in tested] == pytest.approx(list(adjusted))
    alone = judge([tested[0].claim], [RunView(clean_run)])[0]
    assert alone.gain == tested[0].gain and alone.adjusted == alone.gain.p


def test_a_claim_that_the_run_contradicts(run: Path) -> None:
    claim = of(judge(FACE, [RunView(run)]), "sc-t5-no-sc").claim
    turned = dataclasses.replace(claim, ahead=claim.behind, behind=claim.ahead)
    straight, against = judge([claim, turned], [RunView(run)])
    assert (straight.verdict, against.verdict) == ("reproduced", "not reproduced")
    assert straight.gain and against.gain and straight.gain.value == pytest.approx(-against.gain.value)
    assert straight.gain.low == pytest.approx(-against.gain.high)


def test_whole_sets_are_decided_by_their_intervals(run: Path) -> None:
    judged = judge(FACE, [RunView(run)])
    apart, overlapping = of(judged, "sc-t4-no-sc"), of(judged, "sc-t4-no-adaptive")  # 0.41 vs 0.92, vs 0.44
    assert (apart.verdict, apart.adjusted) == ("reproduced", None)
    assert overlapping.verdict == "inconclusive"
    assert apart.gain and apart.gain.value == pytest.approx((0.92 - 0.41) / 0.92)
    assert apart.gain.low == pytest.approx((0.92 * 0.93 - 0.41 * 1.08) / 0.92)


def test_a_paired_difference_of_whole_sets_is_used_where_there_is_one(run: Path) -> None:
    results = RunView(run).results
    metric = next(m.id for m in results.metrics if m.id.startswith("frechet["))
    known = Difference(metric, "pix2pixsc-no-adaptive", "pix2pixsc", 0.03, 0.02, 0.04, 0.002, 14)
    view = changed(run, differences=(*results.differences, known))
    one = of(judge(FACE, [view]), "sc-t4-no-adaptive")
    assert one.verdict == "reproduced" and one.gain and one.gain.p == 0.002
    assert (one.gain.low, one.gain.high) == pytest.approx((0.02 / 0.44, 0.04 / 0.44))


def test_a_whole_set_of_several_seeds_has_no_interval(run: Path) -> None:
    results = RunView(run).results
    bare = tuple(
        dataclasses.replace(v, low=None, high=None) if v.metric.startswith("frechet") else v for v in results.values
    )
    one = of(judge(FACE, [changed(run, values=bare)]), "sc-t4-no-sc")
    assert one.verdict == "inconclusive" and "without an interval" in one.reason
    row = next(
        r
        for p in claim_rows.claims([RunView(run)], ["face"]).papers
        for s in p.statements
        for r in s.rows
        if r.head == "pix2pixSC ahead of w/o L_SC"
    )
    assert row.strip and row.strip.low is None and "nan" not in row.evidence


def test_why_a_claim_is_not_tested(run: Path) -> None:
    results = RunView(run).results
    failed = tuple(
        dataclasses.replace(m, problem="out of memory") if m.name == "pix2pixsc-no-sc" else m for m in results.methods
    )
    kept = tuple(v for v in results.values if v.method != "pix2pixsc-no-sc")
    judged = judge(whole_ledger(), [changed(run, methods=failed, values=kept)])
    reasons = {one.claim.id: one.reason for one in judged if one.verdict == "not tested"}
    assert reasons["sc-t1-face-munit"] == "MUNIT is not in this run"
    assert reasons["sc-t4-no-sc"] == "w/o L_SC: out of memory"
    assert reasons["sc-t3-pix2pixhd"] == "needs people's votes"
    assert reasons["sc-t1-dance-munit"] == "no results for dance"
    (run / "scores.jsonl").unlink()
    assert "scores of the items" in of(judge(FACE, [RunView(run)]), "sc-t5-no-adaptive").reason
    bare = dataclasses.replace(results, metrics=(), values=(), differences=())
    write_results(run, bare)
    assert of(judge(FACE, [RunView(run)]), "sc-t4-no-scadv").reason == "no such metric in this run"


def test_pictures_made_once_stand_against_every_seed(tmp_path: Path) -> None:
    write_fake_run(tmp_path, items=10, side=16, seeds=(0, 1))
    lines = (tmp_path / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [x for x in map(json.loads, lines) if (x["method"], x["seed"]) != ("pix2pixhd", 1)]
    (tmp_path / "scores.jsonl").write_text("".join(json.dumps(x) + "\n" for x in kept), encoding="utf-8")
    view = RunView(tmp_path)
    assert np.isnan(read_scores(view)["pix2pixhd", LEPE][1]).all()
    one = of(judge(FACE, [view]), "sc-t2-face-pix2pixhd-pix2pixsc")
    assert one.gain and one.gain.items == 10 and one.gain.value > 0


def test_items_on_which_a_metric_failed_take_no_part(run: Path) -> None:
    lines = [json.loads(x) for x in (run / "scores.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in lines:
        if (line["method"], line["metric"], line["item"]) == ("pix2pixsc", LEPE, "0003"):
            line["value"] = None
    (run / "scores.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines), encoding="utf-8")
    one = of(judge(FACE, [RunView(run)]), "sc-t2-face-pix2pixhd-pix2pixsc")
    assert one.gain and one.gain.items == 13


def test_equal_scores_of_nothing_are_no_gain(run: Path) -> None:
    results = RunView(run).results
    zero = tuple(Value(m.name, LEPE, 0.0, 0.0, 0.0, 14, 0, 1) for m in METHODS)
    lines = [json.loads(x) for x in (run / "scores.jsonl").read_text(encoding="utf-8").splitlines()]
    flat = [{**x, "value": 0.0} if x["metric"] == LEPE else x for x in lines]
    (run / "scores.jsonl").write_text("".join(json.dumps(x) + "\n" for x in flat), encoding="utf-8")
    view = changed(run, values=(*(v for v in results.values if v.metric != LEPE), *zero))
    one = of(judge(FACE, [view]), "sc-t2-face-pix2pixhd-pix2pixsc")
    assert (one.gain and one.gain.value, one.verdict) == (0.0, "inconclusive")


def test_the_section_and_its_files_agree(run: Path) -> None:
    html = write_report(run).read_text(encoding="utf-8")
    judged = judge(FACE, [RunView(run)])
    assert f'<p class="subtitle">{tally(judged)}</p>' in html
    assert html.count("against the text</small>") == 1
    assert "adjusted by Holm over the 4 claims" in html
    with open(run / "claims.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    tree = json.loads((run / "claims.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in rows] == [row["id"] for row in tree["claims"]] == [one.claim.id for one in judged]
    assert [row["verdict"] for row in rows] == [one.verdict for one in judged]
    assert {row["id"] for row in tree["text_against_table"]} == {
        "sc-t2-face-paired-munit",
        "sc-t2-face-state-of-the-art",
    }


def test_the_strip_points_the_claims_way(clean_run: Path) -> None:
    found = claim_rows.claims([RunView(clean_run)], ["face"])
    rows = [row for paper in found.papers for statement in paper.statements for row in statement.rows if row.strip]
    assert rows
    for row in rows:
        assert row.strip and row.strip.low is not None and row.strip.high is not None
        assert 0 <= row.strip.low <= row.strip.value <= row.strip.high <= 100
        assert (row.strip.low > 50) == (row.verdict == "reproduced") or row.verdict == "inconclusive"
    gain = claim_rows.printed_gain(next(one.claim for one in found.judged if one.claim.id == "sc-t1-face-pix2pixhd"))
    assert gain == pytest.approx((39.86 - 31.26) / 39.86)


def test_a_task_that_no_paper_speaks_of_has_no_claims(run: Path) -> None:
    changed(run, task="weather")
    assert 'id="claims"' not in write_report(run).read_text(encoding="utf-8")
    assert not (run / "claims.csv").exists()
