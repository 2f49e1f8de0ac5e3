"""Loss curves, and the scores of evaluations during training where there were any: one panel of each per method."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.run.results import RunView
from reports import compare, drawing
from reports.drawing import DASHES, SERIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 240  # per curve: more than the panel has pixels to show


@dataclass(frozen=True)
class Panel:
    """The curves of one method. `key` is (loss name, colour number, dash pattern) for the legend below the panel."""

    title: str
    svg: str
    caption: str
    key: tuple[tuple[str, int, str], ...]


def panels(view: RunView, kind: str = "losses") -> list[Panel]:
    """A panel for every method whose training log holds `kind`: "losses", or "metrics" (train.keep_best)."""
    found = []
    for method in compare.ranked(view.results):
        logs = {seed: log for seed in view.results.seeds if (log := view.log(method.name, seed))}
        if any(line.get(kind) for log in logs.values() for line in log):
            found.append(log_panel(method.name, method.title, logs, kind))
    return found


def log_panel(name: str, title: str, logs: dict[int, list[dict[str, Any]]], kind: str = "losses") -> Panel:
    """The curves of one method from its training logs by seed, none of them empty."""
    losses = list(dict.fromkeys(loss for log in logs.values() for line in log for loss in line.get(kind, ())))
    curves = {(seed, loss): _curve(log, kind, loss) for seed, log in logs.items() for loss in losses}
    last = max(line["step"] for log in logs.values() for line in log)
    seeds = "" if len(logs) == 1 else f"; {len(logs)} seeds, the first drawn strongest"
    key = tuple((loss, i % len(SERIES) + 1, DASHES[i // len(SERIES) % len(DASHES)]) for i, loss in enumerate(losses))
    return Panel(
        title, _draw(f"{name} {kind}", curves, losses, list(logs)), f"{last:,} steps{seeds}".replace(",", " "), key
    )


def _curve(log: Sequence[dict[str, Any]], kind: str, name: str) -> list[tuple[float, float]]:
    """(step, value), averaged over neighbouring log lines down to POINTS."""
    newest = {line["step"]: line[kind][name] for line in log if _finite(line.get(kind, {}).get(name))}
    points = sorted(newest.items())  # a step that a resumed run logged again counts once
    width = max(1, math.ceil(len(points) / POINTS))
    groups = [points[i : i + width] for i in range(0, len(points), width)]
    return [(sum(p[0] for p in g) / len(g), sum(p[1] for p in g) / len(g)) for g in groups]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _draw(
    salt: str, curves: dict[tuple[int, str], list[tuple[float, float]]], names: Sequence[str], seeds: Sequence[int]
) -> str:
    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        drawing.margins(figure, left=0.5)
        for i, name in enumerate(names):
            for rank, seed in enumerate(seeds):
                if points := curves[seed, name]:
                    x, y = zip(*points, strict=True)
                    style = DASHES[i // len(SERIES) % len(DASHES)]
                    marker = "o" if len(points) == 1 else None  # a lone point has no line to show
                    width = 0.7 if rank else 1.3
                    axes.plot(x, y, style, color=SERIES[i % len(SERIES)], lw=width, marker=marker, ms=3)
        values = [y for points in curves.values() for _, y in points]
        if values and min(values) > 0 and max(values) > 30 * min(values):
            axes.set_yscale("log")
        elif values and min(values) >= 0:
            axes.set_ylim(bottom=0)
        axes.set_xlabel("step")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", lw=0.4, alpha=0.25)
        axes.margins(x=0.01)

    return drawing.svg(salt, (3.6, 2.2), draw)
