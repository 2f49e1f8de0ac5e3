"""Fixtures for every test, and the rule that CI skips nothing of our own.

A skip is allowed in CI only when its reason starts with "no GPU" or "no licensed": those cannot be had there. Any other
skip is turned into a failure when BENCH_CI is set, so that a missing install step cannot hide.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ALLOWED_IN_CI = ("no GPU", "no licensed")
REPO = Path(__file__).resolve().parent.parent
CHROMIUM = os.environ.get("BENCH_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, files with slow ones come first: none shall be left to one process."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if os.environ.get("BENCH_CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith(ALLOWED_IN_CI):
            report.outcome = "failed"
            report.longrepr = f"skipped in CI, where nothing of our own may skip: {reason}"


@pytest.fixture(scope="session", autouse=True)
def _frames_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Rendered frames are shared among the tests and leave nothing in the user's own cache."""
    os.environ["BENCH_FRAMES"] = str(tmp_path_factory.mktemp("frames"))


@pytest.fixture(scope="session")
def clips() -> Path:
    """Real video beside the checkout (or at BENCH_CLIPS)."""
    folder = Path(os.environ.get("BENCH_CLIPS", REPO.parent / "shared" / "clips"))
    if not folder.is_dir():
        pytest.skip(f"no real clips at {folder}; set BENCH_CLIPS")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window; of a module, as it keeps an event loop running in this thread."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra: dev)")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; set BENCH_CHROMIUM")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()
