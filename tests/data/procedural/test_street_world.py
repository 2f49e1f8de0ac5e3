"""The street world keeps the Source contract: groups are styles, splits are by scene, true answers, one-line errors."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from benchmark.config import Config, PairsConfig, StreetConfig
from benchmark.data.pairs import PairSampler
from benchmark.data.procedural.street_sheet import streets_sheet
from benchmark.data.procedural.street_world import ProceduralStreets, picture_height
from benchmark.data.source import Frame, Source
from benchmark.errors import BenchError
from benchmark.labelers.street_label import street_label
from benchmark.tasks.street import StreetTask

GROUPS = StreetConfig().groups


def world(**change) -> ProceduralStreets:
    return ProceduralStreets(**{"scenes": 12, "frames": 2, "size": 32, "seed": 0, "groups": GROUPS, **change})


WORLD = world()


def test_groups_are_clips_and_splits_are_by_scene():
    source: Source = world(scenes=100)
    assert Counter(clip.split for clip in source.clips) == {"val": 13, "test": 13, "train": 13}
    assert Counter({s: sum(len(c) for c in source.clips if c.split == s) for s in ("val", "test", "train")}) == {
        "val": 40, "test": 40, "train": 120,
    }  # fmt: skip
    scenes = {
        split: {source._shown(Frame(c.id, i)).scene for c in source.clips if c.split == split for i in range(len(c))}
        for split in ("val", "test", "train")
    }
    assert sum(map(len, scenes.values())) == len(set.union(*scenes.values())) == 100
    assert [c.id for c in source.clips] != [c.id for c in world(scenes=100, groups=GROUPS[::-1]).clips]


def test_pairs_within_a_clip_share_weather_and_time_but_not_the_street():
    source = world(scenes=100, frames=3)
    sampler = PairSampler(
        tuple(c for c in source.clips if c.split == "train"),
        PairsConfig(window=4, unit="positions", consistent_share=0.5),
    )
    rng, other_scenes = np.random.default_rng(0), 0
    for _ in range(200):
        draw = sampler.draw(rng)
        shown = [source._shown(frame) for frame in (draw.target, draw.exemplar, draw.same, draw.other)]
        assert (shown[0].group == shown[1].group) == draw.consistent
        assert shown[1].group == shown[2].group != shown[3].group
        other_scenes += draw.consistent and shown[0].scene != shown[1].scene
    assert other_scenes > 60


def test_truth_has_the_style_of_one_and_the_layout_of_the_other():
    a, b = Frame(WORLD.clips[0].id, 0), Frame(WORLD.clips[1].id, 1)
    assert (WORLD.truth(a, a) == WORLD.image(a)).all()
    answer = WORLD.truth(label_of=a, style_of=b)
    assert answer.shape == (20, 32, 3) and answer.dtype == np.uint8
    assert (answer != WORLD.image(a)).any() and (answer != WORLD.image(b)).any()


def test_labels_parsings_instances_and_regions_are_one():
    frame = Frame(WORLD.clips[3].id, 1)
    train, instances = WORLD.parsing(frame), WORLD.instances(frame)
    assert train.shape == instances.shape == (20, 32) and train.dtype == np.uint8
    assert (WORLD.label(frame) == street_label(train)).all()
    assert (np.where(instances < 1000, instances, instances // 1000) == train).all()
    assert (WORLD.regions(frame, frame)["foreground"] == (train != 10)).all()
    assert WORLD.landmarks(frame).shape == (0, 2)


@pytest.mark.parametrize(("width", "height"), [(256, 144), (64, 36), (32, 20), (128, 72)])
def test_pictures_are_16_to_9_in_multiples_of_4(width, height):
    assert picture_height(width) == height


def test_fingerprint_names_the_data():
    changes = ({}, {"scenes": 13}, {"frames": 3}, {"size": 36}, {"seed": 1}, {"groups": GROUPS[:5]})
    prints = [world(**change).fingerprint for change in changes]
    assert len(set(prints)) == len(changes) and prints[0] == WORLD.fingerprint and len(prints[0]) == 64


def test_mistakes_are_named():
    with pytest.raises(BenchError, match=r"street-nowhere: no such clip; this world has street-val-"):
        WORLD.image(Frame("street-nowhere", 0))
    with pytest.raises(BenchError, match=r"frame 99 does not exist"):
        WORLD.parsing(Frame(WORLD.clips[0].id, 99))
    with pytest.raises(BenchError, match=r"identities = 2"):
        world(scenes=2)
    with pytest.raises(BenchError, match=r"size = 34 is no multiple of 4"):
        world(size=34)
    with pytest.raises(BenchError, match=r"'undefined' cannot be rendered"):
        world(groups=(("clear", "undefined"), ("clear", "night")))


def test_the_task_describes_what_its_source_gives():
    from dataclasses import replace

    config = Config()
    config = replace(config, data=replace(config.data, size=32, identities=12, frames=2))
    task = StreetTask()
    info, source = task.info(config), task.source(config, None)
    frame = Frame(source.clips[0].id, 0)
    assert source.label(frame).shape == (info.label_channels, info.height, info.width)
    assert source.image(frame).shape == (info.height, info.width, 3) and info.joints == 0
    mirror = task.mirror(config)
    assert (mirror.label(source.label(frame)) == source.label(frame)[..., ::-1]).all()
    assert mirror.joints(source.landmarks(frame), info.width).shape == (0, 2)
    with pytest.raises(BenchError, match=r"elsewhere"):
        task.source(config, "elsewhere")


def test_contact_sheet(tmp_path):
    streets_sheet(tmp_path / "streets.png", size=32, scenes=2, moments=2)
    with Image.open(tmp_path / "streets.png") as sheet:
        assert sheet.size == (3 * 34 - 2, 2 * 22 - 2)
        assert np.asarray(sheet).std() > 20
