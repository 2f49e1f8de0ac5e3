"""The face world keeps the Source contract: splits by identity, true answers, one-line errors."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmark.data.procedural.sheet import faces_sheet, write_contact_sheet
from benchmark.data.procedural.world import ProceduralFaces
from benchmark.data.source import Frame, Source
from benchmark.errors import BenchError


def dots(points: np.ndarray, size: int) -> np.ndarray:
    """A label that only marks the points: enough to see that the right ones arrive."""
    label = np.zeros((1, size, size), np.uint8)
    x, y = np.clip(np.rint(points).astype(int), 0, size - 1).T
    label[0, y, x] = 255
    return label


def world(**change) -> ProceduralFaces:
    return ProceduralFaces(**{"identities": 10, "frames": 3, "size": 32, "seed": 0, "label_fn": dots, **change})


def test_split_is_by_identity_and_seeded():
    source: Source = world(identities=50)
    splits = [clip.split for clip in source.clips]
    assert [splits.count(s) for s in ("val", "test", "train")] == [10, 10, 30]
    assert source.clips[12].id == "face-00012" and source.clips[12].times == (0, 1, 2)
    assert splits == [clip.split for clip in world(identities=50).clips]
    assert splits != [clip.split for clip in world(identities=50, seed=1).clips]


def test_truth_has_the_style_of_one_and_the_state_of_the_other():
    source = world()
    a, b = Frame("face-00001", 0), Frame("face-00004", 2)
    assert (source.truth(a, a) == source.image(a)).all()
    answer = source.truth(label_of=a, style_of=b)
    assert answer.shape == (32, 32, 3) and answer.dtype == np.uint8
    own = Frame("face-00001", 2)
    assert (source.truth(label_of=a, style_of=own) == source.image(a)).all()  # appearance is constant within a clip
    assert (answer != source.image(a)).any() and (answer != source.image(b)).any()


def test_label_comes_from_the_landmarks():
    source = world()
    frame = Frame("face-00002", 1)
    assert (source.label(frame) == dots(source.landmarks(frame), 32)).all()


def test_regions_are_nested_sensibly():
    frame = Frame("face-00003", 0)
    masks = world().regions(frame, frame)
    assert set(masks) == {"foreground", "face"}
    assert all(m.shape == (32, 32) and m.dtype == bool for m in masks.values())
    assert (masks["face"] & masks["foreground"]).sum() >= 0.95 * masks["face"].sum()
    assert 0.05 < masks["face"].mean() < masks["foreground"].mean() < 0.95


def test_fingerprint_names_the_data():
    prints = [world(**c).fingerprint for c in ({}, {"identities": 11}, {"frames": 4}, {"size": 33}, {"seed": 1})]
    assert len(set(prints)) == 5 and prints[0] == world().fingerprint and len(prints[0]) == 64


def test_mistakes_are_named():
    with pytest.raises(BenchError, match=r"face-99999.*face-00000 to face-00009"):
        world().image(Frame("face-99999", 0))
    with pytest.raises(BenchError, match=r"frame 3.*0 to 2"):
        world().image(Frame("face-00000", 3))
    with pytest.raises(BenchError, match=r"identities = 2"):
        world(identities=2)


def test_contact_sheet_is_a_png_of_the_right_size(tmp_path):
    faces_sheet(tmp_path / "new" / "faces.png", size=32, identities=2, states=3)
    with Image.open(tmp_path / "new" / "faces.png") as sheet:
        assert sheet.size == (3 * 34 - 2, 3 * 34 - 2)
        assert np.asarray(sheet).std() > 20
    write_contact_sheet(tmp_path / "ragged.png", [[np.zeros((4, 4, 3), np.uint8)] * 2, [np.zeros((4, 4, 3), np.uint8)]])
    with Image.open(tmp_path / "ragged.png") as sheet:
        assert np.asarray(sheet)[5:, 6:].min() == 255
