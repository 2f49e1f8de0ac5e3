"""The runner on a toy task: resume, failures, refusals, and results that do not depend on what went wrong on the
way.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from benchmark import config as configuration
from benchmark import registry
from benchmark.errors import BenchError
from benchmark.run import manifest as manifest_module
from benchmark.run import runner
from benchmark.run.engines.local import LocalEngine
from benchmark.run.plan import make_plan
from benchmark.run.results import RunView, read_results
from benchmark.run.schema import schema
from tests import toy

REPO = Path(__file__).resolve().parents[2]


class Silent:
    def __init__(self, total: int, label: str) -> None: ...
    def __enter__(self):
        return self

    def __exit__(self, *error: object) -> None: ...
    def update(self, count: int) -> None: ...


@pytest.fixture(autouse=True)
def toy_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    real = registry._entries
    monkeypatch.setattr(registry, "_entries", lambda g: toy.entries(g) if g in toy.ENTRIES else real(g))
    monkeypatch.setattr(manifest_module, "weights_in_use", lambda plan: {})


def plan(methods: str = "real,toy-good,toy-bad", seeds=(0,), data: str | None = None, **train):
    overrides = [f"train.{key}={value}" for key, value in train.items()]
    return make_plan("toy", configuration.load("smoke", "toy", overrides), methods, seeds, data)


def go(folder: Path, *args, jobs: int = 1, **kwargs) -> int:
    return runner.run(
        plan(*args, **kwargs), folder, ["bench"], lambda line: None, Silent, show=False, engine=LocalEngine(jobs)
    )


def test_a_run_leaves_every_file_and_sensible_numbers(tmp_path: Path) -> None:
    assert go(tmp_path) == 0
    view = RunView(tmp_path)
    results = view.results
    assert {v.method: v.value for v in results.values}.keys() == {"real", "toy-good", "toy-bad"}
    good, bad = (results.value(m, "toy-l1[8px]") for m in ("toy-good", "toy-bad"))
    assert good is not None and bad is not None and good.value < bad.value
    assert good.low is not None and good.low <= good.value <= good.high  # type: ignore[operator]
    (difference,) = [d for d in results.differences if d.method == "toy-bad"]
    assert difference.against == "toy-good" and difference.low > 0
    assert difference.value == pytest.approx(bad.value - good.value)
    assert view.image("toy-good", view.items[0]["id"]).exists()
    assert view.exam_image("truth", view.items[0]["id"]).exists()
    kinds = {row.name: row.kind for row in results.methods}
    assert kinds == {"real": "reference", "toy-good": "method", "toy-bad": "method"}
    assert any("Rendered data" in caution for caution in results.cautions)
    assert any("3 test clips only" in caution for caution in results.cautions)
    assert "rendered by exemplar-bench" in view.manifest["licences"]["data"]


def test_pictures_that_the_labelers_have_learnt_are_pointed_out(tmp_path: Path) -> None:
    for seed, told in (("1", True), ("2", False)):
        run, config = tmp_path / seed, configuration.load("smoke", "toy", [f"data.seed={seed}"])
        rendered = make_plan("toy", config, "toy-good", (0,), None)
        assert runner.run(rendered, run, ["bench"], lambda line: None, Silent, show=False) == 0
        assert any("have learnt these pictures" in caution for caution in RunView(run).results.cautions) is told


def test_the_mean_is_the_mean_of_the_score_lines(tmp_path: Path) -> None:
    go(tmp_path, "toy-good", (0, 1))
    view = RunView(tmp_path)
    values = [s["value"] for s in view.scores]
    assert len(values) == 2 * view.results.items
    value = view.results.value("toy-good", "toy-l1[8px]")
    assert value is not None and value.value == pytest.approx(np.mean(values)) and value.seeds == 2


def test_a_finished_folder_is_finished_and_is_not_touched(tmp_path: Path) -> None:
    go(tmp_path)
    assert runner.finished(tmp_path, plan())
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.png")}
    assert go(tmp_path) == 0
    assert before == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.png")}


def test_methods_and_seeds_can_be_added_but_nothing_else_changed(tmp_path: Path) -> None:
    go(tmp_path, "toy-good")
    assert not runner.finished(tmp_path, plan("toy-good,toy-bad"))
    go(tmp_path, "toy-bad", (0, 1))
    assert RunView(tmp_path).manifest["methods"] == ["toy-good", "toy-bad"]
    with pytest.raises(BenchError, match=r"config\.train\.steps was 8, now 9; use another --out"):
        go(tmp_path, steps=9)
    with pytest.raises(BenchError, match=r"data\.fingerprint .*the data changed"):
        go(tmp_path, data="other pixels")


def test_changed_method_code_is_refused(tmp_path: Path) -> None:
    go(tmp_path, "toy-good")
    path = tmp_path / "manifest.json"
    tree = json.loads(path.read_text())
    tree["code"]["toy-good"] = "0123456789abcdef"
    path.write_text(json.dumps(tree))
    with pytest.raises(BenchError, match="the code of method 'toy-good' has changed"):
        go(tmp_path, "toy-good")


def test_a_broken_cell_is_recorded_and_the_rest_goes_on(tmp_path: Path) -> None:
    assert go(tmp_path, "toy-broken,toy-shape,toy-good") == 2
    results = read_results(tmp_path)
    problems = {row.name: row.problem for row in results.methods}
    assert problems["toy-broken"] == "RuntimeError: the toy broke in two lines"
    assert "synthesize returned (4, 3, 4, 8), expected (4, 3, 8, 8)" in problems["toy-shape"]
    assert problems["toy-good"] == "" and results.value("toy-good", "toy-l1[8px]")
    assert "Traceback" in (tmp_path / "cells" / "toy-broken" / "0" / "error.txt").read_text()


def test_a_method_that_does_not_apply_is_a_row_with_the_reason_not_a_failure(tmp_path: Path) -> None:
    assert go(tmp_path, "toy-joints,toy-good,toy-bad") == 0
    results = read_results(tmp_path)
    row = next(row for row in results.methods if row.name == "toy-joints")
    assert row.problem == "does not apply: needs joints" and results.value("toy-joints", "toy-l1[8px]") is None
    assert {d.against for d in results.differences} == {"toy-good"}
    assert RunView(tmp_path).cells["toy-joints", 0].keys() == {"fit"}
    assert not (tmp_path / "cells" / "toy-joints").exists()
    assert runner.finished(tmp_path, plan("toy-joints,toy-good,toy-bad"))
    lines = (tmp_path / "cells.jsonl").read_text()
    assert go(tmp_path, "toy-joints,toy-good") == 0 and (tmp_path / "cells.jsonl").read_text() == lines


def test_code_in_no_repository_runs(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(manifest_module, "git_state", lambda: None)
    assert go(tmp_path, "toy-good") == 0 and RunView(tmp_path).manifest["git"] is None


def test_only_methods_that_do_not_apply_are_one_line_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"--methods: none applies to the toy task: toy-joints \(needs joints\)"):
        go(tmp_path / "new", "toy-joints")
    one = plan("toy-joints")
    with pytest.raises(BenchError, match="toy-joints: does not apply to the toy task: needs joints"):
        runner.train_only(one, tmp_path / "new", one.cells[0], ["bench"], None, show=False)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("option", "given"), [("fork", {"fork": Path("other")}), ("devices", {"devices": 2})])
def test_a_fit_that_would_ignore_an_option_is_refused_it(tmp_path: Path, option: str, given: dict) -> None:
    one = plan("toy-good")
    with pytest.raises(BenchError, match=f"--{option}: toy-good has a fit of its own, which does not know it"):
        runner.train_only(one, tmp_path / "new", one.cells[0], ["bench"], None, False, **given)
    assert not (tmp_path / "new").exists()


def test_a_plug_in_that_was_uninstalled_stays_readable(tmp_path: Path, monkeypatch) -> None:
    go(tmp_path, "toy-bad,toy-good")
    before = read_results(tmp_path)
    left = {name: entry for name, entry in toy.entries("methods").items() if name != "toy-bad"}
    real = registry._entries
    monkeypatch.setattr(registry, "_entries", lambda group: left if group == "methods" else real(group))
    assert go(tmp_path, "toy-good,toy-shape") == 1  # summarised anew, without the class
    after = read_results(tmp_path)
    assert after.methods[:2] == before.methods and after.value("toy-bad", "toy-l1[8px]") == before.values[0]


def test_a_time_budget_leaves_a_marked_result_that_the_next_run_finishes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TOY_STOP_AT", "3")
    assert go(tmp_path, "toy-good") == 0
    assert read_results(tmp_path).methods[0].unfinished == "time budget: 3 of 12 steps"
    assert not runner.finished(tmp_path, plan("toy-good"))
    short = read_results(tmp_path).values[0].value
    monkeypatch.delenv("TOY_STOP_AT")
    go(tmp_path, "toy-good")
    finished = read_results(tmp_path)
    assert finished.methods[0].unfinished == "" and finished.values[0].value != short
    assert runner.finished(tmp_path, plan("toy-good"))


def test_interrupt_keeps_what_is_finished(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TOY_INTERRUPT_AT", "2")
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, "real,toy-good")
    assert RunView(tmp_path).cells[("real", 0)]["score"]["state"] == "done"
    assert read_results(tmp_path).value("real", "toy-l1[8px]")
    monkeypatch.delenv("TOY_INTERRUPT_AT")
    assert go(tmp_path, "real,toy-good") == 0


def test_a_second_runner_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.mkdir(exist_ok=True)
    with runner.only_runner(tmp_path), pytest.raises(BenchError, match="another bench run is at work"):
        go(tmp_path)


def test_a_damaged_or_resized_image_is_named(tmp_path: Path) -> None:
    go(tmp_path, "toy-good")
    cells = tmp_path / "cells.jsonl"
    lines = [json.loads(line) for line in cells.read_text().splitlines()]
    cells.write_text("".join(json.dumps(r) + "\n" for r in lines if r["stage"] != "score"))
    image = RunView(tmp_path).image("toy-good", "0003")
    image.write_bytes(image.read_bytes()[:30])
    assert go(tmp_path, "toy-good") == 1
    assert "0003.png: cannot be read" in read_results(tmp_path).methods[0].problem
    from PIL import Image

    Image.new("RGB", (5, 8)).save(image)
    assert go(tmp_path, "toy-good") == 1
    assert "0003.png: is 5x8, the task's images are 8x8" in read_results(tmp_path).methods[0].problem
    image.unlink()
    lines = [r for r in lines if r["stage"] == "fit"]
    cells.write_text("".join(json.dumps(r) + "\n" for r in lines))
    assert go(tmp_path, "toy-good") == 0  # only the missing picture is made again


KILLED = """
import sys
from benchmark import registry
from benchmark.run import manifest, runner
from tests import toy
from tests.run.test_runner import Silent, plan
real = registry._entries
registry._entries = lambda g: toy.entries(g) if g in toy.ENTRIES else real(g)
manifest.weights_in_use = lambda plan: {}
from pathlib import Path
runner.run(plan(), Path(sys.argv[1]), ["bench"], lambda line: None, Silent, show=False)
"""


@pytest.mark.parametrize("step", ["0", "7"])
def test_kill_9_and_resume_give_the_same_results_bytes(tmp_path: Path, step: str) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    go(whole)
    environment = {**os.environ, "TOY_KILL_AT": step, "PYTHONPATH": str(REPO)}
    first = subprocess.run([sys.executable, "-c", KILLED, str(killed)], env=environment, cwd=REPO, capture_output=True)
    assert first.returncode == -9, first.stderr.decode()
    assert go(killed) == 0
    assert (killed / "results.json").read_bytes() == (whole / "results.json").read_bytes()
    assert (killed / "scores.jsonl").read_bytes() == (whole / "scores.jsonl").read_bytes()


def test_full_disk_is_one_line_and_the_old_file_stays(tmp_path: Path, monkeypatch) -> None:
    from benchmark.files import write_json

    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BenchError, match=r"a\.json: cannot write: No space left on device"):
        write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_results_of_an_older_schema_are_made_anew_and_newer_ones_kept(tmp_path: Path) -> None:
    go(tmp_path, "toy-good")
    path = tmp_path / "results.json"
    made = path.read_bytes()
    images = sorted((tmp_path / "images").rglob("*.png"))
    times = [image.stat().st_mtime_ns for image in images]
    for spoilt in (made.replace(b'"schema": 1', b'"schema": 0'), b"{"):
        path.write_bytes(spoilt)
        assert not runner.finished(tmp_path, plan("toy-good"))
        go(tmp_path, "toy-good")
        assert path.read_bytes() == made
    assert times == [image.stat().st_mtime_ns for image in images], "nothing was made again but the summary"
    assert runner.finished(tmp_path, plan("toy-good"))
    path.write_bytes(made.replace(b'"schema": 1', b'"schema": 2'))
    with pytest.raises(BenchError, match="schema 2; this version reads schema 1: upgrade exemplar-bench"):
        runner.finished(tmp_path, plan("toy-good"))


def test_results_of_another_schema_or_damaged_are_refused(tmp_path: Path) -> None:
    go(tmp_path, "toy-good")
    path = tmp_path / "results.json"
    tree = json.loads(path.read_text())
    Draft202012Validator(schema()).validate(tree)  # what a real run writes is what the schema says
    path.write_text(json.dumps({**tree, "schema": 99}))
    with pytest.raises(BenchError, match="schema 99; this version reads schema 1"):
        read_results(tmp_path)
    del tree["values"]
    path.write_text(json.dumps(tree))
    with pytest.raises(BenchError, match="damaged"):
        read_results(tmp_path)
    path.write_text("{")
    with pytest.raises(BenchError, match="cannot be read"):
        read_results(tmp_path)


def test_names_are_checked_before_anything_is_computed() -> None:
    with pytest.raises(BenchError, match="unknown method 'toy-goood'; did you mean 'toy-good'"):
        plan("toy-goood")
    with pytest.raises(BenchError, match="unknown task 'fcae'"):
        make_plan("fcae", configuration.load("smoke", "toy"), "all", [0], None)
    with pytest.raises(BenchError, match="--seeds"):
        plan(seeds=(-1,))
    with pytest.raises(BenchError, match="--methods: name at least one"):
        plan(" , ")
