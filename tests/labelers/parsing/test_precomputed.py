"""Parsings from a folder: found by pixels, checked, never guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.errors import BenchError
from benchmark.labelers.parsing import get_parser

PHOTOS = np.random.default_rng(0).integers(0, 256, (3, 9, 16, 3), dtype=np.uint8)
MAPS = np.random.default_rng(1).integers(0, 19, (3, 9, 16), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("images", "labels"):
        (tmp_path / kind / "a").mkdir(parents=True)
    for n, (photo, ids) in enumerate(zip(PHOTOS, MAPS, strict=True)):
        Image.fromarray(photo).save(tmp_path / "images" / "a" / f"{n}.png")
        Image.fromarray(ids).save(tmp_path / "labels" / "a" / f"{n}.png")
    (tmp_path / "protocol.txt").write_text("mine-v2\n")
    return tmp_path


def test_a_picture_finds_its_map_in_any_order(folder: Path) -> None:
    parser = get_parser(f"precomputed:{folder}")
    assert np.array_equal(parser.parse(PHOTOS[[2, 0, 2]]), MAPS[[2, 0, 2]])
    assert parser.protocol.startswith("precomputed-") and parser.protocol.endswith("-mine-v2")


def test_other_maps_are_another_protocol(folder: Path) -> None:
    before = get_parser(f"precomputed:{folder}").protocol
    Image.fromarray(MAPS[1]).save(folder / "labels" / "a" / "0.png")
    get_parser.cache_clear()
    assert get_parser(f"precomputed:{folder}").protocol != before


def test_an_unknown_picture_is_an_error(folder: Path) -> None:
    with pytest.raises(BenchError, match="not among the 3 there"):
        get_parser(f"precomputed:{folder}").parse(PHOTOS[:1] ^ 1)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (np.full((9, 16), 35, np.uint8), "bdd-41 would have it"),
        (MAPS[0, :, :8], "8x9 px, its picture has 16x9"),
        (PHOTOS[0], "mode RGB"),
        (None, "missing"),
        (b"no image", "not a readable image"),
    ],
)
def test_a_map_that_is_not_right_is_named(folder: Path, content: object, says: str) -> None:
    path = folder / "labels" / "a" / "0.png"
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        Image.fromarray(np.ascontiguousarray(content)).save(path)
    with pytest.raises(BenchError, match=says) as caught:
        get_parser(f"precomputed:{folder}").parse(PHOTOS[:1])
    assert str(path) in str(caught.value)


def test_a_folder_of_another_shape_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "protocol.txt").unlink()
    for argument, says in ((str(folder), "one line that names the parser"), ("/nonexistent", "images/ and labels/")):
        with pytest.raises(BenchError, match=says):
            get_parser(f"precomputed:{argument}")
    with pytest.raises(BenchError, match="images/ and labels/"):
        get_parser("precomputed")
