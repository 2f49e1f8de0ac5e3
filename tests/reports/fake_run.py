"""A plausible run folder, written through the same code as a real one, to try the report on.

python -m tests.reports.fake_run /tmp/run     # then open /tmp/run/report.html
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np

from benchmark.files import append_line, write_json
from benchmark.run.results import (
    Difference,
    MethodRow,
    MetricRow,
    Preference,
    Preferred,
    Results,
    Value,
    write_preference,
    write_results,
)
from tests.reports.fake_pictures import write_pictures, write_rings

METHODS = (
    MethodRow("pix2pixhd", "pix2pixHD", "method", 1_204_419),
    MethodRow("pix2pixsc", "pix2pixSC", "method", 1_209_987),
    MethodRow("pix2pixsc-no-adaptive", "pix2pixSC w/o adaptive weights", "method", 1_209_987),
    MethodRow("pix2pixsc-no-sc", "pix2pixSC w/o L_SC", "method", 1_209_987),
    MethodRow("pix2pixsc-no-scadv", "pix2pixSC w/o L_SCAdv", "method", 1_209_987),
    MethodRow("real", "Real target", "reference", 0),
    MethodRow("copy-exemplar", "Copy exemplar", "reference", 0),
)
NAMES = tuple(method.name for method in METHODS)
NET = "efficientnet-lite0-1234abcd"
DETECTOR = "procedural-1a2b,64px"
TRUTH = tuple(f"counterfactual-{m}[{r}]" for m in ("l1", "psnr", "ssim") for r in ("whole", "foreground", "face"))
# metric id -> (title, better, typical value per method in the order of METHODS, spread over items)
PER_ITEM = {
    f"lepe[{DETECTOR}]": ("LEPE", "lower", (0.0121, 0.0148, 0.0151, 0.0205, 0.0139, 0.0102, 0.0931), 0.003),
    f"lepe-failures[{DETECTOR}]": ("LEPE failures", "lower", (0.02, 0.04, 0.04, 0.08, 0.02, 0.0, 0.0), 0.0),
    f"lepe-asked[{DETECTOR}]": (
        "LEPE to the asked points",
        "lower",
        (0.0110, 0.0139, 0.0143, 0.0199, 0.0127, 0.0093, 0.0927),
        0.003,
    ),
    f"eye-patch[{NET},{DETECTOR}]": ("Eye-patch distance", "lower", (0.91, 0.62, 0.63, 0.88, 0.79, 0.95, 0.0), 0.09),
    "counterfactual-l1[whole]": (
        "Counterfactual L1 (whole)",
        "lower",
        (0.43, 0.17, 0.18, 0.29, 0.33, 0.45, 0.31),
        0.06,
    ),
    "counterfactual-l1[foreground]": (
        "Counterfactual L1 (foreground)",
        "lower",
        (0.37, 0.14, 0.145, 0.24, 0.27, 0.36, 0.33),
        0.06,
    ),
    "counterfactual-l1[face]": ("Counterfactual L1 (face)", "lower", (0.31, 0.12, 0.122, 0.21, 0.22, 0.30, 0.29), 0.05),
    "counterfactual-psnr[face]": (
        "Counterfactual PSNR (face)",
        "higher",
        (11.1, 19.2, 19.0, 15.1, 14.4, 11.3, 11.9),
        1.4,
    ),
    "counterfactual-ssim[face]": (
        "Counterfactual SSIM (face)",
        "higher",
        (0.51, 0.74, 0.735, 0.63, 0.60, 0.50, 0.41),
        0.07,
    ),
    f"counterfactual-features[{NET}]": (
        "Counterfactual feature distance",
        "lower",
        (0.55, 0.31, 0.312, 0.44, 0.47, 0.56, 0.40),
        0.05,
    ),
}
FRECHET = (0.47, 0.41, 0.44, 0.92, 0.58, 0.21, 0.39)


def write_fake_run(
    folder: Path,
    *,
    items: int = 48,
    side: int = 64,
    seeds: tuple[int, ...] = (0,),
    truth: bool = True,
    methods: tuple[MethodRow, ...] = METHODS,
) -> Results:
    """Write every file of a run folder; returns what results.json holds, for a test to change and write again."""
    rng = np.random.default_rng(7)
    names = [f"{i:04d}" for i in range(items)]
    exam = [
        {"id": n, "label": [f"clip{i:03d}", 3], "exemplar": [f"clip{i + i % 3:03d}", 9], "consistent": i % 3 == 0}
        for i, n in enumerate(names)
    ]
    write_json(folder / "items.json", exam)
    write_pictures(folder, rng, names, side, seeds, methods, truth)
    write_rings(folder, rng, names, side, seeds, methods)
    values, differences, metrics = _scores(folder, rng, names, seeds, methods, truth)
    _cells(folder, rng, seeds, methods, items)
    results = Results(
        task="face",
        preset="demo",
        seeds=seeds,
        items=items,
        methods=methods,
        metrics=metrics,
        values=values,
        differences=differences,
        cautions=(
            "The data are rendered faces, not FaceForensics: no number here is comparable with a printed one.",
            "Feature distances use EfficientNet-Lite0, since no VGG-19 and no Inception weights were found.",
            f"N = {items}: the Frechet distance is biased upwards for so few images.",
        ),
    )
    write_results(folder, results)
    write_json(folder / "manifest.json", _manifest(results, side))
    return results


def _scores(folder, rng, names, seeds, methods, truth):
    values, differences, metrics = [], [], []
    lines: list[dict] = []
    for metric, (title, better, typical, spread) in PER_ITEM.items():
        if metric.startswith("counterfactual") and not truth:
            continue
        failure = "no landmarks found" if metric.startswith(("lepe[", "eye")) else ""
        metrics.append(MetricRow(metric, title, better, whole_set=False, failure=failure))
        shared = rng.normal(0, spread, len(names))
        drawn = {}
        for method in methods:
            level = typical[NAMES.index(method.name)] if method.name in NAMES else typical[0]
            noise = rng.normal(0, 0.6 * spread, len(names))
            scores = (
                np.abs(level + (shared + noise) * (level > 0))
                if spread
                else (np.arange(len(names)) < level * len(names)) * 1.0
            )
            drawn[method.name] = scores
            lines += [
                {"method": method.name, "seed": s, "metric": metric, "item": n, "value": round(float(v), 5)}
                for s in seeds
                for n, v in zip(names, scores, strict=True)
            ]
            half = 1.96 * scores.std(ddof=1) / math.sqrt(len(names))
            mean = float(scores.mean())
            values.append(Value(method.name, metric, mean, mean - half, mean + half, len(names), 0, len(seeds)))
        differences += _differences(metric, drawn)
    frechet = f"frechet[{NET},224,N={len(names)}]"
    floor = f"frechet[{NET},224,N={len(names) // 2}]"
    halves = {"against": "the floor: two random halves of the targets"}
    metrics[:0] = [
        MetricRow(frechet, "Frechet distance", "lower", whole_set=True),
        MetricRow(floor, "Frechet distance", "lower", whole_set=True, notes=halves),
    ]
    for method in methods:
        level = FRECHET[NAMES.index(method.name)] if method.name in NAMES else 0.5
        n, metric = (len(names) // 2, floor) if method.name == "real" else (len(names), frechet)
        values.append(Value(method.name, metric, level, level * 0.93, level * 1.08, n, 0, len(seeds)))
    for line in lines:
        append_line_fast(folder / "scores.jsonl", line)
    return tuple(values), tuple(differences), tuple(metrics)


def _differences(metric: str, drawn: dict[str, np.ndarray]) -> list[Difference]:
    """Each method against the main one, by a normal approximation, Bonferroni-adjusted: close enough to look at."""
    found = []
    for name in [name for name in drawn if name != "pix2pixsc" and "pix2pixsc" in drawn]:
        gap = drawn[name] - drawn["pix2pixsc"]
        error, mean = gap.std(ddof=1) / math.sqrt(len(gap)) + 1e-12, float(gap.mean())
        p = min(1.0, len(drawn) * math.erfc(abs(mean) / error / math.sqrt(2)))
        low, high = mean - 1.96 * error, mean + 1.96 * error
        found.append(Difference(metric, name, "pix2pixsc", mean, low, high, p, len(gap)))
    return found


def append_line_fast(path: Path, record: dict) -> None:
    """`append_line` without its fsync: thousands of lines that nobody will miss."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def _cells(folder, rng, seeds, methods, items) -> None:
    for k, method in enumerate(methods):
        for seed in seeds:
            trains = method.kind == "method"
            fit = {
                "stage": "fit",
                "state": "done",
                "seconds": 118.4 + 9 * k,
                "steps": 1500,
                "finished": True,
                "peak_memory_mb": 1210 + 30 * k,
            }
            records = [fit] if trains else []
            made = {"images": items, "made": items, "synthesis_seconds": 0.02 * items}
            records += [
                {"stage": "synthesize", "state": "done", "seconds": 1.9, **made},
                {"stage": "score", "state": "done", "seconds": 4.2},
            ]
            for record in records:
                append_line(folder / "cells.jsonl", {"method": method.name, "seed": seed, **record})
            if not trains:
                continue
            for step in range(10, 1501, 10):
                fall = math.exp(-step / 400)
                losses = {
                    "G_gan": 0.5 + 0.5 * fall,
                    "G_style": 0.6 + 0.3 * fall,
                    "G_content": 0.8 + 2.5 * fall,
                    "D": 0.25 - 0.05 * fall,
                    "D_style": 0.2,
                }
                noisy = {name: value * float(1 + rng.normal(0, 0.08)) for name, value in losses.items()}
                line = {"step": step, "seconds": step * 0.08, "losses": noisy}
                if method.name == "pix2pixsc" and step % 300 == 0:
                    line["metrics"] = {"lepe[dlib-68,64px]": 0.02 + 0.02 * fall}
                append_line_fast(_log(folder, method.name, seed), line)


def _log(folder: Path, method: str, seed: int) -> Path:
    path = folder / "cells" / method / str(seed) / "log.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _manifest(results: Results, side: int) -> dict:
    return {
        "id": "face-20260101-120000-a1b2c3",
        "created": "2026-01-01T12:00:00Z",
        "task": "face",
        "preset": "demo",
        "methods": [m.name for m in results.methods],
        "seeds": list(results.seeds),
        "config": {
            "data": {"size": side, "identities": 400, "frames": 12, "seed": 0},
            "train": {"steps": 1500, "batch": 4},
        },
        "data": {"name": "procedural-faces", "fingerprint": "5f" * 32},
        "device": {"processor": "a processor", "cores": 2, "memory_gb": 8.0, "accelerator": "none"},
        "versions": {"exemplar-bench": "0.1.0", "torch": "2.14.1", "numpy": "2.3.4", "python": "3.11.9"},
        "weights": {"efficientnet-lite0": "1234abcd" * 8},
        "argv": [
            "/usr/local/bin/bench",
            "run",
            "--task",
            "face",
            "--methods",
            "all",
            "--preset",
            "demo",
            "--out",
            "my runs/demo",
        ],
        "git": {"sha": "0123456789abcdef0123456789abcdef01234567", "dirty": True},
    }


def fake_preference() -> Preference:
    """A finished study: one rival as in the paper, one nearly even, one that the paper has not."""
    return Preference(
        study="0123abcd",
        preset="pix2pixsc",
        question="Which image is closer to the exemplar in terms of style?",
        main="pix2pixsc",
        simulated=False,
        raters_wanted=30,
        durations_ms=(),
        excluded_raters=3,
        excluded_votes=41,
        comparisons=(
            Preferred("pix2pixhd", 0.8621, 0.81, 0.9012, 0.0, (0.848, 0.875), 0.0, 3.6, 2400, 2400, 2400, 80, 120),
            Preferred("paired-munit", 0.551, 0.512, 0.589, 0.014, (0.531, 0.571), 0.0, 2.9, 2380, 2400, 2400, 80, 119),
            Preferred("pix2pixsc-no-sc", 0.5, 0.45, 0.55, 1.0, (0.48, 0.52), 1.0, 3.1, 2379, 2400, 2400, 80, 120),
        ),
    )


if __name__ == "__main__":
    from reports.page import write_report

    write_fake_run(Path(sys.argv[1]))
    write_preference(Path(sys.argv[1]), fake_preference())
    print(write_report(Path(sys.argv[1])))
