"""`bench survey` as a user meets it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.survey import people
from benchmark.survey.folder import Study
from tests.cli.test_bench import bench
from tests.reports.fake_run import write_fake_run
from tests.survey.conftest import pictures
from tests.survey.rater import Rater

SIZES = ("pairs=4", "trials=4", "repeats=2", "raters=2", "pixels=32")
SMALL = [word for size in SIZES for word in ("--set", f"study.{size}")]
FOLDERS = ["--exemplars", "exemplars", "--a", "ours=secretours", "--b", "theirs=secretrival"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path, 8)
    return tmp_path


def test_plan_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = bench(capsys, "survey", "plan", "--detect", "0.6")
    assert code == 0 and "2400 a comparison, 7200 in all" in out and "people    120" in out
    assert "of 210 independent votes" in out and "design effect 3.5" in out
    assert "10 people a pair: 45 pairs" in out
    assert "a true preference of 62.5% (80 % power" in bench(capsys, "survey", "plan", "--detect", "0.625")[1]


def test_from_folders_to_votes(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    code, out, err = bench(capsys, "survey", "build", *FOLDERS, *SMALL, "--out", "s", "--recruiter", "open")
    assert (code, err) == (0, "") and "ours against theirs: 4 pairs each" in out and "admin token" in out
    token = next(line.split()[-1] for line in out.splitlines() if line.startswith("admin token"))
    study = Study.open(here / "s")
    assert study.is_admin(token) and not study.is_admin(token[:-1])
    assert stat.S_IMODE(os.stat("s").st_mode) == 0o700 and stat.S_IMODE(os.stat("s/keys.json").st_mode) == 0o600
    Rater.entering(study).finish()
    Rater.entering(study)
    code, out, _ = bench(capsys, "survey", "status", "s")
    assert code == 0 and "4 of 8 votes, 0 of 4 pairs full" in out and "1 at it, 1 finished, 0 left" in out
    assert bench(capsys, "survey", "close", "s")[:2] == (0, "s: closed\n")
    assert "closed" in bench(capsys, "survey", "status", "s")[1]
    assert bench(capsys, "survey", "reopen", "s")[0] == 0
    assert bench(capsys, "survey", "export", "s", "--out", "votes")[0] == 0
    assert (
        len(Path("votes/votes.csv").read_text().splitlines()) == 1 + 3 + 4 + 3 + 2
    )  # heading, practice, trials, catch, repeats
    assert {path.name for path in Path("votes").iterdir()} == {"votes.csv", "raters.csv", "discards.csv", "study.json"}


def test_from_a_run(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    write_fake_run(here / "run", items=9, side=32)
    code, out, err = bench(capsys, "survey", "build", "--run", "run", "--set", "study.pixels=32")
    assert (code, err) == (0, "")
    assert "pix2pixsc against pix2pixhd: 9 pairs each" in out
    assert "note: 9 pairs in each comparison, not 80" in out and "note: 9 trials a person, not 60" in out
    assert "without pix2pixhd-dpst, paired-munit" in out
    against = ["--against", "real,copy-exemplar", "--set", "study.pixels=32", "--out", "two"]
    assert "pix2pixsc against real, copy-exemplar" in bench(capsys, "survey", "build", "--run", "run", *against)[1]
    assert Rater.entering(Study.open(here / "two")).finish() > 9


def test_forgetting(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    prolific = ["--recruiter", "prolific", "--set", "recruit.code=C1"]
    assert bench(capsys, "survey", "build", *FOLDERS, *SMALL, *prolific, "--out", "s")[0] == 0
    people.enter(Study.open(here / "s"), people.Arrival(pid="anna"), time.time())
    assert "1 at it" in bench(capsys, "survey", "status", "s")[1]
    assert bench(capsys, "survey", "forget", "s", "anna")[:2] == (0, "forgot one person and 0 votes\n")
    assert "0 at it" in bench(capsys, "survey", "status", "s")[1]
    assert "nobody of that id" in bench(capsys, "survey", "forget", "s", "anna")[2]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["build"], "give either --run RUN or --a DIR"),
        (["build", "--run", "r", "--a", "x"], "give either --run RUN or --a DIR"),
        (["build", "--run", "rnu"], "rnu: not a run folder"),
        (["build", *FOLDERS[2:]], "--exemplars: this preset shows an exemplar"),
        (["build", *FOLDERS[:4]], "give at least two folders of results, --a DIR and --b DIR"),
        (["build", *FOLDERS[:4], "--b", "ours=secretrival"], "a second folder named 'ours'"),
        (["build", *FOLDERS[:4], "--b", "nowhere"], "nowhere: no such folder"),
        (["build", *FOLDERS, "--against", "thiers"], "no folder was given under that name; did you mean 'theirs'"),
        (["build", *FOLDERS, "--recruiter", "prolifik"], "did you mean 'prolific'"),
        (["build", *FOLDERS, "--recruiter", "prolific"], "recruit.code: give the completion code"),
        (["build", *FOLDERS, "--preset", "pix2pixcs"], "did you mean 'pix2pixsc'"),
        (["build", *FOLDERS, "--set", "study.rater=3"], "did you mean 'raters'"),
        (["build", *FOLDERS, "--set", "study.raters=0"], "study.raters: at least 1"),
        (["build", *FOLDERS, "--set", "exclusions.one_sided=1"], "exclusions.one_sided, --one-sided: at least 2"),
        (["build", *FOLDERS, "--out", "exemplars"], "exemplars: is not empty"),
        (["plan", "--detect", "0.5"], "a share over 0.5"),
        (["plan", "--comparisons", "0"], "'--comparisons': 0 is not in the range"),
        (["plan", "--detect", "0.4"], "--detect 0.4: a share over 0.5 and under 1"),
        (["plan", "--item-share", "0.9", "--rater-share", "0.2"], "from 0 to 1 together"),
        (["serve", "nowhere"], "nowhere: not a study folder"),
        (["status", "exemplars"], "exemplars: not a study folder"),
    ],
)
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], here: Path, args: list[str], words: str) -> None:
    code, _, err = bench(capsys, "survey", *args)
    assert code == 2 and words in err
    assert len(err.strip().splitlines()) == 1 and err.startswith("bench: ")


@pytest.mark.parametrize(
    "args",
    [
        ["build", *FOLDERS],
        ["serve", "s"],
        ["status", "s"],
        ["close", "s"],
        ["export", "s", "--out", "votes"],
        ["forget", "s", "anna"],
        ["analyze", "s"],
    ],
    ids=lambda args: args[0],
)
def test_a_missing_extra_is_one_line(here: Path, args: list[str]) -> None:
    without = "import sys; sys.modules['sqlalchemy'] = None; from benchmark.cli import main; main(sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", without, "survey", *args], capture_output=True, text=True)
    assert done.stderr == "bench: sqlalchemy is missing: pip install 'exemplar-bench[survey]'\n"
    assert done.returncode == 2


def test_a_database_out_of_reach_is_one_line_and_leaves_nothing(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    build = ("survey", "build", *FOLDERS, *SMALL, "--out", "s")
    code, _, err = bench(capsys, *build, "--database", "sqlite:////nowhere/at/all.sqlite")
    assert code == 2 and err.count("\n") == 1 and "cannot be opened" in err and not (here / "s").exists()
    assert bench(capsys, *build)[0] == 0


def test_a_bad_picture_leaves_nothing_that_stands_in_the_way(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    bad = here / "secretrival" / "itemname03.png"
    good = bad.read_bytes()
    bad.write_bytes(b"no picture")
    build = ["survey", "build", *FOLDERS, "--set", "study.pixels=32", "--out", "s"]
    assert "itemname03.png: cannot be read as a picture" in bench(capsys, *build)[2]
    bad.write_bytes(good)
    assert bench(capsys, *build)[0] == 0


def test_a_changed_definition_is_refused(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    bench(capsys, "survey", "build", *FOLDERS, *SMALL, "--out", "s")
    path = here / "s" / "study.json"
    path.write_text(path.read_text().replace("closer to the exemplar", "nicer"))
    assert "changed since the study was built" in bench(capsys, "survey", "status", "s")[2]
