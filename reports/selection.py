"""Which items the page shows, and why each: drawn by seed, best and worst by every metric, and where two judges of the
same picture disagree most. Nothing is chosen by hand.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from benchmark.run.results import MetricRow, RunView
from reports import compare
from reports.item_scores import ItemScores, rankers

FIGURES = {"face": 5, "dance": 7, "street": 10}  # of pix2pixSC
DRAWN = 10
EXTREMES = 3
LABEL = ("lepe-asked", "lepe")  # families that judge whether the label is followed; the others judge the rest


@dataclass(frozen=True)
class Choice:
    """Some items under one heading. `notes` say what each is here for; `metric` is the one whose values to print."""

    title: str
    explanation: str
    items: tuple[str, ...]
    notes: dict[str, str] = field(default_factory=dict)
    metric: MetricRow | None = None


def choices(view: RunView, scores: ItemScores) -> list[Choice]:
    """Drawn items first, then extremes metric by metric, then disagreements."""
    metrics = rankers(view, scores)
    anchor = compare.anchor(view.results)
    title = compare.titles(view.results)[anchor]
    found = [_drawn(view, metrics[0] if metrics else None)]
    found += [_extremes(scores, metric, anchor, title) for metric in metrics]
    if pair := _opponents(metrics):
        found.append(_between_metrics(scores, *pair, anchor, title))
    if metrics:
        found += _with_people(view, scores, metrics[0])
    return [choice for choice in found if choice.items]


def _drawn(view: RunView, metric: MetricRow | None) -> Choice:
    seed = view.results.seeds[0] if view.results.seeds else 0
    ids = [str(item["id"]) for item in view.items]
    drawn = sorted(random.Random(seed).sample(range(len(ids)), min(DRAWN, len(ids))))
    beneath = f" Beneath each result: {metric.title}, {metric.better} is better." if metric else ""
    how = f"{len(drawn)} of {len(ids)} items, drawn by seed {seed}.{beneath}"
    figure = FIGURES.get(view.results.task)
    return Choice(
        f"As in Figure {figure}" if figure else "Drawn by seed", how, tuple(ids[i] for i in drawn), metric=metric
    )


def _extremes(scores: ItemScores, metric: MetricRow, anchor: str, title: str) -> Choice:
    """The items on which the anchor does best, then those on which it does worst."""
    ranks = scores.ranks(metric, anchor)
    order = sorted(np.flatnonzero(ranks), key=lambda i: (ranks[i], scores.items[i]))
    count = min(EXTREMES, len(order) // 2)
    best, worst = order[:count], order[::-1][:count]
    notes = {scores.items[i]: f"best, {rank} of {len(order)}" for rank, i in enumerate(best, 1)}
    notes |= {scores.items[i]: f"worst, {len(order) - k} of {len(order)}" for k, i in enumerate(worst)}
    how = f"Best {count} and worst {count} of {title} by {metric.title}, {metric.better} is better."
    return Choice(f"Best and worst by {metric.title}", how, tuple(notes), notes, metric)


def _opponents(metrics: Sequence[MetricRow]) -> tuple[MetricRow, MetricRow] | None:
    """One that judges the label and one that judges the rest, else the first two."""
    label = [m for family in LABEL for m in metrics if compare.family(m.id) == family]
    rest = [m for m in metrics if compare.family(m.id) not in LABEL]
    if label and rest:
        return label[0], rest[0]
    return next(combinations(metrics, 2), None)


def _between_metrics(scores: ItemScores, a: MetricRow, b: MetricRow, anchor: str, title: str) -> Choice:
    """The items whose ranks by two metrics lie furthest apart."""
    first, second = scores.ranks(a, anchor), scores.ranks(b, anchor)
    both = np.flatnonzero((first > 0) & (second > 0))
    order = sorted(both, key=lambda i: (-abs(int(first[i]) - int(second[i])), scores.items[i]))[: 2 * EXTREMES]
    notes = {
        scores.items[i]: f"{a.title}: {first[i]} of {(first > 0).sum()}; {b.title}: {second[i]} of {(second > 0).sum()}"
        for i in order
        if first[i] != second[i]
    }
    how = f"Where two measures of {title} differ most in rank among its items (1 is best)."
    return Choice(f"{a.title} against {b.title}", how, tuple(notes), notes, b)


def _with_people(view: RunView, scores: ItemScores, metric: MetricRow) -> list[Choice]:
    """Pairs in which people chose the picture that the metric holds for the worse, by how many of them did."""
    found = []
    titles = compare.titles(view.results)
    for study in view.preferences:
        for vote in study.comparisons:
            ours, theirs = scores.of(metric.id, study.main), scores.of(metric.id, vote.against)
            against: dict[str, float] = {}
            for pair in vote.pairs:
                at = scores.place_of.get(pair.item)
                if at is None or not pair.votes or np.isnan(ours[at] - theirs[at]):
                    continue
                share = pair.won / pair.votes
                lean = share - 0.5 if compare.is_ahead(metric.better, theirs[at], ours[at]) else 0.5 - share
                if lean > 0:
                    against[pair.item] = lean
            order = sorted(against, key=lambda item: (-against[item], item))[:EXTREMES]
            won = {pair.item: f"{pair.won} of {pair.votes} votes" for pair in vote.pairs}
            main, rival = titles[study.main], titles[vote.against]
            people = "programs (simulated votes)" if study.simulated else "people"
            notes = {item: f"{won[item]} for {main}" for item in order}
            how = f"{main} or {rival}: the items on which most {people} chose what {metric.title} holds for the worse."
            found.append(Choice(f"{metric.title} against {people}, {rival}", how, tuple(order), notes, metric))
    return found
