"""Preparing videos: the crop rules, the report, the split, and going on after a kill."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data import prepare_face
from benchmark.data.face_crop import Dropped, FaceTracker, crop_box, symmetry
from benchmark.data.manifest import read_manifest
from benchmark.data.prepare import prepare_videos
from benchmark.data.prepare_face import FaceSettings as Settings
from benchmark.data.split import split_videos
from benchmark.data.video import Video
from benchmark.errors import BenchError
from tests.benchmarks.face_label import example_face
from tests.data.video_maker import RectangleFinder, face_frame, write_video

SETTINGS = Settings(size=64, min_crop=100)


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> RectangleFinder:
    found = RectangleFinder()
    monkeypatch.setattr(prepare_face, "finder_for", lambda name: found)
    return found


def moving(count: int = 6) -> list[np.ndarray]:
    return [face_frame(100 + 4 * n, 90) for n in range(count)]


def prepared(videos: Path, out: Path, **options: object) -> list[str]:
    return prepare_videos(videos, out, SETTINGS, progress=False, **options)  # type: ignore[arg-type]


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# The rules -----------------------------------------------------------------------------------------------------------


def test_box_is_twice_the_face_and_a_fifth_up() -> None:
    landmarks = example_face(200) + 400
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    x0, y0, x1, y1 = crop_box(landmarks, (1000, 1000), 100, outside="drop")
    width, height = high - low
    np.testing.assert_allclose((x1 - x0, y1 - y0), (2 * width, 2 * height), atol=1)
    np.testing.assert_allclose((x0 + x1) / 2, (low[0] + high[0]) / 2, atol=1)
    np.testing.assert_allclose((y0 + y1) / 2, (low[1] + high[1]) / 2 - 0.2 * height, atol=1)


@given(st.integers(-60, 460), st.integers(-60, 460), st.integers(60, 400))
def test_fitted_box_lies_inside_and_covers_the_face(x: int, y: int, side: int) -> None:
    landmarks = example_face(side) + np.array([x, y])
    try:
        x0, y0, x1, y1 = crop_box(landmarks, (400, 500), 30, outside="fit")
    except Dropped as reason:
        assert str(reason) in ("outside frame", "too small")
        return
    assert 0 <= x0 < x1 <= 500 and 0 <= y0 < y1 <= 400
    assert landmarks[:, 0].min() >= x0 and landmarks[:, 0].max() <= x1 - 1
    assert landmarks[:, 1].min() >= y0 and landmarks[:, 1].max() <= y1 - 1


def test_the_official_rule_drops_what_fit_keeps() -> None:
    landmarks = example_face(600) + np.array([20, -100])
    crop_box(landmarks, (360, 640), 100, outside="fit")
    with pytest.raises(Dropped, match="outside frame"):
        crop_box(landmarks, (360, 640), 100, outside="drop")


def test_small_faces_and_profiles_are_dropped() -> None:
    landmarks = example_face(200) + 400
    with pytest.raises(Dropped, match="too small"):
        crop_box(landmarks, (1000, 1000), 260)
    landmarks[8, 0] += 30
    assert symmetry(landmarks) < 0.7
    with pytest.raises(Dropped, match="profile"):
        crop_box(landmarks, (1000, 1000), 100)


def test_tracker_keeps_its_face_when_another_appears() -> None:
    tracker = FaceTracker(RectangleFinder(), smallest=40)
    first = tracker.find(face_frame(40, 60))
    two = np.maximum(face_frame(44, 60), face_frame(200, 60, side=110))
    assert np.linalg.norm(tracker.find(two).mean(axis=0) - first.mean(axis=0)) < 10
    with pytest.raises(Dropped, match="several faces"):
        FaceTracker(RectangleFinder(), smallest=40).find(two)
    with pytest.raises(Dropped, match="no face"):
        tracker.find(face_frame(0, 0, side=0))


# The split -----------------------------------------------------------------------------------------------------------


@given(st.integers(2, 40), st.integers(0, 5))
def test_split_by_video_gives_every_video_one_side(count: int, seed: int) -> None:
    lengths = {f"v{n}": n + 2 for n in range(count)}
    how, parts = split_videos(lengths, "video", seed)
    splits = [part.split for part in parts]
    assert how == "video" and [part.clip for part in parts] == sorted(lengths)
    assert splits.count("val") == count // 5 and splits.count("test") == max(count // 5, 1) and "train" in splits
    assert split_videos(dict(reversed(lengths.items())), "video", seed) == (how, parts)


def test_few_videos_are_split_in_time() -> None:
    how, parts = split_videos({"b": 5, "a": 2}, "auto", 0)
    assert how == "time"
    assert [(p.clip, p.split, p.start, p.stop) for p in parts] == [
        ("a.1", "train", 0, 1), ("a.2", "test", 1, 2), ("b.1", "train", 0, 2), ("b.2", "test", 2, 5),
    ]  # fmt: skip
    with pytest.raises(BenchError, match="only one video"):
        split_videos({"a": 9}, "video", 0)


# Whole runs ----------------------------------------------------------------------------------------------------------


def test_report_says_per_video_what_became_of_it(tmp_path: Path, finder: RectangleFinder) -> None:
    videos = tmp_path / "videos"
    gap = [face_frame(0, 0, side=0)] * 2
    write_video(videos / "ann.mp4", [*gap, *moving(), face_frame(290, 90, side=30)])
    write_video(videos / "sub" / "ann.mp4", moving(4))
    write_video(videos / "nobody.mp4", gap * 3)
    (videos / "empty.mp4").touch()
    report = prepared(videos, tmp_path / "out", split="video")
    assert report[:4] == [
        "ann.mp4: kept 6 of 9 frames; dropped: no face 3",
        "empty.mp4: refused: the file is empty (0 bytes)",
        "nobody.mp4: refused: no face in any of 6 frames",
        "sub/ann.mp4: kept 4 of 4 frames",
    ]
    manifest = read_manifest(tmp_path / "out")
    assert [line["clip"] for line in manifest.clips] == ["ann", "sub__ann"]
    assert {line["split"] for line in manifest.clips} == {"train", "test"}
    assert manifest.clips[0]["times"] == [2, 3, 4, 5, 6, 7]
    assert not list((tmp_path / "out").rglob("*.partial"))


def test_too_many_bad_frames_or_videos_fail(tmp_path: Path, finder: RectangleFinder) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    write_video(videos / "ann.mp4", [*[face_frame(0, 0, side=0)] * 4, *moving()])
    with pytest.raises(BenchError, match=r"4 of 10 frames are bad, --max-bad is 0\.3: ann\.mp4: kept 6 of 10 frames"):
        prepared(videos, out, max_bad=0.3)
    assert not (out / "manifest.jsonl").exists()
    prepared(videos, out, max_bad=0.4)
    (videos / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(BenchError, match=r"1 of 2 videos are bad, --max-bad is 0\.4: .*broken\.mp4: refused"):
        prepared(videos, out, max_bad=0.4)


def test_nothing_usable_is_an_error_that_names_the_videos(tmp_path: Path, finder: RectangleFinder) -> None:
    write_video(tmp_path / "videos" / "wall.mp4", [face_frame(0, 0, side=0)] * 3)
    with pytest.raises(BenchError, match=r"no video can be used: wall.mp4: refused: no face in any of 3 frames"):
        prepared(tmp_path / "videos", tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.jsonl").exists()


def test_a_broken_off_run_ends_in_the_same_files(
    tmp_path: Path, finder: RectangleFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = tmp_path / "videos"
    for name in ("a", "b", "c"):
        write_video(videos / f"{name}.mp4", moving())
    prepared(videos, tmp_path / "whole")

    class Killed(BaseException):
        """As SIGKILL: nothing may catch it and tidy up."""

    calls = 0

    def find(self: FaceTracker, frame: np.ndarray) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls == 9:
            raise Killed
        return original(self, frame)

    original = FaceTracker.find
    monkeypatch.setattr(FaceTracker, "find", find)
    with pytest.raises(Killed):
        prepared(videos, tmp_path / "broken")
    assert (tmp_path / "broken" / "clips" / "b.partial").is_dir()
    prepared(videos, tmp_path / "broken")
    assert calls == 9 + 12  # a, finished before, was not done again
    assert tree(tmp_path / "broken") == tree(tmp_path / "whole")


def test_changed_video_and_lost_frame_are_done_again(tmp_path: Path, finder: RectangleFinder) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    write_video(videos / "a.mp4", moving())
    prepared(videos, out)
    before = tree(out)
    (out / "clips" / "a" / "000003.png").unlink()
    prepared(videos, out)
    assert tree(out) == before
    write_video(videos / "a.mp4", moving(4))
    assert prepared(videos, out)[0] == "a.mp4: kept 4 of 4 frames"
    assert not (out / "clips" / "a" / "000005.png").exists()


def test_output_folder_must_be_ours(tmp_path: Path, finder: RectangleFinder) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    write_video(videos / "a.mp4", moving())
    out.mkdir()
    (out / "thesis.txt").write_text("precious")
    with pytest.raises(BenchError, match="not empty and was not made by prepare"):
        prepared(videos, out)
    (out / "thesis.txt").unlink()
    prepared(videos, out)
    with pytest.raises(BenchError, match="was prepared with size 64, not 32"):
        prepare_videos(videos, out, Settings(size=32, min_crop=100), progress=False)


def test_full_disk_is_one_line(tmp_path: Path, finder: RectangleFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "videos" / "a.mp4", moving())

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(BenchError, match="the disk is full; "):
        prepared(tmp_path / "videos", tmp_path / "out")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(size=600), "--size 600"),
        (Settings(every=0), "--every 0"),
        (Settings(outside="pad"), "--outside pad: unknown; valid: drop, fit"),
        (Settings(detector="dlip"), "did you mean 'dlib'"),
        (Settings(detector="procedural"), "cannot find faces in video frames; use dlib"),
    ],
)
def test_bad_settings_are_named(tmp_path: Path, settings: Settings, message: str) -> None:
    write_video(tmp_path / "videos" / "a.mp4", moving(2))
    with pytest.raises(BenchError, match=message):
        prepare_videos(tmp_path / "videos", tmp_path / "out", settings, progress=False)


# Real clips ----------------------------------------------------------------------------------------------------------


def test_real_clips_with_dlib(tmp_path: Path, clips: Path) -> None:
    pytest.importorskip("dlib", reason="needs the extra `face`")
    settings = Settings(size=64, every=36)
    report = prepare_videos(clips / "faces", tmp_path / "out", settings, workers=2, progress=False)
    assert report[1] == "no_face.mp4: refused: no face in any of 3 frames"
    kept = {line["clip"]: len(line["images"]) for line in read_manifest(tmp_path / "out").clips}
    assert kept["man.1"] + kept["man.2"] == 2 and kept["woman.1"] + kept["woman.2"] >= 6


@pytest.mark.slow
def test_kill_9_and_run_again_gives_the_same_manifest(tmp_path: Path, clips: Path) -> None:
    pytest.importorskip("dlib", reason="needs the extra `face`")
    videos = tmp_path / "videos"
    shutil.copytree(clips / "faces", videos)

    def command(out: Path) -> list[str]:
        run = f"from benchmark.cli import main; main(['data', 'prepare', '--videos', {str(videos)!r}, '--out', "
        return [sys.executable, "-c", f"{run}{str(out)!r}, '--every', '12', '--quiet', '--workers', '1'])"]

    killed = subprocess.Popen(command(tmp_path / "killed"), stdout=subprocess.DEVNULL)
    woman = tmp_path / "killed" / "clips" / "woman.partial"
    deadline = time.monotonic() + 120
    while not (woman.is_dir() and len(list(woman.iterdir())) >= 3) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert json.loads((tmp_path / "killed" / "records" / "man.json").read_text())["read"] == 6
    assert not (tmp_path / "killed" / "manifest.jsonl").exists()
    for out in ("killed", "whole"):
        subprocess.run(command(tmp_path / out), check=True, stdout=subprocess.DEVNULL)
    assert tree(tmp_path / "killed") == tree(tmp_path / "whole")


def test_video_helper_itself(tmp_path: Path) -> None:
    """The stand-in must be seen by the stand-in finder, or the tests above would prove nothing."""
    path = write_video(tmp_path / "v.mp4", moving(3))
    found = [RectangleFinder().faces(frame, 40) for _, frame in Video(path).frames()]
    assert [len(faces) for faces in found] == [1, 1, 1]
    assert found[0][0].min() >= 85
