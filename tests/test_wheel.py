"""A wheel built from the checkout works away from it: presets, templates and weights inside, tests not."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(bytes.decode, tracked)):  # a copy, so that the build leaves nothing in the checkout
        if (REPO / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((REPO / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.mark.slow
def test_wheel_holds_data_files_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"benchmark", "models", "baselines", "reports"}
    for needed in (
        "benchmark/presets/demo.toml",
        "benchmark/weights.toml",
        "benchmark/run/results.schema.json",
        "reports/published/pix2pixsc.toml",
        "reports/published/references.toml",
    ):
        assert needed in names
    assert any(name.startswith("benchmark/labelers/weights/") for name in names)
    assert any(name.startswith("reports/templates/") for name in names)


@pytest.mark.slow
def test_wheel_runs_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site, work = tmp_path / "site", tmp_path / "work"
    work.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    script = (
        f"import sys; import benchmark; assert benchmark.__file__.startswith({str(site)!r}), benchmark.__file__\n"
        "from benchmark.cli import main\n"
        "main(['run', '--task', 'face', '--preset', 'smoke', '--methods', 'real,pix2pixsc', '--out', 'out'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run([sys.executable, "-c", script], cwd=work, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (work / "out" / "report.html").stat().st_size > 10_000
