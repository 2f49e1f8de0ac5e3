"""A stranger's method: the example package is built and installed apart, found, run and reported; then it is gone."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.run.results import RunView

REPO = Path(__file__).resolve().parent.parent
EXAMPLE = REPO / "examples" / "plugin-method"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed example and nothing else; no network is asked."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(EXAMPLE, folder / "source")  # a copy: the build leaves nothing in the checkout
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(folder / "site"), str(source)], check=True, capture_output=True)
    return folder / "site"


def python(site: Path | None, cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    paths = [str(REPO), *([str(site)] if site else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run([sys.executable, *args], cwd=cwd, env=environment, capture_output=True, text=True)


def bench(site: Path | None, cwd: Path, command: str) -> subprocess.CompletedProcess[str]:
    return python(site, cwd, "-c", "from benchmark.cli import main; main()", *shlex.split(command))


@pytest.fixture(scope="module")
def run(site: Path) -> Path:
    done = bench(site, site.parent, "run --task face --methods real,nearest --preset smoke --out run")
    assert done.returncode == 0, done.stderr
    return site.parent / "run"


def test_its_own_tests_pass(site: Path) -> None:
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(site.parent / "source" / "tests")]
    done = python(site, site.parent, *tests)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_listed_with_its_package(site: Path) -> None:
    lines = bench(site, site.parent, "methods").stdout.splitlines()
    (line,) = [line for line in lines if line.startswith("nearest ")]
    assert line.split() == ["nearest", "bench-nearest", "0.1.0", "nearest_exemplar:NearestExemplar"]


def test_it_is_scored_and_reported_like_any_other(run: Path) -> None:
    view = RunView(run)
    row = next(row for row in view.results.methods if row.name == "nearest")
    assert (row.title, row.kind, row.problem) == ("Nearest neighbour", "method", "")
    scored = {value.metric.split("[")[0] for value in view.results.values if value.method == "nearest"}
    assert {"frechet", "lepe", "counterfactual-l1"} <= scored
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Nearest neighbour" in page and "bench-nearest 0.1.0" in page
    assert (run / "cells" / "nearest" / "0" / "weights" / "index.npz").exists()


def test_methods_all_includes_it(site: Path) -> None:
    code = (
        "from benchmark import config; from benchmark.run.plan import make_plan\n"
        "print(make_plan('face', config.load('smoke', 'face'), 'all', [0], None).methods)"
    )
    assert "'nearest'" in python(site, site.parent, "-c", code).stdout


def test_once_uninstalled_its_results_stay(run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    before = RunView(folder).results
    (folder / "report.html").unlink()
    done = bench(None, tmp_path, "report run")
    assert done.returncode == 0, done.stderr
    assert "Nearest neighbour" in (folder / "report.html").read_text(encoding="utf-8")
    more = bench(None, tmp_path, "run --task face --methods real,copy-exemplar --preset smoke --out run")
    assert more.returncode == 0, more.stderr
    after = RunView(folder).results
    assert next(r for r in after.methods if r.name == "nearest") in before.methods
    assert [v for v in after.values if v.method == "nearest"] == [v for v in before.values if v.method == "nearest"]
    gone = bench(None, tmp_path, "run --task face --methods nearest --preset smoke --out run")
    assert gone.returncode == 2 and "unknown method 'nearest'" in gone.stderr
