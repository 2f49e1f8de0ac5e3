"""Features of very many pictures: shards of a folder as Ray tasks, joined as if one process had seen all of it.

    with ray_shards("auto", count=8) as shards:
        result = compare(real, fake, shards=shards)

`bench evaluate --real DIR --fake DIR --engine ray --shards 8` does this. Up to `moments.KEEP` pictures the rows are the
very rows of one process, in its order; beyond that sums in float64 are joined, which differ from one process's in the
last digits only. Every machine must see the pictures under the same path; each has a feature cache of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from benchmark.errors import BenchError
from benchmark.metrics.fid.extract import Extracted
from benchmark.metrics.fid.folders import Picture

Progress = Callable[[int, str], Any]


@dataclass(frozen=True)
class Asked:
    """How features are made, in words that travel; as `compare` takes them."""

    protocol: str
    weights: str = ""
    preview: bool = False
    cache: bool = True


Shards = Callable[[Sequence[Picture], Asked, Progress | None], Extracted]


def split(pictures: Sequence[Picture], count: int) -> list[list[Picture]]:
    """At most `count` runs of neighbours, as even as can be, none empty."""
    count = min(count, len(pictures))
    ends = [len(pictures) * index // count for index in range(count + 1)]
    return [list(pictures[start:end]) for start, end in itertools.pairwise(ends)]


def joined(parts: Sequence[Extracted]) -> Extracted:
    """What one process would have found in all the parts, in their order."""
    whole = Extracted()
    for part in parts:
        whole.features.merge(part.features)
        whole.digests += part.digests
        whole.sizes.update(part.sizes)
        whole.modes.update(part.modes)
        whole.cached += part.cached
    return whole


def extract_shard(pictures: Sequence[Picture], asked: Asked, workers: int) -> Extracted:
    """One task: the network is found and loaded where it runs."""
    from contextlib import ExitStack

    from benchmark.metrics.fid import cache, protocols
    from benchmark.metrics.fid.extract import Vectors, cache_key, extract
    from benchmark.run.devices import choose_device

    protocol = protocols.get(asked.protocol)
    network = protocols.find_network(protocol, choose_device(), asked.weights)
    vectors = Vectors(network.load, network.device, asked.preview)
    with ExitStack() as stack:
        store = None
        if asked.cache:
            key = cache_key(protocol, network, asked.preview)
            store = stack.enter_context(cache.FeatureCache(cache.folder(), key))
        return extract(pictures, protocol, vectors, store, workers)


@contextmanager
def ray_shards(address: str | None, count: int = 0) -> Iterator[Shards]:
    """Shards on a Ray cluster, `count` of them (0: one per GPU, or per core where there are none).

    A shard whose machine is lost is done again elsewhere. The first picture that cannot be used is a BenchError.
    """
    from benchmark.run.engines.ray_engine import connected

    with connected(address) as ray:
        there = ray.cluster_resources()
        gpus = 1 if there.get("GPU") else 0
        task = ray.remote(num_cpus=1, num_gpus=gpus)(extract_shard)

        def shards(pictures: Sequence[Picture], asked: Asked, progress: Progress | None = None) -> Extracted:
            seen = [replace(picture, path=picture.path.resolve()) for picture in pictures]
            parts = split(seen, count or max(1, int(there.get("GPU" if gpus else "CPU", 1))))
            waiting = [task.remote(part, asked, workers=0 if gpus else 1) for part in parts]
            bar = progress(len(pictures), "features") if progress else None
            found = []
            for part, ref in zip(parts, waiting, strict=True):
                try:
                    found.append(ray.get(ref))
                except ray.exceptions.RayError as error:
                    cause = getattr(error, "cause", None)
                    if isinstance(cause, BenchError):
                        raise cause from error
                    reason = " ".join(str(cause or error).split())[:300]
                    raise BenchError(f"{part[0].path} to {part[-1].path}: {reason}") from error
                if bar is not None:
                    bar.update(len(part))
            if bar is not None:
                bar.close()
            return joined(found)

        yield shards
