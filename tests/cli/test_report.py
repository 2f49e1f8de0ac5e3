"""`bench report` beyond one page: several runs, the gallery, the schema, and following a run at work."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from benchmark.cli import report as command
from benchmark.run.results import RunView
from benchmark.run.schema import schema
from tests.cli.test_bench import bench
from tests.reports.fake_run import write_fake_run
from tests.reports.test_progress import begin, log, record


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fake")
    write_fake_run(folder, items=4, side=16)
    return folder


def test_the_schema_is_printed_whole_and_a_fake_run_keeps_to_it(capsys, fake: Path) -> None:
    code, out, _ = bench(capsys, "report", "--schema")
    assert code == 0 and json.loads(out) == schema()
    Draft202012Validator(json.loads(out)).validate(json.loads((fake / "results.json").read_text()))


def test_several_runs_make_one_page_and_leave_the_runs_alone(capsys, fake: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(fake, tmp_path / "other"))
    code, out, _ = bench(capsys, "report", str(fake), str(other), "--out", str(tmp_path / "page"))
    assert code == 0 and out == f"report: {tmp_path / 'page' / 'report.html'}\n"
    assert not (other / "report.html").exists()


def test_a_report_in_runs_refreshes_the_gallery(capsys, fake: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(fake, tmp_path / "runs" / "one"))
    assert bench(capsys, "report", str(run))[0] == 0
    assert 'href="one/report.html"' in (tmp_path / "runs" / "index.html").read_text(encoding="utf-8")


def test_a_gallery_that_cannot_be_written_costs_nothing(capsys, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    (runs / "index.html").mkdir(parents=True)
    command.refresh_gallery(runs)
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and "index.html: not written:" in err
    command.refresh_gallery(tmp_path / "elsewhere")
    assert capsys.readouterr().err == "" and not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "give a run folder, or --gallery DIRECTORY, or --schema"),
        (["a", "--out", "b"], "--out: only of several runs"),
        (["a", "b", "--watch"], "--watch: follows one run, got 2"),
        (["/nonexistent", "--watch"], "not a run folder"),
        (["/nonexistent", "/nonexistent2"], "not a run folder"),
        (["--gallery", "/nonexistent"], "no such folder"),
    ],
)
def test_mistakes_are_one_line(capsys, args: list[str], words: str) -> None:
    code, _, err = bench(capsys, "report", *args)
    assert code == 2 and words in err and len(err.splitlines()) == 1


def test_watching_ends_with_the_run_and_leaves_a_page_that_stands_still(capsys, fake: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(fake, tmp_path / "run"))
    assert RunView(run).results
    code, out, _ = bench(capsys, "report", str(run), "--watch", "--every", "0.2")
    assert code == 0 and "7 of 7 cells done" in out and "every cell has ended" in out
    assert (run / "report.html").exists()
    assert 'http-equiv="refresh"' not in (run / "progress.html").read_text(encoding="utf-8")


def test_watching_follows_what_changes_until_ctrl_c(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    log(run, "pix2pixhd", 20, 30.0)
    words = [
        sys.executable,
        "-c",
        "from benchmark.cli import main; main()",
        "report",
        str(run),
        "--watch",
        "--every",
        "0.2",
    ]
    watcher = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        page = run / "progress.html"
        _until(lambda: page.exists() and "20 of 100" in page.read_text(encoding="utf-8"))
        assert 'http-equiv="refresh" content="1"' in page.read_text(encoding="utf-8")
        log(run, "pix2pixhd", 40, 60.0)
        record(run, "real", "score")
        _until(lambda: "40 of 100" in page.read_text(encoding="utf-8"))
        watcher.send_signal(signal.SIGINT)
        out, err = watcher.communicate(timeout=30)
    finally:
        watcher.kill()
    assert watcher.returncode == 0 and err == ""
    assert "1 of 3 cells done, 1 at work" in out and out.endswith("stopped watching; the run itself is not touched\n")
    assert 'http-equiv="refresh"' not in page.read_text(encoding="utf-8")
    assert not list(run.glob("*.tmp")) and not list(run.glob(".*.tmp"))


def _until(true, seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come about in time"
        time.sleep(0.1)
