"""The picture of a calibration: a row per score, a column per damage, untouched answers on the left of each panel.

    draw(calibration, Path("calibration.png"))      # or .svg, .pdf

Scores of which something is claimed are drawn, all where nothing is; calibration.json holds every one.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchError
from benchmark.files import write_atomic
from benchmark.metrics.calibration.claims import FLAT, REACTS, claimed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = ("png", "svg", "pdf")
DPI = 130
REACTING, STILL, SILENT, BROKEN = "#b3541e", "#1f6f8b", "#9a9a9a", "#c00000"
COLOURS = {REACTS: REACTING, FLAT: STILL, None: SILENT}
PANEL = (1.25, 0.82)  # inches
LEFT, TOP, BOTTOM = 1.5, 0.58, 0.45  # inches, around the panels


def draw(calibration: dict[str, Any], path: Path) -> None:
    """Write the figure; the suffix of `path` is one of `FORMATS`, else BenchError."""
    import matplotlib
    from matplotlib.figure import Figure

    kind = path.suffix.lstrip(".")
    if kind not in FORMATS:
        raise BenchError(f"{path}: cannot draw a .{kind}; valid: {', '.join(FORMATS)}")
    scores = [score for score in calibration["scores"] if claimed(score["metric"])] or calibration["scores"]
    damages = calibration["damages"]
    width, height = LEFT + PANEL[0] * len(damages), TOP + BOTTOM + PANEL[1] * len(scores)
    with matplotlib.rc_context({"font.size": 7, "svg.fonttype": "none", "svg.hashsalt": "calibration"}):
        figure = Figure(figsize=(width, height))
        grid = figure.subplots(len(scores), len(damages), sharex="col", sharey="row", squeeze=False)
        figure.subplots_adjust(
            LEFT / width, BOTTOM / height, 0.99, 1 - TOP / height, wspace=0.08, hspace=0.14
        )  # in shares of the figure
        for row, score in zip(grid, scores, strict=True):
            for axes, curve in zip(row, score["curves"], strict=True):
                _panel(axes, score["untouched"], curve, falls=score["better"] == "higher")
            _name_row(row[0], score)
        for axes, last, damage in zip(grid[0], grid[-1], damages, strict=True):
            axes.set_title(damage["title"], fontsize=8, pad=5)
            last.set_xticks(range(len(damage["steps"]) + 1), ["–", *(f"{step:g}" for step in damage["steps"])])
            last.set_xlabel(damage["unit"])
        _head(figure, calibration, height)
        out = io.BytesIO()
        dates = {"svg": "Date", "pdf": "CreationDate"}  # left out: equal content is equal bytes
        figure.savefig(out, format=kind, dpi=DPI, metadata={dates[kind]: None} if kind in dates else None)
    write_atomic(path, out.getvalue())


def _panel(axes: Axes, untouched: dict[str, Any], curve: dict[str, Any], falls: bool) -> None:
    """One score under one damage: line, interval, what is claimed and whether it holds."""
    shown = [(x, level) for x, level in enumerate([untouched, *curve["levels"]]) if level["value"] is not None]
    colour = COLOURS[curve["claim"]]
    values = [level["value"] for _, level in shown]
    axes.axhline(untouched["value"], color="#000000", lw=0.4, ls=(0, (2, 3)), alpha=0.6)
    axes.plot([x for x, _ in shown], values, "o-", color=colour, lw=1.2, ms=2.2)
    banded = [(x, level["low"], level["high"]) for x, level in shown if level["low"] is not None]
    if banded:
        x, low, high = zip(*banded, strict=True)
        axes.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
    if curve["claim"]:
        broken = curve["holds"] is not True
        mark = {True: "✓", False: "✗", None: "?"}[curve["holds"]]
        axes.text(
            0.98 if falls else 0.03, 0.97, f"{curve['claim']} {mark}", ha="right" if falls else "left", va="top",
            transform=axes.transAxes, fontsize=6.5, color=BROKEN if broken else colour,
            fontweight="bold" if broken else "normal",
        )  # fmt: skip
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_linewidth(0.5)
    axes.tick_params(width=0.5, length=2, labelsize=6)
    axes.locator_params(axis="y", nbins=4)
    axes.margins(x=0.08, y=0.16)


def _name_row(first: Axes, score: dict[str, Any]) -> None:
    region = "" if "[whole]" not in score["metric"] else ", whole"
    title = score["title"].replace("Counterfactual", "Counterfactual\n") + region
    arrow = "↓ better" if score["better"] == "lower" else "↑ better"
    first.text(
        -0.30, 0.5, f"{title}\n{arrow}", transform=first.transAxes, ha="right", va="center", linespacing=1.3
    )  # beyond the tick labels, at one place in every row


def _head(figure: Any, calibration: dict[str, Any], height: float) -> None:
    told = f"{calibration['task']}, {calibration['N']} true answers at {calibration['px']} px"
    figure.text(0.008, 1 - 0.1 / height, told, va="top", fontsize=8)
    for n, (text, colour) in enumerate(
        (("must react", REACTING), ("must stay flat", STILL), ("nothing claimed", SILENT), ("✗ claim broken", BROKEN))
    ):
        figure.text(0.42 + 0.15 * n, 1 - 0.1 / height, text, va="top", color=colour, fontsize=7)
