"""Damages against other libraries, exact values and slow searches; each step does more than the one before."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from benchmark.data.source import Frame
from benchmark.errors import BenchError
from benchmark.metrics.calibration.damages import (
    DAMAGES,
    Answers,
    Damage,
    _exchanged,
    applicable,
    blurred,
    compressed,
    noisy,
    tinted,
)
from benchmark.metrics.calibration.measure import calibrate
from benchmark.run.world import World

TABLE = {damage.name: damage for damage in DAMAGES}
RNG = np.random.default_rng(0)
# smooth, so that a JPEG of quality 80 stays near it, and away from black and white
PHOTO = np.rint(ndimage.zoom(RNG.uniform(60, 190, (7, 9, 3)), (7, 7, 1), order=1)).astype(np.uint8)  # 49 x 63


@pytest.mark.parametrize("name", ["blur", "noise", "jpeg", "colour", "identity"])
def test_every_step_is_further_from_the_truth(name: str, answers: Answers) -> None:
    if name == "blur":  # the toy's 8 px are too few for a deviation of 1.5 % to show
        answers = Answers(answers.world, np.stack([PHOTO, PHOTO[::-1]]))
    damage, before = TABLE[name], answers.images.copy()
    found = [damage.apply(answers, amount) for amount in damage.steps]
    distances = [np.abs(images.astype(float) - before).mean() for images in found]
    assert distances[0] > 0 and distances == sorted(set(distances))
    assert np.array_equal(answers.images, before)  # left as they were
    for images in found:
        assert images.shape == before.shape and images.dtype == np.uint8
    assert np.array_equal(damage.apply(answers, damage.steps[-1]), found[-1])  # the same again


def test_blur_is_scipys() -> None:
    expected = ndimage.gaussian_filter(PHOTO.astype(float), (63 * 0.03, 63 * 0.03, 0), mode="reflect", truncate=5)
    assert np.abs(blurred(PHOTO, 3.0, RNG) - expected).max() < 2


def test_jpeg_is_pillows() -> None:
    file = io.BytesIO()
    Image.fromarray(PHOTO).save(file, "JPEG", quality=20)
    expected = np.asarray(Image.open(file)).astype(float)
    found = compressed(PHOTO, 20, RNG)
    assert np.abs(found - expected).mean() < 1 < np.abs(found.astype(float) - PHOTO).mean()


def test_noise_has_its_deviation_and_grows_from_one_draw() -> None:
    weak, strong = (noisy(PHOTO, amount, np.random.default_rng(3)).astype(float) - PHOTO for amount in (4, 8))
    assert weak.std() == pytest.approx(4, rel=0.05)
    assert np.abs(strong - 2 * weak).max() <= 1.5  # rounding


def test_tint_moves_red_and_blue_and_stops_at_the_ends() -> None:
    pixels = np.array([[[100, 100, 100], [250, 7, 3]]], np.uint8)
    assert tinted(pixels, 16, RNG).tolist() == [[[116, 100, 84], [255, 7, 0]]]


def test_mistakes_hit_growing_shares_of_the_items(answers: Answers) -> None:
    hit = []
    for amount in (25, 50, 75, 100):
        images = TABLE["identity"].apply(answers, amount)
        wrong = (images != answers.images).any(axis=(1, 2, 3))
        assert wrong.sum() == amount / 100 * 12
        assert np.array_equal(images[wrong], answers.another_style[wrong])
        hit.append(set(np.flatnonzero(wrong)))
    assert hit[0] < hit[1] < hit[2] < hit[3]


def test_swapped_styles_are_other_clips_and_the_same_exemplars_once_more(answers: Answers, world: World) -> None:
    exemplars = [item.exemplar for item in world.items]
    swapped = _exchanged(exemplars)
    assert Counter(swapped) == Counter(exemplars)
    assert all(a.clip != b.clip for a, b in zip(swapped, exemplars, strict=True))
    expected = [world.source.truth(item.label, style) for item, style in zip(world.items, swapped, strict=True)]
    assert np.array_equal(answers.another_style, np.stack(expected))


def test_wrong_layouts_are_other_items_in_the_asked_style(answers: Answers, world: World) -> None:
    labels = _exchanged([item.label for item in world.items])
    expected = [world.source.truth(label, item.exemplar) for label, item in zip(labels, world.items, strict=True)]
    assert np.array_equal(answers.another_layout, np.stack(expected))


def test_too_few_clips_to_exchange_is_one_line() -> None:
    with pytest.raises(BenchError, match="more than half of 4 test items share one clip"):
        _exchanged([Frame("a", 0), Frame("a", 1), Frame("a", 2), Frame("b", 0)])


def test_neighbours_are_the_nearest_frames(answers: Answers, world: World) -> None:
    for item, image in zip(world.items, answers.neighbouring_label, strict=True):
        near = [n for n in range(6) if abs(n - item.label.index) == 1]  # the toy's points move one pixel a frame
        options = [world.source.truth(Frame(item.label.clip, n), item.exemplar) for n in near]
        assert any(np.array_equal(image, option) for option in options)


def test_worlds_take_the_damages_that_they_can(world: World) -> None:
    assert [d.name for d in applicable(world)] == ["blur", "noise", "jpeg", "colour", "identity"]  # no joints


def test_damages_are_a_table_that_others_can_extend(world: World) -> None:
    darker = Damage(
        "dark", "darker", "%", (50, 100), lambda a, amount: (a.images * (1 - amount / 100)).astype(np.uint8)
    )
    found = calibrate(world, ["toy-l1"], damages=[*DAMAGES[:1], darker])
    (score,) = found["scores"]
    assert [curve["damage"] for curve in score["curves"]] == ["blur", "dark"] and darker.applies(world)
    half, black = (level["change"]["value"] for level in score["curves"][1]["levels"])
    assert 0 < half < black
