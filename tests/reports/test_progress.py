"""How far a run has come, the page of a run at work, and the gallery of all runs."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import BenchError
from benchmark.files import append_line, read_json, write_json
from benchmark.run.results import MethodRow, MetricRow, Results, RunView, Value, write_results, write_suite
from reports import gallery
from reports.gallery import write_gallery
from reports.progress import Progress, planned_steps, progress
from reports.watch import write_progress
from tests.reports.fake_run import write_fake_run

CONFIG = {
    "train": {"steps": 60, "decay_steps": 40},
    "method": {"pix2pixsc": {"train": {"steps": 160}}, "pix2pixsc-no-sc": {"train": {"decay_steps": 0}}},
}


def begin(
    folder: Path, methods: tuple[str, ...] = ("pix2pixhd", "pix2pixsc", "real"), seeds: tuple[int, ...] = (0,)
) -> Path:
    """A run that has only begun: its manifest and its exam."""
    kinds = {"real": "reference"}
    rows = {name: {"title": name.upper(), "kind": kinds.get(name, "method"), "package": "x"} for name in methods}
    manifest = {"task": "face", "preset": "demo", "methods": list(methods), "seeds": list(seeds), "config": CONFIG}
    write_json(
        folder / "manifest.json", {**manifest, "id": folder.name, "created": "2026-05-01T10:00:00", "rows": rows}
    )
    write_json(folder / "items.json", [{"id": str(n), "label": ["a", n], "exemplar": ["b", n]} for n in range(4)])
    return folder


def log(folder: Path, method: str, step: int, seconds: float, age: float = 0.0) -> None:
    path = folder / "cells" / method / "0" / "log.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    append_line(path, {"step": step, "seconds": seconds, "losses": {"G": 1.0 / step, "D": 0.5}})
    then = time.time() - age
    os.utime(path, (then, then))


def record(folder: Path, method: str, stage: str, state: str = "done", **more: Any) -> None:
    append_line(folder / "cells.jsonl", {"method": method, "seed": 0, "stage": stage, "state": state, **more})


def now(folder: Path) -> Progress:
    return progress(RunView(folder))


def states(folder: Path) -> dict[str, str]:
    return {cell.method: cell.state for cell in now(folder).cells}


def test_a_run_from_its_first_step_to_its_end(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    assert set(states(run).values()) == {"waiting"}
    assert now(run).sentence == "0 of 3 cells done; time left not known yet"
    log(run, "pix2pixhd", 20, 30.0)
    log(run, "pix2pixhd", 40, 60.0)
    first, second, reference = now(run).cells
    assert (first.state, first.doing, first.step, first.planned, first.left) == ("at work", "training", 40, 100, 90.0)
    assert (second.state, second.planned, second.left) == ("waiting", 200, 150.0), "as long as the other: 60 + 90 s"
    assert (reference.planned, reference.left) == (0, 0.0)
    assert "1 at work; about 4 min 00 s of training left" in now(run).sentence
    record(run, "pix2pixhd", "fit", fit_seconds=150.0, steps=100, planned=100, finished=True)
    images = run / "images" / "pix2pixhd" / "0"
    images.mkdir(parents=True)
    (images / "0.png").write_bytes(b"")
    assert now(run).cells[0].doing == "making pictures: 1 of 4"
    for name in ("pix2pixhd", "real"):
        record(run, name, "score")
    record(run, "pix2pixsc", "fit", "failed", reason="no memory")
    assert states(run) == {"pix2pixhd": "done", "pix2pixsc": "failed", "real": "done"}
    assert not now(run).ended, "results.json is still to come"
    rows = tuple(MethodRow(n, n, "method", 1) for n in ("pix2pixhd", "pix2pixsc", "real"))
    values = tuple(Value(name, "m[x]", 1.0, None, None, 4, 0, 1) for name in ("pix2pixhd", "real"))
    results = Results("face", "demo", (0,), 4, rows, (MetricRow("m[x]", "M", "lower", True),), values, ())
    write_results(run, results)
    assert not now(run).ended, "they say nothing of the failure yet"
    failed = replace(rows[1], problem="no memory")
    write_results(run, replace(results, methods=(rows[0], failed, rows[2])))
    assert now(run).ended and now(run).state == "failed in part"
    assert now(run).sentence == "2 of 3 cells done, 1 failed"


def test_a_cell_that_fell_silent_is_interrupted(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    log(run, "pix2pixhd", 20, 100.0)
    log(run, "pix2pixhd", 40, 200.0, age=350.0)
    assert states(run)["pix2pixhd"] == "at work", "a line takes 100 s here: 350 s are no silence yet"
    log(run, "pix2pixhd", 60, 300.0, age=500.0)
    assert states(run)["pix2pixhd"] == "interrupted" and now(run).state == "interrupted"


def test_two_cells_at_a_time_take_half_as_long(tmp_path: Path) -> None:
    run = begin(tmp_path / "run", ("pix2pixhd", "crn"))
    log(run, "pix2pixhd", 50, 50.0)
    alone = now(run).left
    log(run, "crn", 50, 50.0)
    assert alone == 150.0 and now(run).left == 50.0


def test_steps_planned_follow_the_tables_of_the_method_and_of_those_it_continues() -> None:
    planned = {name: planned_steps(CONFIG, name) for name in ("crn", "pix2pixsc", "pix2pixsc-no-sc", "pix2pixscx")}
    assert planned == {"crn": 100, "pix2pixsc": 200, "pix2pixsc-no-sc": 160, "pix2pixscx": 100}


def test_the_page_reloads_itself_only_while_somebody_watches(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    log(run, "pix2pixhd", 20, 30.0)
    page, line, ended = write_progress(run, 2.0)
    text = page.read_text(encoding="utf-8")
    assert '<meta http-equiv="refresh" content="2">' in text and "PIX2PIXHD" in text and "<svg" in text
    assert line in text and not ended
    write_progress(run, None)
    assert 'http-equiv="refresh"' not in page.read_text(encoding="utf-8")


def test_in_a_browser_it_shows_what_came_since(browser, tmp_path: Path) -> None:
    run = begin(tmp_path / "run", ("<script>alert(1)</script>", "pix2pixsc"))
    log(run, "pix2pixsc", 20, 30.0)
    address = write_progress(run, 1.0)[0].as_uri()
    page, said, asked = browser.new_page(viewport={"width": 320, "height": 700}), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    log(run, "pix2pixsc", 100, 60.0)
    write_progress(run, 1.0)
    page.get_by_text("100 of 200").wait_for(timeout=8000)
    write_progress(run, None)
    assert said == [] and {url for url in asked if not url.startswith("data:")} == {address}
    page.close()


def test_several_tasks_are_followed_together(tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", ["face", "dance"], ["bench"])
    begin(tmp_path / "suite" / "face")
    page, line, ended = write_progress(tmp_path / "suite", 1.0)
    assert "Not begun: dance" in page.read_text(encoding="utf-8") and not ended
    assert line == "face: 0 of 3 cells done; time left not known yet; dance: not begun"


@pytest.fixture
def runs(clean_run: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    shutil.copytree(clean_run, folder / "whole")
    begin(folder / "begun")
    (folder / "broken").mkdir()
    (folder / "broken" / "manifest.json").write_text("[]")
    (folder / "no run").mkdir()
    write_suite(folder / "suite", ["face", "street"], ["bench"])
    shutil.copytree(clean_run, folder / "suite" / "face")
    return folder


def test_the_gallery_has_a_line_for_every_run_and_task_and_for_a_damaged_one(runs: Path) -> None:
    lines = {line.name: line for line in gallery._lines(runs)}
    assert set(lines) == {"whole", "begun", "broken", "suite/face"}
    whole = lines["whole"]
    assert (whole.task, whole.preset, whole.main, whole.state) == ("face", "demo", "pix2pixSC", "finished")
    results = RunView(runs / "whole").results
    frechet = next(metric for metric in results.metrics if metric.whole_set)
    value = results.value("pix2pixsc", frechet.id)
    assert value and whole.headlines[0].value == f"{value.value:.3f}"
    assert whole.thumbnail.startswith("data:image/webp") and not whole.href
    assert lines["begun"].state == "interrupted" and not lines["begun"].headlines
    assert "damaged" in lines["broken"].problem
    (runs / "whole" / "report.html").write_text("")
    assert {line.name: line.href for line in gallery._lines(runs)}["whole"] == "whole/report.html"


def test_newest_first_and_no_name_is_executed(browser, runs: Path) -> None:
    odd = runs / "<img src=x onerror=alert(1)>"
    shutil.copytree(runs / "whole", odd)
    manifest = read_json(odd / "manifest.json")
    write_json(
        odd / "manifest.json", {**manifest, "created": "2027-01-01T00:00:00", "task": "<script>alert(2)</script>"}
    )
    address = write_gallery(runs).as_uri()
    page, said, asked = browser.new_page(viewport={"width": 320, "height": 700}), [], []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    assert said == [] and {url for url in asked if not url.startswith("data:")} == {address}
    assert "<img src=x onerror=alert(1)>" in page.locator("tbody tr").first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth)")
    page.close()


def test_somebody_elses_index_is_not_overwritten(runs: Path) -> None:
    write_gallery(runs)
    write_gallery(runs)
    (runs / "index.html").write_text("<h1>my home page</h1>")
    with pytest.raises(BenchError, match="is not a gallery that bench wrote"):
        write_gallery(runs)
    assert (runs / "index.html").read_text() == "<h1>my home page</h1>"


def test_an_empty_folder_has_a_gallery_and_a_missing_one_a_line(tmp_path: Path) -> None:
    assert "No runs yet" in write_gallery(tmp_path).read_text(encoding="utf-8")
    with pytest.raises(BenchError, match="no such folder"):
        write_gallery(tmp_path / "nowhere")


def test_what_a_whole_fake_run_records_is_finished(tmp_path: Path) -> None:
    write_fake_run(tmp_path, items=2, side=16)
    assert json.loads((tmp_path / "results.json").read_text())["schema"] == 1
    assert now(tmp_path).state == "finished"


def test_a_line_of_the_gallery_names_methods_then_pictures_then_references() -> None:
    manifest = {
        "methods": ["real", "pix2pixsc", "older"],
        "rows": {
            "real": {"title": "Real target", "kind": "reference"},
            "pix2pixsc": {"title": "pix2pixSC", "kind": "method"},
        },
        "pictures": [{"name": "theirs", "title": "Their net"}, {"name": "others"}],
    }
    assert gallery._titles(manifest) == ["pix2pixSC", "older", "Their net", "others", "Real target"]
