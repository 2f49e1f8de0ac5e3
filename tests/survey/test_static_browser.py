"""A study without a server in a real browser: from start to votes by keyboard alone, from a host and from a file."""

from __future__ import annotations

import dataclasses
import functools
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmark.survey import export
from benchmark.survey.analysis import analyze
from benchmark.survey.design import RECRUITERS, load
from benchmark.survey.folder import Study
from benchmark.survey.static.importing import import_files
from tests.survey.test_browser import assert_shown_as_asked, fits, opened, press_until, shot, take_first
from tests.survey.test_static import SIZES, unpacked

Make = Callable[..., Study]


@contextmanager
def hosted(folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Files, as `python -m http.server` hands them out; and what is posted to /collect, refused the first time."""
    posted: list[bytes] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(503 if len(posted) == 1 else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def to_the_trials(page: Any) -> None:
    """By keyboard, from the invitation to the first trial."""
    page.wait_for_selector("#page-invitation:not([hidden])")
    press_until(page, "Begin")
    page.keyboard.press("Enter")
    page.wait_for_selector("#page-consent:not([hidden])")
    take_first(page, "checkbox", "static-consent")
    page.wait_for_selector("#intro:not([hidden]), #page-questions:not([hidden])")


def judge(page: Any, keys: str) -> None:
    """Answer trial after trial, through breaks and feedback; a key pressed too early is no answer."""
    for key in keys:
        before, until = given(page), time.monotonic() + 30
        while given(page) == before and time.monotonic() < until:
            page.keyboard.press(key if page.locator("#trial").is_visible() else "Enter")
            page.wait_for_timeout(60)
        assert given(page) == before + 1


def given(page: Any) -> int:
    """How many answers the browser keeps."""
    lengths = page.evaluate("Object.values(localStorage).map((state) => JSON.parse(state).votes.length)")
    return sum(lengths)


@pytest.mark.parametrize("way", ["http", "file"])
def test_from_start_to_votes_by_keyboard_alone(browser, make: Make, tmp_path: Path, way: str) -> None:
    phone = way == "file"
    questions = load("pix2pixsc").questions
    study = make(**{**SIZES, "raters": 2}, side=256, pixels=256, questions=questions)
    site, dealt = unpacked(study, tmp_path)
    with hosted(site) as (address, _):
        base = f"file://{site}/index.html" if way == "file" else address
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 800}
        page, wrong = opened(browser, base.removesuffix("index.html"), viewport=size)
        page.goto(f"{base}?p=2")
        shot(page, f"static-{way}-1-invitation")
        to_the_trials(page)
        take_first(page, "radio", f"static-{way}-2-questions")
        page.wait_for_selector("#intro:not([hidden])")
        page.keyboard.press("Enter")
        judge(page, "fjf")
        page.wait_for_selector("#count:text-is('3 of 6')")
        page.reload()  # nothing is lost
        page.wait_for_selector("#begin:text-is('Go on')")
        page.keyboard.press("Enter")
        page.wait_for_selector("#count:text-is('3 of 6')")
        page.wait_for_selector("#right-frame img")
        assert fits(page) and page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        shot(page, f"static-{way}-3-trial")
        judge(page, "jfjf")
        page.wait_for_selector("#page-done:not([hidden])")
        press_until(page, "Download my answers")
        shot(page, f"static-{way}-4-done")
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        page.wait_for_selector("#page-thanks:not([hidden])")
        shot(page, f"static-{way}-5-thanks")
        assert fits(page) and wrong == []
        session = json.loads(json.loads(file.read_text())["body"])["session"]
        assert page.text_content("#code") == session[:10].upper() and file.name == f"answers-2-{session[:8]}.json"
        page.reload()
        page.wait_for_selector("#page-thanks:not([hidden])")
        page.context.close()
    took = import_files(study, [file], 2e9)
    assert (took.imported, took.refused, took.votes) == (1, [], {"counted": 4})
    votes = export.table(study, "votes")[1]
    kinds = [one.kind for one in dealt.blocks[1]]
    assert [vote["kind"] for vote in votes] == kinds and {vote["source"] for vote in votes} == {"static"}
    assert ["f" if vote["chosen"] == vote["side"] else "j" for vote in votes] == list("fjfjfjf")
    assert all(100 < vote["rt_ms"] < 60_000 for vote in votes)
    assert '"age": "18 to 24"' in export.table(study, "raters", anonymous=False)[1][0]["answers"]
    found = analyze(study, dataclasses.replace(study.design.exclusions, least_ms=0))  # keys come at once here
    assert found.comparisons[0].share.votes == 4 and not found.simulated


def test_answers_are_posted_and_a_failure_is_said(browser, make: Make, tmp_path: Path) -> None:
    recruit = dataclasses.replace(RECRUITERS["prolific"], code="C123")
    study = make(pairs=2, raters=2, trials=2, recruit=recruit)
    with hosted(tmp_path / "site") as (base, posted):
        unpacked(study, tmp_path, f"{base}collect")
        page, wrong = opened(browser, base, viewport={"width": 1280, "height": 800})
        page.goto(base)
        page.wait_for_selector("text=This link is incomplete: it lacks PROLIFIC_PID.")
        page.goto(f"{base}?PROLIFIC_PID=abc1&p=9")
        page.wait_for_selector("text=there is no participant 9")
        page.goto(f"{base}?PROLIFIC_PID=abc1")
        to_the_trials(page)
        page.keyboard.press("Enter")
        judge(page, "fj")
        page.fill("textarea[name=comment] >> visible=true", "fine")
        page.click("text=Send my answers")
        page.wait_for_selector("text=could not be sent")
        assert len(wrong) == 1 and "503" in wrong[0]  # the browser's own line
        page.click("text=Send my answers")
        page.wait_for_selector("text=Your answers have arrived.")
        assert page.text_content("#code") == "C123" and page.get_attribute("#return", "href").endswith("?cc=C123")
        page.context.close()
    assert posted[0] == posted[1]
    file = tmp_path / "posted.json"
    file.write_bytes(posted[1])
    assert import_files(study, [file], 2e9).votes == {"counted": 2}
    row = export.table(study, "raters", anonymous=False)[1][0]
    assert row["person"] == study.keyed("person", "abc1") and row["comment"] == "fine"


def test_a_test_session_is_never_counted_and_timed_studies_are_measured(browser, make: Make, tmp_path: Path) -> None:
    study = make(pairs=3, raters=2, trials=3, durations_ms=(125, 250), exemplar=False, side=256, pixels=256)
    site, _ = unpacked(study, tmp_path)
    files = []
    with hosted(site) as (base, _):
        page, wrong = opened(browser, base, viewport={"width": 1280, "height": 800})
        for query in ("?test=1", "?p=1"):
            page.goto(base + query)
            assert page.locator("text=Test session").is_visible() == ("test" in query)
            to_the_trials(page)
            page.keyboard.press("Enter")
            judge(page, "fjf")
            with page.expect_download() as download:
                page.click("text=Download my answers")
            files.append(tmp_path / f"{len(files)}.json")
            download.value.save_as(files[-1])
        assert wrong == []
        page.goto(f"file://{site}/index.html?p=1")
        page.wait_for_selector("text=Please open it from a web address, not as a file.")
        page.context.close()
    took = import_files(study, files, 2e9)
    assert took.imported == 1 and took.refused == [f"{files[0]}: a test session, never counted"]
    assert took.votes["counted"] + took.votes["discarded"] == 3  # a busy machine may drop frames
    assert {row["reason"] for row in export.table(study, "discards")[1]} <= {"shown too long"}
    assert_shown_as_asked(export.table(study, "votes")[1])
