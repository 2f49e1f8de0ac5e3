"""The page in a real browser: silent, offline, without JavaScript, and no wider than a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.page import write_report
from tests.reports.fake_run import METHODS, write_fake_run
from tests.reports.test_rows import THEIRS


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    write_fake_run(folder, items=12, side=32, methods=(*METHODS, THEIRS))
    return write_report(folder)


@pytest.mark.parametrize(
    ("width", "script", "scheme"), [(320, False, "light"), (390, True, "dark"), (1280, True, "light")]
)
def test_silent_offline_and_never_wider_than_the_window(
    browser, report: Path, width: int, script: bool, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=script, color_scheme=scheme
    )
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert [url for url in asked if url.startswith("file:")] == [report.as_uri()]
    right = max(
        box["x"] + box["width"]
        for e in page.query_selector_all("h1, h2, h3, p, section, .scroll")
        if (box := e.bounding_box())
    )
    assert right <= width
    if script:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        decoded = page.evaluate("[...document.images].map(i => i.complete && i.naturalWidth)")
        assert decoded and all(decoded)
    context.close()


def test_a_printed_page_is_not_cut(browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 688, "height": 1000}, color_scheme="dark")  # A4 less its margins
    page.emulate_media(media="print")
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.close()


def test_keyboard_reaches_the_tables(browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(report.as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdicts"
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.className"))
    assert "scroll" in reached
    page.close()


def test_rows_of_pictures_are_laid_out_like_those_of_methods(browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(report.as_uri())
    looks = "e => [getComputedStyle(e).textAlign, getComputedStyle(e).paddingTop, getComputedStyle(e).borderTopWidth]"
    of_kind = {
        kind: page.eval_on_selector(f"#table-counterfactual tr.{kind}:not(:first-child) > th", looks)
        for kind in ("method", "pictures")
    }
    assert of_kind["pictures"] == of_kind["method"]
