"""The scene parser of rendered streets: its data, its loss, its error on streets it has never seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from procedural_labeler.degrade import compressed, degraded
from procedural_labeler.training import HELD_OUT_SEED, TRAIN_SEED, optimise, to_photos
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.config import StreetConfig
from benchmark.data.procedural.street import Layout, look, paint, sample_scene, sample_style
from benchmark.data.procedural.street_world import picture_height
from benchmark.labelers.cityscapes import CLASSES, IGNORE
from benchmark.labelers.parsing.procedural import WEIGHTS, WIDTH, ProceduralParser, StreetNet
from benchmark.metrics.sps import confusions, parsing_scores

__all__ = ["EVALUATION", "STEPS", "TRAINING", "WEIGHTS", "evaluate", "train"]

TRAINING, EVALUATION, STEPS = 1100, 130, 2200  # scenes, scenes, updates
MOMENTS, DRIVE = (0, 9), 12  # frames that are drawn of a drive, and its length
STYLES = 3  # pictures of each, in as many kinds of weather and light
BATCH = 32
RARE = 0.25  # a class weighs its share of the pixels to minus this power: rare ones count more, none dominates


class Frames(NamedTuple):
    photos: np.ndarray  # uint8 (N, H, W, 3)
    labels: np.ndarray  # uint8 (N, H, W) train ids


def rendered(seed: int, scenes: int, width: int, styles: int = STYLES) -> Frames:
    """Clean frames of the world `seed`, all 13 groups in turn."""
    groups, photos, labels = StreetConfig().groups, [], []
    for number in range(scenes):
        scene = sample_scene(seed, number, DRIVE)
        for at, moment in enumerate(MOMENTS):
            view = look(Layout(scene, moment), picture_height(width), width)
            for style in range(styles):
                turn = (number * len(MOMENTS) + at) * styles + style
                photos.append(paint(view, sample_style(seed, 2 * number + moment, *groups[turn % len(groups)])))
                labels.append(view.labels())
    return Frames(np.stack(photos), np.stack(labels))


def batch(frames: Frames, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Mirrored and degraded: photos (B, 3, 36, 64) in [0, 1] and what they show, int64 (B, 36, 64)."""
    shown, what = [], []
    for index in rng.integers(0, len(frames.photos), BATCH):
        turn = slice(None, None, -1 if rng.random() < 0.5 else 1)
        photo = degraded(np.ascontiguousarray(frames.photos[index][:, turn]), rng)
        shown.append(compressed(photo, rng) if rng.random() < 0.2 else photo)
        what.append(frames.labels[index][:, turn])
    return to_photos(torch.from_numpy(np.stack(shown))), torch.from_numpy(np.stack(what)).long()


def class_weights(labels: np.ndarray) -> Tensor:
    """(19,): a power of each class's share of the pixels, 1 for the mean pixel; 0 for a class that never occurs."""
    share = np.bincount(labels.ravel(), minlength=256)[: len(CLASSES)] / labels.size
    weight = np.where(share > 0, np.maximum(share, 1e-5) ** -RARE, 0.0)
    return torch.from_numpy((weight / (weight * share).sum()).astype(np.float32))


def train(scenes: int, steps: int, seed: int) -> nn.Module:
    """Train from scratch on the CPU; the same arguments give the same weights on the same machine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    frames = rendered(TRAIN_SEED, scenes, WIDTH)
    weight = class_weights(frames.labels)

    def loss(network: nn.Module) -> Tensor:
        photos, what = batch(frames, rng)
        return F.cross_entropy(network(photos), what, weight, ignore_index=IGNORE)

    return optimise(StreetNet(), loss, steps)


def evaluate(scenes: int) -> None:
    """Print SPS of the parser on unseen streets, clean, degraded and swapped, against the renderer's own labels."""
    parser, rng = ProceduralParser(), np.random.default_rng(0)
    print(f"{parser.protocol}: {scenes} unseen scenes, {len(MOMENTS)} frames each, all 13 styles in turn")
    print(f"{'frames':<24} {'pixel acc.':>10} {'class acc.':>10} {'class IoU':>10}")
    matrix = np.zeros((len(CLASSES), len(CLASSES) + 1), int)
    for width in (32, 64, 128, 256):
        frames = rendered(HELD_OUT_SEED, scenes if width == WIDTH else max(scenes // 5, 1), width, styles=1)
        seen = confusions(frames.labels, parser.parse(frames.photos)).sum(axis=0)
        _report(f"clean, {width}x{picture_height(width)}", seen)
        if width == WIDTH:
            worse = np.stack([degraded(photo, rng) for photo in frames.photos])
            _report(f"degraded, {width}x{picture_height(width)}", confusions(frames.labels, parser.parse(worse)).sum(0))
            matrix = seen
            # What the parser says of pictures that have nothing to do with the labels: its floor.
            grey = np.full_like(frames.photos, 128)
            other = np.roll(frames.photos, len(MOMENTS), axis=0)
            for title, wrong in (("grey instead", grey), ("another street instead", other)):
                _report(title, confusions(frames.labels, parser.parse(wrong)).sum(axis=0))
    hits, asked = np.diagonal(matrix), matrix.sum(axis=1)
    for name, hit, of in zip(CLASSES, hits, asked, strict=True):
        print(f"{name:<24} {hit / of:>10.2%}  of {of / asked.sum():.2%} of the pixels" if of else f"{name:<24} absent")


def _report(title: str, matrix: np.ndarray) -> None:
    pixel, recall, iou = parsing_scores(matrix)
    print(f"{title:<24} {pixel:>10.2%} {recall:>10.2%} {iou:>10.3f}")
