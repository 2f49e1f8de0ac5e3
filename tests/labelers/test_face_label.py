"""The face label against a per-pixel oracle, its scale and its error messages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import BenchError
from benchmark.labelers.face_label import CHANNELS, face_label, face_label_unit, flip_label, part_map
from benchmark.labelers.ibug68 import EDGES, MIRROR, mirror_landmarks
from tests.benchmarks.face_label import example_face, loop_label


def jittered(size: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    face = example_face(size)
    turn = rng.normal(0, 0.2)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return ((face - size / 2) @ rotation.T + size / 2 + rng.normal(0, size / 100, face.shape)).astype(np.float32)


@pytest.mark.parametrize(("size", "draw"), [(32, 64), (64, 128)])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_per_pixel_loop(size: int, draw: int, seed: int) -> None:
    landmarks = jittered(size, seed)
    fast, slow = face_label(landmarks, size, draw), loop_label(landmarks, size, draw)
    inner = (slice(None), slice(1, -1), slice(1, -1))  # on the border the two reductions weigh the outside differently
    difference = np.abs(fast.astype(int) - slow.astype(int))
    # A curve that falls exactly between two pixels may round either way, which moves a few pixels of one channel.
    assert np.mean(difference[inner] > 2) < 1e-3
    assert difference[1:].max() <= 8


def test_reduction_by_another_factor_agrees_too() -> None:
    landmarks = jittered(32, 5)
    difference = np.abs(face_label(landmarks, 32, 128).astype(int) - loop_label(landmarks, 32, 128).astype(int))
    assert np.mean(difference > 2) < 1e-3


def test_shape_range_and_unit_version() -> None:
    label = face_label(example_face(64), 64)
    assert label.shape == (CHANNELS, 64, 64) == (15, 64, 64)
    assert label.dtype == np.uint8 and label[0].max() > 200 and label[0].min() == 0
    np.testing.assert_allclose(face_label_unit(example_face(64), 64), label / 255.0, atol=1e-6)


def test_distances_mean_the_same_at_every_size() -> None:
    small, large = (face_label(example_face(size), size)[1:].astype(float) for size in (64, 256))
    pooled = large.reshape(14, 64, 4, 64, 4).mean(axis=(2, 4))
    assert np.abs(small - pooled).max() < 4  # the brush is 1 label px wide at either size, hence not 0


def test_every_channel_is_nearest_at_its_own_landmarks() -> None:
    landmarks = example_face(256)
    label = face_label(landmarks, 256)
    for channel, edge in enumerate(EDGES.values(), start=1):
        for index in (i for i in edge if i < 68):
            x, y = np.rint(landmarks[index]).astype(int)
            assert label[channel, y, x] <= 2


def test_forehead_is_the_jaw_mirrored_two_thirds_as_far() -> None:
    landmarks = example_face(256)
    x, chin, ear = landmarks[8, 0], landmarks[8, 1], landmarks[0, 1]
    top = ear - (chin - ear) * 2 / 3
    column = face_label(landmarks, 256)[0, :, round(x)]
    rows = np.flatnonzero(column > 128)
    assert abs(rows.min() - top) <= 1 and abs(rows.max() - chin) <= 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([32, 48, 64]))
def test_any_face_gives_a_label(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    landmarks = np.rint(rng.uniform(0, size - 1, (68, 2))).astype(np.float32)  # whole numbers often coincide
    label = face_label(landmarks, size)
    assert label.shape == (15, size, size)
    # City-block distance changes by at most one canvas step per canvas pixel, whatever was drawn.
    step = np.abs(np.diff(label[1:].astype(int), axis=2)).max()
    assert step <= 512 / size / 3 + 2


def test_an_edge_that_is_not_drawn_is_infinitely_far() -> None:
    landmarks = example_face(64)
    landmarks[42:48] += 64  # the left eye leaves the image
    label = face_label(landmarks, 64)
    channel = list(EDGES).index("left_eye_upper") + 1
    assert (label[channel] == 255).all()


def test_flip_swaps_sides_on_demand() -> None:
    label = face_label(jittered(64, 1), 64)
    names = ["all", *EDGES]
    right, left = names.index("right_eye_upper"), names.index("left_eye_upper")
    np.testing.assert_array_equal(flip_label(label)[right], label[right, :, ::-1])
    np.testing.assert_array_equal(flip_label(label, swap_left_right=True)[left], label[right, :, ::-1])
    np.testing.assert_array_equal(flip_label(flip_label(label, True), True), label)


def test_swapped_flip_is_nearly_the_label_of_the_mirrored_face() -> None:
    landmarks = jittered(64, 2)
    flipped = flip_label(face_label(landmarks, 64), swap_left_right=True).astype(int)
    mirrored = face_label(mirror_landmarks(landmarks, 64), 64).astype(int)
    brows = [i for i, name in enumerate(["all", *EDGES]) if "brow" in name]  # cut in the same pieces from either end
    assert np.abs(flipped - mirrored)[brows].max() <= 6


def test_mirror_is_its_own_inverse() -> None:
    np.testing.assert_array_equal(MIRROR[MIRROR], np.arange(68))
    landmarks = jittered(64, 3)
    np.testing.assert_allclose(mirror_landmarks(mirror_landmarks(landmarks, 64), 64), landmarks, atol=1e-5)


def test_part_map_fills_the_parts() -> None:
    landmarks = example_face(64)
    landmarks[65:68, 1] += 3  # open the mouth
    landmarks[55:60, 1] += 3
    parts = part_map(landmarks, 64)
    assert set(np.unique(parts)) == set(range(7))
    for number, index in ((4, slice(36, 42)), (4, slice(42, 48)), (6, slice(60, 68))):
        x, y = np.rint(landmarks[index].mean(axis=0)).astype(int)
        assert parts[y, x] == number
    assert parts[0, 0] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[:60], r"shape \(60, 2\)"),
        (lambda p: np.where(np.arange(136).reshape(68, 2) == 7, np.nan, p), "NaN"),
        (lambda p: p * 10, "far outside a 64 px image"),
    ],
)
def test_bad_landmarks_are_named(change: Callable[[np.ndarray], np.ndarray], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        face_label(change(example_face(64)), 64)


def test_canvas_smaller_than_the_label_is_refused() -> None:
    with pytest.raises(BenchError, match="draw_size 32"):
        face_label(example_face(64), 64, draw_size=32)
