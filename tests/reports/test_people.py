"""What stands behind the votes: exposure times, robustness, checks, the way from people to votes, every pair."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest
from statsmodels.stats.proportion import proportion_confint

from benchmark.run.results import (
    LeftOut,
    PairVotes,
    Preference,
    RunView,
    Strength,
    TimedVotes,
    Voted,
    VoteFlow,
    write_preference,
)
from reports.page import write_report
from reports.people import StudyPart, study_parts
from reports.preference import BANNER
from reports.published import load_paper
from tests.reports.fake_run import fake_preference
from tests.reports.test_page import read

TABLES = load_paper("pix2pixsc").tables


def whole_study(view: RunView, **changes: object) -> Preference:
    """The fake study with everything that an analysis leaves."""
    items = [str(item["id"]) for item in view.items]
    pairs = tuple(PairVotes(item, len(items) - n, len(items)) for n, item in enumerate(items))
    plain = fake_preference()
    rows = tuple(
        dataclasses.replace(
            row,
            everybody=Voted(row.value - 0.02, row.value - 0.07, row.value + 0.03, 2441),
            without_one=(row.value - 0.01, row.value + 0.01),
            agreement=(0.31, 0.22, 0.4),
            durations=(TimedVotes(125, Voted(0.55, 0.5, 0.6, 300)), TimedVotes(500, Voted(0.8, None, None, 9))),
            pairs=pairs,
        )
        for row in plain.comparisons[:2]
    )
    flow = VoteFlow(123, 3, 2, 17, 5, 2441, (LeftOut("more than 1 wrong in catch trials", 3, 41),), 120, 2400)
    half = Voted(0.5125, 0.49, 0.53, 2400)
    said = {"flow": flow, "left": half, "catch_right": Voted(0.98, 0.97, 0.99, 360), "comparisons": rows}
    return dataclasses.replace(plain, **{**said, **changes})  # type: ignore[arg-type]


def part_of(run: Path, **changes: object) -> StudyPart:
    write_preference(run, whole_study(RunView(run), **changes))
    (part,) = study_parts(RunView(run), TABLES)
    return part


def test_a_run_without_studies_has_no_parts(clean_run: Path) -> None:
    assert study_parts(RunView(clean_run), TABLES) == []


def test_what_the_result_hangs_on(run: Path) -> None:
    part = part_of(run)
    (table,) = part.tables  # Table 3 stands elsewhere, and time was unlimited
    shown = [(cell.text, cell.detail) for cell in table.rows[0].cells]
    assert shown == [
        ("86.2", "81.0 to 90.1"),
        ("84.2", "79.2 to 89.2"),
        ("85.2 to 87.2", ""),
        ("84.8 to 87.5", "exact p < 0.001"),
        ("3.6", ""),
        ("0.31", "0.22 to 0.40"),
    ]
    assert part.checks == (
        ("Left side chosen", "51.2 % (49.0 % to 53.0 %) of 2400"),
        ("Catch trials right", "98.0 % (97.0 % to 99.0 %) of 360"),
    )
    assert part.flow[0].startswith("123 people let in, 2 of them") and part.flow[-1].startswith("2400 votes of 120")
    assert part.flow[2] == "less 41 votes of 3 people: more than 1 wrong in catch trials"


def test_exposure_times_have_a_table(run: Path) -> None:
    times, _ = part_of(run, durations_ms=(125, 500, 8000)).tables
    assert times.columns == ("125 ms", "500 ms", "8000 ms")
    assert [(cell.text, cell.detail, cell.reason) for cell in times.rows[0].cells] == [
        ("55.0", "50.0 to 60.0", ""),
        ("80.0", "", ""),
        ("", "", "not recorded"),
    ]


def test_more_than_two_methods_have_strengths(run: Path) -> None:
    found = (Strength("pix2pixsc", 0.8, 0.6, 1.0), Strength("pix2pixhd", -0.8, -1.0, -0.6))
    table = part_of(run, strengths=found).tables[-1]
    assert table.title == "Strengths" and [row.head for row in table.rows] == ["pix2pixSC", "pix2pixHD"]
    assert table.rows[0].cells[0].detail == "0.60 to 1.00" and table.has_strips
    assert RunView(run).preferences[0].strengths == found


def test_every_pair_is_listed_and_both_ends_are_shown(run: Path) -> None:
    pairs, _ = part_of(run).pairs
    count = len(RunView(run).items)
    assert len(pairs.rows) == count == 14 and pairs.title == "pix2pixSC against pix2pixHD"
    low, high = proportion_confint(13, 14, method="wilson")
    assert (pairs.rows[1].share, pairs.rows[1].votes) == ("93", "13 of 14")
    assert pairs.rows[1].interval == f"{100 * low:.0f} to {100 * high:.0f}"
    assert len(pairs.grid.lines) == 6 and pairs.grid.columns == ("Exemplar", "pix2pixSC", "pix2pixHD")
    best = pairs.grid.lines[0].pictures
    assert [picture.score for picture in best] == ["", "14 votes", "0 votes"]
    assert all(picture.src.startswith("data:image/webp") and (run / picture.href).exists() for picture in best)


def test_a_picture_that_is_damaged_or_gone_leaves_a_marked_hole(run: Path) -> None:
    item = str(RunView(run).items[0]["id"])
    RunView(run).image("pix2pixsc", item).write_bytes(b"no picture")
    RunView(run).image("pix2pixhd", item).unlink()
    pictures = part_of(run).pairs[0].grid.lines[0].pictures
    assert [picture.hole for picture in pictures] == ["", "damaged file", "no image"]


@pytest.mark.parametrize("simulated", [False, True])
def test_the_page_shows_it_all(run: Path, simulated: bool) -> None:
    write_preference(
        run, whole_study(RunView(run), simulated=simulated, durations_ms=(125, 500), rules_changed=("a<b",))
    )
    reader = read(write_report(run))
    assert reader.open == [] and len(set(reader.ids)) == len(reader.ids)
    text = " ".join(" ".join(reader.text).split())
    for said in ("What people preferred", "What the result hangs on", "Every pair: pix2pixSC against pix2pixHD"):
        assert said in text
    assert "Rule changed after the study was built a<b" in text and (BANNER in text) == simulated
    for name in ("times", "robustness"):
        with open(run / "tables" / f"preference-0123abcd-{name}.csv", encoding="utf-8") as file:
            assert len(list(csv.reader(file))) >= 3
        assert ("programs answered" in (run / "tables" / f"preference-0123abcd-{name}.md").read_text()) == simulated
