"""The zip of a study without a server: who judges what, what a participant may learn from it, and in a browser from
start to votes.
"""

from __future__ import annotations

import dataclasses
import functools
import http.server
import json
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from benchmark.errors import BenchError
from benchmark.survey import export
from benchmark.survey.analysis import analyze
from benchmark.survey.design import RECRUITERS, load
from benchmark.survey.folder import Study
from benchmark.survey.static import lacking
from benchmark.survey.static.blocks import Dealt, deal, keep, kept
from benchmark.survey.static.importing import import_files
from benchmark.survey.static.site import page, write_site
from benchmark.survey.tables import cell
from tests.cli.test_bench import bench
from tests.survey.conftest import NAMES
from tests.survey.filled import body_of, write
from tests.survey.test_analysis import by_chance, fill
from tests.survey.test_browser import fits, opened, press_until, shot

Make = Callable[..., Study]
SIZES = {"pairs": 4, "raters": 4, "trials": 4, "catch": 1, "repeats": 1, "practice": 1}


# ---------------------------------------------------------------- who judges what


@pytest.mark.parametrize(
    "sizes",
    [
        SIZES,
        {**SIZES, "pairs": 5, "raters": 3, "trials": 2, "repeats": 0},
        {"pairs": 3, "raters": 2, "trials": 3, "durations_ms": (125, 500), "exemplar": False},
    ],
)
def test_all_participants_together_fill_every_place_once(make: Make, sizes: dict[str, Any]) -> None:
    study = make(**sizes)
    dealt = deal(study)
    times: Counter[tuple[int, int]] = Counter()
    for block in dealt.blocks:
        trials = [one for one in block if one.kind == "trial"]
        assert len(trials) == sizes["trials"] and len({one.pair for one in trials}) == len(trials)
        times.update((one.cell, one.side) for one in trials)
    with study.store.read() as connection:
        cells = connection.execute(select(cell).where(cell.c.kind == "trial")).all()
    for row in cells:  # the last block may hold more than is needed, so that everybody does the same number
        for side, need in ((0, row.need0), (1, row.need1)):
            assert need <= times[row.id, side] <= need + 1
    spare = len(dealt.blocks) * sizes["trials"] - sum(row.need0 + row.need1 for row in cells)
    assert 0 <= spare < sizes["trials"]
    assert export.table(study, "raters")[1] == []  # dealt on a copy


def test_what_is_shown_is_what_was_dealt(make: Make) -> None:
    study = make(**SIZES)
    dealt = deal(study)
    with study.store.read() as connection:
        cells = {row.id: row for row in connection.execute(select(cell))}
    for block, shown in zip(dealt.blocks, dealt.shown, strict=True):
        assert [one.kind for one in block].count("catch") == 1 and block[0].kind == "practice"
        for one, trial in zip(block, shown, strict=True):
            row = cells[one.cell]
            sides = (row.image_a, row.image_b) if one.side == 0 else (row.image_b, row.image_a)
            assert (trial["left"], trial["right"]) == tuple(f"i/{token}.webp" for token in sides)
            if one.kind == "practice":
                assert trial["meant"] == ("left" if row.right == one.side else "right")


def test_places_that_votes_fill_are_not_dealt_again(make: Make) -> None:
    study = make(**{**SIZES, "raters": 2})
    dealt = deal(study)
    keep(study, dealt)
    assert len(dealt.blocks) == 2
    file = write(study.folder / "a.json", body_of(study, dealt, 2))
    assert import_files(study, [file], 2e9).votes["counted"] == 4
    again = deal(study)
    keep(study, again)
    assert len(again.blocks) == 1 and again.id != dealt.id and set(kept(study)) == {dealt.id, again.id}
    file = write(study.folder / "b.json", {**body_of(study, again, 1), "session": "f" * 32})
    assert import_files(study, [file], 2e9).votes["counted"] == 4
    with pytest.raises(BenchError, match="nothing to deal out"):
        deal(study)
    assert lacking.lines(study) == ["every pair has all its votes"]


def test_a_changed_list_is_refused(make: Make) -> None:
    study = make(**SIZES)
    path = keep(study, deal(study))
    path.write_text(path.read_text().replace('"catch"', '"trial"', 1))
    with pytest.raises(BenchError, match="changed since"):
        kept(study)


# ---------------------------------------------------------------- the zip


def unpacked(study: Study, folder: Path, post: str = "") -> tuple[Path, Dealt]:
    dealt = deal(study)
    write_site(study, dealt, folder / "study.zip", post)
    keep(study, dealt)
    with zipfile.ZipFile(folder / "study.zip") as archive:
        archive.extractall(folder / "site")
    return folder / "site", dealt


def test_nothing_in_the_zip_tells_a_method(make: Make, tmp_path: Path) -> None:
    study = make(**SIZES, questions=load("pix2pixsc").questions)
    site, dealt = unpacked(study, tmp_path)
    words = [*NAMES, "itemname", "sqlite", "gold", "catch", "repeat", str(study.folder), *study.keys.values()]
    words += [path.stem for path in study.pictures.iterdir()]
    own = {"survey.js", "survey.css", "static.js"}  # the same in every study
    for path in site.rglob("*"):
        if path.is_file() and path.suffix != ".webp" and path.name not in own:
            for word in filter(None, words):
                assert word not in path.read_text() and word not in path.name, f"{word} in {path}"
    pictures = list((site / "i").iterdir())
    assert len({path.stat().st_size for path in pictures}) == 1
    shapes = {tuple(trial) for block in dealt.shown for trial in block if not trial["practice"]}
    assert len(shapes) == 1  # catch trials and repeats look like all others
    with zipfile.ZipFile(tmp_path / "study.zip") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        names = [entry.filename for entry in archive.infolist() if entry.filename.startswith("i/")]
    assert names == sorted(names)  # random names in their own order


def test_a_picture_has_another_name_in_every_pair(make: Make) -> None:
    dealt = deal(make(**SIZES))
    for block, shown in zip(dealt.blocks, dealt.shown, strict=True):
        first = [trial for one, trial in zip(block, shown, strict=True) if one.kind != "repeat"]
        names = [trial[place] for trial in first for place in ("left", "right", "exemplar")]
        assert len(set(names)) == len(names)


def test_the_page_asks_nothing_of_another_host(make: Make) -> None:
    text = page(make(**SIZES), "")
    policy = text.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    assert "default-src 'none'" in policy and "connect-src 'none'" in policy and "script-src 'self'" in policy
    assert "unsafe" not in policy and "://" not in text and "<script>" not in text
    assert "connect-src https://a.org:8443;" in page(make(**SIZES), "https://a.org:8443/in?x=1")


@pytest.mark.parametrize("post", ["http://a.org/", "ftp://a.org", "https://", "https://a.org/;script-src *", "a.org"])
def test_addresses_that_cannot_take_answers_are_refused(make: Make, tmp_path: Path, post: str) -> None:
    study = make(pairs=2, trials=2, raters=1)
    with pytest.raises(BenchError, match="--post"):
        write_site(study, deal(study), tmp_path / "study.zip", post)
    assert not list(tmp_path.glob("*.zip"))


def test_texts_of_the_definition_are_text(make: Make) -> None:
    evil = "</script><script>alert(1)</script>"
    recruit = dataclasses.replace(RECRUITERS["open"], code=evil)
    study = make(**SIZES, recruit=recruit, texts=dataclasses.replace(load("pix2pixsc").texts, invitation=evil))
    assert "<script>" not in page(study, "")


def test_the_commands(make: Make, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    study = make(**{**SIZES, "raters": 2})
    code, out, _ = bench(capsys, "survey", "static", str(study.folder), "--out", str(tmp_path / "x" / "s.zip"))
    assert code == 0 and "2 participants" in out and "?p=2" in out
    dealt = next(iter(kept(study).values()))
    assert zipfile.ZipFile(tmp_path / "x" / "s.zip").read("README.txt").startswith(b"This")
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    code, out, _ = bench(capsys, "survey", "import", str(study.folder), str(bad))
    assert code == 1 and out.splitlines()[0] == f"refused {bad}: not JSON: empty, cut short or another kind of file"
    assert "4 of 4 pairs lack 8 votes" in out and f"participants 1-2 of list {dealt.id[:8]}" in out
    fill(study, by_chance(1))
    code, _, err = bench(capsys, "survey", "static", str(study.folder), "--out", str(tmp_path / "t.zip"))
    assert code == 2 and "nothing to deal out" in err


# ---------------------------------------------------------------- in a browser


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
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "checkbox"
    page.keyboard.press("Space")
    press_until(page, "Continue")
    page.keyboard.press("Enter")
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
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        shot(page, f"static-{way}-2-questions")
        press_until(page, "Continue")
        page.keyboard.press("Enter")
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
    for vote in export.table(study, "votes")[1]:
        assert abs(vote["off_ms"] - vote["on_ms"] - vote["duration_ms"]) <= 1000 / vote["refresh_hz"] + 10
        assert vote["skew_frames"] == 0
