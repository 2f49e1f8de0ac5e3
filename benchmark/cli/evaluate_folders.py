"""`bench evaluate --real DIR --fake DIR`: FID and KID of two folders, with no task, run or preset."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from benchmark.cli.options import progress
from benchmark.errors import BenchError, nearest

F = Callable[..., Any]
DECIMALS = 4
OF_FOLDERS = {"real", "fake", "metrics", "protocol", "save-stats", "json", "bfloat16", "no-cache", "random-weights"} | {
    "engine", "address", "shards",
}  # fmt: skip


def folder_options(command: F) -> F:
    """The options that stand beside --real and --fake."""
    path = click.Path(path_type=Path)
    for decorate in reversed(
        (
            click.option("--real", type=path, metavar="DIR", help="Real pictures, or their statistics (.npz)."),
            click.option("--fake", type=path, metavar="DIR", help="Pictures to score against --real; no task needed."),
            click.option("--metrics", default="fid,kid", show_default=True, help="With --real: fid, kid or both."),
            click.option(
                "--protocol", default="pytorch-fid", show_default=True,
                help="Whose FID: pytorch-fid, torch-fidelity, torchmetrics, clean-fid, efficientnet-lite0.",
            ),
            click.option("--save-stats", type=path, metavar="FILE", help="Keep the statistics of --real (.npz)."),
            click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON."),
            click.option("--bfloat16", is_flag=True, help="A marked preview, features off by up to 2 %."),
            click.option("--no-cache", is_flag=True, help="Neither read nor write cached features."),
            click.option("--engine", default="local", show_default=True, help="Where features are made: local, ray."),
            click.option("--address", metavar="ADDRESS", help="Of a Ray cluster, e.g. auto; else this machine alone."),
            click.option(
                "--shards", type=click.IntRange(min=0), default=0, help="Parts of a folder; 0: one per GPU or core."
            ),
            click.option("--random-weights", is_flag=True, help="An untrained network, to try out timings. No FID."),
        )
    ):  # fmt: skip
        command = decorate(command)
    return command


def evaluate_folders(
    real: Path | None,
    fake: Path | None,
    metrics: str,
    protocol: str,
    save_stats: Path | None,
    as_json: bool,
    bfloat16: bool,
    no_cache: bool,
    random_weights: bool,
    engine: str,
    address: str | None,
    shards: int,
) -> None:
    """Compare and print."""
    if real is None or fake is None:
        raise BenchError("give both --real DIR and --fake DIR")
    if engine not in ("local", "ray"):
        raise BenchError(f"--engine {engine!r}: unknown here{nearest(engine, ('local', 'ray'))}")
    if engine == "local" and (shards or address):
        raise BenchError(f"--{'shards' if shards else 'address'}: belongs to --engine ray")
    from benchmark.metrics.fid.compare import compare
    from benchmark.metrics.fid.shards import ray_shards

    with ray_shards(address, shards) if engine == "ray" else nullcontext() as many:
        result = compare(
            real,
            fake,
            protocol,
            [name.strip() for name in metrics.split(",") if name.strip()],
            weights="random-0" if random_weights else "",
            preview=bfloat16,
            cache=not no_cache,
            save_stats=save_stats,
            progress=progress,
            shards=many,
        )
    click.echo(json.dumps(result, indent=2) if as_json else "\n".join(lines(result)))


def lines(result: dict[str, Any]) -> list[str]:
    """The result as a person reads it."""
    found = []
    for name in ("real", "fake"):
        about = result[name]
        known = f", files {about['list_sha256'][:12]}" if "list_sha256" in about else ""
        found.append(f"{name}: {about['N'] or 'unknown number of'} pictures in {about['path']}{known}")
    pairs = f"{result['pairs']} pairs by name" if result["pairs"] else "no pairs by name: the sets count as independent"
    found.append(
        f"protocol: {result['protocol']} ({result['resize']}), weights {result['weights_sha256'][:12]}; {pairs}"
    )
    if "fid" in result:
        fid = result["fid"]
        found.append(f"{fid['name']}: {_value(fid)}")
        if "infinity" in fid:
            found.append(f"  extrapolated to infinite N: {fid['infinity']:.{DECIMALS}f}")
        if "floor" in fid:
            found.append(f"  floor, two halves of real: {fid['floor']['value']:.{DECIMALS}f} at N={fid['floor']['N']}")
    if "kid" in result:
        kid = {key: 1000 * value if key in ("value", "low", "high") else value for key, value in result["kid"].items()}
        found.append(f"{kid['name']} x 1000: {_value(kid)}; {kid['subsets']} subset(s) of {kid['subset_size']}")
    return found + [f"note: {line}" for line in result["warnings"]]


def _value(found: dict[str, Any]) -> str:
    ends = "" if found["low"] is None else f" [{found['low']:.{DECIMALS}f}, {found['high']:.{DECIMALS}f}]"
    return f"{found['value']:.{DECIMALS}f}{ends}"
