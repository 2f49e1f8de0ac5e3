"""The shipped joint detector of rendered dancers: right on dancers it has never seen, silent where nobody is."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark import registry
from benchmark.config import Config, DataConfig, EvalConfig, PairsConfig
from benchmark.data.procedural.dance import joints, render, sample_clip
from benchmark.errors import BenchError
from benchmark.files import sha256_file
from benchmark.labelers.landmarks import get_detector
from benchmark.labelers.procedural_pose import WEIGHTS, PoseDetector
from benchmark.labelers.procedural_unet import peaks
from benchmark.run.plan import resolve
from benchmark.run.world import World
from benchmark.tasks.dance import DanceTask

LEAST_FOUND = 0.95  # of the visible joints; 0.977 over 60 dancers (docs/labelers.md)
MEDIAN = 0.025  # of the side


@cache
def rendered(size: int, people: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Frames of the world 0, from which training saw nothing: (N, size, size, 3) and joints (N, 18, 2)."""
    clips = [sample_clip(0, 700 + person, 30) for person in range(people)]
    shown = [(state, look) for states, look in clips for state in states[::15]]
    return np.stack([render(*pair, size) for pair in shown]), np.stack([joints(state, size) for state, _ in shown])


@pytest.mark.parametrize(("size", "people"), [(32, 10), (64, 10), (256, 3)])
def test_finds_the_rendered_joints(size: int, people: int) -> None:
    photos, points = rendered(size, people)
    found = get_detector("procedural-pose").detect(photos)
    assert found.shape == points.shape and found.dtype == np.float32
    seen, given = np.isfinite(points[..., 0]), np.isfinite(found[..., 0])
    assert given[seen].mean() > LEAST_FOUND and given[~seen].mean() < given[seen].mean() - 0.2
    distance = np.linalg.norm(found - points, axis=2)[seen & given] / size
    assert np.median(distance) < MEDIAN


def test_reads_pixels_not_names() -> None:
    """A picture moved by 4 px moves the joints by 4 px: nothing but the pixels can have said so."""
    photos, _ = rendered(64)
    detector = PoseDetector()
    moved = detector.detect(np.roll(photos, 4, axis=2)) - detector.detect(photos)
    assert np.nanmedian(moved[..., 0]) == pytest.approx(4, abs=0.4)
    assert np.nanmedian(moved[..., 1]) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("size", [32, 64, 256])
def test_finds_nobody_in_grey_or_noise(size: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    flat = [np.full((size, size, 3), level, np.uint8) for level in (0, 128, 255)]
    assert np.isnan(PoseDetector().detect(np.stack([*flat, noise]))).all()


def test_batches_are_independent() -> None:
    photos, _ = rendered(64, people=3)
    detector = PoseDetector()
    alone = np.concatenate([detector.detect(photo[None]) for photo in photos])
    np.testing.assert_allclose(detector.detect(photos), alone, atol=1e-3)
    assert detector.detect(photos[:0]).shape == (0, 18, 2)


def test_peaks_are_centres_of_mass_around_the_largest_cell() -> None:
    """Against loops; the second, lower peak far away must not count."""
    heat = torch.full((1, 2, 8, 16), -50.0)
    heat[0, 0, 3, 5], heat[0, 0, 3, 6], heat[0, 0, 7, 15] = 4.0, 3.0, 3.5
    heat[0, 1, 0, 0] = 1.0
    expected = []
    for joint, (row, column) in enumerate([(3, 5), (0, 0)]):
        mass = x = y = 0.0
        for i in range(max(row - 2, 0), min(row + 3, 8)):
            for j in range(max(column - 2, 0), min(column + 3, 16)):
                weight = heat[0, joint, i, j].exp().item()
                mass, x, y = mass + weight, x + weight * (j + 0.5) / 16, y + weight * (i + 0.5) / 8
        expected.append([x / mass, y / mass])
    assert peaks(heat)[0].numpy() == pytest.approx(np.array(expected), abs=1e-6)


def test_weights_are_small_and_named_in_the_protocol(tmp_path: Path) -> None:
    assert WEIGHTS.stat().st_size <= 2 * 2**20
    assert PoseDetector().protocol == f"procedural-18[{sha256_file(WEIGHTS)[:8]}]"
    damaged = tmp_path / "weights.safetensors"
    damaged.write_bytes(WEIGHTS.read_bytes()[:1000])
    with pytest.raises(BenchError, match=r"weights\.safetensors: not the weights of this network"):
        PoseDetector(damaged)
    with pytest.raises(BenchError, match=r"is missing; python scripts/train_procedural_labeler\.py dance"):
        PoseDetector(tmp_path / "absent")


def test_the_dance_task_is_scored_with_it() -> None:
    """Real targets show all that they show, and lie near the joints that were asked for."""
    data, pairs = DataConfig(size=32, identities=6, frames=6), PairsConfig(window=4, unit="positions")
    config = Config(data=data, pairs=pairs, eval=EvalConfig(items=8))
    world = World(DanceTask(), config)
    exam = dataclasses.replace(world.exam, config=resolve(config, world.source))
    lepe, failures, asked, missing = registry.get("metrics", "lepe")().score(exam, exam.targets)
    assert "lepe" in DanceTask.metrics and lepe.metric.startswith("lepe[procedural-18[")
    assert set(lepe.values) == set(failures.values) == set(missing.values) == {0.0}
    assert np.mean(asked.values) < 0.06
