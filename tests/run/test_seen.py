"""What metrics saw, on disk: points to a tenth of a pixel, masks that show only what was read wrongly."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from benchmark.protocols import ItemScores
from benchmark.run.results import RunView
from benchmark.run.seen import RED, write_seen


def scores(seen: np.ndarray | None) -> ItemScores:
    return ItemScores("m[x]", "M", "lower", [0.0, 0.0], seen=seen)


def exam(points: np.ndarray) -> Any:
    return SimpleNamespace(items=["a", "b"], target_landmarks=points)


def test_points_come_back_to_a_tenth_of_a_pixel(tmp_path: Path) -> None:
    asked = np.array([[[1.04, 2.06], [3, 4]], [[5, 6], [np.nan, np.nan]]])
    found = np.array([[[1, 2], [3, 4]], [[np.nan, np.nan]] * 2])
    write_seen(tmp_path, tmp_path / "cells/m/0", exam(asked), [scores(None), scores(found)])
    view = RunView(tmp_path)
    assert [line["points"] for line in view.asked_points()] == [[[1.0, 2.1], [3.0, 4.0]], [[5.0, 6.0], None]]
    assert [line["item"] for line in view.seen_points("m", 0)] == ["a", "b"]
    assert [line["points"] for line in view.seen_points("m", 0)] == [[[1.0, 2.0], [3.0, 4.0]], [None, None]]
    assert list(view.seen_points("other", 0)) == []


def test_a_mask_is_red_where_the_parser_read_another_class_and_clear_elsewhere(tmp_path: Path) -> None:
    wrong = np.zeros((2, 4, 6), bool)
    wrong[0, 1, 2] = True
    for _ in range(2):  # scored again: in place of the old ones
        write_seen(tmp_path, tmp_path / "cells/m/0", exam(np.zeros((2, 0, 2))), [scores(wrong)])
    with Image.open(RunView(tmp_path).wrong_pixels("m", "a", 0)) as image:
        pixels = np.asarray(image.convert("RGBA"))
    assert pixels.shape == (4, 6, 4)
    assert tuple(pixels[1, 2]) == RED
    assert (pixels[~wrong[0]][:, 3] == 0).all()


def test_what_was_seen_is_no_part_of_the_score(tmp_path: Path) -> None:
    assert [field.name for field in dataclasses.fields(ItemScores)][-1] == "seen" and scores(None).seen is None
