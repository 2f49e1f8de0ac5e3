"""The page over several tasks: the paper's tables with a column each, links into the tasks' folders, nothing lost."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from pathlib import Path

import pytest

from benchmark.errors import BenchError
from benchmark.files import read_json, write_json
from benchmark.run.results import (
    MetricRow,
    Results,
    RunView,
    Value,
    is_suite,
    read_suite,
    write_preference,
    write_results,
    write_suite,
)
from reports import suite
from reports.page import write_report
from reports.paper_tables import paper_tables
from reports.published import load_paper
from tests.reports.fake_run import METHODS, fake_preference, write_fake_run
from tests.reports.test_page import Reader

SCORES = (("sps-pixel", 0.81), ("sps-class", 0.35), ("sps-iou", 0.31))


def as_street(folder: Path, results: Results) -> Results:
    """The same run as if it were of streets: parsing scores in place of landmarks' errors."""
    rows = tuple(MetricRow(f"{name}[p,64x36]", name, "higher", whole_set=True) for name, _ in SCORES)
    values = tuple(
        Value(method.name, row.id, typical - 0.02 * n, typical - 0.02 * n - 0.01, typical - 0.02 * n + 0.01, 12, 0, 1)
        for row, (_, typical) in zip(rows, SCORES, strict=True)
        for n, method in enumerate(METHODS)
    )
    kept = tuple(metric for metric in results.metrics if not metric.id.startswith(("lepe", "eye-patch")))
    street = dataclasses.replace(results, task="street", metrics=(*kept, *rows), values=(*results.values, *values))
    write_results(folder, street)
    write_json(folder / "manifest.json", {**read_json(folder / "manifest.json"), "task": "street"})
    return street


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    write_suite(folder, ["face", "street", "dance"], ["/usr/bin/bench", "run", "--task", "face,street,dance"])
    write_fake_run(folder / "face", items=12)
    as_street(folder / "street", write_fake_run(folder / "street", items=12))
    suite.write_suite(folder)
    return folder


def test_the_page_shows_both_tasks_and_names_the_one_without_results(both: Path) -> None:
    html = (both / "report.html").read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(html)
    assert not reader.open and len(set(reader.ids)) == len(reader.ids)
    titled = "Frechet distance; printed: Fréchet Inception Distance; lower is better"  # never the other's name
    for said in ("No results yet: dance", "Table 1. Photorealism", titled, "Table 6. Semantic", "bench run --task"):
        assert said in html, said
    links = [value for _, attributes in reader.tags for key, value in attributes.items() if key == "href" and value]
    pictures = [link for link in links if link.endswith(".png")]
    assert {link.split("/")[0] for link in pictures} == {"face", "street"}
    assert all((both / link).exists() for link in pictures)


def test_table_1_has_a_column_for_each_task(both: Path) -> None:
    with open(both / "tables" / "table1-fid.csv", encoding="utf-8") as file:
        lines = {row["method"]: row for row in csv.DictReader(file)}
    assert lines["pix2pixSC"]["face, paper"] == "31.26"
    assert lines["pix2pixSC"]["street, paper"] == "96.23"
    found = read_suite(both).views[1].results
    metric = next(metric.id for metric in found.metrics if metric.id.startswith("frechet["))
    assert float(lines["pix2pixHD"]["street"]) == found.value("pix2pixhd", metric).value


def test_table_6_has_our_scores_in_the_printed_unit(both: Path) -> None:
    view = RunView(both / "street")
    table = next(t for t in paper_tables(view, load_paper("pix2pixsc").tables) if t.name == "table6-sps")
    row = next(row for row in table.rows if row.head == "pix2pixSC")
    by_column = dict(zip(table.columns, row.cells, strict=True))
    assert by_column["Per-pixel acc. (%)"].value == pytest.approx(79.0)
    assert by_column["Per-pixel acc. (%)"].low == pytest.approx(78.0)
    assert by_column["Class IoU"].value == pytest.approx(0.29)
    assert by_column["Class IoU, paper"].text == "0.333"
    assert by_column["Class IoU, paper"].detail == "place 1, here 2"  # of pix2pixHD and pix2pixSC
    assert [row.kind for row in table.rows if row.head == "Real target"] == ["reference"]


def test_cautions_that_all_tasks_share_are_said_once(both: Path) -> None:
    html = (both / "report.html").read_text(encoding="utf-8")
    for caution in read_suite(both).views[0].results.cautions:
        assert html.count(caution) == 1


def test_what_became_of_one_task_is_in_the_warnings_of_all(both: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(both, tmp_path / "both"))
    write_preference(copy / "face", dataclasses.replace(fake_preference(), simulated=True))
    html = suite.write_suite(copy).read_text(encoding="utf-8")
    assert "face: Votes on this page are simulated" in html
    assert html.count("The code that ran differed from its commit") == 1  # of both


def test_a_folder_of_one_task_does_not_become_one_of_several(tmp_path: Path) -> None:
    write_fake_run(tmp_path, items=2)
    with pytest.raises(BenchError, match="holds a run of one task"):
        write_suite(tmp_path, ["face", "street"], [])
    assert not is_suite(tmp_path)


def test_tasks_may_be_added(tmp_path: Path) -> None:
    write_suite(tmp_path, ["face"], ["bench", "first"])
    write_suite(tmp_path, ["face"], ["bench", "again"])
    assert read_suite(tmp_path).argv == ["bench", "first"]
    write_suite(tmp_path, ["dance"], ["bench", "second"])
    assert (read_suite(tmp_path).tasks, read_suite(tmp_path).argv) == (("face", "dance"), ["bench", "second"])


def test_a_damaged_list_of_tasks_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "suite.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BenchError, match=r"suite\.json: damaged"):
        read_suite(tmp_path)


def test_the_page_of_a_street_run_has_cards_for_each_parsing_score(both: Path) -> None:
    html = write_report(both / "street").read_text(encoding="utf-8")
    assert "Class IoU)" in html and "the layout of the label" in html
