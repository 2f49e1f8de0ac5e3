"""Loss curves as inline SVG, one panel per method; the page's style sheet colours them, for light and for dark."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.run.results import RunView
from reports import compare

POINTS = 240  # per curve: more than the panel has pixels to show
INK = "#0a0b0c"  # stands for the page's text colour while matplotlib draws
SERIES = tuple(f"#0{i}0{i}0{i}" for i in range(1, 9))  # likewise for --c1 to --c8
DASHES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Panel:
    """The curves of one method. `key` is (loss name, colour number, dash pattern) for the legend below the panel."""

    title: str
    svg: str
    caption: str
    key: tuple[tuple[str, int, str], ...]


def panels(view: RunView) -> list[Panel]:
    """A panel for every method that left a training log."""
    found = []
    for method in compare.ranked(view.results):
        logs = {seed: log for seed in view.results.seeds if (log := view.log(method.name, seed))}
        if logs:
            found.append(_panel(method.name, method.title, logs))
    return found


def _panel(name: str, title: str, logs: dict[int, list[dict[str, Any]]]) -> Panel:
    losses = list(dict.fromkeys(loss for log in logs.values() for line in log for loss in line["losses"]))
    curves = {(seed, loss): _curve(log, loss) for seed, log in logs.items() for loss in losses}
    last = max(line["step"] for log in logs.values() for line in log)
    seeds = "" if len(logs) == 1 else f"; {len(logs)} seeds, the first drawn strongest"
    key = tuple((loss, i % len(SERIES) + 1, DASHES[i // len(SERIES) % len(DASHES)]) for i, loss in enumerate(losses))
    return Panel(title, _draw(name, curves, losses, list(logs)), f"{last:,} steps{seeds}".replace(",", " "), key)


def _curve(log: Sequence[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    """(step, value), averaged over neighbouring log lines down to POINTS."""
    newest = {line["step"]: line["losses"][name] for line in log if _finite(line["losses"].get(name))}
    points = sorted(newest.items())  # a step that a resumed run logged again counts once
    width = max(1, math.ceil(len(points) / POINTS))
    groups = [points[i : i + width] for i in range(0, len(points), width)]
    return [(sum(p[0] for p in g) / len(g), sum(p[1] for p in g) / len(g)) for g in groups]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _draw(
    salt: str, curves: dict[tuple[int, str], list[tuple[float, float]]], names: Sequence[str], seeds: Sequence[int]
) -> str:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color")
    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": salt,  # the same bytes every time, and no id twice on the page
        "font.size": 9,
        **dict.fromkeys(inked, INK),
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(3.6, 2.2), layout="constrained")
        axes = figure.add_subplot()
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
        out = io.StringIO()
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _themed(out.getvalue())


def _themed(svg: str) -> str:
    """Keep the <svg> element, let it scale, and hand its colours over to the style sheet."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    used = set(re.findall(r"#([\w-]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in used else "", svg)
    svg = re.sub(r"fill: #ffffff", "fill: none", svg)
    svg = re.sub(r" font-family: [^;\"]*;?", "", svg)
    for number, colour in enumerate(SERIES, start=1):
        svg = svg.replace(colour, f"var(--c{number})")
    return svg.replace(INK, "currentColor")
