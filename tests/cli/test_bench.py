"""The command line as a user meets it: help that is quick, errors of one line, exit codes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli import COMMANDS, main


def bench(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(list(args))
    except SystemExit as stop:
        code = int(stop.code or 0)
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, _ = bench(capsys, name, "--help")
    assert code == 0 and "Usage:" in out


@pytest.mark.parametrize("name", ["run", "train", "synthesize", "evaluate", "report"])
def test_help_of_the_main_commands_shows_examples(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert f"bench {name}" in bench(capsys, name, "--help")[1]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["rnu"], "unknown command 'rnu'; did you mean 'run'"),
        (["run", "--task", "fase"], "unknown task 'fase'; did you mean 'face'"),
        (["run", "--methods", "pix2pixcs"], "--methods: unknown method 'pix2pixcs'; did you mean 'pix2pixsc'"),
        (["run", "--preset", "dmeo"], "unknown preset 'dmeo'; did you mean 'demo'"),
        (["run", "--set", "train.step=3"], "did you mean 'steps'"),
        (["run", "--seeds", "one"], "--seeds: whole numbers"),
        (["run", "--data", "/nonexistent"], "/nonexistent"),
        (["run", "--max-minutes", "-1"], "--max-minutes"),
        (["run", "--task", "face,dacne"], "unknown task 'dacne'; did you mean 'dance'"),
        (["run", "--task", "face,dance", "--data", "here"], "with several tasks say whose it is, e.g. face=DIR"),
        (["run", "--task", "face,dance", "--data", "street=x"], "with several tasks say whose it is"),
        (["report", "/nonexistent"], "not a run folder"),
        (["synthesize", "/nonexistent", "--method", "pix2pixsc", "--out", "x"], "no such file"),
        (["train", "--method", "nothing", "--out", "x"], "unknown method 'nothing'"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(capsys: pytest.CaptureFixture[str], args: list[str], words: str) -> None:
    code, _, err = bench(capsys, *args)
    assert code == 2
    assert len(err.strip().splitlines()) == 1 and err.startswith("bench: ")
    assert words in err


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert re.search(
        r"^pix2pixsc +exemplar-bench [0-9.]+ +models\.style_consistent:Pix2PixSC$", bench(capsys, "methods")[1], re.M
    )
    assert "Sketch→Face" in bench(capsys, "tasks")[1]
    assert "mini" in bench(capsys, "presets")[1]


def test_doctor_says_what_is_missing_and_how_to_get_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("BENCH_WEIGHTS", str(tmp_path))
    code, out, _ = bench(capsys, "doctor")
    assert code == 0
    assert "efficientnet-lite0" in out and "vgg19" in out and str(tmp_path) in out


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from benchmark.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'numpy', 'scipy', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


@pytest.mark.slow
def test_dry_run_prints_the_plan_with_a_measured_time_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = bench(capsys, "run", "--preset", "smoke", "--methods", "real,pix2pixsc,pix2pixhd", "--dry-run")
    assert code == 0
    assert "12 steps of batch 2 at 32 px" in out and "estimated time" in out
    assert out.count("about ") == 3 and not list(tmp_path.iterdir())


def test_several_tasks_make_one_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    args = ["run", "--task", "face,dance", "--preset", "smoke", "--methods", "copy-exemplar", "--out", str(tmp_path)]
    sizes = ["--set", "eval.items=4", "--set", "data.identities=12"]
    assert bench(capsys, *args, *sizes)[0] == 0
    left = {"suite.json", "face", "dance", "report.html", "tables", "claims.csv", "claims.json"}
    assert {path.name for path in tmp_path.iterdir()} == left
    page = (tmp_path / "report.html").read_bytes()
    assert b"face/report.html" in page and b"dance/report.html" in page
    code, out, _ = bench(capsys, *args, *sizes)
    assert code == 0 and out.count("nothing to do") == 2
    (tmp_path / "report.html").unlink()
    assert bench(capsys, "report", str(tmp_path))[0] == 0
    assert (tmp_path / "report.html").read_bytes() == page


def test_a_task_that_fails_does_not_stop_the_others(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "face").mkdir()
    (tmp_path / "face" / "manifest.json").write_text("{", encoding="utf-8")
    args = ["run", "--task", "face,dance", "--preset", "smoke", "--methods", "copy-exemplar", "--out", str(tmp_path)]
    code, out, err = bench(capsys, *args, "--set", "eval.items=4", "--set", "data.identities=12")
    assert code == 1
    assert "face: " in err and "manifest.json" in err
    assert "report over 2 of 2 tasks" in out and "No results yet: face" in (tmp_path / "report.html").read_text()
