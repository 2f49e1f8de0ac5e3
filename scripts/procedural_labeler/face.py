"""The landmark detector of rendered faces: its data, its loss, its error on people it has never seen."""

from __future__ import annotations

import numpy as np
import torch
from procedural_labeler.degrade import degraded, emptied, moved
from procedural_labeler.training import HELD_OUT_SEED, TRAIN_SEED, optimise, to_photos
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.data.procedural.face import landmarks, render, sample_clip
from benchmark.labelers.ibug68 import mirror_landmarks
from benchmark.labelers.procedural import WEIGHTS, ProceduralDetector
from benchmark.labelers.procedural_net import INPUT, LandmarkNet

__all__ = ["EVALUATION", "STEPS", "TRAINING", "WEIGHTS", "evaluate", "train"]

TRAINING, EVALUATION, STEPS = 450, 200, 1500  # people, people, updates
FRAMES = 6  # of each person
NO_FACE_SHARE = 0.25
BATCH = 48


def rendered(seed: int, people: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Clean frames uint8 (N, size, size, 3) and landmarks float32 (N, 68, 2) px, FRAMES of each of `people`."""
    photos, points = [], []
    for person in range(people):
        states, appearance = sample_clip(seed, person, FRAMES)
        photos += [render(state, appearance, size) for state in states]
        points += [landmarks(state, size) for state in states]
    return np.stack(photos), np.stack(points)


def batch(photos: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """photos (B, 3, 64, 64) in [0, 1], points (B, 68, 2) as fractions of the side, face (B,) 1 or 0."""
    chosen = rng.integers(0, len(photos), BATCH)
    face = rng.random(BATCH) >= NO_FACE_SHARE
    shown, where = [], []
    for index, is_face in zip(chosen, face, strict=True):
        photo, marks = photos[index], points[index]
        if rng.random() < 0.5:
            photo, marks = photo[:, ::-1], mirror_landmarks(marks, INPUT)
        photo, marks = moved(photo, marks, rng)
        shown.append(degraded(photo if is_face else emptied(photo, rng), rng))
        where.append((marks + 0.5) / INPUT)
    return (
        to_photos(torch.from_numpy(np.stack(shown))),
        torch.from_numpy(np.stack(where).astype(np.float32)),
        torch.from_numpy(face.astype(np.float32)),
    )


def train(people: int, steps: int, seed: int) -> nn.Module:
    """Train from scratch on the CPU; the same arguments give the same weights on the same machine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    photos, points = rendered(TRAIN_SEED, people, INPUT)

    def loss(network: nn.Module) -> Tensor:
        shown, where, face = batch(photos, points, rng)
        found, presence = network(shown)
        distance = F.smooth_l1_loss(found, where, beta=0.01, reduction="none").mean(dim=(1, 2))
        located = (distance * face).sum() / face.sum()
        return 50 * located + F.binary_cross_entropy_with_logits(presence, face)

    return optimise(LandmarkNet(), loss, steps)


def evaluate(people: int) -> None:
    """Print the error on unseen people, clean and degraded, and how often something without a face passes for one."""
    detector, rng = ProceduralDetector(), np.random.default_rng(0)
    print(f"{detector.protocol}: {people} unseen people, {FRAMES} frames each")
    print(f"{'frames':<22} {'failed':>7} {'mean px':>8} {'px of 64':>9} {'of side':>8} {'95 % px':>8}")
    for size in (32, 64, 128, 256):
        photos, points = rendered(HELD_OUT_SEED, people if size == 64 else max(people // 5, 1), size)
        _report(f"clean, {size} px", detector.detect(photos), points, size)
        if size == INPUT:
            worse = np.stack([degraded(photo, rng) for photo in photos])
            _report(f"degraded, {size} px", detector.detect(worse), points, size)
            nothing = np.stack([emptied(photo, rng) for photo in photos])
            passed = np.isfinite(detector.detect(nothing)[:, 0, 0]).mean()
            print(f"{'without a face, 64 px':<22} {1 - passed:>7.2%}  (should fail)")


def _report(title: str, found: np.ndarray, points: np.ndarray, size: int) -> None:
    distance = np.linalg.norm(found - points, axis=2).mean(axis=1)  # (N,) px
    seen = distance[np.isfinite(distance)]
    failed = 1 - len(seen) / len(distance)
    mean, high = seen.mean(), np.quantile(seen, 0.95)
    print(f"{title:<22} {failed:>7.2%} {mean:>8.3f} {mean * 64 / size:>9.3f} {mean / size:>8.4f} {high:>8.3f}")
