"""Street labels: what is rastered lies where a pinhole camera puts it, in front of what it hides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmark.data.procedural.street_geometry import FOCAL, NEAR, look
from benchmark.data.procedural.street_mesh import MeshBuilder
from benchmark.data.procedural.street_scene import sample_scene
from benchmark.data.procedural.street_types import Layout, Material
from benchmark.labelers.cityscapes import CLASSES

SCENE = replace(
    sample_scene(0, 0, 1), bend=(0.0, 0.0, 0.0), turn=(0.0, 0.0), eye=1.5, horizon=0.5, speed=1.0, crossings=()
)
HEIGHT, WIDTH = 144, 256
SKY, ROAD, CAR, BUS, PERSON = (CLASSES.index(name) for name in ("sky", "road", "car", "bus", "person"))


def scene_of(build: MeshBuilder):
    return replace(SCENE, mesh=build.build())


def card(build: MeshBuilder, label: str, x: float, z: float, width: float, height: float, **more) -> None:
    build.thing(label, x, z, width, height, **more)
    build.rectangle((-width / 2, width / 2), (0.0, height), Material.PAINT)


def expected_mask(x: tuple[float, float], y: tuple[float, float], z: float) -> np.ndarray:
    """Pixels whose centre's ray meets the upright rectangle: a restatement with no rasteriser."""
    slope_x = (np.arange(WIDTH) + 0.5 - WIDTH / 2) / (FOCAL * WIDTH)
    slope_y = (HEIGHT / 2 - np.arange(HEIGHT) - 0.5) / (FOCAL * WIDTH)
    across = (slope_x * z > x[0]) & (slope_x * z < x[1])
    up = (slope_y * z + 1.5 > y[0]) & (slope_y * z + 1.5 < y[1])
    return up[:, None] & across[None, :]


def test_a_rectangle_covers_the_pixels_whose_rays_meet_it():
    build = MeshBuilder()
    card(build, "car", 1.0, 12.0, 4.0, 2.2)
    labels = look(Layout(scene_of(build), 0), HEIGHT, WIDTH).labels()
    expected = expected_mask((-1.0, 3.0), (0.0, 2.2), 12.0)
    assert labels.dtype == np.uint8 and labels.shape == (HEIGHT, WIDTH)
    assert (labels[~expected] == SKY).mean() > 0.998
    wrong = (labels == CAR) != expected
    edge = expected ^ np.roll(expected, 1, 0) | expected ^ np.roll(expected, 1, 1)
    assert wrong.sum() <= 0.3 * edge.sum()  # the raster is a third of a pixel fat at its border


def test_the_camera_drives_and_things_move():
    build = MeshBuilder()
    card(build, "car", 0.0, 20.0, 2.0, 1.5)
    card(build, "person", 6.0, 20.0, 1.0, 1.8, velocity=(-1.0, 0.0, 1.0))
    scene = scene_of(build)
    first, later = (look(Layout(scene, t), HEIGHT, WIDTH).labels() for t in (0, 5))
    assert (later == CAR).sum() / (first == CAR).sum() == pytest.approx((20 / 15) ** 2, rel=0.15)
    columns = [np.nonzero((labels == PERSON).any(axis=0))[0].mean() for labels in (first, later)]
    for column, x in zip(columns, (6.0, 1.0), strict=True):
        assert column + 0.5 - WIDTH / 2 == pytest.approx(FOCAL * WIDTH * x / 20.0, abs=1.0)


def test_the_nearer_thing_hides_the_farther_whatever_the_order_of_building():
    for nearer_first in (True, False):
        build = MeshBuilder()
        for z, label in sorted(((8.0, "car"), (16.0, "bus")), reverse=not nearer_first):
            card(build, label, 0.0, z, 3.0, 2.5)
        labels = look(Layout(scene_of(build), 0), HEIGHT, WIDTH).labels()
        assert (labels == CAR).any() and not (labels == BUS).any()


def test_what_stands_before_a_long_facade_is_in_front_of_it():
    build = MeshBuilder()
    card(build, "person", 8.0, 18.0, 1.0, 1.8)
    build.thing("building", 10.0, 2.0, 30.0, 9.0)
    build.side(0.0, (0.0, 9.0), (0.0, 30.0), Material.FACADE)
    labels = look(Layout(scene_of(build), 0), HEIGHT, WIDTH).labels()
    share = (labels == PERSON)[expected_mask((7.5, 8.5), (0.0, 1.8), 18.0)].mean()
    assert share == 1.0 and (labels == CLASSES.index("building")).any()


def test_ground_reaches_under_the_camera():
    build = MeshBuilder()
    build.thing("road", 0.0, 0.0, 0.0, 0.0)
    build.flat((-150.0, 150.0), 0.0, (-5.0, 200.0), Material.ROAD)
    labels = look(Layout(scene_of(build), 0), HEIGHT, WIDTH).labels()
    assert (labels[: HEIGHT // 2 - 1] == SKY).all() and (labels[HEIGHT // 2 + 3 :] == ROAD).all()
    assert NEAR < 1.5 / (0.5 * HEIGHT / (FOCAL * WIDTH))  # or the last row would look behind the cut


def test_instances_number_what_can_be_counted():
    build = MeshBuilder()
    for x, label in ((-4.0, "car"), (0.0, "car"), (4.0, "pole")):
        card(build, label, x, 12.0, 1.5, 1.5)
    view = look(Layout(scene_of(build), 0), HEIGHT, WIDTH)
    assert set(np.unique(view.instances())) == {SKY, CLASSES.index("pole"), 1000 * CAR, 1000 * CAR + 1}


@pytest.mark.parametrize("index", range(4))
def test_instances_and_labels_agree_in_real_scenes(index):
    view = look(Layout(sample_scene(3, index, 4), 2), 36, 64)
    labels, instances = view.labels(), view.instances()
    assert (np.where(instances < 1000, instances, instances // 1000) == labels).all()
    assert set(np.unique(labels[instances >= 1000])) <= set(range(11, 19))


def test_all_classes_occur_and_streets_look_like_streets():
    shares = np.zeros(19)
    for index in range(20):
        labels = look(Layout(sample_scene(0, index, 24), 7 * (index % 3)), 36, 64).labels()
        shares += np.bincount(labels.ravel(), minlength=19)[:19]
        assert (labels[-6:] == ROAD).mean() > 0.2  # a road below
    shares /= shares.sum()
    assert (shares > 0).all(), [CLASSES[i] for i in np.flatnonzero(shares == 0)]
    assert shares[ROAD] > 0.2 and 0.05 < shares[SKY] < 0.4


def test_a_layout_is_the_same_at_every_size():
    layout = Layout(sample_scene(0, 5, 8), 3)
    large, small = look(layout, 144, 256).labels(), look(layout, 36, 64).labels()
    assert (large[2::4, 2::4] == small).mean() > 0.93
