"""SPS against counting by hand, pixel by pixel; its interval, its floor and its refusals."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.config import Config, DataConfig, EvalConfig
from benchmark.errors import BenchError
from benchmark.labelers import parsing
from benchmark.labelers.cityscapes import CLASSES, IGNORE
from benchmark.metrics.sps import SemanticParsingScore, confusions, parsing_scores
from benchmark.protocols import Exam
from benchmark.run.plan import resolve
from benchmark.run.world import World
from benchmark.tasks.street import StreetTask
from tests import toy
from tests.data.bdd_maker import write_bdd


class RedParser:
    """Sees the class that a pixel's red names."""

    name, protocol = "red", "red[test]"

    def __init__(self) -> None:
        self.calls = 0

    def parse(self, images: np.ndarray) -> np.ndarray:
        self.calls += 1
        return images[..., 0].copy()


@pytest.fixture
def parser(monkeypatch: pytest.MonkeyPatch) -> RedParser:
    found = RedParser()
    monkeypatch.setattr(parsing, "get_parser", lambda spec: found)
    return found


@pytest.fixture
def exam(make_exam: Callable[..., Exam]) -> Exam:
    """Six 6x10 items of five classes and some unknown; the real photos are parsed with a few errors."""
    rng = np.random.default_rng(1)
    asked = rng.choice([0, 2, 8, 10, 13, IGNORE], size=(6, 6, 10)).astype(np.uint8)
    targets = np.zeros((6, 6, 10, 3), np.uint8)
    targets[..., 0] = np.where(asked == IGNORE, 11, asked)
    targets[:, 0, 0, 0] = 8
    base = make_exam(items=6)
    config = dataclasses.replace(base.config, eval=dataclasses.replace(base.config.eval, parser="red"))
    return dataclasses.replace(base, targets=targets, target_parsing=asked, config=config)


def by_hand(asked: np.ndarray, seen: np.ndarray) -> tuple[float, float, float]:
    """The three scores from loops over pixels and sets, with no matrix."""
    pixels = [(a, s) for a, s in zip(asked.ravel().tolist(), seen.ravel().tolist(), strict=True) if a != IGNORE]
    recalls, ious = [], []
    for c in range(19):
        tp = sum(a == c and s == c for a, s in pixels)
        fn = sum(a == c and s != c for a, s in pixels)
        fp = sum(a != c and s == c for a, s in pixels)
        if tp + fn:
            recalls.append(tp / (tp + fn))
        if tp + fn + fp:
            ious.append(tp / (tp + fn + fp))
    return sum(a == s for a, s in pixels) / len(pixels), sum(recalls) / len(recalls), sum(ious) / len(ious)


def test_a_case_small_enough_to_check_by_eye() -> None:
    road, car, sky = (CLASSES.index(n) for n in ("road", "car", "sky"))
    asked = np.array([[[road, road, road, car, IGNORE]]], np.uint8)
    seen = np.array([[[road, road, sky, road, car]]], np.uint8)
    # road: 2 of 3 found, one false; car: 0 of 1; sky: never asked, seen once; the unknown pixel counts nowhere
    expected = (2 / 4, (2 / 3 + 0) / 2, (2 / 4 + 0 + 0) / 3)
    assert parsing_scores(confusions(asked, seen)[0]) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(4))
def test_scores_equal_counting_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = [*rng.choice(19, size=6, replace=False), IGNORE]
    asked, seen = (rng.choice(ids, size=(3, 7, 5)).astype(np.uint8) for _ in range(2))
    assert parsing_scores(confusions(asked, seen).sum(axis=0)) == pytest.approx(by_hand(asked, seen))


def test_an_abstaining_parser_has_missed_what_was_asked() -> None:
    asked = np.zeros((1, 1, 4), np.uint8)
    seen = np.array([[[0, 0, 0, IGNORE]]], np.uint8)
    assert parsing_scores(confusions(asked, seen)[0]) == pytest.approx((3 / 4, 3 / 4, 3 / 4))


@pytest.mark.parametrize("place", [0, 1])
def test_ids_of_another_vocabulary_are_refused(place: int) -> None:
    maps = [np.zeros((1, 2, 2), np.uint8), np.zeros((1, 2, 2), np.uint8)]
    maps[place][0, 0, 0] = 35  # BDD100K's car
    with pytest.raises(BenchError, match="not train ids"):
        confusions(*maps)


def test_the_set_is_scored_as_one_and_the_real_images_stand_beside(exam: Exam, parser: RedParser) -> None:
    rng = np.random.default_rng(2)
    images = exam.targets.copy()
    images[..., 0] = np.where(rng.random(images.shape[:3]) < 0.3, 2, images[..., 0])
    scores = SemanticParsingScore().score(exam, images)
    expected, original = (
        by_hand(exam.target_parsing, images[..., 0]),
        by_hand(exam.target_parsing, exam.targets[..., 0]),
    )
    assert [s.metric for s in scores] == [f"sps-{k}[red[test],10x6]" for k in ("pixel", "class", "iou")]
    for score, value, real in zip(scores, expected, original, strict=True):
        assert score.values == [pytest.approx(value)] and score.whole_set and score.better == "higher"
        assert score.low < score.values[0] < score.high
        assert score.notes["original image"] == pytest.approx(real) and score.notes["N"] == 6
    asked = exam.target_parsing
    np.testing.assert_array_equal(scores[0].seen, (images[..., 0] != asked) & (asked != IGNORE))
    assert scores[1].seen is None and scores[2].seen is None


def test_real_targets_score_what_the_notes_say_and_are_parsed_once(exam: Exam, parser: RedParser) -> None:
    exam.targets[..., 1] += 1  # other bytes than the test above: nothing remembered
    first = SemanticParsingScore().score(exam, exam.targets)
    calls = parser.calls
    assert SemanticParsingScore().score(exam, exam.targets) == first
    assert calls == 2 == parser.calls  # six items in batches of three, once
    for score in first:
        assert score.values == [score.notes["original image"]]


def test_a_task_without_parsings_and_a_run_without_parser_are_refused(exam: Exam, parser: RedParser) -> None:
    with pytest.raises(BenchError, match="what each pixel shows"):
        SemanticParsingScore().score(dataclasses.replace(exam, target_parsing=None), exam.targets)
    config = dataclasses.replace(exam.config, eval=dataclasses.replace(exam.config.eval, parser=""))
    with pytest.raises(BenchError, match=r"eval\.parser"):
        SemanticParsingScore().score(dataclasses.replace(exam, config=config), exam.targets)


def test_the_exam_of_real_streets_asks_what_the_dataset_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parser: RedParser
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    config = Config(data=DataConfig(size=64), eval=EvalConfig(parser="red", batch=3))
    world = World(StreetTask(), config, str(write_bdd(tmp_path / "bdd100k", "pan_seg bitmasks")))
    exam = world.exam
    assert len(exam.items) == 4 and exam.target_parsing.dtype == np.uint8
    for item, asked in zip(world.items, exam.target_parsing, strict=True):
        assert np.array_equal(asked, world.source.parsing(item.label))
    perfect = np.zeros_like(exam.targets)
    perfect[..., 0] = np.minimum(exam.target_parsing, 18)
    exam = dataclasses.replace(exam, targets=exam.targets % 19)
    assert [s.values for s in SemanticParsingScore().score(exam, perfect)] == [[1.0], [1.0], [1.0]]


def test_a_source_without_parsings_has_an_exam_without(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(data=DataConfig(size=8), eval=EvalConfig(items=4))
    assert World(toy.ToyTask(), config).exam.target_parsing is None
    assert resolve(config, toy.ToySource()).eval.parser == ""
