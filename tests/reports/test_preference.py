"""Table 3: the run's own votes beside the paper's, a banner where they are simulated, reasons where there are none."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest

from benchmark.errors import BenchError
from benchmark.run.results import Preference, Preferred, RunView, read_preference, write_preference
from reports.claims import judge
from reports.ledger import whole_ledger
from reports.page import write_report
from reports.paper_tables import paper_tables, unanswered
from reports.preference import BANNER
from reports.published import load_paper
from reports.table import Table
from tests.reports.fake_run import fake_preference
from tests.reports.test_page import read

TABLES = load_paper("pix2pixsc").tables


def table3(run: Path) -> Table:
    return next(table for table in paper_tables(RunView(run), TABLES) if table.name == "table3-preference")


def put(run: Path, **changes: object) -> Preference:
    preference = dataclasses.replace(fake_preference(), **changes)  # type: ignore[arg-type]
    write_preference(run, preference)
    return preference


def test_what_is_written_is_read(run: Path) -> None:
    assert RunView(run).preference is None
    assert put(run, durations_ms=(125, 8000)) == read_preference(run) == RunView(run).preference


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


def test_claims_about_votes_say_where_they_are(run: Path) -> None:
    put(run)
    reasons = {one.claim.id: one.reason for one in judge(whole_ledger(), [RunView(run)])}
    assert reasons["sc-t3-pix2pixhd"] == "votes are shown in the table, and judged there"


def test_published_votes_name_their_methods() -> None:
    for key in ("pix2pixsc", "pix2pixhd"):
        for table in load_paper(key).tables:
            assert len(table.methods) == (len(table.columns) if table.by == "rival" else 0)


def test_a_damaged_file_is_one_line(run: Path) -> None:
    (run / "preference.json").write_text('{"schema": 1}')
    with pytest.raises(BenchError, match=r"preference\.json: damaged"):
        write_report(run)
