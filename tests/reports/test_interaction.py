"""What a reader does with the page in a real browser: sort, filter, copy, go down to an item, compare two pictures."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.run.results import RunView, write_results
from reports.grid import grids
from reports.page import write_report
from tests.reports.fake_run import METHODS, write_fake_run
from tests.reports.test_rows import REFUSED, THEIRS

COLUMN = "[...document.querySelectorAll('#table-counterfactual tbody:first-of-type tr')]"
CONTRAST = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    throw new Error("no background");
  };
  const bad = [];
  let seen = 0;
  for (const e of document.body.querySelectorAll("*")) {
    const own = [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !e.checkVisibility() || e.closest("option, script, .skip")) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(rgb(e.closest("svg") ? style.fill : style.color)), light(behind(e))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    seen += 1;
    if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5)) bad.push(e.outerHTML.slice(0, 80));
  }
  return [seen, bad];
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interaction")
    results = write_fake_run(folder, items=12, side=32, methods=(*METHODS, THEIRS, REFUSED))
    values = tuple(value for value in results.values if value.method != REFUSED.name)
    write_results(folder, dataclasses.replace(results, values=values))
    shutil.rmtree(folder / "images" / REFUSED.name)
    (folder / "images/pix2pixsc/0/0001.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (folder / "images/pix2pixhd/0/0001.png").unlink()
    return write_report(folder)


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that fails the test when anything is said on the console or asked of a network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened, said = context.new_page(), []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda r: said.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    yield opened
    context.close()
    assert said == []


def names(page: Any) -> list[str]:
    return page.evaluate(COLUMN + ".map(row => row.cells[0].firstChild.textContent.trim())")


def values(page: Any) -> list[float | None]:
    return page.evaluate(
        COLUMN + ".map(row => row.cells[1].dataset.value === undefined ? null : +row.cells[1].dataset.value)"
    )


def test_a_head_sorts_by_value_from_the_keyboard_with_missing_cells_last(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    written, head = names(page), page.locator("#table-counterfactual th[aria-sort]").nth(1)
    assert head.get_attribute("aria-sort") == "none"
    for direction, turned in (("ascending", False), ("descending", True)):
        head.locator("button").press("Enter")
        assert head.get_attribute("aria-sort") == direction
        known = [value for value in values(page) if value is not None]
        assert len(known) == 6 and known == sorted(known, reverse=turned)
        assert values(page)[-1] is None and names(page)[-1] == "PG2"
    references = page.locator("#table-counterfactual tbody.references tr")
    assert references.count() == 2  # still apart
    head.locator("button").press("Enter")
    assert names(page) == written and head.get_attribute("aria-sort") == "none"


def test_filtering_hides_rows_and_says_how_many_are_left(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    field = page.get_by_label("Show rows that contain")
    field.fill("l_sc")
    shown = page.locator("table.sortable tbody tr:visible > th")
    assert shown.count() > 2 and all("L_SC" in text for text in shown.all_inner_texts())
    assert page.locator("[data-filter] output").inner_text().startswith(f"{shown.count()} of ")
    field.fill("")
    assert page.locator("table.sortable tbody tr:not(:visible)").count() == 0


def test_one_button_copies_the_command(page: Any, report: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(report.as_uri())
    page.get_by_role("button", name="Copy the command").click()
    page.wait_for_function("document.querySelector('#provenance output').value === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()").startswith("bench run --task face --methods all")


def test_a_line_of_the_grid_leads_to_its_item_with_points_over_it(page: Any, report: Path) -> None:
    item = grids(RunView(report.parent))[0].lines[2].item
    page.goto(report.as_uri())
    page.locator("table.pictures").get_by_role("link", name=item, exact=True).first.click()
    assert page.url.endswith(f"/items/000.html#item-{item}")
    sheet = page.locator(f"#item-{item}")
    assert sheet.locator("h2").is_visible() and sheet.locator("figure").count() == 2 + 7 + 2
    assert sheet.locator("svg path.asked").count() > 3
    page.get_by_label("Draw labels").uncheck()
    assert sheet.locator("svg:visible").count() == 0


def test_two_pictures_of_an_item_are_compared_from_the_keyboard(page: Any, report: Path) -> None:
    page.goto((report.parent / "items/000.html").as_uri())
    sheet = page.locator("#item-0002")
    sheet.get_by_role("button", name="Compare two pictures").press("Enter")
    over, edge = sheet.locator(".stage .over"), sheet.get_by_label("Edge between both")
    before = over.evaluate("e => e.style.clipPath")
    edge.press("ArrowRight")
    assert over.evaluate("e => e.style.clipPath") != before
    sheet.get_by_label("Left picture").select_option(label="Target")
    assert over.get_attribute("src").endswith("/target/0002.png")


def test_the_edge_follows_a_finger_on_the_picture(browser: Any, report: Path) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto((report.parent / "items/000.html").as_uri())
    sheet = page.locator("#item-0002")
    sheet.get_by_role("button", name="Compare two pictures").tap()
    stage, edge = sheet.locator(".stage"), sheet.get_by_label("Edge between both")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    for share in (0.25, 0.75):
        stage.tap(position={"x": share * box["width"], "y": box["height"] / 2})
        assert abs(float(edge.input_value()) - 100 * share) <= 2
        left = float(sheet.locator(".over").evaluate("e => e.style.clipPath.split(' ')[1].replace('%', '')"))
        assert abs(left - 100 * (1 - share)) <= 2
    context.close()


def test_the_edge_follows_the_mouse_only_while_it_is_pressed(page: Any, report: Path) -> None:
    page.goto((report.parent / "items/000.html").as_uri())
    sheet = page.locator("#item-0002")
    sheet.get_by_role("button", name="Compare two pictures").click()
    stage, edge = sheet.locator(".stage"), sheet.get_by_label("Edge between both")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    at = lambda share: (box["x"] + share * box["width"], box["y"] + 20)  # noqa: E731
    page.mouse.move(*at(0.2))
    assert edge.input_value() == "50"
    page.mouse.down()
    page.mouse.move(*at(0.8))
    assert abs(float(edge.input_value()) - 80) <= 2
    page.mouse.up()
    page.mouse.move(*at(0.3))
    assert abs(float(edge.input_value()) - 80) <= 2


def test_from_an_item_to_its_sheet_and_back_by_keyboard(page: Any, report: Path) -> None:
    """Also where the item stands in a folded part of the page."""
    everything = [line for grid in grids(RunView(report.parent))[2:] for line in grid.lines]
    line = next(line for line in everything if line.anchor)
    page.goto(f"{report.parent.as_uri()}/{line.href}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Back to the report"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/report.html#{line.anchor}")
    link = page.locator(f"tbody[id='{line.anchor}'] th a")
    assert link.inner_text() == line.item and link.is_visible()
    top = link.bounding_box()["y"]
    assert 0 <= top < 900
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == line.item
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{line.href}")


def test_damaged_and_absent_pictures_are_marked_holes(page: Any, report: Path) -> None:
    page.goto((report.parent / "items/000.html").as_uri())
    sheet = page.locator("#item-0001")
    sheet.scroll_into_view_if_needed()
    sheet.locator(".hole", has_text="damaged file").wait_for()
    assert sorted(sheet.locator(".hole").all_inner_texts()) == [
        "damaged file",
        "does not apply: needs joints",
        "no image",
    ]


def test_the_index_sorts_and_finds_items(page: Any, report: Path) -> None:
    page.goto((report.parent / "items/index.html").as_uri())
    page.get_by_role("button", name="Counterfactual L1 (face)").click()
    cells = page.evaluate("[...document.querySelectorAll('tbody tr')].map(row => +row.cells[1].dataset.value)")
    assert len(cells) == 12 and cells == sorted(cells)
    page.get_by_label("Show items that contain").fill("0007")
    page.get_by_role("link", name="0007").click()
    assert page.url.endswith("#item-0007")


@pytest.mark.parametrize("name", ["report.html", "items/000.html", "items/index.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_of_wcag_aa(page: Any, report: Path, name: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto((report.parent / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    seen, bad = page.evaluate(CONTRAST)
    assert seen > 20 and bad == []


@pytest.mark.parametrize("name", ["items/000.html", "items/index.html"])
def test_items_fit_a_small_phone_without_javascript(browser: Any, report: Path, name: str) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 700}, java_script_enabled=False)
    page = context.new_page()
    page.goto((report.parent / name).as_uri())
    assert page.locator("button, input[type=search]").count() == 0  # nothing that would do nothing
    boxes = [e.bounding_box() for e in page.query_selector_all("h1, h2, p, section, figure, .scroll")]
    assert max(box["x"] + box["width"] for box in boxes if box) <= 320
    context.close()


def test_no_other_script_runs(browser: Any, report: Path) -> None:
    page, said = browser.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.goto(report.as_uri())
    page.evaluate(
        "() => document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = 1' }))"
    )
    assert page.evaluate("window.ran") is None
    assert len(said) == 1 and "Content Security Policy" in said[0]
    page.close()
