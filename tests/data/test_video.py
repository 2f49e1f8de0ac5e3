"""Decoding: frame numbers, and one clear line for every kind of broken file."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from benchmark.data.video import UnreadableVideo, Video, find_videos, upright
from benchmark.errors import BenchError
from tests.data.video_maker import write_video


@pytest.fixture
def grey_ramp(tmp_path: Path) -> Path:
    """30 frames of 64x48 px; frame n has the grey level 8 n."""
    return write_video(tmp_path / "ramp.mp4", (np.full((48, 64, 3), 8 * n, np.uint8) for n in range(30)))


def test_frames_come_with_their_numbers(grey_ramp: Path) -> None:
    video = Video(grey_ramp)
    found = list(video.frames(every=7))
    assert [number for number, _ in found] == [0, 7, 14, 21, 28]
    for number, frame in found:
        assert frame.shape == (48, 64, 3) and frame.dtype == np.uint8
        assert abs(int(np.median(frame)) - 8 * number) <= 4
    assert video.problem is None


def test_a_video_cut_in_the_middle_is_read_as_far_as_it_goes(grey_ramp: Path) -> None:
    grey_ramp.write_bytes(grey_ramp.read_bytes()[: grey_ramp.stat().st_size * 2 // 3])
    video = Video(grey_ramp)
    kept = list(video.frames())
    assert 0 < len(kept) < 30


def test_a_container_that_promises_more_frames_is_reported(tmp_path: Path) -> None:
    import av

    path = tmp_path / "index_first.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        noise = np.random.default_rng(0)
        for _ in range(40):
            frame = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    video = Video(path)
    assert 0 < len(list(video.frames())) < 40
    assert video.problem is not None and ("cut short" in video.problem or "damaged after" in video.problem)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    empty, text, sound = tmp_path / "empty.mp4", tmp_path / "text.mp4", tmp_path / "sound.avi"
    empty.touch()
    text.write_text("not a video at all\n" * 50)
    with wave.open(str(sound), "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(16000))
    for path, message in ((empty, "0 bytes"), (text, "cannot be decoded"), (sound, "no video stream")):
        with pytest.raises(UnreadableVideo, match=f"{path.name}: .*{message}"):
            list(Video(path).frames())
        assert Video(path).length() == 0


def test_folder_without_videos_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(BenchError, match=r"no video files \(\.avi"):
        find_videos(tmp_path)
    with pytest.raises(BenchError, match="not a folder"):
        find_videos(tmp_path / "absent")


def test_videos_are_found_deeply_and_in_order(tmp_path: Path) -> None:
    for name in ("b.mp4", "a/z.MOV", "a/b.webm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [p.relative_to(tmp_path).as_posix() for p in find_videos(tmp_path)] == ["a/b.webm", "a/z.MOV", "b.mp4"]


def test_upright_turns_counter_clockwise() -> None:
    frame = np.zeros((2, 3, 3), np.uint8)
    frame[0, 2] = 9  # upper right goes to upper left
    turned = upright(frame, 90)
    assert turned.shape == (3, 2, 3) and (turned[0, 0] == 9).all()
    np.testing.assert_array_equal(upright(frame, -90), upright(frame, 270))
