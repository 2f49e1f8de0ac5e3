"""Street vocabularies: every id goes where its name says, and no map passes for one of another vocabulary."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import BenchError
from benchmark.labelers.cityscapes import (
    BDD_NAMES,
    CITYSCAPES_IDS,
    CLASSES,
    IGNORE,
    PALETTE,
    colours,
    from_colours,
    to_train,
)


def test_tables_have_the_published_shape() -> None:
    assert len(CLASSES) == len(set(CLASSES)) == len(PALETTE) == 19
    assert len({tuple(c) for c in PALETTE.tolist()}) == 19
    assert len(BDD_NAMES) == len(set(BDD_NAMES)) == 41
    assert (BDD_NAMES[0], BDD_NAMES[7], BDD_NAMES[35], BDD_NAMES[40]) == ("unlabeled", "road", "car", "truck")
    assert (CITYSCAPES_IDS["road"], CITYSCAPES_IDS["car"], CITYSCAPES_IDS["bicycle"]) == (7, 26, 33)


def test_every_bdd_id_goes_where_its_name_says() -> None:
    train = to_train(np.array([[*range(41), 255]], np.uint8), "bdd-41")[0]
    for name, found in zip([*BDD_NAMES, "unknown"], train, strict=True):
        assert found == (CLASSES.index(name) if name in CLASSES else IGNORE), name


def test_every_cityscapes_id_goes_where_its_name_says() -> None:
    train = to_train(np.array([[*range(34), 255]], np.uint8), "cityscapes-34")[0]
    assert {CLASSES[t]: i for i, t in enumerate(train) if t != IGNORE} == CITYSCAPES_IDS


def test_train_ids_stay() -> None:
    ids = np.array([[*range(19), 255]], np.uint8)
    assert np.array_equal(to_train(ids, "train-19"), ids)


@pytest.mark.parametrize(
    ("vocabulary", "wrong", "says"),
    [
        ("train-19", 19, "cityscapes-34 and bdd-41 would have it"),
        ("train-19", 35, "bdd-41 would have it"),
        ("cityscapes-34", 40, "bdd-41 would have it"),
        ("bdd-41", 41, "41 do not exist in bdd-41"),
        ("bdd-41", 254, "254"),
    ],
)
def test_an_id_of_another_vocabulary_is_refused(vocabulary: str, wrong: int, says: str) -> None:
    with pytest.raises(BenchError, match=says):
        to_train(np.array([[0, wrong]], np.uint8), vocabulary)


def test_unknown_vocabulary_names_the_nearest() -> None:
    with pytest.raises(BenchError, match="bdd-41"):
        to_train(np.zeros((1, 1), np.uint8), "bdd-40")


def test_colours_go_there_and_back() -> None:
    train = np.array([[*range(19), 255]], np.uint8)
    assert np.array_equal(from_colours(colours(train)), train)
    assert colours(train)[0, 13].tolist() == [0, 0, 142] and colours(train)[0, -1].tolist() == [0, 0, 0]


def test_a_colour_of_no_class_is_refused() -> None:
    rgb = colours(np.zeros((2, 2), np.uint8))
    rgb[1, 1, 2] += 1
    with pytest.raises(BenchError, match=r"\(128, 64, 129\)"):
        from_colours(rgb)
