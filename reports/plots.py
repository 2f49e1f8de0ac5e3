"""Plots beside the tables: how scores spread over the items, how people voted, what speed and memory cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.run.results import MetricRow, Preference, RunView
from reports import compare, drawing
from reports.drawing import DASHES, INK, SERIES
from reports.item_scores import ItemScores, rankers
from reports.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 4.6  # inches of a panel
SHOWN = 4  # metrics whose spread is drawn
SPREAD = (5, 25, 50, 75, 95)  # percentiles of a box and its whiskers
COSTS = (
    ("per image", 1000.0, "ms per image"),
    ("peak memory", 1.0, "peak memory, MB"),
    ("training", 1 / 60, "training, min"),
)


@dataclass(frozen=True)
class Plot:
    """`alt` says in words what the drawing shows."""

    title: str
    caption: str
    svg: str
    alt: str
    key: tuple[tuple[str, int, str], ...] = ()  # as in `curves.Panel`


def spreads(view: RunView, scores: ItemScores) -> list[Plot]:
    """A box for every method, one plot for each of the first metrics that rank items."""
    return [plot for metric in rankers(view, scores)[:SHOWN] if (plot := _spread(view, scores, metric))]


def _spread(view: RunView, scores: ItemScores, metric: MetricRow) -> Plot | None:
    order = sorted(view.results.methods, key=lambda method: method.kind == "reference")
    rows = [(m, v[np.isfinite(v)]) for m in order for v in [scores.of(metric.id, m.name)]]
    rows = [(m, v) for m, v in rows if len(v)]
    if not rows:
        return None
    boxes = []
    for _, values in rows:
        low, first, middle, third, high = np.percentile(values, SPREAD)
        ends = {"whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high}
        boxes.append({**ends, "mean": values.mean(), "fliers": []})

    def draw(figure: Figure) -> None:
        axes = drawing.rows_of(figure, [m.title for m, _ in rows], metric.title)
        line = {"color": INK, "lw": 0.8}
        axes.bxp(
            boxes,
            positions=range(len(rows)),
            orientation="horizontal",
            widths=0.5,
            showmeans=True,
            showfliers=False,
            manage_ticks=False,
            boxprops=line,
            whiskerprops=line,
            capprops=line,
            medianprops={"color": SERIES[0], "lw": 1.8},
            meanprops={"marker": "o", "ms": 3.5, "mfc": SERIES[1], "mec": "none"},
        )

    size = WIDTH, drawing.height_of(len(rows))
    median = "; ".join(f"{m.title} {box['med']:.3g}" for (m, _), box in zip(rows, boxes, strict=True))
    return Plot(
        metric.title,
        f"{metric.better} is better",
        drawing.svg(f"spread {metric.id}", size, draw),
        f"Median of {metric.title}: {median}",
    )


def votes(view: RunView) -> list[Plot]:
    """Two plots a study: the share of votes against each rival and, where times to look differed, over time."""
    titles = compare.titles(view.results)
    return [plot for study in view.preferences for plot in (_bars(study, titles), _over_time(study, titles)) if plot]


def _bars(study: Preference, titles: compare.Titles) -> Plot | None:
    rows = [(titles[vote.against], vote) for vote in study.comparisons]
    if not rows:
        return None

    def draw(figure: Figure) -> None:
        axes = drawing.rows_of(figure, [f"against {name}" for name, _ in rows], "share of votes, %")
        for at, (_, vote) in enumerate(rows):
            axes.barh(at, 100 * vote.value, height=0.5, color=SERIES[0], alpha=0.35)
            low, high = vote.low, vote.high
            if low is not None and high is not None:
                axes.plot([100 * low, 100 * high], [at, at], color=INK, lw=1.4)
            axes.plot(100 * vote.value, at, "o", color=SERIES[0], ms=4)
        axes.axvline(50, color=INK, lw=0.8, ls="--")
        axes.set_xlim(0, 100)

    who = "Simulated votes" if study.simulated else "Votes"
    said = "; ".join(f"{100 * vote.value:.1f} % against {name}" for name, vote in rows)
    return Plot(
        f"{who} for {titles[study.main]}",
        f"{study.question} Line: 95 % interval; dashed: no preference",
        drawing.svg(f"votes {study.study}", (WIDTH, drawing.height_of(len(rows))), draw),
        f"{who}: {said}",
    )


def _over_time(study: Preference, titles: compare.Titles) -> Plot | None:
    rows = [(titles[v.against], v.durations) for v in study.comparisons if len(v.durations) > 1]
    if not rows:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        drawing.margins(figure, left=0.5)
        for i, (_, timed) in enumerate(rows):
            x, y = [one.duration_ms for one in timed], [100 * one.share.value for one in timed]
            colour, dash = SERIES[i % len(SERIES)], DASHES[i // len(SERIES) % len(DASHES)]
            axes.plot(x, y, dash, color=colour, marker="o", ms=3.5, lw=1.3)
            for one in timed:
                if one.share.low is not None and one.share.high is not None:
                    axes.plot([one.duration_ms] * 2, [100 * one.share.low, 100 * one.share.high], color=colour, lw=0.8)
        ticks = sorted({one.duration_ms for _, timed in rows for one in timed})
        axes.set_xscale("log")
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.axhline(50, color=INK, lw=0.8, ls="--")
        axes.set_xlabel("time to look, ms")
        axes.spines[["top", "right"]].set_visible(False)

    key = tuple((name, i % len(SERIES) + 1, DASHES[i // len(SERIES) % len(DASHES)]) for i, (name, _) in enumerate(rows))
    return Plot(
        "Preference over time to look",
        "share of votes in %, 95 % intervals; dashed: no preference",
        drawing.svg(f"durations {study.study}", (WIDTH, 2.4), draw),
        f"Share of votes at {len(rows[0][1])} exposure times against {', '.join(name for name, _ in rows)}",
        key,
    )


def costs(table: Table) -> list[Plot]:
    """Bars of the cost table's columns that have any number."""
    found = []
    for column, scale, label in COSTS:
        at = table.columns.index(column)
        known = [(row.head, row.cells[at].value) for row in table.rows if row.kind == "method"]
        rows = [(head, value * scale) for head, value in known if value is not None and math.isfinite(value)]
        if any(value for _, value in rows):
            found.append(_cost(label, rows))
    return found


def _cost(label: str, rows: Sequence[tuple[str, float]]) -> Plot:
    def draw(figure: Figure) -> None:
        axes = drawing.rows_of(figure, [head for head, _ in rows], label)
        axes.barh(range(len(rows)), [value for _, value in rows], height=0.5, color=SERIES[0], alpha=0.7)

    size = WIDTH, drawing.height_of(len(rows))
    said = "; ".join(f"{head} {value:.3g}" for head, value in rows)
    return Plot(label[0].upper() + label[1:], "", drawing.svg(f"cost {label}", size, draw), f"{label}: {said}")
