"""The dance world keeps the Source contract: halves of clips, true answers, one-line errors, labels of 23 channels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmark.config import load
from benchmark.data.procedural.dance_sheet import dances_sheet, part_colours
from benchmark.data.procedural.dance_world import ProceduralDance
from benchmark.data.source import Frame, Source
from benchmark.errors import BenchError
from benchmark.labelers.pose_label import parts_of, pose_label
from benchmark.tasks.dance import DanceTask


def world(**change) -> ProceduralDance:
    return ProceduralDance(**{"identities": 4, "frames": 5, "size": 32, "seed": 0, "label_fn": pose_label, **change})


def test_the_first_half_of_each_clip_trains_and_the_second_tests():
    source: Source = world()
    assert [(c.id, c.split, c.times) for c in source.clips[:2]] == [
        ("dance-00000.1", "train", (0, 1)),
        ("dance-00000.2", "test", (2, 3, 4)),
    ]
    assert len(source.clips) == 8
    whole = world(frames=5)
    assert (source.image(Frame("dance-00001.2", 0)) == whole.truth(*[Frame("dance-00001.2", 0)] * 2)).all()
    moved = source.landmarks(Frame("dance-00001.1", 1)) - source.landmarks(Frame("dance-00001.2", 0))
    assert 0 < np.nanmax(np.abs(moved)) < 10  # the second half goes on where the first one ends


def test_truth_has_the_style_of_one_and_the_state_of_the_other():
    source = world()
    a, b, own = Frame("dance-00001.2", 0), Frame("dance-00003.2", 2), Frame("dance-00001.1", 1)
    assert (source.truth(a, a) == source.image(a)).all()
    assert (source.truth(label_of=a, style_of=own) == source.image(a)).all()  # appearance is constant within a clip
    answer = source.truth(label_of=a, style_of=b)
    assert answer.shape == (32, 32, 3) and answer.dtype == np.uint8
    assert (answer != source.image(a)).any() and (answer != source.image(b)).any()
    mask = source.regions(a, b)
    assert set(mask) == {"foreground"} and 0.03 < mask["foreground"].mean() < 0.5


def test_label_is_made_from_joints_and_parts():
    source, frame = world(), Frame("dance-00002.1", 1)
    label = source.label(frame)
    assert label.shape == (23, 32, 32) and label.dtype == np.uint8
    assert (label == pose_label(source.landmarks(frame), source.densepose(frame))).all()
    assert (parts_of(label) == source.densepose(frame)[..., 0]).all()
    assert source.landmarks(frame).shape == (18, 2) and source.landmarks(frame).dtype == np.float32


def test_fingerprint_names_the_data():
    prints = [world(**c).fingerprint for c in ({}, {"identities": 5}, {"frames": 4}, {"size": 36}, {"seed": 1})]
    assert len(set(prints)) == 5 and prints[0] == world().fingerprint and len(prints[0]) == 64


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: world(identities=1), "identities = 1 is too small"),
        (lambda: world(frames=1), "frames = 1 is too small"),
        (lambda: world().image(Frame("dance-99999.1", 0)), "dance-99999.1: no such clip"),
        (lambda: world().image(Frame("dance-00000.1", 2)), "frame 2 does not exist; this clip has frames 0 to 1"),
    ],
)
def test_mistakes_are_one_line(call, message):
    with pytest.raises(BenchError, match=message):
        call()


def test_task_describes_its_source():
    config = load("smoke", "dance")
    task = DanceTask()
    info, source = task.info(config), task.source(config, None)
    frame = Frame(source.clips[0].id, 0)
    assert source.label(frame).shape == (info.label_channels, info.height, info.width)
    assert source.landmarks(frame).shape == (info.joints, 2)
    mirror = task.mirror(config)
    assert (mirror.label(source.label(frame)) == source.label(frame)[..., ::-1]).all()
    with pytest.raises(BenchError, match="swap_left_right"):
        task.mirror(load("smoke", "dance", ["pairs.swap_left_right=true"]))
    with pytest.raises(BenchError, match="videos: is not a folder"):
        task.source(config, "videos")


def test_contact_sheet_is_a_png_of_the_right_size(tmp_path):
    dances_sheet(tmp_path / "new" / "dancers.png", size=32, identities=2, states=3)
    with Image.open(tmp_path / "new" / "dancers.png") as sheet:
        assert sheet.size == (3 * 34 - 2, 4 * 34 - 2)
    iuv = np.zeros((1, 25, 3), np.uint8)
    iuv[0, :, 0] = np.arange(25)
    assert len(np.unique(part_colours(iuv)[0], axis=0)) == 25
