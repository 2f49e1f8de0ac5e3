"""Table 3: the run's own votes beside the paper's, a banner where they are simulated, reasons where there are none."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from benchmark.errors import BenchError
from benchmark.run import results
from benchmark.run.results import Preference, Preferred, RunView, read_preferences, write_preference, write_results
from reports import suite
from reports.claim_rows import claims, printed_gain, write_claims
from reports.claims import Judged, judge
from reports.ledger import whole_ledger
from reports.page import write_report
from reports.paper_tables import paper_tables, unanswered
from reports.people import study_parts
from reports.preference import BANNER, preference_tables
from reports.published import load_paper
from reports.table import Table
from reports.vote_claims import gain_of
from tests.reports.fake_run import fake_preference
from tests.reports.test_page import read

FACE = [claim for claim in whole_ledger() if claim.task == "face"]
ROW = fake_preference().comparisons[0]
TABLES = load_paper("pix2pixsc").tables


def table3(run: Path) -> Table:
    return next(table for table in paper_tables(RunView(run), TABLES) if table.name == "table3-preference")


def put(run: Path, **changes: object) -> Preference:
    preference = dataclasses.replace(fake_preference(), **changes)  # type: ignore[arg-type]
    write_preference(run, preference)
    return preference


def test_what_is_written_is_read(run: Path) -> None:
    assert RunView(run).preferences == ()
    written = put(run, durations_ms=(125, 8000), rules_changed=("least_ms 0, built with 300",))
    assert (written,) == read_preferences(run) == RunView(run).preferences


def test_files_of_earlier_versions_are_read(run: Path) -> None:
    put(run)
    tree = json.loads((run / "preference.json").read_text())
    for name in ("rules_changed", "flow", "left", "catch_right", "repeated"):
        del tree[name]
    for row in tree["comparisons"]:
        for name in ("p_alone", "everybody", "without_one", "agreement", "durations", "pairs"):
            del row[name]
    (run / "preference.json").write_text(json.dumps(tree))
    (old,) = read_preferences(run)
    assert old.flow is None and old.comparisons[0].p_alone is None and old.comparisons[0].value == 0.8621
    assert study_parts(RunView(run), TABLES)[0].flow == () and claim3(run).verdict == "reproduced"


def test_studies_of_different_questions_stand_side_by_side(run: Path) -> None:
    put(run)
    put(run, study="beef", question="Which image looks more natural?")
    put(run, study="cafe", raters_wanted=60)  # the same question of the same method again: in the first one's place
    assert [study.study for study in RunView(run).preferences] == ["cafe", "beef"]
    assert {path.name for path in run.glob("preference*")} == {"preference.json", "preference-beef.json"}
    assert "study cafe" in table3(run).protocol
    (other,) = preference_tables(RunView(run), TABLES)
    assert other.name == "preference-beef" and other.columns == ("ours", "p", "votes", "pairs", "people")
    assert "No printed table asks this" in other.notes[0]


def test_simulated_votes_never_take_the_place_of_peoples(run: Path) -> None:
    put(run)
    with pytest.raises(BenchError, match="holds people's votes"):
        put(run, simulated=True)
    put(run, simulated=True, question="Which image looks more natural?")
    assert [study.simulated for study in RunView(run).preferences] == [False, True]


def test_pix2pixhd_study_of_streets_stands_beside_its_printed_tables(run: Path) -> None:
    write_results(run, dataclasses.replace(RunView(run).results, task="street"))
    rows = tuple(dataclasses.replace(ROW, against=name) for name in ("pix2pix", "crn"))
    put(run, preset="pix2pixhd", main="pix2pixhd", question="which image looks more natural", comparisons=rows)
    (table,) = preference_tables(RunView(run), TABLES)
    assert table.name == "pix2pixhd-table2-preference" and table.title.startswith("pix2pixHD, Table 2. Preference")
    assert [(row.head, row.cells[1].text) for row in table.rows] == [("pix2pix", "93.8"), ("CRN", "86.2")]
    assert "the paper asked" not in " ".join(table.notes) and "30 people a pair" not in " ".join(table.notes)
    put(run, preset="pix2pixhd-timed", main="pix2pixhd", durations_ms=(125, 500), comparisons=rows, study="beef")
    assert [table.name for table in preference_tables(RunView(run), TABLES)][1] == "preference-beef"


def test_our_votes_stand_beside_the_papers(run: Path) -> None:
    put(run)
    table = table3(run)
    assert table.columns == ("ours", "paper", "p", "votes", "pairs", "people") and table.banner == ""
    rows = {row.head: row for row in table.rows}
    assert list(rows) == ["pix2pixHD", "pix2pixHD+DPST", "PairedMUNIT", "pix2pixSC w/o L_SC"]
    ours, paper, p, *counts = rows["pix2pixHD"].cells
    assert (ours.text, ours.detail, paper.text, p.text) == ("86.21", "81.00 to 90.12", "89.12", "< 0.001")
    assert [cell.text for cell in counts] == ["2400", "80", "120"]
    assert rows["PairedMUNIT"].cells[2].text == "0.014"
    dpst = rows["pix2pixHD+DPST"]
    assert dpst.kind == "absent" and dpst.cells[0].reason == "not in the study" and dpst.cells[1].text == "80.67"
    assert rows["pix2pixSC w/o L_SC"].cells[1].text == ""  # the paper asked nobody about it
    assert table.protocol == "preference[pix2pixsc,unlimited,30 people a pair,study 0123abcd]"
    assert "rendered" in " ".join(table.notes) and "41 votes of 3 people are left out" in " ".join(table.notes)
    assert "still to come" not in " ".join(table.notes)


def test_only_without_votes_the_table_is_unanswered(run: Path) -> None:
    assert any("Table 3" in note and "this run has none of" in note for note in unanswered(RunView(run), TABLES))
    put(run)
    assert not any("Table 3" in note for note in unanswered(RunView(run), TABLES))
    (run / "preference.json").unlink()
    put(run, main="pix2pixhd")
    (note,) = (note for note in unanswered(RunView(run), TABLES) if "Table 3" in note)
    assert "its study is about pix2pixhd" in note


def test_another_question_and_limited_time_are_said(run: Path) -> None:
    put(run, question="Which image looks more natural?", durations_ms=(125, 500), raters_wanted=10)
    notes = " ".join(table3(run).notes)
    assert 'the paper asked "Which image is closer' in notes and "the time to look was limited" in notes
    assert "10 people a pair, the paper had at least 30" in notes
    assert "125,500ms" in table3(run).protocol


def test_few_people_and_missing_votes_are_said(run: Path) -> None:
    one = Preferred("pix2pixhd", 0.6, None, None, None, (0.2, 0.9), 1.0, None, 5, 5, 30, 5, 1)
    put(run, comparisons=(one,))
    table = table3(run)
    cells = table.rows[0].cells
    assert (cells[0].text, cells[0].detail, cells[2].reason) == ("60.00", "", "too few pairs or people")
    assert "The study is not finished: 25 votes are still to come." in table.notes


@pytest.mark.parametrize("simulated", [False, True])
def test_simulated_votes_are_never_shown_as_peoples(run: Path, simulated: bool) -> None:
    put(run, simulated=simulated)
    reader = read(write_report(run))
    assert reader.open == []
    text = " ".join(" ".join(reader.text).split())
    assert "Style consistency, judged by people" in text and (BANNER in text) == simulated
    folder = run / "tables"
    with open(folder / "table3-preference.csv", encoding="utf-8") as file:
        head = next(csv.reader(file))
    assert ("simulated votes" in head) == simulated and ("ours" in head) != simulated
    for suffix in ("md", "tex"):
        assert ("programs answered" in (folder / f"table3-preference.{suffix}").read_text()) == simulated


def claim3(run: Path, rival: str = "pix2pixhd") -> Judged:
    return next(one for one in judge(FACE, [RunView(run)]) if one.claim.id == f"sc-t3-{rival}")


def test_claims_are_judged_by_peoples_votes(run: Path) -> None:
    rows = (
        dataclasses.replace(ROW, value=0.75, low=0.6, high=0.8, p_alone=0.0005),
        dataclasses.replace(ROW, against="pix2pixhd-dpst", value=0.2, low=0.1, high=0.25, p_alone=1e-5),
        dataclasses.replace(ROW, against="paired-munit", value=0.52, low=0.49, high=0.55, p_alone=0.2),
    )
    put(run, comparisons=rows)
    one = claim3(run)
    assert one.verdict == "reproduced" and one.ours == (75.0, 25.0) and one.gain is not None
    # three quarters of the votes: the rival has 25, a third of 75
    assert (one.gain.value, one.gain.low, one.gain.high) == pytest.approx((2 / 3, 1 / 3, 3 / 4))
    assert claim3(run, "pix2pixhd-dpst").verdict == "not reproduced"
    assert claim3(run, "paired-munit").verdict == "inconclusive"
    tested = [one for one in judge(FACE, [RunView(run)]) if one.gain and one.gain.p is not None]
    _, holm, _, _ = multipletests([one.gain.p for one in tested if one.gain], method="holm")
    assert len(tested) == 7 and [one.adjusted for one in tested] == pytest.approx(list(holm))  # four by scores
    found = claims([RunView(run)], ["face"])
    assert "75.00 vs 25.00" in {row.ours for part in found.papers for said in part.statements for row in said.rows}
    write_claims(run, found)
    lines = {line["id"]: line for line in json.loads((run / "claims.json").read_text())["claims"]}
    line = lines["sc-t3-pix2pixhd"]
    assert (line["ours_ahead"], line["ours_behind"], line["p"], line["verdict"]) == (75.0, 25.0, 0.0005, "reproduced")


def test_a_study_the_other_way_round_judges_the_same_claim(run: Path) -> None:
    put(
        run,
        main="pix2pixhd",
        comparisons=(dataclasses.replace(ROW, against="pix2pixsc", value=0.3, low=0.2, high=0.4),),
    )
    one = claim3(run)
    assert one.verdict == "reproduced" and one.ours == pytest.approx((70.0, 30.0)) and one.gain is not None
    assert (one.gain.low, one.gain.high) == pytest.approx((gain_of(0.6), gain_of(0.8)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"simulated": True}, "the votes are simulated"),
        ({"question": "Which image looks more natural?"}, 'people were asked "Which image looks more natural?"'),
        ({"durations_ms": (125,)}, "the time to look was limited"),
        ({"main": "pix2pixsc-no-sc"}, "no study compared pix2pixSC with pix2pixHD"),
    ],
)
def test_votes_that_judge_nothing(run: Path, changes: dict[str, Any], reason: str) -> None:
    put(run, **changes)
    one = claim3(run)
    assert one.verdict == "not tested" and one.reason.startswith(reason)


def test_votes_without_an_interval_decide_nothing(run: Path) -> None:
    put(run, comparisons=(dataclasses.replace(ROW, low=None, high=None, p=None, p_alone=None),))
    one = claim3(run)
    assert one.verdict == "inconclusive" and one.reason == "too few pairs or people for an interval" and one.ours


def test_the_page_over_several_tasks_has_table_3_and_its_verdicts(run: Path, tmp_path: Path) -> None:
    suite_folder = tmp_path / "suite"
    results.write_suite(suite_folder, ["face"], ["bench", "run", "--task", "all"])
    put(Path(shutil.copytree(run, suite_folder / "face")))
    text = " ".join(" ".join(read(suite.write_suite(suite_folder)).text).split())
    assert "Table 3. Style consistency, judged by people" in text and "81.00 to 90.12" in text
    lines = json.loads((suite_folder / "claims.json").read_text())["claims"]
    assert {line["id"]: line["verdict"] for line in lines}["sc-t3-pix2pixhd"] == "reproduced"
    with open(suite_folder / "tables" / "table3-preference.csv", encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 5


def test_shares_of_two_studies_are_not_compared(run: Path) -> None:
    write_results(run, dataclasses.replace(RunView(run).results, task="street"))
    put(run, main="pix2pixhd", question="Which image looks more natural?")
    reasons = {one.claim.id: one.reason for one in judge(whole_ledger(), [RunView(run)])}
    assert reasons["hd-t2-crn-vgg"] == "compares the votes of two studies against the same rival"


@given(st.floats(0, 1))
def test_gain_of_votes_is_the_papers(share: float) -> None:
    claim = next(claim for claim in FACE if claim.id == "sc-t3-pix2pixhd")
    paper = dataclasses.replace(claim.table.rows[0], values=(100 * share, 0.0, 0.0))
    turned = dataclasses.replace(claim, table=dataclasses.replace(claim.table, rows=(paper,)))
    assert gain_of(share) == pytest.approx(printed_gain(turned))


def test_published_votes_name_their_methods() -> None:
    for key in ("pix2pixsc", "pix2pixhd"):
        for table in load_paper(key).tables:
            assert len(table.methods) == (len(table.columns) if table.by == "rival" else 0)


def test_exports_of_a_study_that_was_removed_go_with_it(run: Path) -> None:
    put(run)
    write_report(run)
    tables = run / "tables"
    theirs = {
        tables / "table3-preference.txt": "mine",
        tables / "notes.json": '{"name": "notes"}',
        tables / "no.json": "{",
    }
    for path, text in theirs.items():
        path.write_text(text)
    assert len(list(tables.glob("*preference*"))) > 4
    (run / "preference.json").unlink()
    write_report(run)
    assert [path.name for path in tables.glob("*preference*")] == ["table3-preference.txt"]
    assert all(path.read_text() == text for path, text in theirs.items())
    assert {path.suffix for path in tables.glob("table1-fid.*")} == {".csv", ".json", ".md", ".tex"}


def test_a_damaged_file_is_one_line(run: Path) -> None:
    (run / "preference.json").write_text('{"schema": 1}')
    with pytest.raises(BenchError, match=r"preference\.json: damaged"):
        write_report(run)
