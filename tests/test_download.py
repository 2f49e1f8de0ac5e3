"""Downloads against a server that drops, stalls, redirects, ignores ranges and lies."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.download import WrongContent, download
from benchmark.errors import BenchError
from tests.liar import Liar, serving

CONTENT = bytes(range(256)) * 4000  # 1 MB: several chunks
DIGEST = hashlib.sha256(CONTENT).hexdigest()
QUICK = {"timeout": 0.5, "attempts": 2, "pause": 0.01}


@pytest.fixture(scope="module")
def server() -> Iterator[Liar]:
    with serving(CONTENT) as found:
        yield found


@pytest.fixture(autouse=True)
def forget(server: Liar) -> None:
    server.requests.clear()


def part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


@pytest.mark.parametrize("how", ["good", "drop", "stall", "redirect", "busy", "no-range"])
def test_the_file_arrives_whole_whatever_the_line_does(server: Liar, tmp_path: Path, how: str) -> None:
    target = tmp_path / "new" / "weights.pth"
    assert download(server.url(how), target, DIGEST[:8], **QUICK) == DIGEST
    assert target.read_bytes() == CONTENT
    assert [p.name for p in target.parent.iterdir()] == ["weights.pth"]


@pytest.mark.parametrize("how", ["drop", "stall"])
def test_only_the_rest_is_asked_for_again(server: Liar, tmp_path: Path, how: str) -> None:
    download(server.url(how), tmp_path / "weights.pth", DIGEST, **QUICK)
    assert server.asked(how) == [None, f"bytes={len(CONTENT) // 2}-"]


def test_a_download_killed_before_goes_on(server: Liar, tmp_path: Path) -> None:
    target = tmp_path / "weights.pth"
    part(target).write_bytes(CONTENT[:700_000])
    seen: list[tuple[int, int]] = []
    download(server.url("good"), target, DIGEST, lambda there, total: seen.append((there, total)), **QUICK)
    assert target.read_bytes() == CONTENT and server.asked("good") == ["bytes=700000-"]
    assert seen[0][0] > 700_000 and seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_download_killed_before_its_last_step_asks_for_nothing_more(server: Liar, tmp_path: Path) -> None:
    target = tmp_path / "weights.pth"
    part(target).write_bytes(CONTENT)
    download(server.url("good"), target, DIGEST, **QUICK)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("how", ["good", "no-range", "wrong-range"])
@pytest.mark.parametrize("left", [b"x" * 2_000_000, b"the rest of another file"])
def test_what_an_older_file_left_never_gets_through(server: Liar, tmp_path: Path, how: str, left: bytes) -> None:
    target = tmp_path / "weights.pth"
    part(target).write_bytes(left)
    try:
        download(server.url(how), target, DIGEST, **QUICK)
    except WrongContent:  # joined to the rest of ours: seen by its digest, thrown away, and then it works
        assert not part(target).exists() and not target.exists()
        download(server.url(how), target, DIGEST, **QUICK)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("how", ["lie", "longer"])
def test_other_content_is_refused_and_not_kept(server: Liar, tmp_path: Path, how: str) -> None:
    target = tmp_path / "weights.pth"
    with pytest.raises(WrongContent, match=f"expected {DIGEST}; not kept"):
        download(server.url(how), target, DIGEST, **QUICK)
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_stays_until_the_new_one_is_right(server: Liar, tmp_path: Path) -> None:
    target = tmp_path / "weights.pth"
    target.write_bytes(b"old")
    with pytest.raises(WrongContent):
        download(server.url("lie"), target, DIGEST, **QUICK)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("how", "says"), [("gone", "HTTP 404"), ("always-busy", "HTTP 503"), ("loop", "HTTP 302"), ("lie", "sha256")]
)
def test_refusals_say_address_and_reason_in_one_line(server: Liar, tmp_path: Path, how: str, says: str) -> None:
    with pytest.raises(BenchError, match=says) as caught:
        download(server.url(how), tmp_path / "weights.pth", DIGEST, **QUICK)
    assert server.url(how) in str(caught.value) and "\n" not in str(caught.value)


def test_a_passing_refusal_is_tried_again_and_a_final_one_is_not(server: Liar, tmp_path: Path) -> None:
    for how, times in (("always-busy", 2), ("gone", 1)):
        with pytest.raises(BenchError):
            download(server.url(how), tmp_path / "weights.pth", DIGEST, **QUICK)
        assert len(server.asked(how)) == times


def test_progress_however_slow_is_not_giving_up(tmp_path: Path) -> None:
    with serving(b"slowly") as server:
        target = tmp_path / "weights.pth"
        download(server.url("half-for-ever"), target, hashlib.sha256(b"slowly").hexdigest(), **QUICK)
        assert target.read_bytes() == b"slowly" and len(server.requests) == 6


def test_nobody_there(tmp_path: Path) -> None:
    with serving(b"") as server:
        url = server.url("good")
    with pytest.raises(BenchError, match="2 attempts in a row brought nothing"):
        download(url, tmp_path / "weights.pth", DIGEST, **QUICK)


def test_two_at_once_do_not_mix(server: Liar, tmp_path: Path) -> None:
    target = tmp_path / "weights.pth"
    with part(target).open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BenchError, match="another process"):
            download(server.url("good"), target, DIGEST, **QUICK)
    assert server.requests == []
