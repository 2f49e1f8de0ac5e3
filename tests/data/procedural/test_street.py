"""The street renderer: style moves no label, and weather and time of day show."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from benchmark.config import StreetConfig
from benchmark.data.procedural.street import Layout, look, paint, render, sample_scene, sample_style
from benchmark.data.procedural.street_air import bloom, develop, fall, reflect
from benchmark.data.procedural.street_light import shadows
from benchmark.data.procedural.street_types import StreetStyle
from benchmark.errors import BenchError
from benchmark.labelers.cityscapes import CLASSES

GROUPS = StreetConfig().groups
LAYOUTS = [Layout(sample_scene(0, index, 8), 2) for index in (0, 3, 9)]
VIEWS = [look(layout, 36, 64) for layout in LAYOUTS]
ROAD, SKY = CLASSES.index("road"), CLASSES.index("sky")


def style(weather: str, time: str, index: int = 0) -> StreetStyle:
    return sample_style(0, index, weather, time)


def pictures(weather: str, time: str) -> np.ndarray:
    return np.stack([paint(view, style(weather, time, index)) for index, view in enumerate(VIEWS)]).astype(float)


def of_class(images: np.ndarray, number: int) -> np.ndarray:
    """Mean colour of a class over the three views."""
    labels = np.stack([view.labels() for view in VIEWS])
    return images[labels == number].mean(axis=0)


@pytest.mark.parametrize("group", GROUPS, ids="-".join)
def test_every_group_renders(group):
    for index, view in enumerate(VIEWS):
        image = paint(view, style(*group, index))
        assert image.shape == (36, 64, 3) and image.dtype == np.uint8
        assert image.std() > 15  # a picture, not a plain


def test_conditions_show_in_the_numbers():
    day, night = pictures("clear", "daytime"), pictures("clear", "night")
    dusk, snow = pictures("clear", "dawn/dusk"), pictures("snowy", "daytime")
    assert day.mean() > 1.5 * night.mean() and of_class(day, ROAD).mean() > 1.5 * of_class(night, ROAD).mean()
    assert of_class(night, SKY).max() < 45  # a dark sky
    assert of_class(day, SKY)[2] > of_class(day, SKY)[0] + 20  # a blue one
    assert of_class(dusk, SKY)[0] > of_class(dusk, SKY)[2] + 20  # a glowing one
    assert of_class(snow, ROAD).mean() > of_class(day, ROAD).mean() + 25  # a white road
    assert of_class(snow, ROAD).std() < 15
    assert night.max() > 230  # lamps


def test_wet_ground_mirrors_what_stands_on_it():
    rain = style("rainy", "night")
    image = np.zeros((40, 30, 3), np.float32)
    image[10:20, 12:18] = (1.0, 0.0, 0.0)  # a red light whose foot is row 20
    ground = np.zeros((40, 30), bool)
    ground[20:] = True
    flat = np.zeros((40, 30), np.float32)
    wet = reflect(rain, image, ground, flat, flat)
    assert wet[21:28, 13:17, 0].min() > 0.1 and wet[21:28, :8].max() < 0.05 and wet[33:, :, 0].max() < 0.1
    assert (wet[:20] == image[:20]).all()


def test_rain_and_snow_fall_only_when_they_should():
    grey = np.full((36, 64, 3), 0.3, np.float32)
    assert (fall(style("clear", "daytime"), grey) == grey).all()
    for weather in ("rainy", "snowy"):
        fallen = fall(style(weather, "daytime"), grey)
        assert 0.02 < (np.abs(fallen - grey).max(axis=2) > 0.02).mean() < 0.9
        assert (fall(style(weather, "daytime"), grey) == fallen).all()


def test_lamps_glow_at_night_and_not_by_day():
    dark, lamp = np.zeros((36, 64, 3), np.float32), np.zeros((36, 64, 3), np.float32)
    lamp[18, 32] = 2.0
    assert (bloom(style("clear", "daytime"), dark, lamp) == 0).all()
    night = bloom(style("clear", "night"), dark, lamp)[18, :, 0]
    assert night[32] > night[33] > night[36] > 0 and night[0] < 0.01


def test_shadows_fall_away_from_the_sun():
    build = replace(style("clear", "daytime"), sun=(0.8, 0.6, 0.0))
    lit_from_right = shadows(build, VIEWS[0])
    lit_from_left = shadows(replace(build, sun=(-0.8, 0.6, 0.0)), VIEWS[0])
    assert lit_from_right.shape == (36, 64) and lit_from_right.min() >= 0 and lit_from_right.max() <= 1
    assert np.abs(lit_from_right - lit_from_left).max() > 0.5
    overcast = shadows(style("overcast", "daytime"), VIEWS[0])
    assert overcast.mean() > lit_from_right.mean()  # only the dim under cars


def test_development_keeps_order_and_range():
    ramp = np.repeat(np.linspace(0, 3, 64, dtype=np.float32)[None, :, None], 36, axis=0).repeat(3, axis=2)
    plain = replace(style("clear", "daytime"), balance=(1.0, 1.0, 1.0))
    row = develop(plain, ramp)[18, :, 0].astype(int)
    assert row[0] == 0 and row.max() < 256 and (np.diff(row[:50]) >= 0).all() and row[50] > 200


def test_style_moves_no_label_and_layout_no_style():
    before = VIEWS[0].labels().copy()
    for group in GROUPS[:3]:
        paint(VIEWS[0], style(*group))
    assert (VIEWS[0].labels() == before).all()
    first, second = sample_style(0, 4, "clear", "daytime"), sample_style(0, 4, "rainy", "night")
    assert first.facades == second.facades and first.sky_light != second.sky_light  # the town stays, the weather goes


def test_scenes_of_a_group_are_alike_and_groups_differ():
    """A group's pictures of one layout lie closer together than pictures of two groups."""
    view = VIEWS[1]
    shown = {g: [paint(view, style(*g, i)).astype(float) for i in range(3)] for g in GROUPS[::3]}
    within = [np.abs(a - b).mean() for ps in shown.values() for a, b in pairwise(ps)]
    between = [np.abs(shown[a][0] - shown[b][0]).mean() for a in shown for b in shown if a < b]
    assert 2 * np.mean(within) < np.mean(between)


def test_the_same_picture_at_every_size():
    for layout in LAYOUTS:
        look_of = style("clear", "daytime")
        small, large = render(layout, look_of, 36, 64), render(layout, look_of, 144, 256)
        assert np.abs(cv2.resize(large, (64, 36), interpolation=cv2.INTER_AREA).astype(int) - small).mean() < 9


def test_unknown_conditions_are_refused():
    with pytest.raises(BenchError, match=r"weather 'undefined' cannot be rendered"):
        sample_style(0, 0, "undefined", "daytime")
    with pytest.raises(BenchError, match=r"time of day 'undefined'"):
        sample_style(0, 0, "clear", "undefined")


CHILD = """
import hashlib
from benchmark.data.procedural.street import Layout, look, paint, sample_scene, sample_style
digest = hashlib.sha256()
for index, condition in enumerate((("rainy", "night"), ("snowy", "dawn/dusk"))):
    view = look(Layout(sample_scene(7, index, 4), 1), 36, 64)
    digest.update(paint(view, sample_style(7, index, *condition)).tobytes() + view.instances().tobytes())
print(digest.hexdigest())
"""


def test_other_processes_draw_the_same_bytes():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", CHILD],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("0", "4242")
    }
    digest = hashlib.sha256()
    for index, condition in enumerate((("rainy", "night"), ("snowy", "dawn/dusk"))):
        view = look(Layout(sample_scene(7, index, 4), 1), 36, 64)
        digest.update(paint(view, sample_style(7, index, *condition)).tobytes() + view.instances().tobytes())
    assert outputs == {digest.hexdigest()}
