"""From picture files to features: decoding, resizing and the network overlap; nothing is computed twice.

    vectors = Vectors(network.load, network.device)      # of protocols.find_network
    seen = extract(scan(folder), get("pytorch-fid"), vectors, cache)
    seen.features.moments, seen.sha256, seen.sizes

On a CPU each thread takes one picture from file to features: the activations of a single picture stay in the caches,
and a picture's features do not depend, to the last bit, on its neighbours or their order. On an accelerator threads
decode and the network takes batches.
"""

from __future__ import annotations

import copy
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch

from benchmark.features import FeatureNetwork
from benchmark.metrics.fid import folders, protocols
from benchmark.metrics.fid.cache import FeatureCache
from benchmark.metrics.fid.folders import Picture
from benchmark.metrics.fid.moments import FeatureSet
from benchmark.metrics.fid.protocols import FoundNetwork, Protocol

BATCH = 64  # pictures per step of an accelerator, and per write to the cache


@dataclass
class Extracted:
    """The features of a folder and what the record says of it."""

    features: FeatureSet = field(default_factory=FeatureSet)
    digests: list[str] = field(default_factory=list)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)  # (width, height) in px
    modes: Counter[str] = field(default_factory=Counter)  # Pillow's names
    cached: int = 0  # features that the cache had


@dataclass
class _Seen:
    """One picture on its way; exactly one of `row` (D,) and `input` (1, 3, S, S) is there."""

    sha256: str
    mode: str
    size: tuple[int, int]
    row: np.ndarray | None = None
    input: torch.Tensor | None = None
    cached: bool = False


def extract(
    pictures: Sequence[Picture],
    protocol: Protocol,
    vectors: Vectors,
    cache: FeatureCache | None = None,
    workers: int = 0,
    progress: Callable[[int, str], Any] | None = None,
) -> Extracted:
    """Features of every picture, in the order given. `workers` 0: one per core.

    Raises BenchError for the first picture, in order, that cannot be used.
    """
    found = Extracted()

    def work(picture: Picture) -> _Seen:
        data, sha256 = folders.read(picture.path)
        seen = _Seen(sha256, *folders.describe(picture.path, data))
        seen.row = cache.get(sha256) if cache else None
        if seen.row is not None:
            seen.cached = True
            return seen
        pixels = torch.from_numpy(folders.decode(picture.path, data))[None]
        seen.input = protocol.prepare(pixels)
        return finish(seen) if vectors.device.type == "cpu" else seen

    def finish(seen: _Seen) -> _Seen:
        assert seen.input is not None
        seen.row, seen.input = vectors(seen.input)[0], None
        return seen

    bar = progress(len(pictures), "features") if progress else None
    workers = workers or _cores()
    with one_thread_per_operation(), ThreadPoolExecutor(workers) as pool:
        for group in _groups(_in_order(pool, work, pictures, ahead=2 * workers + BATCH), BATCH):
            _through_network(group, vectors)
            _take(found, group, cache)
            if bar is not None:
                bar.update(len(group))
    if bar is not None:
        bar.close()
    return found


class Vectors:
    """A network on prepared images (N, 3, S, S), in float32 or, as a preview, bfloat16: float32 rows (N, D).

    It is loaded at the first image, by whichever thread has one: where all features are cached, never.
    """

    def __init__(self, load: Callable[[], FeatureNetwork], device: torch.device, preview: bool = False) -> None:
        self.device, self.dtype = device, torch.bfloat16 if preview else torch.float32
        self._load, self._one = load, threading.Lock()
        self._network: FeatureNetwork | None = None

    def __call__(self, prepared: torch.Tensor) -> np.ndarray:
        network = self._loaded()
        # cuDNN would round inputs to TF32's ten bits; on a CPU the flags would be set by several threads at once
        exact = (
            torch.backends.cudnn.flags(enabled=True, allow_tf32=False) if self.device.type == "cuda" else nullcontext()
        )
        with torch.inference_mode(), exact:
            return network.vectors(prepared.to(self.device, self.dtype)).float().cpu().numpy()

    def _loaded(self) -> FeatureNetwork:
        with self._one:
            if self._network is None:
                found = self._load()  # stays as it is: others may hold it
                self._network = found if self.dtype == torch.float32 else copy.deepcopy(found).to(self.dtype)
            return self._network


def cache_key(protocol: Protocol, network: FoundNetwork, preview: bool) -> str:
    """Everything that features depend on besides the picture."""
    precision = "bfloat16" if preview else "float32"
    return f"{protocol.name} v{protocols.VERSION} {network.weights_sha256} {precision} {network.device.type}"


@contextmanager
def one_thread_per_operation() -> Iterator[None]:
    """Threads that work on different pictures wait for nobody; threads inside one operation wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _cores() -> int:
    """Cores this process may use, where the system says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Picture], _Seen], pictures: Sequence[Picture], ahead: int
) -> Iterator[_Seen]:
    """As `pool.map`, with at most `ahead` pictures in memory."""
    waiting: deque[Future[_Seen]] = deque()
    try:
        for picture in pictures:
            waiting.append(pool.submit(work, picture))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _groups(items: Iterable[_Seen], size: int) -> Iterator[list[_Seen]]:
    items = iter(items)
    while group := list(islice(items, size)):
        yield group


def _through_network(group: list[_Seen], vectors: Vectors) -> None:
    """Give rows to those of a group that have only their input yet, in one batch."""
    inputs = [seen.input for seen in group if seen.input is not None]
    if not inputs:
        return
    rows = iter(vectors(torch.cat(inputs)))
    for seen in group:
        if seen.input is not None:
            seen.row, seen.input = next(rows), None


def _take(found: Extracted, group: list[_Seen], cache: FeatureCache | None) -> None:
    rows = [seen.row for seen in group if seen.row is not None]
    found.features.add(np.stack(rows))
    found.digests += [seen.sha256 for seen in group]
    found.sizes.update(seen.size for seen in group)
    found.modes.update(seen.mode for seen in group)
    found.cached += sum(seen.cached for seen in group)
    fresh = {seen.sha256: seen.row for seen in group if not seen.cached and seen.row is not None}
    if cache and fresh:
        cache.put(fresh)
