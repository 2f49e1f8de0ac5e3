"""Two folders of pictures, or a statistics file and a folder, with everything that makes their FID worth quoting.

    result = compare(Path("real"), Path("fake"), protocol="pytorch-fid")
    result["fid"]["value"], result["kid"]["low"], result["warnings"]

`bench evaluate --real DIR --fake DIR --metrics fid,kid` prints this.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import BenchError, nearest
from benchmark.metrics.fid import cache as feature_cache
from benchmark.metrics.fid import interval, protocols, statistics_file
from benchmark.metrics.fid.distance import frechet_of_moments
from benchmark.metrics.fid.extract import Extracted, Vectors, cache_key, extract
from benchmark.metrics.fid.folders import Picture, left_out, list_sha256, scan
from benchmark.metrics.fid.kid import kernel_distance
from benchmark.metrics.fid.moments import Moments
from benchmark.metrics.fid.pairing import pair
from benchmark.metrics.fid.protocols import FoundNetwork, Protocol
from benchmark.metrics.fid.shards import Asked, Shards

METRICS = ("fid", "kid")
FEWEST, FEW = 50, 2_048  # pictures: fewer are refused; fewer are mostly bias at 2,048 dimensions


@dataclass
class Side:
    """One set as the record describes it, and its features."""

    about: dict[str, Any]
    moments: Moments
    rows: np.ndarray | None = None  # (N, D): all rows or a sample of them; None for a statistics file
    whole: bool = False  # `rows` are all of them
    names: Sequence[str] = ()  # of the rows, where they are all


def compare(
    real: Path,
    fake: Path,
    protocol: str = "pytorch-fid",
    metrics: Sequence[str] = METRICS,
    weights: str = "",
    preview: bool = False,
    cache: bool = True,
    save_stats: Path | None = None,
    workers: int = 0,
    progress: Callable[[int, str], Any] | None = None,
    shards: Shards | None = None,
) -> dict[str, Any]:
    """Score the pictures below `fake` against those below `real`; either may be a statistics file (.npz).

    `weights`, see `protocols.find_network`; `preview` runs the network in bfloat16; `save_stats` keeps the real side's
    statistics; `shards` makes features on many machines, see `shards.ray_shards`. The result is plain data. Raises
    BenchError for sets below 50 pictures, for a picture that cannot be used, and for statistics of another protocol.
    """
    _check_metrics(metrics)
    if save_stats is not None:
        statistics_file.require_suffix(save_stats)
    chosen = protocols.get(protocol)
    folders = {name: None if path.suffix == ".npz" else scan(path) for name, path in (("real", real), ("fake", fake))}
    for path, pictures in zip((real, fake), folders.values(), strict=True):
        if pictures is not None and len(pictures) < FEWEST:
            raise BenchError(f"{path}: {len(pictures)} pictures; below {FEWEST} a FID is noise and is not computed")
        if pictures is None and "kid" in metrics:
            raise BenchError(f"{path}: KID needs the pictures, statistics are not enough; ask for --metrics fid")
    from benchmark.run.devices import choose_device

    network = protocols.find_network(chosen, choose_device(), weights)
    vectors = Vectors(network.load, network.device, preview)
    label = chosen.label(network, preview)
    with ExitStack() as stack:
        store = None
        if cache:
            key = cache_key(chosen, network, preview)
            store = stack.enter_context(feature_cache.FeatureCache(feature_cache.folder(), key))

        def side(path: Path, pictures: list[Picture] | None) -> Side:
            if pictures is None:
                return _from_file(path, label, network)
            if shards is not None:
                found = shards(pictures, Asked(chosen.name, weights, preview, cache), progress)
            else:
                found = extract(pictures, chosen, vectors, store, workers, progress)
            return _from_pictures(path, pictures, found)

        sides = [side(path, pictures) for path, pictures in zip((real, fake), folders.values(), strict=True)]
    _check_widths(sides[0], sides[1])
    if save_stats is not None:
        about = {"protocol": label, "weights_sha256": network.weights_sha256, **sides[0].about}
        statistics_file.save(save_stats, sides[0].moments, about)
    return _result(sides[0], sides[1], metrics, chosen, label, network)


def _check_metrics(metrics: Sequence[str]) -> None:
    for name in metrics:
        if name not in METRICS:
            raise BenchError(f"--metrics {name}: unknown{nearest(name, METRICS)}; there are {', '.join(METRICS)}")
    if not metrics:
        raise BenchError(f"--metrics: name at least one of {', '.join(METRICS)}")


def _check_widths(real: Side, fake: Side) -> None:
    widths = [len(side.moments.mean) for side in (real, fake)]
    if widths[0] != widths[1]:
        (a, b), (m, n) = (side.about["path"] for side in (real, fake)), widths
        raise BenchError(f"{a} and {b}: features of {m} and of {n} values, from different networks: not comparable")


def _from_file(path: Path, label: str, network: FoundNetwork) -> Side:
    moments, about = statistics_file.load(path)
    wanted = {"protocol": label, "weights_sha256": network.weights_sha256}
    for key, value in wanted.items():
        if key in about and about[key] != value:
            raise BenchError(f"{path}: is of {key.replace('_', ' ')} {about[key]}, this is {value}: not comparable")
    kept: dict[str, Any] = {key: about[key] for key in ("list_sha256", "sizes") if key in about}
    return Side({"path": str(path), "N": moments.count, **kept, "said_protocol": "protocol" in about}, moments)


def _from_pictures(path: Path, pictures: list[Picture], found: Extracted) -> Side:
    about = {
        "path": str(path),
        "N": len(pictures),
        "list_sha256": list_sha256(pictures, found.digests),
        "sizes": {f"{width}x{height}": count for (width, height), count in sorted(found.sizes.items())},
        "converted": {mode: count for mode, count in sorted(found.modes.items()) if mode != "RGB"},
        "left_out": [str(name) for name in left_out(path)],
        "features_from_cache": found.cached,
    }
    rows = found.features.all_rows
    names = [picture.name for picture in pictures]
    return Side(about, found.features.moments, found.features.sample, rows is not None, names)


def _result(
    real: Side, fake: Side, metrics: Sequence[str], protocol: Protocol, label: str, network: FoundNetwork
) -> dict[str, Any]:
    from benchmark.run.manifest import versions

    real_rows, fake_rows, pairs, unpaired = pair(real, fake)
    result: dict[str, Any] = {
        "protocol": label,
        "resize": protocol.resize,
        "network": network.protocol,
        "weights_sha256": network.weights_sha256,
        "real": real.about,
        "fake": fake.about,
        "pairs": pairs,
        "warnings": _warnings(real, fake, unpaired),
        "versions": versions(),
    }
    true = network.protocol == "inception-2015-12-05"  # other networks' distances do not bear the Inception's name
    if "fid" in metrics:
        result["fid"] = _fid(real, fake, real_rows, fake_rows, bool(pairs))
        result["fid"]["name"] = "FID" if true else "Frechet distance"
    if "kid" in metrics:
        assert real_rows is not None and fake_rows is not None
        result["kid"] = asdict(kernel_distance(real_rows, fake_rows, paired=bool(pairs)))
        result["kid"]["name"] = "KID" if true else "Kernel distance"
    return result


def _fid(
    real: Side, fake: Side, real_rows: np.ndarray | None, fake_rows: np.ndarray | None, paired: bool
) -> dict[str, Any]:
    """Value from all pictures; interval, extrapolation and floor from the rows at hand."""
    held = [(side, rows) for side, rows in ((real, real_rows), (fake, fake_rows)) if rows is not None]
    a, b = (side.moments if rows is None else rows for side, rows in ((real, real_rows), (fake, fake_rows)))
    spread = interval.frechet_interval(a, b, paired=paired)
    if not all(side.whole for side, _ in held):
        share = max(len(rows) / side.about["N"] for side, rows in held)
        spread = interval.of_sample(spread, frechet_of_moments(real.moments, fake.moments), share)
    found: dict[str, Any] = {"value": spread.value, "low": None, "high": None}
    if not math.isnan(spread.high):
        found |= {"low": spread.low, "high": spread.high}
        found["interval"] = f"{'paired' if paired else 'unpaired'} {interval.METHOD}"
        found["infinity"] = interval.frechet_infinity(a, b, paired)
    if real_rows is not None:
        found["floor"] = {"value": interval.frechet_floor(real_rows), "N": len(real_rows) // 2}
    return found


def _warnings(real: Side, fake: Side, unpaired: str) -> list[str]:
    lines = []
    for name, side in (("real", real), ("fake", fake)):
        count, sizes = side.about["N"], side.about.get("sizes", {})
        if count is None:
            lines.append(f"{name}: the statistics file does not say how many pictures it is of")
        elif count < FEW:
            lines.append(f"{name}: {count} pictures, below {FEW}: the FID is biased upwards, read KID")
        if side.about.get("said_protocol") is False:
            lines.append(f"{name}: the statistics file does not say its protocol; it is taken to be this one")
        if len(sizes) > 1:
            lines.append(f"{name}: pictures of {len(sizes)} sizes, each resized to the network's square on its own")
        elif any(w != h for w, h in (size.split("x") for size in sizes)):
            lines.append(f"{name}: pictures are not square and are stretched to a square, as in every FID tool")
        if others := side.about.get("left_out"):
            lines.append(f"{name}: left out as no pictures by their extension: {len(others)}, e.g. {others[0]}")
        for mode, number in side.about.get("converted", {}).items():
            lines.append(f"{name}: {number} pictures of type {mode} were converted to RGB")
    sizes = [set(side.about["sizes"]) for side in (real, fake) if side.about.get("sizes")]
    if len(sizes) == 2 and sizes[0] != sizes[1]:
        lines.append("real and fake pictures differ in size: the resize alone makes them differ")
    if unpaired:
        lines.append(unpaired)
    return lines
