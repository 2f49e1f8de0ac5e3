"""Every page of a study against WCAG 2.2 AA, as far as axe-core can judge it; and what axe leaves to others: that a
page fits into 320 px, that targets are 24 px, that focus is seen and goes in order.

Pages are looked at as wide as a desktop in the system's light colours, and 320 px narrow in its dark ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchmark.survey.design import Recruiting, load
from benchmark.survey.folder import Study
from benchmark.survey.web.app import create_app
from tests.survey.conftest import serving, tokens
from tests.survey.test_browser import answered, fits, opened, press_until

axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed (extra: dev)")

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": LEVELS, "resultTypes": ["violations", "incomplete"]}
VIEWS = ((1280, "light"), (320, "dark"))  # one style sheet serves both colours: each needs one look
LEAST_TARGET = 24  # px, WCAG 2.2 success criterion 2.5.8

# Controls under 24 px. Links inside a sentence and a box with a label beside it that is pressed with it are exempt.
SMALL = """least => [...document.querySelectorAll("a, button, input, select, textarea, summary")]
  .filter(e => e.checkVisibility() && e.type !== "hidden" && !(e.tagName === "A" && e.closest("p:not(.links)")))
  .map(e => [e, (e.closest("label") || e).getBoundingClientRect()])
  .filter(([, box]) => Math.min(box.width, box.height) < least).map(([e, box]) => e.outerHTML + box.height)"""
# What Tab reaches, and whether each shows that it has the focus
FOCUS = """() => { const now = document.activeElement, style = getComputedStyle(now);
  const shows = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return [now === document.body ? "" : now.outerHTML, shows, [...document.querySelectorAll("*")].indexOf(now)]; }"""


def faults(page: Any) -> list[str]:
    """What is wrong with the page as it stands; it is left as it was."""
    found = page.evaluate("options => axe.run(document, options)", OPTIONS)
    told = [
        f"{one['id']}: {node['html']} {node['failureSummary']}" for one in found["violations"] for node in one["nodes"]
    ]
    told += [f"target {one}" for one in page.evaluate(SMALL, LEAST_TARGET)]
    return told + ([] if fits(page) else ["wider than the window"])


class Looker:
    """Looks at pages in both views, and remembers what was wrong."""

    def __init__(self, page: Any) -> None:
        self.page, self.seen, self.wrong = page, [], []

    def __call__(self, name: str) -> None:
        self.page.evaluate(axe.AXE_SCRIPT)
        for width, colours in reversed(VIEWS):
            self.page.set_viewport_size({"width": width, "height": 800})
            self.page.emulate_media(color_scheme=colours)
            self.wrong += [f"{name}, {width} px, {colours}: {fault}" for fault in faults(self.page)]
        self.seen.append(name)


def tabbed(page: Any) -> Iterator[tuple[str, bool, int]]:
    """What Tab reaches from the top of the page until it leaves it."""
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    for _ in range(60):
        page.keyboard.press("Tab")
        element, shows, place = page.evaluate(FOCUS)
        if not element:
            return
        yield element, shows, place


def assert_focus_goes_in_order_and_is_seen(page: Any) -> None:
    stops = list(tabbed(page))
    assert stops and all(shows for _, shows, _ in stops), stops
    places = [place for *_, place in stops]
    assert places == sorted(places), stops


def visit(page: Any, look: Callable[[str], None]) -> None:
    """A rater's way from the invitation to the code, with a look at every page and panel."""
    look("invitation")
    assert_focus_goes_in_order_and_is_seen(page)
    page.click("text=Begin")
    look("consent")
    assert_focus_goes_in_order_and_is_seen(page)
    page.check("input[type=checkbox]")
    page.click("text=Continue")
    page.wait_for_url("**/questions")
    look("questions")
    assert_focus_goes_in_order_and_is_seen(page)
    page.click("text=Continue")
    page.wait_for_selector("#intro:not([hidden])")
    look("instructions")
    page.click("#begin")
    page.wait_for_selector("#left-frame img")
    look("practice")
    answered(page, "f")
    page.wait_for_selector("#feedback:not([hidden])")
    look("feedback")
    page.click("#onward")
    page.wait_for_selector("#pause:not([hidden])")
    look("pause")
    page.click("#resume")
    page.wait_for_selector("#count:text-is('1 of 2')")
    page.wait_for_selector("#left-frame img")
    look("trial")
    assert_focus_goes_in_order_and_is_seen(page)
    answered(page, "f")
    page.wait_for_selector("#count:text-is('2 of 2')")
    answered(page, "j")
    page.wait_for_url("**/done")
    look("code")
    assert_focus_goes_in_order_and_is_seen(page)
    page.fill("textarea", "Nothing")
    press_until(page, "Send")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Thank you for your remark")
    look("remark")


def test_a_raters_pages(browser: Any, make: Callable[..., Study]) -> None:
    recruit = Recruiting(parameter="ID", return_address="https://x.example/?cc={code}")
    study = make(practice=1, trials=2, side=64, pixels=64, questions=load("pix2pixsc").questions, recruit=recruit)
    with serving(create_app(study)) as base:
        page, wrong = opened(browser, base, viewport={"width": 1280, "height": 800})
        look = Looker(page)
        page.goto(f"{base}/?ID=anna")
        visit(page, look)
        assert len(look.seen) == 10 and look.wrong == [] and wrong == []
        page.context.close()


def test_pages_of_those_who_cannot_take_part(
    browser: Any, make: Callable[..., Study], rater: Callable[..., Any]
) -> None:
    study = make(pairs=2, raters=2, trials=2)
    for _ in range(2):
        rater(study).finish()
    with serving(create_app(study)) as base:
        page, _ = opened(browser, base)
        look = Looker(page)
        for name, path in (("full", "/"), ("test session", "/?test=1"), ("not found", "/nowhere")):
            page.goto(base + path)
            look(name)
        page.goto(f"{base}/consent")
        page.check("input[type=checkbox]")
        page.click("text=Continue")
        page.wait_for_selector("text=all the answers it needs")
        look("full at consent")
        assert len(look.seen) == 4 and look.wrong == []
        page.context.close()


def test_admin_pages(browser: Any, make: Callable[..., Study], rater: Callable[..., Any]) -> None:
    study = make(trials=3)
    rater(study).finish()
    rater(study).vote()
    with serving(create_app(study)) as base:
        page, _ = opened(browser, base)
        look = Looker(page)
        page.goto(f"{base}/admin/")
        look("login")
        page.fill("input[name=token]", "wrong")
        page.click("text=Log in")
        page.wait_for_selector("#wrong")
        look("wrong token")
        page.fill("input[name=token]", tokens[study.id])
        page.click("text=Log in")
        page.wait_for_selector("h2")
        page.click("summary")
        look("overview")
        assert_focus_goes_in_order_and_is_seen(page)
        assert len(look.seen) == 3 and look.wrong == [], "\n".join(look.wrong)
        page.context.close()


def test_the_admin_page_renews_itself_until_told_not_to(browser: Any, make: Callable[..., Study]) -> None:
    """Success criterion 2.2.2: what renews itself can be stopped. An open list stays open, and a focus is not lost."""
    study = make()
    with serving(create_app(study)) as base:
        page, wrong = opened(browser, base)
        page.clock.install()
        page.goto(f"{base}/admin/")
        page.fill("input[name=token]", tokens[study.id])
        page.click("text=Log in")
        page.click("summary")
        renewals: list[str] = []
        page.on("load", lambda page: renewals.append(page.url))
        page.clock.run_for(20_000)
        assert renewals == []  # the list has the focus
        page.evaluate("document.activeElement.blur()")
        with page.expect_event("load"):
            page.clock.run_for(15_000)
        assert page.locator(".cells").is_visible()
        renewals.clear()
        page.uncheck("#renew")
        page.clock.run_for(40_000)
        assert renewals == [] and wrong == []
        page.context.close()


FLAWS = {
    "html-has-lang": "document.documentElement.removeAttribute('lang')",
    "color-contrast": "document.querySelector('.kicker').style.color = '#bbb'",
    "button-name": "document.querySelector('button').textContent = ''",
    "target": "document.querySelector('button').style.cssText = 'min-height: 0; padding: 0; height: 12px'",
    "wider": "document.querySelector('main').style.minWidth = '1400px'",
}


def test_flaws_are_found(browser: Any, make: Callable[..., Study]) -> None:
    with serving(create_app(make())) as base:
        page, _ = opened(browser, base)
        page.goto(base)
        for flaw in FLAWS.values():
            page.evaluate(flaw)
        look = Looker(page)
        look("invitation")
        found = "\n".join(look.wrong)
        assert [name for name in FLAWS if name not in found] == []
        page.evaluate("document.querySelector('button').style.outline = 'none'")
        assert not all(shows for _, shows, _ in tabbed(page))
        page.context.close()
