"""The reader of the official `&`-joined lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.data.official_lists import Item, read_official_list, video_of
from benchmark.errors import BenchError


def item(video: str, frame: int) -> str:
    stem = f"train/__Mr_{video}__1__a.{frame:05d}"
    return f"{stem}.csv&{stem}.jpg"


def write(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "train_list.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_roles_and_flag(tmp_path: Path) -> None:
    same = "&".join([item("x1", 10), item("x1", 40), item("x1", 50), item("y_2", 7)])
    different = "&".join([item("x1", 10), item("y_2", 40), item("y_2", 50), item("x1", 7)])
    first, second = read_official_list(write(tmp_path, same, "", different))
    assert first.target == Item("train/__Mr_x1__1__a.00010.csv", "train/__Mr_x1__1__a.00010.jpg")
    assert first.partner.image.endswith("00050.jpg") and first.other.label.endswith("y_2__1__a.00007.csv")
    assert first.consistent and not second.consistent


def test_video_may_be_named_otherwise(tmp_path: Path) -> None:
    line = "&".join(f"{clip}/{n}.csv&{clip}/{n}.png" for clip, n in (("a", 1), ("a", 2), ("a", 3), ("b", 1)))
    (sample,) = read_official_list(write(tmp_path, line), video=lambda image: image.split("/")[0])
    assert sample.consistent
    with pytest.raises(BenchError, match=r"train_list.txt: line 1: 'a/1.png' is not named like"):
        read_official_list(write(tmp_path, line))


def test_slashes_in_official_names_are_already_joined() -> None:
    assert video_of("deep/er__Mr_some_clip__1__a.00123.jpg") == "some_clip"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a&b&c"], r"line 1: 3 paths; expected 8"),
        (["&".join([item("x", 1)] * 4), "&".join([item("x", 1)] * 5)], "line 2: 10 paths"),
        (["&".join([*([item("x", 1)] * 3), "d.csv&"])], "line 1: the image path of D is empty"),
        ([""], "holds no samples"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        read_official_list(write(tmp_path, *lines))


def test_missing_list(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no such list file"):
        read_official_list(tmp_path / "absent.txt")
