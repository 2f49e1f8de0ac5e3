"""The face renderer: what is drawn lies where the landmarks say, and nothing else moves them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.data.procedural.face import FaceSemantics, landmarks, regions, render, sample_clip, sample_person
from benchmark.data.procedural.face_types import BEARDS, COLLARS, GLASSES, HAIR_STYLES, HATS

BONE, LOOK = sample_person(0, 3)
PLAIN = replace(
    LOOK,
    hair_style="bald",
    glasses="none",
    beard="none",
    hat="none",
    make_up=0.0,
    age=0.0,
    freckles=0.0,
    earrings="none",
)
POSES = [
    FaceSemantics(BONE),
    FaceSemantics(BONE, yaw=0.5, pitch=0.2, roll=-0.2),
    FaceSemantics(BONE, yaw=-0.5, pitch=-0.25, mouth_open=0.8),
]


def changed(semantics, first, second, size):
    """Absolute difference (size, size) between two appearances under one semantics."""
    return np.abs(render(semantics, first, size).astype(int) - render(semantics, second, size)).sum(axis=2)


def centroid(mask):
    y, x = np.nonzero(mask)
    return np.array([x.mean(), y.mean()])


def filled(size, *polygons):
    """Mask of the first polygon less the others, drawn eight times finer, as a float share per pixel."""
    mask = np.zeros((size * 8, size * 8), np.uint8)
    for value, polygon in zip((1, 0, 0), polygons, strict=False):
        cv2.fillPoly(mask, [np.rint((polygon + 0.5) * 8 - 0.5).astype(np.int32)], value)
    return cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)


def weighted_centroid(share):
    y, x = np.mgrid[0 : share.shape[0], 0 : share.shape[1]]
    return np.array([(x * share).sum(), (y * share).sum()]) / share.sum()


@pytest.mark.parametrize("semantics", POSES)
def test_drawn_lips_lie_on_their_landmarks(semantics):
    size = 256
    difference = changed(
        semantics, replace(PLAIN, lips=(255.0, 0.0, 0.0)), replace(PLAIN, lips=(0.0, 0.0, 255.0)), size
    )
    points = landmarks(semantics, size)
    expected = weighted_centroid(filled(size, points[48:60], points[60:68]))
    assert np.abs(centroid(difference > 90) - expected).max() < 0.5 * size / 64


@pytest.mark.parametrize("semantics", POSES)
@pytest.mark.parametrize("eye", [slice(36, 42), slice(42, 48)])
def test_drawn_eye_opening_lies_on_its_landmarks(semantics, eye):
    size = 256
    difference = changed(
        semantics, replace(PLAIN, skin=(250.0, 250.0, 250.0)), replace(PLAIN, skin=(60.0, 60.0, 60.0)), size
    )
    points = landmarks(semantics, size)[eye]
    low, high = np.floor(points.min(axis=0)).astype(int) - 2, np.ceil(points.max(axis=0)).astype(int) + 3
    # The eyeball alone does not take the colour of the skin; lashes do not either, so cut them off.
    opening = difference < 20
    opening &= filled(size, (points - points.mean(axis=0)) * 1.3 + points.mean(axis=0)) > 0.5
    box = np.zeros_like(opening)
    box[low[1] : high[1], low[0] : high[0]] = True
    assert np.abs(centroid(opening & box) - weighted_centroid(filled(size, points))).max() < 0.5 * size / 64


@pytest.mark.parametrize("semantics", POSES)
def test_drawn_brows_lie_on_their_landmarks(semantics):
    size = 256
    difference = changed(
        semantics, replace(PLAIN, brow=(250.0, 0.0, 0.0)), replace(PLAIN, brow=(0.0, 0.0, 250.0)), size
    )
    points = landmarks(semantics, size)
    for brow in (points[17:22], points[22:27]):
        for x, y in brow[1:4]:
            column = difference[int(y) - 14 : int(y) + 15, round(float(x))]
            weight = np.where(column > 120, column, 0)
            assert weight.any()
            assert abs(np.average(np.arange(-14, 15), weights=weight) + int(y) - y) < 1.0 * size / 64


@pytest.mark.parametrize("yaw", [0.0, 0.35, -0.35])
def test_drawn_jaw_edge_lies_on_its_landmarks(yaw):
    size = 256
    semantics = FaceSemantics(BONE, yaw=yaw)
    person = regions(semantics, PLAIN, size)["foreground"]
    points = landmarks(semantics, size)
    far = points[[12, 13]] if yaw >= 0 else points[[3, 4]]
    for x, y in far:
        row = np.flatnonzero(person[round(float(y))])
        edge = row[-1] if yaw >= 0 else row[0]
        assert abs(edge - x) < 0.5 * size / 64


@pytest.mark.parametrize("semantics", POSES)
def test_face_region_ends_at_the_jaw(semantics):
    size = 256
    inside = regions(semantics, PLAIN, size)["face"]
    points = landmarks(semantics, size)
    centre = points[30]
    for point in points[1:16]:
        outward = (point - centre) / np.linalg.norm(point - centre)
        for step, expected in ((-3.0, True), (3.0, False)):
            x, y = np.rint(point + step * outward).astype(int)
            assert inside[y, x] == expected


def test_order_and_sense_of_the_68_points():
    points = landmarks(FaceSemantics(BONE), 64)
    assert points.shape == (68, 2) and points.dtype == np.float32
    assert (np.diff(points[0:17, 0]) > 0).all()  # jaw from the image's left to its right
    assert points[8, 1] == points[:, 1].max()
    for run in (points[17:22], points[22:27], points[31:36], points[48:55]):
        assert (np.diff(run[:, 0]) > 0).all()
    assert (np.diff(points[27:31, 1]) > 0).all()
    for left, right in ((36, 39), (42, 45)):  # eyes: outer or left corner first, upper lid, then back along the lower
        upper, lower = points[[left + 1, left + 2]], points[[left + 4, left + 5]]
        assert points[left, 0] < upper[0, 0] < upper[1, 0] < points[right, 0]
        assert lower[0, 0] > lower[1, 0] and upper[:, 1].max() < lower[:, 1].min()
    assert points[51, 1] < points[62, 1] < points[66, 1] < points[57, 1]
    mirrored = points[[16 - i for i in range(17)], 0]
    assert np.allclose(points[:17, 0] - 31.5, 31.5 - mirrored, atol=1e-4)


def test_each_semantic_moves_its_landmarks():
    rest = landmarks(FaceSemantics(BONE), 64)

    def after(**change):
        return landmarks(FaceSemantics(BONE, **change), 64)

    assert after(yaw=0.4)[30, 0] > rest[30, 0] + 2
    assert after(pitch=0.3)[30, 1] > rest[30, 1] + 1
    assert after(roll=0.3)[8, 0] < rest[8, 0] - 1  # clockwise: the chin goes left
    assert np.ptp(after(scale=1.15)[:, 0]) == pytest.approx(1.15 * np.ptp(rest[:, 0]), rel=1e-4)
    assert np.allclose(after(shift_x=0.1) - rest, [6.4, 0.0], atol=1e-4)
    assert after(blink_left=1.0)[[37, 38], 1].min() > rest[[37, 38], 1].max() and np.allclose(
        after(blink_left=1.0)[42:48], rest[42:48]
    )
    assert (after(brow_right=1.0)[22:27, 1] < rest[22:27, 1] - 1).all() and np.allclose(
        after(brow_right=1.0)[17:22], rest[17:22]
    )
    assert np.ptp(after(furrow=1.0)[[21, 22], 0]) < np.ptp(rest[[21, 22], 0])
    assert np.ptp(after(smile=1.0)[[48, 54], 0]) > np.ptp(rest[[48, 54], 0]) > np.ptp(after(pucker=1.0)[[48, 54], 0])
    assert (
        after(mouth_open=1.0)[66, 1] - after(mouth_open=1.0)[62, 1] > 4 and after(mouth_open=1.0)[8, 1] > rest[8, 1] + 2
    )


angles = st.floats(-1.0, 1.0)
unit = st.floats(0.0, 1.0)


@settings(max_examples=40, deadline=None)
@given(angles, angles, angles, unit, unit, unit, angles, st.integers(0, 10_000), st.integers(16, 300))
def test_landmarks_scale_with_the_image_for_any_state(yaw, pitch, roll, blink, opening, pucker, smile, person, size):
    bone, _ = sample_person(1, person)
    semantics = FaceSemantics(
        bone, 0.7 * yaw, 0.35 * pitch, 0.35 * roll, blink_left=blink, mouth_open=opening, pucker=pucker, smile=smile
    )
    points = landmarks(semantics, size)
    assert np.isfinite(points).all()
    assert np.allclose((landmarks(semantics, 2 * size) + 0.5) / 2, points + 0.5, atol=1e-3)
    assert (points > -0.1 * size).all() and (points < 1.1 * size).all()


def test_the_same_picture_at_every_size():
    for semantics in POSES:
        small, large = render(semantics, LOOK, 64), render(semantics, LOOK, 256)
        assert np.abs(cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA).astype(int) - small).mean() < 8


@pytest.mark.parametrize(
    "field,choices",
    [("hair_style", HAIR_STYLES), ("glasses", GLASSES), ("beard", BEARDS), ("collar", COLLARS), ("hat", HATS)],
)
def test_every_choice_of_style_draws_something_of_its_own(field, choices):
    base = replace(PLAIN, hair=(150.0, 90.0, 40.0), clothes=(40.0, 90.0, 160.0), beard_colour=(60.0, 40.0, 30.0))
    pictures = [render(POSES[1], replace(base, **{field: choice}), 64) for choice in choices]
    for i, first in enumerate(pictures):
        for second in pictures[:i]:
            assert np.abs(first.astype(int) - second).max() > 30


def test_eyes_look_at_the_gaze_point():
    semantics = FaceSemantics(BONE)
    points = landmarks(semantics, 256)
    left, top = points[36:42].min(axis=0).astype(int)
    right, bottom = points[36:42].max(axis=0).astype(int)

    def dark_centre(x):
        eye = render(semantics, replace(PLAIN, gaze=(x, 0.0, 3.0)), 256)[
            top + 4 : bottom - 2, left + 5 : right - 5
        ].sum(axis=2)
        return centroid(eye < 200)[0]

    assert dark_centre(1.5) > dark_centre(-1.5) + 3


def test_people_differ():
    assert len({sample_person(0, index) for index in range(1000)}) == 1000
    assert len({sample_person(0, index)[1].skin for index in range(1000)}) == 1000


def test_clips_are_smooth_and_wide():
    clip, look = sample_clip(0, 5, 200)
    bone, same = sample_person(0, 5)
    assert look == same and all(state.bone == bone for state in clip)
    yaw = np.degrees([state.yaw for state in clip])
    assert np.abs(yaw).max() <= 40 and np.ptp(yaw) > 60
    assert np.abs(np.diff(yaw)).max() < 60  # neighbours are related
    assert np.std([state.mouth_open for state in clip]) > 0.15


CHILD = """
import hashlib
from benchmark.data.procedural.face import landmarks, render, sample_clip
digest = hashlib.sha256()
for index in range(3):
    clip, look = sample_clip(7, index, 2)
    for state in clip:
        digest.update(render(state, look, 48).tobytes() + landmarks(state, 48).tobytes())
print(digest.hexdigest())
"""


def test_other_processes_draw_the_same_bytes():
    outputs = set()
    for hash_seed in ("0", "4242"):
        run = subprocess.run(
            [sys.executable, "-c", CHILD],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        outputs.add(run.stdout.strip())
    digest = hashlib.sha256()
    for index in range(3):
        clip, look = sample_clip(7, index, 2)
        for state in clip:
            digest.update(render(state, look, 48).tobytes() + landmarks(state, 48).tobytes())
    assert outputs == {digest.hexdigest()}


def test_copying_the_exemplar_is_plainly_wrong():
    """Another frame of the same person is at least a third as wrong as another person, also inside the face alone."""
    rng = np.random.default_rng(0)
    copied, other = [], []
    for _ in range(32):
        i, j = (int(v) for v in rng.choice(1000, 2, replace=False))
        t, e = (int(v) for v in rng.choice(12, 2, replace=False))
        clip, look = sample_clip(0, i, 12)
        stranger, strange = sample_clip(0, j, 12)
        truth = render(clip[t], look, 48).astype(int)
        face = regions(clip[t], look, 48)["face"]
        for scores, picture in ((copied, render(clip[e], look, 48)), (other, render(stranger[e], strange, 48))):
            error = np.abs(picture - truth) / 127.5
            scores.append((error.mean(), error[face].mean()))
    whole, inside = np.mean(copied, axis=0) / np.mean(other, axis=0)
    assert whole > 0.28 and inside > 1 / 3
