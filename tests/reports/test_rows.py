"""Rows that are not plain methods: pictures made elsewhere, methods that do not apply, weights that were lent."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from pathlib import Path

import pytest

from benchmark.files import append_line, read_json, write_json
from benchmark.run.results import MethodRow, RunView, write_results
from reports import compare
from reports.cost import cost_table
from reports.exports import to_markdown
from reports.grid import first_look, grids
from reports.page import write_report
from reports.provenance import alike, provenance, summary
from reports.score_tables import counterfactual_tables
from tests.reports.fake_run import METHODS, write_fake_run
from tests.reports.test_page import read

REASON = "does not apply: needs joints"
THEIRS = MethodRow("theirs", "Their net", "pictures", 0, note="evaluated from pictures, resized from 128x128")
REFUSED = MethodRow("pg2", "PG2", "method", 0, problem=REASON)
BORROWED = MethodRow("pix2pixhd-dpst", "pix2pixHD + DPST", "method", 1_204_419, note="weights of pix2pixhd")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    results = write_fake_run(folder, items=8, side=16, methods=(*METHODS, THEIRS, REFUSED, BORROWED))
    values = tuple(v for v in results.values if v.method != "pg2")
    differences = tuple(d for d in results.differences if d.method != "pg2")
    write_results(folder, dataclasses.replace(results, values=values, differences=differences))
    shutil.rmtree(folder / "images" / "pg2")
    for stage in ("fit", "synthesize", "score"):
        state = {"state": "not-applicable", "reason": "needs joints"} if stage == "fit" else {"state": "stale"}
        append_line(folder / "cells.jsonl", {"method": "pg2", "seed": 0, "stage": stage, **state})
    lent = {"state": "done", "seconds": 0.2, "weights_of": "pix2pixhd", "steps": 1500, "finished": True}
    append_line(folder / "cells.jsonl", {"method": "pix2pixhd-dpst", "seed": 0, "stage": "fit", **lent})
    manifest = read_json(folder / "manifest.json")
    manifest["rows"] = {"pix2pixhd": {"title": "pix2pixHD", "kind": "method", "package": "exemplar-bench 0.1.0"}}
    manifest["pictures"] = [{"name": "theirs", "title": "Their net", "sha256": "ab" * 32, "resized_from": "128x128"}]
    write_json(folder / "manifest.json", manifest)
    write_report(folder)
    return folder


def test_every_table_gives_the_reason_of_a_method_that_does_not_apply(mixed: Path) -> None:
    tables = sorted((mixed / "tables").glob("*.csv"))
    rows = {path.name: [row for row in csv.reader(path.read_text().splitlines()) if row[0] == "PG2"] for path in tables}
    ablations = {"table4-ablation-fid.csv", "table5-eye-patch.csv"}
    for name in rows.keys() - ablations:
        assert len(rows[name]) == 1 and REASON in rows[name][0], name
    page = " ".join(read(mixed / "report.html").text)
    assert page.count(REASON) >= len(tables) - len(ablations) + 10


def test_a_method_that_does_not_apply_is_a_column_of_marked_holes(mixed: Path) -> None:
    grid = grids(RunView(mixed))[0]
    at = grid.columns.index("PG2")
    assert {line.pictures[at].hole for line in grid.lines} == {REASON}


def test_pictures_are_marked_wherever_they_stand(mixed: Path) -> None:
    view = RunView(mixed)
    assert "Their net (from pictures)" in grids(view)[0].columns
    for table in counterfactual_tables(view.results):
        row = next(row for row in table.rows if row.head == "Their net")
        assert (row.kind, row.note) == ("pictures", THEIRS.note) and row.cells[0].mark
        assert "Their net: evaluated from pictures, resized from 128x128." in to_markdown(table)
    text = " ".join(read(mixed / "report.html").text)
    assert THEIRS.note in text and "how they were made" in text
    assert summary(view).startswith("7 methods, 1 set of pictures and 2 references of the face task, trained")


def test_pictures_have_no_cost_and_lent_weights_the_cost_of_their_training(mixed: Path) -> None:
    table = cost_table(RunView(mixed))
    rows = {row.head: row for row in table.rows}
    assert "Their net" not in rows and any("Their net" in note and "not known" in note for note in table.notes)
    borrowed, lender = rows["pix2pixHD + DPST"], rows["pix2pixHD"]
    training, per_image = table.columns.index("training"), table.columns.index("per image")
    assert lender.cells[per_image].text == "20.0 ms"
    assert borrowed.cells[training] == lender.cells[training] and borrowed.note == "weights of pix2pixhd"
    assert any("Weights of another method" in note for note in table.notes)
    assert [cell.reason for cell in rows["PG2"].cells] == [REASON, *[""] * 5]


def test_provenance_names_packages_and_listings(mixed: Path) -> None:
    facts = dict(provenance(RunView(mixed)).facts)
    assert facts["package"] == "exemplar-bench 0.1.0: pix2pixhd"
    assert alike("code", {"a": "1f", "b": "2e", "c": "1f"}) == [("code", "1f: a, c"), ("code", "2e: b")]
    assert facts["pictures · theirs · sha256"] == "ab" * 32


def test_the_anchor_is_the_first_method_with_results(mixed: Path) -> None:
    results = RunView(mixed).results
    assert compare.anchor(results) == "pix2pixsc"
    left = tuple(m for m in (REFUSED, *results.methods) if m.name != "pix2pixsc")
    assert compare.anchor(dataclasses.replace(results, methods=left)) == "pix2pixhd"


def test_pictures_beside_references_alone_make_a_page(tmp_path: Path) -> None:
    write_fake_run(tmp_path, items=6, side=16, methods=(*METHODS[-2:], THEIRS))
    view = RunView(tmp_path)
    text = " ".join(read(write_report(tmp_path)).text)
    assert "1 set of pictures and 2 references of the face task, preset demo, scored on" in text
    assert first_look(view, grids(view)[0]).columns == ("Label", "Exemplar", "Their net (from pictures)", "True answer")
