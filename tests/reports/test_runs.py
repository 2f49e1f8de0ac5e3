"""Several runs on one page: what is paired and what is not, whose numbers stand where, and the page in a browser."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.files import read_json, write_json
from benchmark.run.results import MetricRow, RunView, write_preference, write_results, write_suite
from benchmark.stats import paired_difference
from reports.run_tables import Run, exams_differ, tables
from reports.runs import write_runs
from reports.table import Table
from tests.reports.fake_run import fake_preference, write_fake_run

L1 = "counterfactual-l1[face]"


@pytest.fixture
def other(clean_run: Path, tmp_path: Path) -> Path:
    """The same exam, on which pix2pixSC comes closer to the truth by a tenth, and torch is newer."""
    folder = Path(shutil.copytree(clean_run, tmp_path / "other"))
    change_scores(folder, lambda line: 0.9 * line["value"] if line["method"] == "pix2pixsc" else line["value"])
    manifest = read_json(folder / "manifest.json")
    manifest["versions"]["torch"] = "9.0"
    write_json(folder / "manifest.json", manifest)
    return folder


def change_scores(folder: Path, change: Callable[[dict], float]) -> None:
    lines = [json.loads(text) for text in (folder / "scores.jsonl").read_text().splitlines()]
    told = [json.dumps({**line, "value": change(line) if line["metric"] == L1 else line["value"]}) for line in lines]
    (folder / "scores.jsonl").write_text("\n".join(told) + "\n")


def both(a: Path, b: Path) -> list[Run]:
    return [Run("a", RunView(a)), Run("b", RunView(b))]


def of(found: list[Table], protocol: str) -> Table:
    return next(table for table in found if table.protocol == protocol)


def scores(folder: Path, method: str) -> np.ndarray:
    lines = [json.loads(text) for text in (folder / "scores.jsonl").read_text().splitlines()]
    return np.array([line["value"] for line in lines if (line["method"], line["metric"]) == (method, L1)])


def test_a_difference_is_the_paired_one_over_the_same_items(run: Path, other: Path) -> None:
    table = of(tables(both(run, other)), L1)
    assert table.columns == ("a", "b", "b − a")
    cells = {row.head: row.cells for row in table.rows}
    expected = paired_difference(scores(other, "pix2pixsc"), scores(run, "pix2pixsc"))
    found = cells["pix2pixSC"][2]
    assert (found.value, found.low, found.high) == (expected.value, expected.low, expected.high)
    assert found.mark == "better" and expected.p * 7 < 0.05  # seven rows: Holm at its strictest
    assert cells["pix2pixHD"][2].detail == "equal on all 14 items" and not cells["pix2pixHD"][2].mark


def test_a_worse_run_is_called_worse(run: Path, other: Path) -> None:
    table = of(tables(both(other, run)), L1)
    assert {row.head: row.cells[2].mark for row in table.rows}["pix2pixSC"] == "worse"


def _items(folder: Path) -> None:
    items = read_json(folder / "items.json")
    write_json(folder / "items.json", [{**items[0], "exemplar": ["another", 1]}, *items[1:]])


def _fingerprint(folder: Path) -> None:
    manifest = read_json(folder / "manifest.json")
    write_json(folder / "manifest.json", {**manifest, "data": {**manifest["data"], "fingerprint": "00"}})


def _size(folder: Path) -> None:
    manifest = read_json(folder / "manifest.json")
    manifest["config"]["data"]["size"] = 128
    write_json(folder / "manifest.json", manifest)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_items, "other items"),
        (_fingerprint, "data of the same kind with another fingerprint"),
        (_size, "images of 32 and 128 px"),
    ],
)
def test_another_exam_is_said_and_nothing_paired(
    run: Path, other: Path, change: Callable[[Path], None], why: str
) -> None:
    change(other)
    runs = both(run, other)
    assert exams_differ(runs[0].view, runs[1].view) == why
    table = of(tables(runs), L1)
    assert table.columns == ("a", "b")
    assert f"b and a are not the same exam ({why}): nothing is paired." in table.notes


def test_two_protocols_never_share_a_column_and_have_no_difference(run: Path, other: Path) -> None:
    results = RunView(other).results
    mine = next(m for m in results.metrics if m.id.startswith("lepe["))
    theirs = MetricRow("lepe[dlib-68,256px]", mine.title, mine.better, False)
    swapped = tuple(theirs if m is mine else m for m in results.metrics)
    values = tuple(dataclasses.replace(v, metric=theirs.id) if v.metric == mine.id else v for v in results.values)
    write_results(other, dataclasses.replace(results, metrics=swapped, values=values))
    table = of(tables(both(run, other)), f"a: {mine.id}; b: {theirs.id}")
    assert table.columns == ("a", "b", "paper")
    assert "b and a were measured under different protocols: their numbers cannot be compared." in table.notes


def test_printed_numbers_stand_beside_in_our_unit(run: Path, other: Path) -> None:
    table = next(table for table in tables(both(run, other)) if table.title.startswith("Table 2: LEPE"))
    assert table.columns[-1] == "paper"
    assert {row.head: row.cells[-1].value for row in table.rows}["pix2pixHD"] == pytest.approx(0.0050)


def test_printed_tables_come_first_in_their_order(run: Path, other: Path) -> None:
    titles = [table.title for table in tables(both(run, other))]
    assert [title.split(":")[0] for title in titles[:3]] == ["Tables 1 and 4", "Table 2", "Table 5"]
    assert not any(title.startswith("Table") for title in titles[3:])


def test_a_method_that_one_run_lacks_has_a_reason_there(run: Path, other: Path) -> None:
    results = RunView(other).results
    write_results(other, dataclasses.replace(results, methods=results.methods[1:]))
    table = of(tables(both(run, other)), L1)
    cells = {row.head: row.cells for row in table.rows}["pix2pixHD"]
    assert cells[0].text and cells[1].reason == "not in this run"


def test_votes_of_people_and_of_programs_do_not_share_a_table(run: Path, other: Path) -> None:
    write_preference(run, fake_preference())
    write_preference(other, dataclasses.replace(fake_preference(), simulated=True))
    votes = [table for table in tables(both(run, other)) if table.title.startswith("Votes")]
    assert [(table.columns, bool(table.banner)) for table in votes] == [(("a",), False), (("b",), True)]


def test_the_page_says_what_differs_and_shows_both_runs_pictures(run: Path, other: Path, tmp_path: Path) -> None:
    page = write_runs([run, other], tmp_path / "page").read_text(encoding="utf-8")
    assert "versions · torch" in page and ">9.0<" in page and "versions · numpy" not in page
    assert "All took the same exam of 14 items" in page and "pix2pixSC of each run" in page
    assert "../run/images/pix2pixsc/0/" in page and "../other/images/pix2pixsc/0/" in page
    names = {path.suffix for path in (tmp_path / "page" / "tables").iterdir()}
    assert names == {".csv", ".json", ".md", ".tex", ".bib"}


def test_runs_of_several_tasks_meet_task_by_task(run: Path, other: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite"
    write_suite(suite, ["face", "street"], ["bench", "run"])
    shutil.copytree(other, suite / "face")
    write_fake_run(suite / "street", items=4, side=32)
    write_results(suite / "street", dataclasses.replace(RunView(suite / "street").results, task="street"))
    page = write_runs([run, suite], tmp_path / "page").read_text(encoding="utf-8")
    assert 'id="task-face"' in page and "Only suite has this task." in page


def test_without_an_out_the_page_lies_beside_the_first_run(run: Path, other: Path) -> None:
    assert write_runs([run, other]) == run.parent / "side-by-side-run+other" / "report.html"


def test_what_cannot_be_set_side_by_side_is_one_line(run: Path, other: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="given twice"):
        write_runs([run, run], tmp_path / "page")
    with pytest.raises(BenchError, match="is a run folder, whose own report would be lost"):
        write_runs([run, other], other)
    (other / "results.json").unlink()
    with pytest.raises(BenchError, match="no results yet"):
        write_runs([run, other], tmp_path / "page")


def test_in_a_browser_silent_narrow_and_with_hostile_names_shown(
    browser, run: Path, other: Path, tmp_path: Path
) -> None:
    odd = Path(shutil.move(other, tmp_path / "<script>alert(1)<"))
    report = write_runs([run, odd], tmp_path / "page")
    page, said, asked = browser.new_page(viewport={"width": 320, "height": 700}), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    assert said == [] and [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth)")
    assert "<script>alert(1)<" in page.inner_text("main")
    page.close()
