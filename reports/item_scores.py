"""The scores of every item, in arrays: 10,000 items have a million score lines, too many to keep as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.files import read_lines
from benchmark.run.results import MetricRow, RunView
from reports import compare

WITHOUT_ORDER = ("-failures", "-missing")  # rates of failure: nearly every item has the same


@dataclass(frozen=True)
class ItemScores:
    """`table[metric][method]`: float64 (items,), means over seeds, NaN for none; items in the run's order."""

    items: tuple[str, ...]
    table: Mapping[str, Mapping[str, np.ndarray]]

    @cached_property
    def place_of(self) -> Mapping[str, int]:
        return {item: place for place, item in enumerate(self.items)}

    def of(self, metric: str, method: str) -> np.ndarray:
        """(items,), all NaN where the method has no such score."""
        found = self.table.get(metric, {}).get(method)
        return np.full(len(self.items), np.nan) if found is None else found

    @cached_property
    def _ranks(self) -> dict[tuple[str, str], np.ndarray]:
        return {}

    def ranks(self, metric: MetricRow, method: str) -> np.ndarray:
        """int (items,): 1 is the item on which the method does best, equals share the better rank, 0 has no score."""
        key = metric.id, method
        if key not in self._ranks:
            values = self.of(metric.id, method) * (1 if metric.better == "lower" else -1)
            known = np.sort(values[~np.isnan(values)])
            self._ranks[key] = np.where(np.isnan(values), 0, 1 + np.searchsorted(known, values))
        return self._ranks[key]


def item_scores(view: RunView) -> ItemScores:
    """Read scores.jsonl line by line; a failed metric is no value, and lines about unknown items are passed over."""
    items = tuple(str(item["id"]) for item in view.items)
    place = {item: i for i, item in enumerate(items)}
    sums: dict[tuple[str, str], np.ndarray] = {}
    for line in read_lines(view.folder / "scores.jsonl"):
        at, value = place.get(str(line.get("item"))), line.get("value")
        if at is None or not isinstance(value, int | float):  # also of a line that somebody has edited
            continue
        key = str(line.get("metric")), str(line.get("method"))
        if key not in sums:
            sums[key] = np.zeros((2, len(items)))
        sums[key][:, at] += value, 1
    table: dict[str, dict[str, np.ndarray]] = {}
    for (metric, method), (total, count) in sums.items():
        with np.errstate(invalid="ignore"):
            table.setdefault(metric, {})[method] = total / count  # 0 / 0 = NaN: no score
    return ItemScores(items, table)


def rankers(view: RunView, scores: ItemScores) -> list[MetricRow]:
    """Metrics that put the items in an order: one a family, with the distance to the true answer first (of its regions
    the face before the foreground and the whole), then the style of the eyes, then the rest.
    """
    results, anchor = view.results, compare.anchor(view.results)
    regions = {region: i for i, region in enumerate(("face", "foreground", "whole"))}
    wanted = [m for m in compare.contested(results, results.metrics) if not m.whole_set]
    wanted = [m for m in wanted if not compare.family(m.id).endswith(WITHOUT_ORDER)]
    wanted = [m for m in wanted if (~np.isnan(scores.of(m.id, anchor))).any()]
    wanted.sort(key=lambda m: regions.get(compare.protocol(m.id).split(",")[0], 0))
    first: dict[str, MetricRow] = {}
    for metric in wanted:
        first.setdefault(compare.family(metric.id), metric)
    order = ("counterfactual-l1", "eye-patch", "lepe")
    return sorted(first.values(), key=lambda m: order.index(f) if (f := compare.family(m.id)) in order else 9)
