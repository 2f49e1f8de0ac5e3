"""The joint detector of rendered dancers: its data, its loss, its error on dancers it has never seen."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from procedural_labeler.degrade import compressed, degraded, emptied, moved
from procedural_labeler.training import HELD_OUT_SEED, TRAIN_SEED, optimise, to_photos
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.data.procedural.dance import joints, render, sample_clip
from benchmark.data.procedural.dance_backdrop import backdrop
from benchmark.labelers.openpose18 import mirror_joints
from benchmark.labelers.procedural_pose import INPUT, WEIGHTS, PoseDetector
from benchmark.labelers.procedural_unet import PoseNet

__all__ = ["EVALUATION", "STEPS", "TRAINING", "WEIGHTS", "evaluate", "train"]

TRAINING, EVALUATION, STEPS = 1500, 200, 3200  # dancers, dancers, updates
CLIP, EVERY = 30, 5  # frames of a dancer's clip, and how many apart those are that are drawn
NOBODY_SHARE = 0.2
BATCH = 32
HEAT = 32  # cells a side of a heat map
SPREAD = 1.0  # cells: standard deviation of the heat that is asked for around a joint


class Frames(NamedTuple):
    photos: np.ndarray  # uint8 (N, S, S, 3)
    points: np.ndarray  # float32 (N, 18, 2) px, NaN where hidden
    places: np.ndarray  # uint8 (people, S, S, 3): the same places with nobody in them


def rendered(seed: int, people: int, size: int) -> Frames:
    """Clean frames of the world `seed`."""
    photos, points, places = [], [], []
    for person in range(people):
        states, look = sample_clip(seed, person, CLIP)
        photos += [render(state, look, size) for state in states[::EVERY]]
        points += [joints(state, size) for state in states[::EVERY]]
        place = cv2.resize(backdrop(look, 2 * size), (size, size), interpolation=cv2.INTER_AREA)
        places.append(np.rint(np.clip(place, 0, 255)).astype(np.uint8))
    return Frames(np.stack(photos), np.stack(points), np.stack(places))


class Batch(NamedTuple):
    photos: Tensor  # (B, 3, 64, 64) in [0, 1]
    points: Tensor  # (B, 18, 2) cells of the heat map, 0 where hidden
    seen: Tensor  # (B, 18) 1 or 0
    somebody: Tensor  # (B,) 1 or 0


def batch(frames: Frames, rng: np.random.Generator) -> Batch:
    """Turned, mirrored and degraded frames, some with nobody in them."""
    somebody = rng.random(BATCH) >= NOBODY_SHARE
    shown, where = [], []
    for index, is_person in zip(rng.integers(0, len(frames.photos), BATCH), somebody, strict=True):
        photo, marks = _mirrored(frames.photos[index], frames.points[index], rng)
        photo, marks = moved(photo, marks, rng)
        marks[~((marks > -0.5) & (marks < INPUT - 0.5)).all(axis=1)] = np.nan
        if not is_person:
            photo = _nobody(photo, frames.places, rng)
        photo = degraded(photo, rng)
        shown.append(compressed(photo, rng) if rng.random() < 0.2 else photo)
        where.append((marks + 0.5) * HEAT / INPUT - 0.5)
    points = torch.from_numpy(np.stack(where).astype(np.float32))
    return Batch(
        to_photos(torch.from_numpy(np.stack(shown))),
        points.nan_to_num(),
        points[..., 0].isfinite().float(),
        torch.from_numpy(somebody.astype(np.float32)),
    )


def _mirrored(photo: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return (photo[:, ::-1], mirror_joints(points, INPUT)) if rng.random() < 0.5 else (photo, points)


def _nobody(photo: np.ndarray, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An empty place half of the time: a detector that knows places by their dancers is of no use."""
    return places[rng.integers(len(places))] if rng.random() < 0.5 else emptied(photo, rng)


def loss(network: nn.Module, seen_by: Batch) -> Tensor:
    """Cross-entropy of every visible joint's heat map, of what is visible, and of whether anybody is there."""
    heat, seen, presence = network(seen_by.photos)
    counted = seen_by.seen * seen_by.somebody[:, None]  # (B, 18)
    per_joint = F.cross_entropy(heat.flatten(2).transpose(1, 2), _asked_heat(seen_by.points), reduction="none")
    located = (per_joint * counted).sum() / counted.sum()
    visible = F.binary_cross_entropy_with_logits(seen, seen_by.seen, reduction="none").mean(dim=1)
    visible = (visible * seen_by.somebody).sum() / seen_by.somebody.sum()
    return located + visible + F.binary_cross_entropy_with_logits(presence, seen_by.somebody)


def _asked_heat(points: Tensor) -> Tensor:
    """Points (B, 18, 2) in cells -> a Gaussian around each that sums to 1, (B, P, 18)."""
    cells = torch.arange(HEAT, dtype=torch.float32)
    x, y = (torch.exp(-((cells - points[..., i : i + 1]) ** 2) / (2 * SPREAD**2)) for i in (0, 1))  # (B, 18, 32)
    heat = (y[..., :, None] * x[..., None, :]).flatten(2)
    return (heat / heat.sum(dim=2, keepdim=True)).transpose(1, 2)


def train(people: int, steps: int, seed: int) -> nn.Module:
    """Train from scratch on the CPU; the same arguments give the same weights on the same machine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    frames = rendered(TRAIN_SEED, people, INPUT)
    return optimise(PoseNet(), lambda network: loss(network, batch(frames, rng)), steps)


def evaluate(people: int) -> None:
    """Print what it finds of unseen dancers, clean and degraded, and how often an empty place passes for somebody."""
    detector, rng = PoseDetector(), np.random.default_rng(0)
    print(f"{detector.protocol}: {people} unseen dancers, {CLIP // EVERY} frames each")
    print(f"{'frames':<22} {'nobody':>7} {'found':>7} {'wrong':>7} {'mean px':>8} {'of side':>8} {'95 % px':>8}")
    for size in (32, 64, 128, 256):
        frames = rendered(HELD_OUT_SEED, people if size == INPUT else max(people // 5, 1), size)
        _report(f"clean, {size} px", detector.detect(frames.photos), frames.points, size)
        if size == INPUT:
            worse = np.stack([degraded(photo, rng) for photo in frames.photos])
            _report(f"degraded, {size} px", detector.detect(worse), frames.points, size)
            nobody = np.concatenate([frames.places, np.stack([emptied(photo, rng) for photo in frames.photos])])
            passed = np.isfinite(detector.detect(nobody)).any(axis=(1, 2))
            split = len(frames.places)
            print(f"{'places without anybody':<22} {1 - passed[:split].mean():>7.2%}  (should be 100 %)")
            print(f"{'no picture at all':<22} {1 - passed[split:].mean():>7.2%}  (should be 100 %)")


def _report(title: str, found: np.ndarray, points: np.ndarray, size: int) -> None:
    """`found`: of the joints that can be seen; `wrong`: of the hidden ones, the share that is given all the same."""
    seen, given = np.isfinite(points[..., 0]), np.isfinite(found[..., 0])
    distance = np.linalg.norm(found - points, axis=2)[seen & given]
    mean, high = distance.mean(), np.quantile(distance, 0.95)
    shares = f"{1 - given.any(axis=1).mean():>7.2%} {given[seen].mean():>7.2%} {given[~seen].mean():>7.2%}"
    print(f"{title:<22} {shares} {mean:>8.3f} {mean / size:>8.4f} {high:>8.3f}")
