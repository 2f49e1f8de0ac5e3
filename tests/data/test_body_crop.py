"""Following one person, and the square around them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.body_crop import BodyCropper, PersonTracker, body_box, in_crop, overlap
from benchmark.data.dropped import BadInput, Dropped
from benchmark.labelers.pose import Person
from benchmark.labelers.pose.people import box_of
from tests.data.dance_maker import figure

boxes = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20)).map(
    lambda b: np.array([b[0], b[1], b[0] + b[2], b[1] + b[3]])
)


def person(x: float, y: float, score: float = 0.9, **size: float) -> Person:
    joints = figure(x, y, **size)
    return Person(joints, box_of(joints), score)


@given(boxes, boxes)
def test_overlap_counts_pixels(a: np.ndarray, b: np.ndarray) -> None:
    grid = np.zeros((2, 40, 40), bool)
    for plane, (x0, y0, x1, y1) in zip(grid, (a, b), strict=True):
        plane[y0:y1, x0:x1] = True
    assert overlap(a, b) == pytest.approx((grid[0] & grid[1]).sum() / (grid[0] | grid[1]).sum())


def test_the_surest_is_followed_by_overlap() -> None:
    tracker = PersonTracker()
    ann, bob = person(0, 0, 0.95), person(150, 0, 0.8)
    assert tracker.choose([bob, ann]) is ann
    nearer, surer = person(20, 0, 0.7), person(140, 0, 0.99)
    assert tracker.choose([surer, nearer]) is nearer and not tracker.leapt
    with pytest.raises(BadInput, match="nobody"):
        tracker.choose([])
    with pytest.raises(BadInput, match="lost among several people"):
        tracker.choose([person(150, 100), person(220, 0)])
    assert tracker.choose([person(25, 0)]) and not tracker.leapt  # a frame later she is back
    assert tracker.choose([surer]) is surer and tracker.leapt


@given(st.integers(-40, 300), st.integers(-40, 200), st.integers(30, 150), st.integers(60, 400))
def test_a_fitted_square_lies_in_the_frame(x: int, y: int, width: int, height: int) -> None:
    joints = figure(x, y, width, height)
    x0, y0, x1, y1 = body_box(joints, (240, 320, 3))
    assert 0 <= x0 < x1 <= 320 and 0 <= y0 < y1 <= 240 and x1 - x0 == y1 - y0
    low, high = joints.min(axis=0), joints.max(axis=0)
    if (low >= 0).all() and (high < (320, 240)).all() and (high - low).max() * 1.3 <= 240:
        assert (low >= (x0, y0)).all() and (high <= (x1, y1)).all()


def test_a_square_that_leaves_the_frame_can_be_dropped() -> None:
    body_box(figure(100, 50), (240, 320), "drop")
    with pytest.raises(Dropped, match="outside frame"):
        body_box(figure(100, 0), (240, 320), "drop")


def test_crop_stays_until_the_body_leaves_it_or_shrinks() -> None:
    cropper = BodyCropper(min_crop=50)
    first = cropper.box(figure(100, 50), (240, 320))
    assert cropper.box(figure(110, 60), (240, 320)) == first
    moved = cropper.box(figure(200, 60), (240, 320))
    assert moved != first and moved[0] > first[0]
    near = cropper.box(figure(200, 80, 40, 55), (240, 320))
    assert near[2] - near[0] < 0.6 * (moved[2] - moved[0])
    with pytest.raises(Dropped, match="too small"):
        BodyCropper(min_crop=200).box(figure(100, 50), (240, 320))


def test_joints_outside_the_crop_are_not_seen() -> None:
    joints = figure(100, 50)
    moved = in_crop(joints, (100, 50, 220, 170), 60)
    assert np.isnan(moved).all(axis=1).sum() == 2  # the feet end on the border's far side
    np.testing.assert_allclose(moved[1], (joints[1] - (100, 50) + 0.5) / 2 - 0.5)
    with pytest.raises(BadInput, match="too few joints"):
        in_crop(joints, (100, 50, 140, 90), 60)
