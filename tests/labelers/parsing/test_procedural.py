"""The shipped parser of rendered streets: right on streets it has never seen, at every size, from pixels alone."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmark import registry
from benchmark.config import Config, DataConfig, EvalConfig, PairsConfig, StreetConfig
from benchmark.data.procedural.street_world import ProceduralStreets
from benchmark.data.source import Frame
from benchmark.errors import BenchError
from benchmark.files import sha256_file
from benchmark.labelers.parsing import get_parser
from benchmark.labelers.parsing.procedural import WEIGHTS, ProceduralParser
from benchmark.metrics.sps import confusions, parsing_scores
from benchmark.run.plan import resolve
from benchmark.run.world import World
from benchmark.tasks.street import StreetTask

LEAST_PIXEL = 0.8  # accuracy; 0.88 over 65 scenes (docs/labelers.md), less over few or at 32 px
LEAST_IOU = 0.3  # 0.40 over 65 scenes


@cache
def rendered(width: int, scenes: int = 15) -> tuple[np.ndarray, np.ndarray]:
    """One frame of each scene of the world 0, from which training saw nothing, in many kinds of weather and light."""
    world = ProceduralStreets(scenes, 1, width, StreetConfig().groups, 0)
    frames = [Frame(clip.id, 0) for clip in world.clips]
    return np.stack([world.image(f) for f in frames]), np.stack([world.parsing(f) for f in frames])


@pytest.mark.parametrize(("width", "scenes"), [(32, 15), (64, 15), (256, 6)])
def test_parses_the_rendered_streets(width: int, scenes: int) -> None:
    photos, labels = rendered(width, scenes)
    seen = get_parser("procedural-street").parse(photos)
    assert seen.shape == labels.shape and seen.dtype == np.uint8
    pixel, _, iou = parsing_scores(confusions(labels, seen).sum(axis=0))
    assert pixel > LEAST_PIXEL and iou > LEAST_IOU


def test_reads_pixels_not_names() -> None:
    """Mirrored pictures have mirrored parsings, nearly: nothing but the pixels can have said so."""
    photos, labels = rendered(64)
    mirrored = ProceduralParser().parse(np.ascontiguousarray(photos[:, :, ::-1]))[:, :, ::-1]
    assert (mirrored == labels).mean() > LEAST_PIXEL


def test_batches_are_independent() -> None:
    photos, _ = rendered(64)
    parser = ProceduralParser()
    alone = np.concatenate([parser.parse(photo[None]) for photo in photos])
    assert (parser.parse(photos) == alone).mean() > 0.9999
    assert parser.parse(photos[:0]).shape == (0, 36, 64)


def test_weights_are_small_and_named_in_the_protocol(tmp_path: Path) -> None:
    assert WEIGHTS.stat().st_size <= 2 * 2**20
    assert get_parser("procedural-street").protocol == f"procedural-street-{sha256_file(WEIGHTS)[:8]},64x36"
    with pytest.raises(BenchError, match="takes no argument; use procedural-street"):
        get_parser("procedural-street:256x144")
    with pytest.raises(BenchError, match=r"is missing; python scripts/train_procedural_labeler\.py street"):
        ProceduralParser(weights=tmp_path / "absent")


def test_the_street_task_is_scored_with_it() -> None:
    data, pairs = DataConfig(size=32, identities=15, frames=3), PairsConfig(window=4, unit="positions")
    config = Config(data=data, pairs=pairs, eval=EvalConfig(items=6, bootstrap=20))
    world = World(StreetTask(), config)
    exam = dataclasses.replace(world.exam, config=resolve(config, world.source))
    pixel, *_ = registry.get("metrics", "sps")().score(exam, exam.targets)
    assert "sps" in StreetTask.metrics and pixel.metric.startswith("sps-pixel[procedural-street-")
    assert pixel.values[0] == pixel.notes["original image"] > LEAST_PIXEL
