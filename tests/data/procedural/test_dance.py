"""The dance renderer: bones keep their length, joints lie where the body is drawn, appearance moves neither."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.data.procedural.dance import densepose, joints, regions, render, sample_clip, sample_dancer
from benchmark.data.procedural.dance_camera import project
from benchmark.data.procedural.dance_moves import FAMILIES
from benchmark.data.procedural.dance_raster import rasterise
from benchmark.data.procedural.dance_skeleton import measures, pose
from benchmark.data.procedural.dance_types import BACKDROPS, HAIR_STYLES, PATTERNS, Arm, BodyShape, DanceSemantics, Leg
from benchmark.labelers.openpose18 import MIRROR, NAMES, mirror_joints

CLIPS = [sample_clip(0, index, 8) for index in range(4)]
STAND = DanceSemantics(BodyShape(), arms=(Arm(lift=0.4), Arm(lift=0.4)))

# DensePose parts on which a visible joint may lie (the neck and shoulders sit where trunk, head and arm meet).
NEAR = {
    "right_elbow": {16, 18, 20, 22}, "left_elbow": {15, 17, 19, 21}, "right_wrist": {20, 22, 3},
    "left_wrist": {19, 21, 4}, "right_knee": {7, 9, 11, 13}, "left_knee": {8, 10, 12, 14},
    "right_ankle": {11, 13, 6}, "left_ankle": {12, 14, 5}, "nose": {23, 24}, "right_eye": {23}, "left_eye": {24},
    "right_ear": {23}, "left_ear": {24}, "right_hip": {1, 2, 7, 9}, "left_hip": {1, 2, 8, 10},
}  # fmt: skip
SWAP = np.array([0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15, 18, 17, 20, 19, 22, 21, 24, 23])


def mirrored(state: DanceSemantics) -> DanceSemantics:
    turned = ("x", "heading", "sway", "hip_roll", "hip_turn", "side", "twist", "look", "tilt")
    change = {name: -getattr(state, name) for name in turned}
    return replace(state, **change, arms=state.arms[::-1], legs=state.legs[::-1])


angle = st.floats(-1.2, 1.2)
arm = st.builds(Arm, st.floats(0, 3), angle, angle, st.floats(0, 2.3), angle)
leg = st.builds(Leg, st.floats(-0.1, 0.5), st.floats(-0.5, 0.5), st.floats(0, 0.6), st.floats(0, 0.8), angle)
states = st.builds(
    DanceSemantics,
    st.builds(BodyShape, *[st.floats(-2, 2)] * 9),
    heading=st.floats(-7, 7),
    dip=st.floats(0, 0.35),
    sway=st.floats(-0.2, 0.2),
    hip_roll=st.floats(-0.3, 0.3),
    lean=st.floats(-0.3, 0.5),
    side=st.floats(-0.3, 0.3),
    twist=st.floats(-0.5, 0.5),
    arms=st.tuples(arm, arm),
    legs=st.tuples(leg, leg),
)


@settings(max_examples=30, deadline=None)
@given(states)
def test_bones_keep_their_length_and_feet_stay_above_the_floor(state):
    rig = pose(state)
    rest = measures(state.shape)
    assert np.isfinite(rig.joints).all()
    for r in rig.rotations:
        np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(r) > 0.99
    for side in (8, 11):
        thigh, shin = np.linalg.norm(np.diff(rig.joints[side : side + 3], axis=0), axis=1)
        assert thigh == pytest.approx(rest.thigh) and shin == pytest.approx(rest.shin)
        assert rig.joints[side + 2, 1] >= rest.ankle - 1e-9
    assert np.linalg.norm(rig.joints[3] - rig.joints[2]) == pytest.approx(np.linalg.norm(rig.joints[6] - rig.joints[5]))


@settings(max_examples=30, deadline=None)
@given(states)
def test_the_mirrored_dancer_has_mirrored_joints(state):
    there, here = pose(mirrored(state)).joints, pose(state).joints
    np.testing.assert_allclose(there, here[MIRROR] * [-1, 1, 1], atol=1e-9)


def test_mirrored_labels_have_their_sides_exchanged():
    for clip, _ in CLIPS:
        here, there = densepose(clip[3], 96), densepose(mirrored(clip[3]), 96)
        assert (SWAP[here[:, ::-1, 0]] == there[..., 0]).mean() > 0.995
        points, swapped = joints(clip[3], 96), joints(mirrored(clip[3]), 96)
        both = ~np.isnan(swapped) & ~np.isnan(mirror_joints(points, 96))
        np.testing.assert_allclose(mirror_joints(points, 96)[both], swapped[both], atol=1e-3)
        assert both.sum() >= 2 * 10


def test_a_planted_foot_does_not_move_with_the_hips():
    low, high = (pose(replace(STAND, dip=dip, sway=sway)).joints for dip, sway in ((0.05, -0.08), (0.2, 0.08)))
    np.testing.assert_allclose(low[[10, 13]], high[[10, 13]], atol=1e-9)
    assert np.abs(low[8] - high[8]).max() > 0.05


def test_visible_joints_lie_on_their_body_parts():
    size, wrong, seen = 128, 0, 0
    for clip, _ in CLIPS:
        for state in clip:
            points, parts = joints(state, size), densepose(state, size)[..., 0]
            for name, allowed in NEAR.items():
                point = points[NAMES.index(name)]
                if np.isfinite(point).all():
                    x, y = np.clip(np.rint(point).astype(int), 0, size - 1)
                    found = set(parts[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].ravel())
                    seen += 1
                    wrong += not (found & allowed)
    assert seen > 300 and wrong <= 0.03 * seen  # a limb may cross within the flesh allowed before a joint


def test_what_the_body_hides_is_not_seen():
    front, back = joints(STAND, 128), joints(replace(STAND, heading=np.pi), 128)
    assert np.isfinite(front).all()
    face = [NAMES.index(n) for n in ("nose", "right_eye", "left_eye")]
    assert np.isnan(back[face]).all() and np.isfinite(back[2:14]).all()
    hidden = replace(STAND, arms=(Arm(lift=0.35, forward=-1.3, elbow=1.5, roll=-1.2), Arm(lift=0.4)))
    assert np.isnan(joints(hidden, 128)[4]).all() and np.isfinite(joints(replace(hidden, heading=np.pi), 128)[4]).all()


def test_all_24_parts_exist_and_their_coordinates_run_from_0_to_1():
    views = np.stack([densepose(replace(STAND, heading=k * np.pi / 4), 192) for k in range(8)])
    parts = views[..., 0]
    assert set(np.unique(parts)) == set(range(25))
    for part in range(1, 25):
        inside = views[parts == part]
        assert inside[:, 1].min() < 40 and inside[:, 1].max() > 215
        assert np.ptp(inside[:, 2].astype(int)) > 60
    assert not views[parts == 0].any()
    front = densepose(STAND, 192)[..., 0]
    assert (front == 2).sum() > 500 and (front == 1).sum() == 0
    left_hand, right_hand = (np.nonzero(front == n)[1].mean() for n in (4, 3))
    assert left_hand > 96 > right_hand  # the dancer's left is the image's right


def slow_raster(points, depth, triangles, side):
    """One triangle and one pixel at a time."""
    nearest, owner = np.full((side, side), np.inf), np.full((side, side), -1)
    for t, (a, b, c) in enumerate(points[triangles]):
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area <= 0:
            continue
        for y in range(side):
            for x in range(side):
                p = np.array([x, y])
                v = ((p - a)[0] * (c - a)[1] - (p - a)[1] * (c - a)[0]) / area
                w = ((b - a)[0] * (p - a)[1] - (b - a)[1] * (p - a)[0]) / area
                if min(v, w, 1 - v - w) >= 0:
                    z = (1 - v - w) * depth[triangles[t][0]] + v * depth[triangles[t][1]] + w * depth[triangles[t][2]]
                    if z < nearest[y, x]:
                        nearest[y, x], owner[y, x] = z, t
    return nearest, owner


def test_rasteriser_agrees_with_the_per_pixel_loop():
    rng = np.random.default_rng(4)
    points, depth = rng.uniform(-6, 26, (24, 2)), rng.uniform(1, 5, 24)
    triangles = rng.integers(0, 24, (30, 3))
    nearest, owner = slow_raster(points, depth, triangles, 20)
    seen = rasterise(points, depth, triangles, 20)
    np.testing.assert_allclose(seen.depth_map(), nearest, rtol=1e-4)
    found = np.full(400, -1)
    found[seen.pixels] = seen.triangles
    assert (found.reshape(20, 20) == owner).all()
    np.testing.assert_allclose(seen.interpolate(depth[:, None])[:, 0], seen.depth, rtol=1e-4)
    y, x = np.divmod(seen.pixels, 20)
    np.testing.assert_allclose(seen.interpolate(points), np.stack([x, y], axis=1), atol=1e-3)


def test_pictures_show_the_dancer_where_the_parts_are():
    for clip, look in CLIPS:
        person, parts = regions(clip[2], look, 128)["foreground"], densepose(clip[2], 128)[..., 0] > 0
        assert (person & parts).sum() > 0.97 * parts.sum()  # clothes hide the body but never shrink it
        black = replace(look, backdrop_colours=((0.0, 0.0, 0.0),) * 3)
        change = np.abs(render(clip[2], look, 128).astype(int) - render(clip[2], black, 128)).sum(axis=2)
        inner = person & ~(change > 0)
        assert inner.sum() > 0.85 * person.sum()  # the dancer does not depend on the place


@pytest.mark.parametrize("field, choices", [("hair_style", HAIR_STYLES), ("backdrop", BACKDROPS)])
def test_every_choice_of_style_draws_something_of_its_own(field, choices):
    _, look = CLIPS[0]
    seen = replace(STAND, heading=2.4)  # a bun shows from behind
    pictures = [render(seen, replace(look, cap="none", hair=(150.0, 90.0, 40.0), **{field: c}), 64) for c in choices]
    for i, first in enumerate(pictures):
        for second in pictures[:i]:
            assert np.abs(first.astype(int) - second).max() > 20


def test_every_pattern_draws_something_of_its_own():
    _, look = CLIPS[1]
    top = replace(look.top, colour=(200.0, 40.0, 40.0), accent=(40.0, 40.0, 200.0))
    pictures = [render(STAND, replace(look, top=replace(top, pattern=p)), 64) for p in PATTERNS]
    for i, first in enumerate(pictures):
        for second in pictures[:i]:
            assert np.abs(first.astype(int) - second).max() > 20


def test_two_hundred_dancers_differ():
    dancers = [sample_dancer(0, index) for index in range(200)]
    assert len(set(dancers)) == 200 and len({look.skin for _, look in dancers}) == 200
    assert len({shape.height for shape, _ in dancers}) > 190  # the rare extremes are clipped
    assert {look.backdrop for _, look in dancers} == set(BACKDROPS)


def test_dances_are_smooth_and_use_the_whole_body():
    spans = []
    for index in range(8):
        clip, _ = sample_clip(0, index, 24)
        track = np.stack([pose(state).joints for state in clip])  # (T, 18, 3)
        speed = np.linalg.norm(np.diff(track, axis=0), axis=2)
        assert speed.max() < 0.9  # metres in 0.11 s, at a wrist in a spin
        assert speed[:, 8:].mean() < speed[:, [4, 7]].mean()  # hands are quicker than legs
        spans.append(np.ptp(track[:, [4, 7, 9, 12]], axis=0).max(axis=1))
    assert np.median(spans) > 0.3
    assert len(FAMILIES) >= 8


def test_dancers_fill_the_picture_and_stay_in_it():
    heights, outside = [], 0
    for index in range(20):
        clip, _ = sample_clip(0, index, 6)
        for state in clip:
            points = project(pose(state).joints, 1)[0]
            outside += int(((points < -0.5) | (points > 0.5)).any())
            heights.append(np.ptp(points[:, 1]))
    assert np.mean(heights) > 0.5
    assert outside < 0.05 * len(heights)


CHILD = """
import hashlib
from benchmark.data.procedural.dance import densepose, joints, render, sample_clip
digest = hashlib.sha256()
for index in range(3):
    clip, look = sample_clip(7, index, 2)
    for s in clip:
        digest.update(render(s, look, 48).tobytes() + joints(s, 48).tobytes() + densepose(s, 48).tobytes())
print(digest.hexdigest())
"""


def test_other_processes_draw_the_same_bytes():
    outputs = set()
    for hash_seed in ("0", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, env=environment)
        outputs.add(run.stdout.strip())
    digest = hashlib.sha256()
    for index in range(3):
        clip, look = sample_clip(7, index, 2)
        for s in clip:
            digest.update(render(s, look, 48).tobytes() + joints(s, 48).tobytes() + densepose(s, 48).tobytes())
    assert outputs == {digest.hexdigest()}


def test_the_same_picture_at_every_size():
    for clip, look in CLIPS:
        small, large = render(clip[0], look, 64), render(clip[0], look, 256)
        pooled = large.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
        assert np.abs(pooled - small).mean() < 5
        np.testing.assert_allclose((joints(clip[0], 256) + 0.5) / 4, joints(clip[0], 64) + 0.5, atol=1e-3)
