"""One small fake run, written once and copied for tests that spoil it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmark.run.results import Results, read_results
from tests.reports.fake_run import write_fake_run


@pytest.fixture(scope="session")
def clean_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    write_fake_run(folder, items=14, side=32)
    return folder


@pytest.fixture
def run(clean_run: Path, tmp_path: Path) -> Path:
    """A copy that the test may change."""
    return Path(shutil.copytree(clean_run, tmp_path / "run"))


@pytest.fixture
def results(clean_run: Path) -> Results:
    return read_results(clean_run)
