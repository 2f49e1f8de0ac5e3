"""What every method cost: training time, steps, seconds per image, parameters, peak memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

from benchmark.run.results import MethodRow, RunView
from reports import compare
from reports.table import Cell, Row, Table, number

Stages = Mapping[str, Mapping[str, Any]]


def cost_table(view: RunView) -> Table:
    """One line per method, means over seeds; a failed stage says why. Pictures made elsewhere have no line."""
    methods = compare.ranked(view.results)
    elsewhere = [f"{m.title}: {m.note}; what they cost is not known." for m in methods if m.kind == "pictures"]
    lent = any("weights_of" in stages.get("fit", {}) for stages in view.cells.values())
    shared = ["Weights of another method: steps, training and memory are those of that method's training."]
    return Table(
        name="cost",
        title="Cost",
        subtitle=f"Means over seeds. Device: {_device(view.manifest.get('device', {}))}.",
        columns=("parameters", "steps", "training", "per step", "per image", "peak memory"),
        rows=tuple(_row(view, method) for method in methods if method.kind != "pictures"),
        notes=(
            "Per image: synthesis of the test set, in batches, divided by its images; loading and writing apart.",
            *(shared if lent else ()),
            *elsewhere,
        ),
    )


def _device(device: Mapping[str, Any]) -> str:
    """What ran it, in a few words; the rest stands under provenance."""
    accelerator = device.get("accelerator") or "none"
    parts = [str(accelerator)] if accelerator != "none" else []
    parts += [str(device["processor"])] if device.get("processor") else []
    parts += [f"{device['cores']} cores"] if device.get("cores") else []
    return ", ".join(parts) or "not recorded"


def _row(view: RunView, method: MethodRow) -> Row:
    cells = [_stages(view, method.name, seed) for seed in view.results.seeds]
    if method.problem and not any(stages.get("fit", {}).get("state") == "done" for stages in cells):
        return Row(method.title, method.kind, (Cell(reason=method.problem), *[Cell()] * 5))
    failed = next((record for stages in cells for record in stages.values() if record.get("state") == "failed"), None)
    trains = any(_field(stages, "fit", "steps") != 0 for stages in cells)
    missing = method.problem or (failed or {}).get("reason", "")

    def mean(get: Callable[[Stages], float | None], show: Callable[[float], str]) -> Cell:
        values = [value for stages in cells if (value := get(stages)) is not None]
        return Cell(show(fmean(values)), fmean(values)) if values else Cell(reason=missing or "not recorded")

    return Row(
        method.title,
        method.kind,
        (
            Cell(count(method.parameters), method.parameters),
            mean(lambda s: _field(s, "fit", "steps"), lambda v: f"{v:,.0f}".replace(",", " ")),
            mean(lambda s: _field(s, "fit", "seconds"), duration),
            mean(lambda s: _ratio(s, "fit", "seconds", "steps"), small_time) if trains else Cell(),
            mean(lambda s: _ratio(s, "synthesize", "synthesis_seconds", "made"), small_time),
            mean(lambda s: _field(s, "fit", "peak_memory_mb"), lambda v: f"{v:,.0f} MB".replace(",", " ")),
        ),
        method.unfinished,
        method.note,
    )


def _stages(view: RunView, method: str, seed: int) -> Stages:
    """A cell's records, its fit replaced by the one that really trained its weights."""
    stages = view.stages(method, seed)
    lender = stages.get("fit", {}).get("weights_of")
    return {**stages, "fit": view.stages(lender, seed).get("fit", {})} if lender else stages


def _field(stages: Stages, stage: str, key: str) -> float | None:
    value = stages.get(stage, {}).get(key)
    return float(value) if isinstance(value, int | float) else None


def _ratio(stages: Stages, stage: str, time: str, per: str) -> float | None:
    seconds, times = _field(stages, stage, time), _field(stages, stage, per)
    return seconds / times if seconds is not None and times else None


def duration(seconds: float) -> str:
    """As "42 s", "3 min 05 s", "2 h 10 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{number(seconds, 1) if seconds < 10 else whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def small_time(seconds: float) -> str:
    return f"{number(1000 * seconds, 1)} ms" if seconds < 1 else f"{number(seconds, 2)} s"


def count(parameters: int) -> str:
    """As "1.25 M"."""
    if parameters >= 100_000:
        return f"{number(parameters / 1e6, 2)} M"
    return f"{parameters:,}".replace(",", " ")
