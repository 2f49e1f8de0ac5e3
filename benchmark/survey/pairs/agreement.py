"""How far the people agree who marked pairs into one file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from benchmark.data.pair_labels import Key, read_lines
from benchmark.errors import BenchError
from benchmark.stats import krippendorff_alpha


def agreement_lines(path: Path, most: int = 20) -> list[str]:
    """Each labeller's counts, Krippendorff's alpha, and up to `most` of the pairs that they disagree on."""
    said: dict[str, dict[Key, str]] = {}
    for line in read_lines(path):
        said.setdefault(line["who"] or "(no name)", {})[frozenset((line["a"], line["b"]))] = line["consistent"].lower()
    told = [f"{path}: {_number(len(said), 'labeller')}", f"  {'':20} {'yes':>6} {'no':>6} {'skipped':>8}"]
    for who, answers in said.items():
        counts = Counter(answers.values())
        told.append(f"  {who:20} {counts['yes']:>6} {counts['no']:>6} {counts['skip']:>8}")
    pairs = list(dict.fromkeys(pair for answers in said.values() for pair in answers))
    numbers = {"yes": 1.0, "no": 0.0}
    ratings = np.array([[numbers.get(answers.get(pair, ""), np.nan) for pair in pairs] for answers in said.values()])
    shared = (~np.isnan(ratings)).sum(axis=0) >= 2 if len(said) else np.zeros(0, dtype=bool)
    told.append(f"  {int(shared.sum())} of {len(pairs)} pairs were marked by two or more")
    try:
        alpha = krippendorff_alpha(ratings)
        told.append(f"  Krippendorff's alpha {alpha.value:.2f} ({alpha.low:.2f} to {alpha.high:.2f}); 1: always alike")
    except BenchError as error:
        told.append(f"  no alpha: {error}")
    split = [pair for pair, column in zip(pairs, ratings.T, strict=True) if len(set(column[~np.isnan(column)])) > 1]
    if split:
        told.append(f"disagreed on {_number(len(split), 'pair')} (a tie counts as no):")
        for pair in split[:most]:
            votes = ", ".join(f"{who}: {answers[pair]}" for who, answers in said.items() if pair in answers)
            told.append(f"  {' '.join(sorted(pair))}  {votes}")
        told += [f"  and {len(split) - most} more"] if len(split) > most else []
    return told


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
