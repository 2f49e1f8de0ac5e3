"""Prepared folders as a source: pixels and points at any size, and files that changed are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.data.prepared import PreparedFaces
from benchmark.data.prepared_sheet import write_prepared_sheet
from benchmark.data.source import Frame, Source
from benchmark.errors import BenchError
from benchmark.labelers.face_label import face_label
from tests.benchmarks.face_label import example_face
from tests.data.prepared_maker import write_prepared


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_prepared(tmp_path / "set")


def test_is_a_source(folder: Path) -> None:
    source: Source = PreparedFaces(folder, size=64)
    assert [(clip.id, clip.split, clip.times) for clip in source.clips] == [
        ("ann", "train", (0, 10, 20)),
        ("bob", "test", (0, 10, 20)),
    ]
    frame = Frame("bob", 2)
    np.testing.assert_array_equal(source.image(frame), np.asarray(Image.open(folder / "clips/bob/000020.png")))
    np.testing.assert_allclose(source.landmarks(frame), example_face(64) + 2, atol=1e-5)
    np.testing.assert_array_equal(source.label(frame), face_label(source.landmarks(frame), 64))
    assert source.truth(frame, frame) is None and source.regions(frame, frame) is None


def test_another_size_scales_photo_and_points_together(folder: Path) -> None:
    small, full = PreparedFaces(folder, size=32), PreparedFaces(folder, size=64)
    frame = Frame("ann", 0)
    assert small.image(frame).shape == (32, 32, 3) and small.label(frame).shape == (15, 32, 32)
    pooled = full.image(frame).reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    assert np.abs(small.image(frame) - pooled).max() <= 1
    # A point in the middle of the four pixels that become one lies on that one's centre.
    np.testing.assert_allclose(small.landmarks(frame), (full.landmarks(frame) - 0.5) / 2, atol=1e-5)


def test_own_label_function_is_used(folder: Path) -> None:
    source = PreparedFaces(folder, 64, label_fn=lambda points, size: np.full((2, size, size), len(points), np.uint8))
    assert source.label(Frame("ann", 0)).shape == (2, 64, 64) and source.label(Frame("ann", 0)).max() == 68


def test_fingerprint_follows_content_and_size(folder: Path, tmp_path: Path) -> None:
    same = PreparedFaces(write_prepared(tmp_path / "again"), 64).fingerprint
    assert PreparedFaces(folder, 64).fingerprint == same
    assert PreparedFaces(folder, 32).fingerprint != same
    assert PreparedFaces(write_prepared(tmp_path / "longer", frames=4), 64).fingerprint != same


@pytest.mark.parametrize("name", ["clips/ann/000010.png", "clips/bob/landmarks.npy"])
def test_a_changed_file_is_named(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-5] ^= 1
    (folder / name).write_bytes(content)
    source = PreparedFaces(folder, 64)
    with pytest.raises(BenchError, match=f"{name}: changed since prepare"):
        for clip in source.clips:
            for index in range(len(clip)):
                source.image(Frame(clip.id, index))
                source.landmarks(Frame(clip.id, index))
    with pytest.raises(BenchError, match=f"{name}: changed"):
        source.verify()


def test_missing_files_are_named_and_counted(folder: Path) -> None:
    source = PreparedFaces(folder, 64)
    source.verify()
    (folder / "clips/ann/000010.png").unlink()
    (folder / "clips/bob/000010.png").unlink()
    with pytest.raises(BenchError, match=r"000010.png: missing since prepare \(and 1 more\)"):
        source.verify()
    with pytest.raises(BenchError, match=r"ann/000010\.png: missing"):
        source.image(Frame("ann", 1))


def test_photos_of_unequal_size_are_refused(tmp_path: Path) -> None:
    from benchmark.data.manifest import read_manifest, write_manifest
    from benchmark.files import sha256_file

    folder = write_prepared(tmp_path / "set")
    manifest = read_manifest(folder)
    name = manifest.clips[0]["images"][1]
    Image.new("RGB", (64, 48)).save(folder / name)
    manifest.clips[0]["sha256"][1] = sha256_file(folder / name)
    write_manifest(folder, manifest.header, manifest.clips)
    with pytest.raises(BenchError, match=rf"{name}: 64x48 px, but the manifest says 64x64"):
        PreparedFaces(folder, 64).image(Frame("ann", 1))


def test_folder_without_manifest_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"has no manifest.jsonl; make one with: bench data prepare"):
        PreparedFaces(tmp_path, 64)


def test_contact_sheet_has_a_cell_per_frame(folder: Path, tmp_path: Path) -> None:
    write_prepared_sheet(tmp_path / "sheet.png", PreparedFaces(folder, 32), clips=5, frames=4)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (2 * 32, 4 * 32, 3)
    assert sheet[:, :96].std() > 20 and (sheet[:, 96:] == 128).all()  # clips of three frames: the fourth cell is empty
