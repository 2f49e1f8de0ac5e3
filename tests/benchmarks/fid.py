"""FID against pytorch-fid on the same pictures and the same (random) weights, in CPU time, paired rounds.

    python -m tests.benchmarks.fid [--parts arithmetic,folders] [--pictures 200] [--rounds 5] [--bfloat16]

arithmetic   the distance at 2048 dimensions from features, covariances included, N=5000 and N=1000 (promised: 10 and
             50 times), and from statistics (10): at N=5000 the covariances, which both need, are half of our time
features     pixels of 256 x 256 to 2048 values, no files; pytorch-fid in batches of 50, ours one by one (1.8 times)
folders      two folders of PNGs of 256 x 256, from file to value, with our interval and floor (2.5 times; bfloat16 5)
cached       `bench evaluate` twice, each in a process of its own: the second reads cached features (10 times the first)
memory       100,000 simulated features (promised: at most 1.5 GB in all)

Prints every round, medians and the ratio; exit status 1 where a promise is not kept. bfloat16 gains only on processors
and accelerators that compute in it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from pytorch_fid import fid_score
from pytorch_fid import inception as theirs

from benchmark import inception
from benchmark.metrics.fid import protocols
from benchmark.metrics.fid.compare import compare
from benchmark.metrics.fid.distance import frechet_distance, frechet_of_moments
from benchmark.metrics.fid.extract import Vectors
from benchmark.metrics.fid.moments import FeatureSet, Moments

WIDTH = inception.WIDTH


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of all threads and of processes that have ended, and what `run` gave."""
    before = os.times()
    found = run()
    after = os.times()
    return sum(after[:4]) - sum(before[:4]), found


def ratio(title: str, rounds: int, full: Callable[[], Any], ours: Callable[[], Any], promised: float) -> bool:
    """Time both in turns, print medians and the median of the rounds' ratios; True where the promise is kept."""
    pairs = []
    for number in range(rounds):
        a, b = seconds(full), seconds(ours)
        pairs.append((a[0], b[0]))
        print(f"  round {number + 1}: {a[0]:.2f} s, {b[0]:.2f} s", flush=True)
    value = statistics.median(a / b for a, b in pairs)
    old, new = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"{title}: CPU {old:.2f} s -> {new:.2f} s, {value:.1f} times (promised {promised:g}); {a[1]:.9g} and {b[1]:.9g}"
    )
    return value >= promised


def features(rows: int, seed: int) -> np.ndarray:
    """Non-negative, correlated, of unequal spread, as pooled activations are."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(WIDTH, WIDTH)) / WIDTH**0.5
    spread = np.exp(-np.arange(WIDTH) / 600)
    return np.abs(rng.normal(size=(rows, WIDTH)) @ mix + 0.1 * seed) * spread


def arithmetic(rounds: int) -> bool:
    kept = True
    for rows, promised in ((5000, 10), (1000, 50)):
        a, b = features(rows, 0), features(rows, 1)

        def full(a: np.ndarray = a, b: np.ndarray = b) -> float:
            moments = [m for x in (a, b) for m in (x.mean(axis=0), np.cov(x, rowvar=False))]
            return float(fid_score.calculate_frechet_distance(*moments))

        def ours(a: np.ndarray = a, b: np.ndarray = b) -> float:
            return frechet_distance(a, b)

        kept &= ratio(f"arithmetic, N={rows}, from features", rounds, full, ours, promised)
    a, b = Moments.of(features(5000, 0)), Moments.of(features(5000, 1))

    def full_root() -> float:
        return float(fid_score.calculate_frechet_distance(a.mean, a.covariance, b.mean, b.covariance))

    kept &= ratio("arithmetic, N=5000, from statistics", rounds, full_root, lambda: frechet_of_moments(a, b), 10)
    return kept


def networks(count: int, rounds: int) -> bool:
    """Both networks on the same pixels; values printed are sums of all features."""
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, 3, 256, 256), dtype=np.uint8))
    original = inception.original(inception.random_state(0)).eval()
    protocol = protocols.get("pytorch-fid")
    found = protocols.find_network(protocol, weights="random-0")
    vectors = Vectors(found.load, found.device)

    def full() -> float:
        with torch.no_grad():
            return sum(float(original(part.float() / 255)[0].sum()) for part in pixels.split(50))

    def ours() -> float:
        return sum(float(vectors(protocol.prepare(one)).sum()) for one in pixels.split(1))

    ours()  # builds the network
    return ratio("features, float32", rounds, full, ours, 1.8)


def draw(folder: Path, count: int, seed: int) -> Path:
    """Smooth pictures with some noise, about as large on the disk as photographs."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    for index in range(count):
        low = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        smooth = np.asarray(low.resize((256, 256), Image.Resampling.BICUBIC)).astype(np.float32)
        pixels = smooth + rng.normal(0, 4 + 4 * seed, smooth.shape)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index:05}.png")
    return folder


def by_pytorch_fid(real: Path, fake: Path) -> float:
    """As its command line runs it: batches of 50, one loading process per core."""
    with redirect_stdout(StringIO()):
        workers = min(len(os.sched_getaffinity(0)), 8)
        return float(fid_score.calculate_fid_given_paths([str(real), str(fake)], 50, "cpu", WIDTH, workers))


def by_us(real: Path, fake: Path, **options: Any) -> float:
    return float(compare(real, fake, metrics=["fid"], weights="random-0", **options)["fid"]["value"])


def folders(real: Path, fake: Path, rounds: int, bfloat16: bool) -> bool:
    def full() -> float:
        return by_pytorch_fid(real, fake)

    if not bfloat16:
        return ratio("folders, float32", rounds, full, lambda: by_us(real, fake, cache=False), 2.5)
    return ratio("folders, bfloat16", rounds, full, lambda: by_us(real, fake, cache=False, preview=True), 5)


def by_command(real: Path, fake: Path) -> float:
    """As somebody types it, imports included; the CPU time of an ended child counts in `seconds`."""
    options = ["--real", real, "--fake", fake, "--metrics", "fid", "--random-weights", "--json"]
    bench = [sys.executable, "-c", "from benchmark.cli import main; main()", "evaluate"]
    said = subprocess.run([*bench, *options], check=True, stdout=subprocess.PIPE)
    return float(json.loads(said.stdout)["fid"]["value"])


def cached(real: Path, fake: Path) -> bool:
    first, value = seconds(lambda: by_command(real, fake))
    second, again = seconds(lambda: by_command(real, fake))
    print(f"cached: CPU {first:.2f} s -> {second:.2f} s, {first / second:.1f} times (of 10); {value:.4f}, {again:.4f}")
    return value == again and first / second >= 10


def memory() -> bool:
    rng = np.random.default_rng(0)
    sets = FeatureSet(), FeatureSet()
    for side, seen in enumerate(sets):
        for _ in range(50_000 // 1_000):
            seen.add(rng.normal(side, 1, size=(1_000, WIDTH)).astype(np.float32))
    value = frechet_of_moments(sets[0].moments, sets[1].moments)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"memory: {used:.2f} GB for two sets of {sets[0].count:,} (promised 1.5); distance {value:.3f}")
    return used <= 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--parts", default="memory,arithmetic,features,folders,cached"
    )  # memory first: it reads the peak
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bfloat16", action="store_true")
    args = parser.parse_args()
    parts = args.parts.split(",")
    print(f"{vars(args)}; torch {torch.__version__}, {torch.get_num_threads()} threads, {time.strftime('%Y-%m-%d')}")
    kept = True
    if "memory" in parts:
        kept &= memory()
    if "arithmetic" in parts:
        kept &= arithmetic(args.rounds)
    if "features" in parts:
        kept &= networks(args.pictures, args.rounds)
    state = inception.random_state(0)
    theirs.load_state_dict_from_url = lambda *_args, **_options: state
    with tempfile.TemporaryDirectory() as work:
        os.environ["BENCH_FEATURES"] = f"{work}/features"
        real, fake = (draw(Path(work) / name, args.pictures, seed) for seed, name in enumerate(("real", "fake")))
        if "folders" in parts:
            kept &= folders(real, fake, args.rounds, args.bfloat16)
        if "cached" in parts:
            kept &= cached(real, fake)
    sys.exit(not kept)


if __name__ == "__main__":
    main()
