"""Files of video frames: found by name and number, and never another video's."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.data.frame_files import files_of, fingerprint
from benchmark.errors import BenchError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def numbers(folder: Path, video: str) -> dict[int, str]:
    return {n: path.relative_to(folder).as_posix() for n, path in files_of(folder, video, ".json").items()}


def test_names_begin_with_the_video(tmp_path: Path) -> None:
    touch(tmp_path, "ann_000000000000_keypoints.json", "ann_000000000012_keypoints.json", "ann_000000000012.png")
    touch(tmp_path, "ann_2_000000000003_keypoints.json", "anna_000000000004_keypoints.json", "ann_notes.json")
    assert numbers(tmp_path, "ann.mp4") == {
        0: "ann_000000000000_keypoints.json",
        12: "ann_000000000012_keypoints.json",
    }
    assert list(numbers(tmp_path, "ann_2.mov")) == [3]
    assert numbers(tmp_path, "bob.mp4") == {}


def test_or_lie_in_a_folder_of_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "sub/ann/frame7.json", "sub/ann/take2_000008_keypoints.json", "ann/1.json")
    assert numbers(tmp_path, "sub/ann.mp4") == {7: "sub/ann/frame7.json", 8: "sub/ann/take2_000008_keypoints.json"}


def test_names_with_signs_of_patterns(tmp_path: Path) -> None:
    touch(tmp_path, "a[1]_05.json", "a1_06.json")
    assert list(numbers(tmp_path, "a[1].mp4")) == [5]


def test_two_files_for_one_frame_are_an_error(tmp_path: Path) -> None:
    touch(tmp_path, "ann_5.json", "ann_05.json")
    with pytest.raises(BenchError, match=r"is frame 5 of ann\.mp4, and so is ann_05\.json"):
        files_of(tmp_path, "ann.mp4", ".json")


def test_fingerprint_follows_the_files_of_that_video(tmp_path: Path) -> None:
    touch(tmp_path, "ann_1.json", "bob_1.json")
    before = fingerprint(tmp_path, "ann.mp4", ".json")
    (tmp_path / "bob_1.json").write_text("new")
    assert fingerprint(tmp_path, "ann.mp4", ".json") == before
    (tmp_path / "ann_1.json").write_text("new")
    assert fingerprint(tmp_path, "ann.mp4", ".json") != before
