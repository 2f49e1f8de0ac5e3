"""The dance label against its formulas, its scale and its error messages."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.labelers.openpose18 import COLOURS, JOINTS, LIMBS, MIRROR, NAMES, mirror_joints
from benchmark.labelers.pose_label import CHANNELS, densepose_channels, draw_limbs, flip_label, parts_of, pose_label


def dancer(size: int) -> np.ndarray:
    """A dancer with every joint visible: (18, 2) px."""
    points = [
        (50, 18), (50, 28), (40, 29), (32, 40), (22, 33), (60, 29), (70, 40), (80, 30), (44, 54), (40, 70), (42, 88),
        (56, 54), (62, 70), (60, 88), (48, 16), (52, 16), (45, 17), (55, 17),
    ]  # fmt: skip
    return np.array(points, np.float32) * size / 100


def nobody(size: int) -> np.ndarray:
    return np.zeros((size, size, 3), np.uint8)


def l1_to_segment(pixels: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """City-block distance of pixels (K, 2) to a finely sampled segment."""
    samples = a + (b - a) * np.linspace(0, 1, 400)[:, None]
    return np.abs(pixels[:, None] - samples).sum(axis=-1).min(axis=1)


def test_there_are_17_limbs_of_18_joints_in_17_colours():
    assert len(LIMBS) == len(set(COLOURS)) == len(COLOURS) == 17 and len(NAMES) == JOINTS == 18
    assert {j for limb in LIMBS for j in limb} == set(range(18))
    assert {tuple(sorted(MIRROR[list(limb)])) for limb in LIMBS} == {tuple(sorted(limb)) for limb in LIMBS}


def test_mirror_swaps_sides_and_is_its_own_inverse():
    assert [NAMES[i] for i in MIRROR[[0, 1, 2, 13, 16]]] == [
        "nose",
        "neck",
        "left_shoulder",
        "right_ankle",
        "left_ear",
    ]
    joints = dancer(64)
    assert mirror_joints(joints, 64)[4, 0] == pytest.approx(63 - joints[7, 0])
    np.testing.assert_allclose(mirror_joints(mirror_joints(joints, 64), 64), joints, atol=1e-5)


@pytest.mark.parametrize("size", [128, 256])
def test_distance_maps_are_half_the_city_block_distance_at_256_px(size):
    joints = dancer(size)
    label = pose_label(joints, nobody(size), draw_size=size)
    pixels = np.random.default_rng(0).integers(0, size, (400, 2))
    for channel, (a, b) in enumerate(LIMBS, start=6):
        true = l1_to_segment(pixels, joints[a], joints[b]) * 256 / size / 2
        # the stroke is 2 px wide: its rim is up to 1.5 canvas px (in each of x and y) nearer than the line itself
        assert np.abs(np.minimum(true, 255) - label[channel][pixels[:, 1], pixels[:, 0]]).max() <= 2.0 * 256 / size


def test_values_mean_the_same_at_every_size():
    small, large = (pose_label(dancer(size), nobody(size)).astype(float) for size in (64, 256))
    pooled = large.reshape(CHANNELS, 64, 4, 64, 4).mean(axis=(2, 4))
    assert np.abs(small - pooled)[6:].max() < 4
    assert np.abs(small - pooled)[3:6].mean() < 3  # ends of strokes round differently


def test_a_limb_has_its_colour_and_leaves_the_mean_where_it_crosses_another():
    points = np.full((18, 2), np.nan)
    points[[2, 3]] = [[10, 64], [118, 64]]  # right upper arm, level
    alone = draw_limbs(points, (128, 128))
    assert (alone[64, 64] == COLOURS[1]).all() and not alone[40].any()
    points[[5, 6]] = [[64, 10], [64, 118]]  # left upper arm, upright: drawn later
    both = draw_limbs(points, (128, 128))
    assert (both[64, 64] == (np.array(COLOURS[1]) + COLOURS[3]) // 2).all() and (both[30, 64] == COLOURS[3]).all()
    assert both[64 - 2 : 64 + 2, 90].any(axis=1).sum() == 4 and not both[64 + 4, 90].any()  # the brush is 4 px wide
    assert both[64, 118 + 3].any() and not both[64, 118 + 6].any()  # and ends in a disc


def test_a_limb_without_a_joint_is_infinitely_far_and_not_drawn():
    joints = dancer(64)
    joints[4] = np.nan  # right wrist
    label = pose_label(joints, nobody(64))
    gone = LIMBS.index((3, 4)) + 6
    assert (label[gone] == 255).all() and label[gone - 1].min() < 3
    assert not label[3:6, 30:36, 20:26].any()
    empty = pose_label(np.full((18, 2), np.nan), nobody(64))
    assert (empty[6:] == 255).all() and not empty[:6].any()


def test_densepose_comes_as_v_u_and_part():
    iuv = np.zeros((2, 25, 3), np.uint8)
    iuv[..., 0], iuv[..., 1], iuv[..., 2] = np.arange(25), 200, 100
    channels = densepose_channels(iuv)
    assert (channels[0] == 100).all() and (channels[1] == 200).all()
    np.testing.assert_allclose(channels[2] / 255, iuv[..., 0] / 24, atol=0.5 / 255 + 1e-9)
    label = pose_label(dancer(64), np.pad(iuv, ((0, 62), (0, 39), (0, 0))))
    assert (parts_of(label)[:2, :25] == np.arange(25)).all()


def test_a_tall_photo_has_a_tall_label():
    assert pose_label(dancer(36), np.zeros((64, 36, 3), np.uint8)).shape == (23, 64, 36)


def test_flip_mirrors_pixels_and_leaves_channels():
    label = pose_label(dancer(64), nobody(64))
    np.testing.assert_array_equal(flip_label(label), label[:, :, ::-1])


@pytest.mark.parametrize(
    ("joints", "parts", "message"),
    [
        (dancer(64)[:17], nobody(64), r"\(17, 2\)"),
        (np.where(np.arange(36).reshape(18, 2) == 5, np.nan, dancer(64)), nobody(64), "only one coordinate"),
        (dancer(64) * 30, nobody(64), "far outside a 64 px photo"),
        (dancer(64), np.full((64, 64, 3), 25, np.uint8), "part 25"),
        (dancer(64), np.zeros((64, 64), np.uint8), r"uint8 \(64, 64\)"),
    ],
)
def test_bad_input_is_named(joints, parts, message):
    with pytest.raises(BenchError, match=message):
        pose_label(joints, parts)


def test_canvas_smaller_than_the_label_is_refused():
    with pytest.raises(BenchError, match="draw_size 32"):
        pose_label(dancer(64), nobody(64), draw_size=32)
