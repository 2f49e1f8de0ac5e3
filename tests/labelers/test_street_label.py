"""The street label: one-hot of train ids, and nothing else gets in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmark.errors import BenchError
from benchmark.labelers.street_label import CHANNELS, flip_label, street_label, train_ids

IDS = st.one_of(st.integers(0, 18), st.just(255))
MAPS = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=IDS)


@settings(max_examples=60, deadline=None)
@given(MAPS)
def test_each_pixel_has_the_one_channel_of_its_class(train):
    label = street_label(train)
    assert label.shape == (20, *train.shape) and label.dtype == np.uint8
    for (y, x), number in np.ndenumerate(train):
        expected = [0] * CHANNELS
        expected[19 if number == 255 else number] = 255
        assert label[:, y, x].tolist() == expected
    assert (train_ids(label) == train).all()
    assert (train_ids(flip_label(label)) == train[:, ::-1]).all()


@pytest.mark.parametrize("number", [19, 33, 40, 254])
def test_another_vocabulary_is_refused(number):
    with pytest.raises(BenchError, match=f"{number} is no train id"):
        street_label(np.array([[0, number]], np.uint8))


def test_another_shape_is_refused():
    with pytest.raises(BenchError, match="uint8"):
        street_label(np.zeros((1, 4, 4), np.uint8))
    with pytest.raises(BenchError, match="int64"):
        street_label(np.zeros((4, 4), np.int64))
