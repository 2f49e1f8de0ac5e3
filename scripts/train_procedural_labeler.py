"""Train or measure the procedural labeler, the landmark detector for rendered faces.

    python scripts/train_procedural_labeler.py               # train (8 CPU-minutes, one thread), write the weights
    python scripts/train_procedural_labeler.py --evaluate    # error on people it has never seen

The network sees faces from the renderer's seed 1; data sets of the benchmark use other seeds, and the error is
measured on seed 0. Photos are degraded (blur, noise, colour, lost resolution, patches) because it will have to read
the output of young GANs, and a quarter of what it sees shows no face, so that it can say that it found none.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional

from benchmark.data.procedural.face import landmarks, render, sample_clip
from benchmark.labelers.ibug68 import mirror_landmarks
from benchmark.labelers.procedural import WEIGHTS, ProceduralDetector
from benchmark.labelers.procedural_net import INPUT, LandmarkNet

TRAIN_SEED, HELD_OUT_SEED = 1, 0
NO_FACE_SHARE = 0.25
BATCH = 48


def rendered(seed: int, people: int, frames: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Clean frames uint8 (people * frames, size, size, 3) and landmarks float32 (people * frames, 68, 2) px."""
    photos, points = [], []
    for person in range(people):
        states, appearance = sample_clip(seed, person, frames)
        photos += [render(state, appearance, size) for state in states]
        points += [landmarks(state, size) for state in states]
    return np.stack(photos), np.stack(points)


# What training shows the network
# ---------------------------------------------------------------------------------------


def moved(photo: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mirror, turn, scale and shift photo and points together."""
    side = photo.shape[0]
    if rng.random() < 0.5:
        photo, points = photo[:, ::-1], mirror_landmarks(points, side)
    turn, scale = rng.normal(0, 6), math.exp(rng.normal(0, 0.08))
    matrix: np.ndarray = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), turn, scale)
    matrix[:, 2] += rng.normal(0, 0.03 * side, 2)
    photo = cv2.warpAffine(np.ascontiguousarray(photo), matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    return photo, points @ matrix[:, :2].T + matrix[:, 2]


def degraded(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a young GAN or a careless encoder does to a face, each with its own probability."""
    image: np.ndarray = photo.astype(np.float32)
    side = photo.shape[0]
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.6))
    if rng.random() < 0.25:
        small = cv2.resize(image, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        image = (image - 128) * rng.uniform(0.5, 1.3) + 128 + rng.normal(0, 20) + rng.normal(0, 12, 3)
    if rng.random() < 0.15:
        image[:] = image.mean(axis=2, keepdims=True)
    if rng.random() < 0.4:
        image += rng.normal(0, rng.uniform(2, 18), image.shape)
    if rng.random() < 0.2:  # the checkerboard of transposed convolutions
        image[rng.integers(2) :: 2, rng.integers(2) :: 2] += rng.normal(0, 14, 3)
    if rng.random() < 0.2:
        height, width = rng.integers(side // 10, side // 4, 2)
        y, x = rng.integers(0, side - height), rng.integers(0, side - width)
        image[y : y + height, x : x + width] = rng.uniform(0, 255, 3)
    return np.clip(image, 0, 255).astype(np.uint8)


def without_face(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A photo of no face: flat, gradient, noise, or a real frame taken apart so far that no face is left."""
    side = photo.shape[0]
    kind = rng.integers(5)
    if kind == 0:
        flat = np.broadcast_to(rng.uniform(0, 255, 3), (side, side, 3))
        return np.clip(flat + rng.normal(0, rng.uniform(0, 6), (side, side, 3)), 0, 255).astype(np.uint8)
    if kind == 1:
        corners = rng.uniform(0, 255, (2, 2, 3)).astype(np.float32)
        return cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    if kind == 2:
        noise: np.ndarray = rng.uniform(0, 255, (side, side, 3)).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.1, 8))
        return (255 * (noise - noise.min()) / np.ptp(noise)).astype(np.uint8)
    if kind == 3:
        tiles = int(rng.choice([4, 8, 16]))
        edge = side // tiles
        pieces = photo.reshape(tiles, edge, tiles, edge, 3).swapaxes(1, 2).reshape(tiles * tiles, edge, edge, 3)
        pieces = rng.permutation(pieces).reshape(tiles, tiles, edge, edge, 3)
        return np.ascontiguousarray(pieces.swapaxes(1, 2).reshape(side, side, 3))
    spectrum = np.fft.rfft2(photo.astype(np.float32), axes=(0, 1))
    phase = np.exp(1j * np.angle(np.fft.rfft2(rng.normal(size=(side, side, 1)), axes=(0, 1))))
    return np.clip(np.fft.irfft2(np.abs(spectrum) * phase, s=(side, side), axes=(0, 1)), 0, 255).astype(np.uint8)


def batch(photos: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
    """photos (B, 3, 64, 64) in [0, 1], points (B, 68, 2) as fractions of the side, face (B,) 1 or 0."""
    chosen = rng.integers(0, len(photos), BATCH)
    face = rng.random(BATCH) >= NO_FACE_SHARE
    shown, where = [], []
    for index, is_face in zip(chosen, face, strict=True):
        photo, marks = moved(photos[index], points[index], rng)
        shown.append(degraded(photo if is_face else without_face(photo, rng), rng))
        where.append((marks + 0.5) / INPUT)
    return (
        torch.from_numpy(np.stack(shown)).permute(0, 3, 1, 2).float() / 255.0,
        torch.from_numpy(np.stack(where).astype(np.float32)),
        torch.from_numpy(face.astype(np.float32)),
    )


# Training and measuring
# ------------------------------------------------------------------------------------------------


def train(people: int, frames: int, steps: int, seed: int) -> LandmarkNet:
    """Train from scratch on the CPU; the same arguments give the same weights on the same machine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    start = time.process_time()
    photos, points = rendered(TRAIN_SEED, people, frames, INPUT)
    print(f"rendered {len(photos)} frames in {time.process_time() - start:.0f} CPU-s", flush=True)
    network = LandmarkNet().to(memory_format=torch.channels_last)  # a quarter faster on a CPU
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        shown, where, face = batch(photos, points, rng)
        found, presence = network(shown)
        distance = functional.smooth_l1_loss(found, where, beta=0.01, reduction="none").mean(dim=(1, 2))
        located = (distance * face).sum() / face.sum()
        loss = 50 * located + functional.binary_cross_entropy_with_logits(presence, face)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            seconds = time.process_time() - start
            progress = f"step {step + 1}/{steps}  points {located.item():.5f}  loss {loss.item():.3f}"
            print(f"{progress}  {seconds:.0f} CPU-s", flush=True)
    return network.eval()


def save(network: LandmarkNet, path: Path) -> None:
    """float16 halves the file; the error it adds is far below a thousandth of a pixel's worth of landmarks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous() for name, value in network.half().state_dict().items()}
    partial = path.with_suffix(".partial")
    save_file(weights, partial)
    partial.chmod(0o644)  # safetensors writes for its owner alone
    partial.replace(path)
    print(f"wrote {path}: {path.stat().st_size / 2**20:.2f} MiB")


def evaluate(people: int, frames: int) -> None:
    """Print the error on unseen people, clean and degraded, and how often something without a face passes for one."""
    detector, rng = ProceduralDetector(), np.random.default_rng(0)
    print(f"{detector.protocol}: {people} unseen people, {frames} frames each")
    print(f"{'frames':<22} {'failed':>7} {'mean px':>8} {'px of 64':>9} {'of side':>8} {'95 % px':>8}")
    for size in (32, 64, 128, 256):
        photos, points = rendered(HELD_OUT_SEED, people if size == 64 else max(people // 5, 1), frames, size)
        _report(f"clean, {size} px", detector.detect(photos), points, size)
        if size == INPUT:
            worse = np.stack([degraded(photo, rng) for photo in photos])
            _report(f"degraded, {size} px", detector.detect(worse), points, size)
            nothing = np.stack([without_face(photo, rng) for photo in photos])
            passed = np.isfinite(detector.detect(nothing)[:, 0, 0]).mean()
            print(f"{'without a face, 64 px':<22} {1 - passed:>7.2%}  (should fail)")


def _report(title: str, found: np.ndarray, points: np.ndarray, size: int) -> None:
    distance = np.linalg.norm(found - points, axis=2).mean(axis=1)  # (N,) px
    seen = distance[np.isfinite(distance)]
    failed = 1 - len(seen) / len(distance)
    mean, high = seen.mean(), np.quantile(seen, 0.95)
    print(f"{title:<22} {failed:>7.2%} {mean:>8.3f} {mean * 64 / size:>9.3f} {mean / size:>8.4f} {high:>8.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluate", action="store_true", help="measure the shipped weights instead of training")
    parser.add_argument("--people", type=int, default=None, help="rendered people (training 450, evaluation 200)")
    parser.add_argument("--frames", type=int, default=6, help="frames of each")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if not options.evaluate:
        save(train(options.people or 450, options.frames, options.steps, options.seed), options.out)
    else:
        evaluate(options.people or 200, options.frames)


if __name__ == "__main__":
    main()
