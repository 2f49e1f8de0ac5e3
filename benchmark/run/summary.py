"""From every cell's scores.json to scores.jsonl and results.json: means, intervals, paired differences, cautions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark import stats
from benchmark.config import Config
from benchmark.data.procedural import LABELER_SEED
from benchmark.files import read_json, write_atomic
from benchmark.run.manifest import describe
from benchmark.run.plan import Cell
from benchmark.run.results import Difference, MethodRow, MetricRow, Results, RunView, Value, write_results
from benchmark.run.world import World

Stages = Mapping[str, Mapping[str, Any]]  # the newest record of each stage of a cell
Scores = dict[Cell, dict[str, dict[str, Any]]]  # cell -> metric id -> one ItemScores as plain data
FRECHET_FLOOR = 2048  # below this many images a Frechet distance is dominated by its bias
CLIPS_FLOOR = 20  # below, a set says more about its few people than about the method


def summarise(run: Path, world: World, manifest: Mapping[str, Any]) -> Results:
    """Write scores.jsonl and results.json from whatever cells have scores; return the results."""
    pictures = {row["name"]: row for row in manifest.get("pictures", [])}
    methods, seeds = [*manifest["methods"], *pictures], manifest["seeds"]
    scores = _read_scores(run, methods, seeds)
    items = [item.id for item in world.items]
    _write_score_lines(run / "scores.jsonl", scores, items)
    metrics = _metric_rows(scores)
    records = RunView(run).cells
    rows = tuple(
        _pictures_row(pictures[name], records.get((name, seeds[0]), {}))
        if name in pictures
        else _method_row(name, manifest, [records.get((name, seed), {}) for seed in seeds])
        for name in methods
    )
    seeds_of = {row.name: seeds[:1] if row.kind == "pictures" else seeds for row in rows}
    results = Results(
        task=world.task.name,
        preset=world.config.preset,
        seeds=tuple(seeds),
        items=len(items),
        methods=rows,
        metrics=metrics,
        values=tuple(
            v for m in metrics for name in methods if (v := _value(name, m, seeds_of[name], scores, world.config))
        ),
        differences=tuple(d for m in metrics for d in _differences(m, world, rows, seeds_of, scores)),
        cautions=tuple(_cautions(world, rows, len(items))),
    )
    write_results(run, results)
    return results


def _read_scores(run: Path, methods: list[str], seeds: list[int]) -> Scores:
    found: Scores = {}
    for cell in (Cell(method, seed) for method in methods for seed in seeds):
        path = cell.folder(run) / "scores.json"
        if path.exists():
            found[cell] = {score["metric"]: score for score in read_json(path)}
    return found


def _write_score_lines(path: Path, scores: Scores, items: list[str]) -> None:
    lines = []
    for cell, by_metric in scores.items():
        for metric, score in by_metric.items():
            names: list[str | None] = [None] if score["whole_set"] else list(items)
            for item, value in zip(names, score["values"], strict=True):
                record = {"method": cell.method, "seed": cell.seed, "metric": metric, "item": item, "value": value}
                lines.append(json.dumps(record, sort_keys=True))
    write_atomic(path, "".join(line + "\n" for line in lines).encode())


def _metric_rows(scores: Scores) -> tuple[MetricRow, ...]:
    rows: dict[str, MetricRow] = {}
    for by_metric in scores.values():
        for score in by_metric.values():
            rows.setdefault(
                score["metric"],
                MetricRow(
                    score["metric"],
                    score["title"],
                    score["better"],
                    score["whole_set"],
                    score["failure"],
                    score["notes"],
                ),
            )
    return tuple(rows.values())


def _method_row(method: str, manifest: Mapping[str, Any], records: Sequence[Stages]) -> MethodRow:
    """`records`: the method's stages, one entry per seed. The manifest speaks for a plug-in that is no longer there."""
    about = manifest.get("rows", {}).get(method) or describe(method)
    fits = [stages["fit"] for stages in records if stages.get("fit", {}).get("state") == "done"]
    short = [f"time budget: {fit['steps']} of {fit['planned']} steps" for fit in fits if not fit["finished"]]
    notes = [note for fit in fits if (note := _origin(fit))]
    return MethodRow(
        name=method,
        title=about["title"],
        kind=about["kind"],
        parameters=fits[0]["parameters"] if fits else 0,
        problem=_problem(records),
        unfinished=short[0] if short else "",
        note=notes[0] if notes else "",
    )


def _origin(fit: Mapping[str, Any]) -> str:
    """Where a method's weights come from, if not from a training of its own from first to last step."""
    told = [f"weights of {fit['weights_of']}"] if "weights_of" in fit else []
    if best := fit.get("best"):
        told.append(f"best weights, of step {best['step']}")
    if origin := fit.get("forked_from"):
        changed = ", ".join(f"{key} {there} to {here}" for key, (there, here) in origin["changed"].items())
        told.append(f"forked at step {origin['step']} from {origin['folder']} ({changed})")
    return "; ".join(told)


def _pictures_row(about: Mapping[str, Any], stages: Stages) -> MethodRow:
    resized = f", resized from {about['resized_from']}" if about["resized_from"] else ""
    note = f"evaluated from pictures{resized}"
    return MethodRow(about["name"], about["title"], "pictures", 0, _problem([stages]), note=note)


def _problem(records: Sequence[Stages]) -> str:
    """Why a row has no values, "" when nothing went wrong."""
    every = [record for stages in records for record in stages.values()]
    refused = [f"does not apply: {record['reason']}" for record in every if record["state"] == "not-applicable"]
    failed = [record["reason"] for record in every if record["state"] == "failed"]
    return next(iter(refused + failed), "")


def _table(method: str, metric: MetricRow, seeds: list[int], scores: Scores) -> np.ndarray | None:
    """Scores as (seeds, items), NaN where the metric failed; None when a seed has none."""
    found = [scores.get(Cell(method, seed), {}).get(metric.id) for seed in seeds]
    if any(score is None for score in found):
        return None
    return np.array(
        [[np.nan if v is None else v for v in score["values"]] for score in found if score], dtype=np.float64
    )


def _value(method: str, metric: MetricRow, seeds: list[int], scores: Scores, config: Config) -> Value | None:
    table = _table(method, metric, seeds, scores)
    if table is None or np.isnan(table).all():
        return None
    failures = int(np.isnan(table).sum())
    if metric.whole_set:
        first = scores[Cell(method, seeds[0])][metric.id]
        low, high = (first["low"], first["high"]) if len(seeds) == 1 else (None, None)
        n = int(first["notes"].get("N", 0))
        return Value(method, metric.id, float(np.nanmean(table)), low, high, n, failures, len(seeds))
    interval = stats.mean_interval(table, resamples=config.eval.bootstrap)
    n = int((~np.isnan(table)).any(axis=0).sum())
    return Value(method, metric.id, interval.value, interval.low, interval.high, n, failures, len(seeds))


def _differences(
    metric: MetricRow, world: World, rows: tuple[MethodRow, ...], seeds_of: Mapping[str, list[int]], scores: Scores
) -> list[Difference]:
    """Every row against the task's main method, or where that has no result against the first that has one, paired by
    item; Holm-adjusted within the metric, references apart.
    """
    names = [row.name for row in rows if row.kind != "reference" and not row.problem]
    against = world.task.main_method if world.task.main_method in names else (names[0] if names else "")
    anchor = _table(against, metric, seeds_of[against], scores) if against and not metric.whole_set else None
    if anchor is None:
        return []
    found: list[Difference] = []
    for is_reference in (False, True):  # yardsticks must not cost the methods any power
        family = []
        for name in (r.name for r in rows if (r.kind == "reference") == is_reference and r.name != against):
            values = _table(name, metric, seeds_of[name], scores)
            if values is None:
                continue
            table, base = np.broadcast_arrays(values, anchor)  # one set of pictures stands against every seed
            both = ~(np.isnan(table) | np.isnan(base)).any(axis=0)
            if both.sum() >= 2:
                d = stats.paired_difference(table[:, both], base[:, both], resamples=world.config.eval.bootstrap)
                family.append(Difference(metric.id, name, against, d.value, d.low, d.high, d.p, int(both.sum())))
        adjusted = stats.holm([difference.p for difference in family])
        found += [replace(difference, p=float(p)) for difference, p in zip(family, adjusted, strict=True)]
    return found


def _cautions(world: World, rows: tuple[MethodRow, ...], items: int) -> list[str]:
    """Sentences a reader must know before comparing with published numbers."""
    ev, train, found = world.config.eval, world.config.train, []
    if world.source.truth(world.items[0].label, world.items[0].exemplar) is not None:
        found.append(
            f"Rendered data ({world.source.name}), not the photographs of the papers: compare orderings, not values."
        )
        if world.config.data.seed == LABELER_SEED:
            found.append(f"data.seed = {LABELER_SEED}: the shipped labelers have learnt these pictures; take another.")
    found += getattr(world.source, "cautions", ())
    if ev.frechet != "inception-2015-12-05":
        found.append(f"The Frechet distance uses {ev.frechet} features: it is not FID.")
    if ev.features != "vgg19":
        found.append(f"Feature distances use {ev.features}, not VGG-19.")
    if items < FRECHET_FLOOR:
        found.append(
            f"{items} test items: a Frechet distance of fewer than {FRECHET_FLOOR} images is biased upwards, "
            "by an amount that depends on the method."
        )
    clips = len({item.label.clip for item in world.items})
    if clips < CLIPS_FLOOR:
        found.append(
            f"The items come from {clips} test clips only: intervals speak of more pictures of these, not of others."
        )
    if world.config.data.size != 256:
        found.append(f"Images of {world.config.data.size} px; the papers use 256 px.")
    trained = any(row.kind == "method" and not row.problem for row in rows)
    if trained and train.total * train.batch < 1_000_000:
        found.append(
            f"Trained for {train.total:,} steps of batch {train.batch}; the paper trains for 1,000,000 of batch 1."
        )
    found += [f"{row.title}: training ended early ({row.unfinished})." for row in rows if row.unfinished]
    return found
