"""`bench evaluate` and what `bench run` and `bench methods` say of rows that are not plain methods."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmark.run.results import read_results
from tests.cli.test_bench import bench
from tests.run.test_runner import go, toy_registry

__all__ = ["toy_registry"]  # a fixture that every test here uses

TOY = ("--task", "toy", "--preset", "smoke")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    go(tmp_path / "run", "real,toy-good")
    shutil.copytree(tmp_path / "run" / "images" / "toy-good" / "0", tmp_path / "theirs")
    return tmp_path / "run"


def test_pictures_become_a_row_of_the_report(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    code, out, err = bench(capsys, "evaluate", "--outputs", "theirs", "--name", "theirs", "--run", str(run))
    assert (code, err) == (0, "") and f"report: {run}/report.html" in out
    code, _, _ = bench(capsys, "evaluate", "--outputs", "theirs", "--name", "b", "--title", "B <i>", "--run", str(run))
    assert code == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert page.count("evaluated from pictures") >= 2 and "B &lt;i&gt;" in page


def test_without_a_run_the_references_are_scored_beside_them(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    for name in ("a", "b"):
        code, out, _ = bench(capsys, "evaluate", "--outputs", "theirs", "--name", name, *TOY)
        assert code == 0
    (folder,) = (path for path in Path("runs").iterdir() if path.is_dir())
    assert [(row.name, row.kind) for row in read_results(folder).methods] == [
        ("real", "reference"),
        ("a", "pictures"),
        ("b", "pictures"),
    ]
    assert str(folder / "report.html") in out


def test_the_exam_is_exported(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    code, out, _ = bench(capsys, "evaluate", "--export", "exam", "--run", str(run))
    assert code == 0 and "8 items in exam" in out
    assert "bench evaluate --outputs" in Path("exam/README.txt").read_text()
    assert bench(capsys, "evaluate", "--export", "same", *TOY)[0] == 0
    assert Path("same/items.csv").read_bytes() == Path("exam/items.csv").read_bytes()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "give either --outputs DIR"),
        (["--outputs", "theirs", "--export", "exam"], "give either --outputs DIR"),
        (["--outputs", "theirs"], "--name: give the row a name"),
        (["--outputs", "theirs", "--name", "toy-good", "--run", "run"], "is a registered method"),
        (["--outputs", "thiers", "--name", "a", "--run", "run"], "--outputs thiers: no such folder"),
        (["--outputs", "theirs", "--name", "a", "--run", "rnu"], "--run rnu: not a run folder"),
        (["--outputs", "theirs", "--name", "a", "--run", "run", "--preset", "mini"], "--preset: run brings its own"),
        (["--outputs", "theirs", "--name", "a", "--run", "run", "--set", "a=1"], "--set: run brings its own"),
        (["--outputs", "theirs", "--name", "a", "--run", "run", "--task", "face"], "run is a run of the toy task"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], run: Path, args: list[str], words: str) -> None:
    code, _, err = bench(capsys, "evaluate", *args)
    assert code == 2 and words in err
    assert len(err.strip().splitlines()) == 1 and err.startswith("bench: ")


def test_a_run_says_what_does_not_apply_and_ends_well(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    code, out, _ = bench(capsys, "run", *TOY, "--methods", "toy-joints,toy-good", "--out", "new")
    assert code == 0 and "toy-joints@0: does not apply: needs joints" in out
    assert "does not apply: needs joints" in Path("new/report.html").read_text(encoding="utf-8")
    code, out, _ = bench(capsys, "run", *TOY, "--methods", "toy-joints,toy-good", "--out", "new")
    assert code == 0 and "nothing to do" in out
    code, _, err = bench(capsys, "run", *TOY, "--methods", "toy-joints", "--out", "other")
    assert code == 2 and "none applies to the toy task: toy-joints (needs joints)" in err
    assert len(err.strip().splitlines()) == 1 and not Path("other").exists()


def test_a_dry_run_shows_it_too(capsys: pytest.CaptureFixture[str], run: Path) -> None:
    code, out, _ = bench(capsys, "run", *TOY, "--methods", "toy-joints,toy-borrower,toy-good", "--dry-run")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.startswith("  toy-")}
    assert lines["toy-joints"].endswith("does not apply: needs joints")
    assert lines["toy-borrower"].endswith("with the weights of toy-good")
    assert "weights" not in lines["toy-good"]
