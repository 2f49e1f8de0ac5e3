"""What a folder may hold: found whatever its name's case, converted where nothing is lost, refused in one line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmark.errors import BenchError
from benchmark.metrics.fid import folders

PIXELS = np.random.default_rng(0).integers(0, 256, size=(9, 12, 3), dtype=np.uint8)
PHOTO = Image.fromarray(PIXELS)


def pixels(path: Path) -> np.ndarray:
    data, _ = folders.read(path)
    return folders.decode(path, data)


def test_found_below_in_any_case_and_in_order(tmp_path: Path) -> None:
    for name in ("b.PNG", "sub/a.JpEg", "sub/deep/c.webp", "a.tiff"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        PHOTO.save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / ".hidden").write_text("no picture either")
    assert [picture.name for picture in folders.scan(tmp_path)] == ["a", "b", "sub/a", "sub/deep/c"]
    assert folders.left_out(tmp_path) == [Path("notes.txt")]


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no such folder"):
        folders.scan(tmp_path / "none")
    with pytest.raises(BenchError, match="is a file"):
        folders.scan(Path(__file__))
    with pytest.raises(BenchError, match="holds no picture"):
        folders.scan(tmp_path)


def test_rgb_is_read_as_it_is(tmp_path: Path) -> None:
    PHOTO.save(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), PIXELS.transpose(2, 0, 1))


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "RGBA"])
def test_what_loses_nothing_is_converted(mode: str, tmp_path: Path) -> None:
    image = PHOTO.convert(mode)
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), np.asarray(image.convert("RGB")).transpose(2, 0, 1))
    data, _ = folders.read(tmp_path / "a.png")
    assert folders.describe(tmp_path / "a.png", data) == (mode, (12, 9))


def _glassy(path: Path) -> None:
    image = PHOTO.convert("RGBA")
    image.putpixel((3, 3), (1, 2, 3, 128))
    image.save(path)


def _truncated(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, size=(99, 99, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


BAD = {
    "transparent.png": (_glassy, "partly transparent"),
    "deep.png": (lambda path: cv2.imwrite(str(path), PIXELS.astype(np.uint16) * 257), "more than 8 bits"),
    "deep_grey.png": (lambda path: Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257).save(path), "more than 8"),
    "float.tiff": (lambda path: Image.fromarray(PIXELS[..., 0].astype(np.float32)).save(path), "more than 8 bits"),
    "print.jpg": (lambda path: PHOTO.convert("CMYK").save(path), "colours of type CMYK"),
    "moving.gif": (lambda path: PHOTO.save(path, save_all=True, append_images=[PHOTO.rotate(90)]), "2 frames"),
    "moving.png": (lambda path: PHOTO.save(path, save_all=True, append_images=[PHOTO.rotate(90)]), "2 frames"),
    "moving.webp": (lambda path: PHOTO.save(path, save_all=True, append_images=[PHOTO.rotate(90)]), "2 frames"),
    "empty.png": (lambda path: path.write_bytes(b""), "is empty"),
    "text.png": (lambda path: path.write_text("not a picture"), "of no known format$"),
    "truncated.png": (_truncated, "truncated"),
    "truncated.jpg": (_truncated, "truncated"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_needs_a_guess_is_refused_by_name(name: str, tmp_path: Path) -> None:
    make, reason = BAD[name]
    make(tmp_path / name)
    with pytest.raises(BenchError, match=reason) as error:
        pixels(tmp_path / name)
    assert str(tmp_path / name) in str(error.value) and "\n" not in str(error.value)


def test_the_hash_of_a_list_knows_names_and_bytes_but_no_order() -> None:
    a, b = (folders.Picture(Path(name), name) for name in "ab")
    known = folders.list_sha256([a, b], ["1", "2"])
    assert folders.list_sha256([b, a], ["2", "1"]) == known
    assert folders.list_sha256([a, b], ["2", "1"]) != known
