"""Marking pairs by hand: what is shown, what the file keeps, the page in a browser by keyboard alone, and kills."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.config import PairsConfig, load
from benchmark.data.consistency import read_consistency
from benchmark.data.pair_labels import PairLabels, key, read_lines
from benchmark.data.pairs import PairSampler
from benchmark.data.procedural.world import ProceduralFaces
from benchmark.data.source import Clip, Frame
from benchmark.errors import BenchError
from benchmark.run.manifest import write_manifest
from benchmark.run.plan import Plan, make_plan
from benchmark.survey.pairs.agreement import agreement_lines
from benchmark.survey.pairs.app import Marking, create_app
from benchmark.survey.pairs.drawing import draw_pairs
from tests.cli.test_bench import bench
from tests.survey.conftest import serving
from tests.survey.rater import ORIGIN
from tests.survey.test_browser import fits, opened, shot

CLIPS = tuple(Clip(f"c{n}", "train", tuple(range(0, 40, 10))) for n in range(4))
NEAR = PairsConfig(window=10)


@pytest.fixture
def marking(tmp_path: Path) -> Marking:
    world = ProceduralFaces(6, 4, 64, 0, label_fn=lambda points, size: np.zeros((1, size, size), np.uint8))
    clips = tuple(clip for clip in world.clips if clip.split == "train")
    pairs = draw_pairs(clips, NEAR, 5)
    return Marking(world, pairs, PairLabels(tmp_path / "labels.csv", "anna"), "Same style?")


# ---------------------------------------------------------------- which pairs


def test_pairs_are_those_of_training_each_once_and_by_seed() -> None:
    for drawn, alike in (("consistent", True), ("inconsistent", False)):
        pairs = draw_pairs(CLIPS, NEAR, 12, drawn)
        assert len({key(pair) for pair in pairs}) == len(pairs) == 12
        for a, b in pairs:
            assert (a.clip == b.clip) is alike and (not alike or abs(a.index - b.index) == 1)
    both = draw_pairs(CLIPS, NEAR, 12, seed=3)
    assert {a.clip == b.clip for a, b in both} == {True, False}
    assert both == draw_pairs(CLIPS, NEAR, 12, seed=3) != draw_pairs(CLIPS, NEAR, 12, seed=4)


def test_no_more_pairs_than_there_are() -> None:
    assert len(draw_pairs(CLIPS, NEAR, 20, "consistent")) == 4 * 3  # neighbours of four frames in four clips
    with pytest.raises(BenchError, match=r"raise pairs\.window"):
        draw_pairs(CLIPS, PairsConfig(window=1), 5, "consistent")
    with pytest.raises(BenchError, match="one clip only"):
        draw_pairs(CLIPS[:1], NEAR, 5)
    with pytest.raises(BenchError, match="did you mean 'consistent'"):
        draw_pairs(CLIPS, NEAR, 5, "consistnet")


# ---------------------------------------------------------------- the file


def test_the_file_keeps_who_and_when_and_each_ones_last_word(tmp_path: Path) -> None:
    path, pairs = tmp_path / "sub" / "labels.csv", draw_pairs(CLIPS, NEAR, 3)
    anna, bob = PairLabels(path, "anna"), PairLabels(path, 'bob, "the" second')
    anna.answer(pairs[0], "yes")
    bob.answer(pairs[0], "no")
    anna.answer((pairs[0][1], pairs[0][0]), "skip")  # changed her mind; order does not matter
    anna.answer(pairs[1], "no")
    assert [(line["who"], line["consistent"]) for line in read_lines(path)] == [
        (bob.who, "no"), ("anna", "skip"), ("anna", "no"),
    ]  # fmt: skip
    assert all(line["when"].endswith("+00:00") for line in read_lines(path))
    assert anna.undo(pairs) and anna.mine() == {key(pairs[0]): "skip"}
    assert anna.undo(pairs) and not anna.undo(pairs) and bob.mine() == {key(pairs[0]): "no"}


def test_lines_made_otherwise_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("a,b,consistent\nc0,c1,yes\n")
    labels, pair = PairLabels(path, "anna"), (Frame("c2", 0), Frame("c3", 1))
    labels.answer(pair, "no")
    found = read_consistency(path, CLIPS)
    assert found.verdict(Frame("c0", 0), Frame("c1", 3)) is True and found.verdict(*pair) is False
    assert not labels.undo([(Frame("c0", 0), Frame("c1", 0))])


def test_labellers_in_many_threads_lose_nothing(tmp_path: Path) -> None:
    path, pairs = tmp_path / "labels.csv", draw_pairs(CLIPS, NEAR, 12)
    hands = [PairLabels(path, f"person {n}") for n in range(6)]
    threads = [threading.Thread(target=lambda h=h: [h.answer(pair, "yes") for pair in pairs]) for h in hands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(hand.mine()) == 12 for hand in hands) and len(read_lines(path)) == 72


@pytest.mark.parametrize("who", ["", "  ", "two\nlines"])
def test_a_labeller_has_a_name_of_one_line(tmp_path: Path, who: str) -> None:
    with pytest.raises(BenchError, match="--who"):
        PairLabels(tmp_path / "labels.csv", who)


# ---------------------------------------------------------------- what training makes of it


def test_training_goes_by_what_was_marked(tmp_path: Path) -> None:
    near, far = draw_pairs(CLIPS, NEAR, 6, "consistent"), draw_pairs(CLIPS, NEAR, 6, "inconsistent")
    anna = PairLabels(tmp_path / "labels.csv", "anna")
    for pair in near:
        anna.answer(pair, "no")
    for pair in far:
        anna.answer(pair, "yes")
    sampler = PairSampler(CLIPS, NEAR, read_consistency(anna.path, CLIPS))
    refused, alike = {key(pair) for pair in near}, {key(pair) for pair in far}
    rng, met = np.random.default_rng(0), 0
    for _ in range(3000):
        draw = sampler.draw(rng)
        drawn, partners = key((draw.target, draw.exemplar)), key((draw.exemplar, draw.same))
        assert not (draw.consistent and drawn in refused) and partners not in refused
        assert key((draw.exemplar, draw.other)) not in alike and key((draw.same, draw.other)) not in alike
        if drawn in alike:
            assert draw.consistent
            met += 1
    assert met


@pytest.mark.parametrize(
    ("said", "verdict"),
    [("yes", True), ("no", False), ("skip", None), ("yes no", False), ("yes yes no", True), ("yes skip", True)],
)
def test_the_majority_decides_and_a_tie_is_a_no(tmp_path: Path, said: str, verdict: bool | None) -> None:
    pair = (Frame("c0", 0), Frame("c1", 2))
    for who, one in enumerate(said.split()):
        PairLabels(tmp_path / "labels.csv", f"person {who}").answer(pair, one)
    assert read_consistency(tmp_path / "labels.csv", CLIPS).verdict(*pair) is verdict


def test_a_run_is_of_the_labels_it_was_trained_by(tmp_path: Path) -> None:
    def plan(*overrides: str) -> Plan:
        return make_plan("face", load("smoke", "face", overrides), "copy-exemplar", [0], None)

    path = tmp_path / "labels.csv"
    path.write_text("a,b,consistent\n")
    empty = plan(f"pairs.labels={path}")
    assert empty.identity["data"]["pair_labels"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "pair_labels" not in plan().identity["data"]
    write_manifest(tmp_path / "run", empty, ["bench"])
    PairLabels(path, "anna").answer((Frame("f0000", 0), Frame("f0001", 0)), "no")
    marked = plan(f"pairs.labels={path}")
    assert marked.id != empty.id
    with pytest.raises(BenchError, match=r"pair_labels was .* pairs were marked by hand since the run began"):
        write_manifest(tmp_path / "run", marked, ["bench"])


# ---------------------------------------------------------------- agreement


def test_agreement_is_krippendorffs(tmp_path: Path) -> None:
    path, pairs = tmp_path / "labels.csv", draw_pairs(CLIPS, NEAR, 4)
    for who, said in (("anna", "yes no no skip"), ("bob", "yes no yes no")):
        for pair, one in zip(pairs, said.split(), strict=True):
            PairLabels(path, who).answer(pair, one)
    told = "\n".join(agreement_lines(path))
    assert "3 of 4 pairs were marked by two or more" in told and "disagreed on 1 pair (" in told
    # by hand: observed 2 of 6 ordered pairs differ, expected 2 * 3 * 3 of 6 * 5: 1 - (2 / 6) / (18 / 30) = 4 / 9
    assert "alpha 0.44" in told
    alone = tmp_path / "alone.csv"
    PairLabels(alone, "anna").answer(pairs[0], "yes")
    assert "no alpha: agreement: no unit was judged by two raters" in "\n".join(agreement_lines(alone))


def test_agree_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    PairLabels(tmp_path / "labels.csv", "anna").answer((Frame("c0", 0), Frame("c1", 0)), "yes")
    code, out, _ = bench(capsys, "pairs", "agree", str(tmp_path / "labels.csv"))
    assert code == 0 and "1 labeller\n" in out
    code, _, err = bench(capsys, "pairs", "agree", str(tmp_path / "nowhere.csv"))
    assert code == 2 and "nowhere.csv: cannot be read" in err


# ---------------------------------------------------------------- the page


def test_requests_that_make_no_sense(marking: Marking) -> None:
    client = create_app(marking).test_client()
    for body in ({"pair": 5, "said": "yes"}, {"pair": True, "said": "yes"}, {"pair": 0, "said": "maybe"}, {}, []):
        reply = client.post("/answer", json=body, headers=ORIGIN)
        assert reply.status_code == 400 and "error" in reply.json, body
    assert client.post("/answer", data="{", headers=ORIGIN).status_code == 415
    assert client.post("/answer", json={"pair": 0, "said": "yes"}).status_code == 403  # from another site
    assert client.get("/frame/5/0.webp").status_code == client.get("/frame/0/2.webp").status_code == 404
    assert not marking.labels.path.exists()


def test_a_file_that_cannot_be_written_is_said_on_the_page(marking: Marking, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    labels = PairLabels(tmp_path / "file" / "labels.csv", "anna")
    client = create_app(replace(marking, labels=labels)).test_client()
    assert client.post("/next", json={}, headers=ORIGIN).json["done"] == 0
    reply = client.post("/answer", json={"pair": 0, "said": "yes"}, headers=ORIGIN)
    assert reply.status_code == 500 and reply.json["error"].startswith(f"{labels.path}: cannot write: ")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_pairs_are_marked_by_keyboard_alone(browser: Any, marking: Marking, width: int, height: int) -> None:
    def press(name: str, shown: str) -> None:
        page.wait_for_timeout(180)
        page.keyboard.press(name)
        page.wait_for_selector(f"#count:text-is('{shown} of 5')")

    with serving(create_app(marking)) as base:
        page, wrong = opened(browser, base, viewport={"width": width, "height": height})
        page.goto(base)
        page.wait_for_selector("#right-frame img")
        shot(page, f"pairs-{width}-1")
        assert fits(page) and page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        press("y", "1")
        press("n", "2")
        press("u", "1")
        page.wait_for_selector("#trial[data-pair='1']")
        press("s", "2")
        page.reload()
        page.wait_for_selector("#trial[data-pair='2']")
        press("Y", "3")
        press("n", "4")
        press("y", "5")
        page.wait_for_selector("#end:not([hidden])")
        assert page.text_content("#sum") == "3 yes, 1 no, 1 skipped."
        shot(page, f"pairs-{width}-2")
        press("Backspace", "4")
        for _ in range(8):  # the buttons too, reached by Tab
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "no":
                break
        press("Enter", "5")
        assert wrong == []
        page.context.close()
    said = marking.labels.mine()
    assert [said[key(pair)] for pair in marking.pairs] == ["yes", "skip", "yes", "no", "no"]


# ---------------------------------------------------------------- the command


def _post(port: int, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), method="POST")
    for name, value in {"Content-Type": "application/json", **ORIGIN}.items():
        request.add_header(name, value)
    with urllib.request.urlopen(request, timeout=30) as reply:
        answer: dict[str, Any] = json.load(reply)
    return answer


@pytest.mark.slow
def test_a_killed_server_has_lost_nothing_and_the_command_goes_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        "from benchmark.cli import main; main()",
        "pairs",
        "label",
        "--preset",
        "smoke",
        "--pairs",
        "12",
    ]
    command += ["--who", "anna", "--port", str(port), "--out", str(tmp_path / "labels.csv")]
    acknowledged = 0
    for _ in range(2):
        server = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
        try:
            for _ in range(600):
                try:
                    state = _post(port, "/next", {})
                    break
                except OSError:
                    time.sleep(0.1)
            assert state["done"] == acknowledged
            for _ in range(3):
                state = _post(port, "/answer", {"pair": state["pair"]["number"], "said": "yes"})
                acknowledged += 1
        finally:
            os.kill(server.pid, signal.SIGKILL)
            server.wait()
        assert len(PairLabels(tmp_path / "labels.csv", "anna").mine()) == acknowledged


def test_mistakes_on_the_command_line_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("a,b,consistent\nid_9999,id_0001,yes\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for more, words in (
            (["--out", str(path)], "labels.csv: line 2: a: unknown clip 'id_9999'"),
            (["--drawn", "some"], "--drawn: no such choice 'some'"),
            (["--size", "3"], "--size 3: at least 16"),
            (["--split", "tset"], "'tset' is not one of"),
            (["--port", port, "--out", str(tmp_path / "new.csv")], f"--port {port}: cannot be opened"),
        ):
            code, _, err = bench(capsys, "pairs", "label", "--preset", "smoke", "--pairs", "3", *more)
            assert code == 2 and words in err and len(err.strip().splitlines()) == 1, (more, err)
